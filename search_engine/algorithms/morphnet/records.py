"""What a round found, and what a training of given widths gave: plain values that a checkpoint keeps."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

Widths = dict[str, int]


@dataclass
class Round:
    """Shrinking once. Costs are shares of the seed network's."""

    number: int
    factor: float
    before: Widths
    alive: Widths
    multiplier: float
    """ω."""
    after: Widths
    cost_before: float
    cost_alive: float
    cost_after: float
    importance: dict[str, list[float]]
    """r of each block's channels at the end, the largest first."""
    trace: list[list[float]]
    """[step, loss, λR, cost as a share of this round's first] in order."""
    floors: list[str]
    unused_inputs: int
    shrunk_score: float
    """Of the network that was being shrunk, all its channels still there, on the validation part."""
    score: float | None = None
    """Of the network with the widths `after`, trained from scratch, on the validation part."""

    def to_tree(self) -> dict[str, Any]:
        return asdict(self)


@dataclass
class Live:
    """The shrinking under way."""

    trace: list[list[float]] = field(default_factory=list)
    importance: dict[str, list[float]] = field(default_factory=dict)
    alive: Widths = field(default_factory=dict)


def ranked(rounds: list[Round]) -> list[Round]:
    """Those whose network was trained, best first; of equals the cheaper one, then the earlier."""
    trained = [item for item in rounds if item.score is not None]
    return sorted(trained, key=lambda item: (-(item.score or 0.0), item.cost_after, item.number))


def percent(share: float) -> str:
    """`7.41 %`."""
    return f"{100 * share:.3g} %"
