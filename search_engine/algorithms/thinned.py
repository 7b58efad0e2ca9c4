"""A record of moments that stays small however long a search is."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

ItemT = TypeVar("ItemT")


class Thinned(Generic[ItemT]):
    """What was at some moments (generations), at equal distances, `most` of them. Where there would be more, every second one is dropped
    and the distance doubles. Items are JSON values and never changed once they are in.

    >>> record = Thinned(most=7)
    >>> for generation in range(20):
    ...     record.add(generation, generation ** 2)
    >>> record.kept, record.every
    ([(0, 0), (4, 16), (8, 64), (12, 144), (16, 256)], 4)
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.kept: list[tuple[int, ItemT]] = []
        self.every = 1
        """Moments from one that is kept to the next."""

    def due(self, moment: int) -> bool:
        return moment % self.every == 0

    def add(self, moment: int, item: ItemT) -> None:
        """Keep it, where it is due. Moments come in order."""
        if not self.due(moment):
            return
        self.kept.append((moment, item))
        if len(self.kept) > self.most:
            self.every *= 2
            self.kept = [one for one in self.kept if self.due(one[0])]

    def with_newest(self, moment: int, item: ItemT) -> list[tuple[int, ItemT]]:
        """The kept ones, and the one of the newest moment, kept or not."""
        return [*(one for one in self.kept if one[0] < moment), (moment, item)]

    def state_dict(self) -> dict[str, Any]:
        return {"every": self.every, "kept": [[moment, item] for moment, item in self.kept]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.every = state["every"]
        self.kept = [(moment, item) for moment, item in state["kept"]]
