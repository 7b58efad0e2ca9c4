"""The network of a round layer by layer: how important its channels are, and how wide it was and is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from search_engine.base.compression import Narrowed
from search_engine.events import WidthsFrame
from search_engine.widths import drawn
from search_engine.widths.histograms import histogram


def frame(
    step: int, number: int, before: Mapping[str, int], alive: Mapping[str, int], importance: Mapping[str, Sequence[float]],
    held: Sequence[str], cost: float, threshold: float, measured: str, metric: str, value: float | None = None,
) -> WidthsFrame:  # fmt: skip
    """Of round `number` (from 1), under way or at its end: widths by block, the importance of each one's channels, the blocks that only the
    floor keeps, and the cost of what is alive as a share of the round's first. Layers that are tied are one block."""
    layers = [
        Narrowed(name, width, alive.get(name, width), histogram(importance.get(name, ()), threshold), name in held)
        for name, width in before.items()
    ]
    network = drawn.network(f"round {number}", layers, cost, value=value)
    return drawn.frame(step, [network], threshold, measured, "channels", metric, {"round": float(number)})
