"""The skip counter: how many skip connections the derived normal cell has.

DARTS tends to collapse into cells of skip connections: they need no training and ease that of everything else. DARTS+ (Liang et al.
2019, criterion 1) ends the search when the normal cell has two of them.
"""

from __future__ import annotations

from typing import Any

from search_engine.events import Notice
from search_engine.primitives.names import PRIMITIVES

from .base import EpochView, Firing, Habit


def is_skip(operation: str) -> bool:
    """Whether an operation hands its input on unchanged."""
    return operation in PRIMITIVES and PRIMITIVES[operation].kind == "identity"


class SkipCounter(Habit):
    """Says when the count reaches `limit` from below; with `stop` it also ends the search there.

    Counts in the group `normal` where there is one, else in the first group.
    """

    name = "skip_counter"

    def __init__(self, limit: int, stop: bool) -> None:
        self.limit = limit
        self.stop = stop
        self.previous = 0

    def after_epoch(self, view: EpochView) -> Firing | None:
        group = "normal" if "normal" in view.derived else next(iter(view.derived))
        count = sum(is_skip(operation) for operation in view.derived[group])
        before, self.previous = self.previous, count
        if count < self.limit or before >= self.limit:
            return None
        message = f"The {group} cell has {count} skip connections, the limit is {self.limit}: the search may be collapsing."
        if self.stop:
            message += " It stops here, as DARTS+ does."
        notice = Notice(name=self.name, message=message, step=view.step, values={"skips": float(count), "limit": float(self.limit)})
        return Firing(notice, stop="skip connections" if self.stop else "")

    def state_dict(self) -> dict[str, Any]:
        return {"previous": self.previous}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.previous = state["previous"]
