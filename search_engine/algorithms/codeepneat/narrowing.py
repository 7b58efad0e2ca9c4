"""Which compressed networks are shown layer by layer: of every generation a few, by a rule.

Shown are the best network so far, the fittest of the generation, the one that lost most of its FLOPs, and the first ones that were trained
both ways; each once, and only those that were compressed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from search_engine.base.compression import Narrowed
from search_engine.events import NarrowedNetwork, WidthsFrame
from search_engine.widths import drawn

from ..base import Result

BOTH_WAYS = 2
"""So many of those that were trained as they are, too."""
BEST = "the best so far"


class Narrowing:
    """Keeps the best network; the others of a picture are of the generation that was told."""

    def __init__(self) -> None:
        self.best: dict[str, Any] | None = None
        """Its NarrowedNetwork as JSON; None before there is a compressed one."""

    def add(self, results: Sequence[Result], champion: int | None, metric: str) -> None:
        """A generation's results; `champion` is the number of the best network of all so far."""
        for result in results:
            if result.number == champion:
                # A best one that was not compressed has no widths to show.
                self.best = _network(BEST, result, metric).model_dump() if _shown(result) else None

    def frame(
        self, step: int, results: Sequence[Result], threshold: float, metric: str, values: dict[str, float]
    ) -> WidthsFrame | None:
        """Of the generation that was just added; None where nothing of it was compressed."""
        compressed = [result for result in results if _shown(result)]
        if not compressed:
            return None
        networks = [] if self.best is None else [NarrowedNetwork.model_validate(self.best)]
        both_ways = [result for result in compressed if result.compressed is not None and result.compressed.plain is not None]
        wanted = [
            ("the fittest of the generation", max(compressed, key=lambda result: result.metrics[metric])),
            ("the most compressed of the generation", min(compressed, key=_share)),
            *(("also trained as it was", result) for result in both_ways[:BOTH_WAYS]),
        ]
        for title, result in wanted:
            if all(result.number != network.candidate for network in networks):
                networks.append(_network(title, result, metric))
        return drawn.frame(step, networks, threshold, "|γ|", "filters", metric, values)

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.best = state["best"]


def _shown(result: Result) -> bool:
    return result.ok and result.compressed is not None and len(result.compressed.narrowed) > 0


def _share(result: Result) -> float:
    """FLOPs after / before."""
    assert result.compressed is not None
    before, after = result.compressed.flops
    return after / before if before else 1.0


def _network(title: str, result: Result, metric: str) -> NarrowedNetwork:
    assert result.compressed is not None
    layers: Sequence[Narrowed] = result.compressed.narrowed
    plain = result.compressed.plain
    return drawn.network(
        title, layers, _share(result), result.number, result.metrics[metric], None if plain is None else plain.get(metric)
    )
