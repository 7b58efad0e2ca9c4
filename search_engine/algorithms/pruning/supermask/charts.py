"""The charts of a supermask search: accuracy of the masks while they are trained, their probabilities, how much they change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from search_engine.events import Chart, ChartMark, series
from search_engine.spaces.plain_network import Layer

MOST_POINTS = 200
"""Of a curve; of longer ones some in between are left out."""
BINS = 10


@dataclass(frozen=True)
class Standing:
    """What one scoring gave. Scores are of the validation part."""

    step: int
    scores: list[float]
    """Of the drawn masks (edge-popup: of its one mask)."""
    loss: float
    """Mean over the drawn masks."""
    finished: float
    """Score of the mask that would be finished now."""
    probabilities: dict[str, float]
    """Mean probability of a weight to be kept, by layer."""
    changed: float
    """Share of all places where the finished mask differs from the one at the scoring before."""

    @property
    def mean(self) -> float:
        return sum(self.scores) / len(self.scores)


def charts(
    standings: Sequence[Standing], layers: tuple[Layer, ...], probabilities: Mapping[str, np.ndarray[Any, Any]], score: str, dense: float,
    random: bool,
) -> list[Chart]:  # fmt: skip
    """All charts as they stand. `random`: whether masks are drawn (Zhou) rather than chosen (edge-popup); `dense`: score of the untrained
    network without a mask; `score`: name of what is measured."""
    shown = _thinned(standings)
    steps = [item.step for item in shown]
    marks = [ChartMark(axis="y", value=dense, title="no mask, untrained")]
    if random:
        curves = [
            series(
                "drawn masks, mean", steps, [item.mean for item in shown], low=[min(item.scores) for item in shown],
                high=[max(item.scores) for item in shown],
            ),
            series("finished mask", steps, [item.finished for item in shown], look="dashed"),
        ]  # fmt: skip
    else:
        curves = [series("mask", steps, [item.mean for item in shown])]
    found = [
        Chart(
            name="mask_accuracy", title=f"Validation {score} of the masks", x_title="step", y_title=f"validation {score}", series=curves,
            marks=marks, note="The weights never move: whatever is learned is which of them to keep.",
        ),
        Chart(
            name="changed", title="Places of the mask that changed", x_title="step", y_title="share of all weights since the point before",
            series=[series("changed", steps[1:], [item.changed for item in shown[1:]])],
            note="Near 0 the search has settled.",
        ),
    ]  # fmt: skip
    if random:
        found += [_by_layer(shown, layers), _histogram(probabilities)]
    return found


def _by_layer(shown: Sequence[Standing], layers: tuple[Layer, ...]) -> Chart:
    steps = [item.step for item in shown]
    return Chart(
        name="probability", title="Mean probability of a weight to be kept", x_title="step", y_title="mean probability",
        series=[series(layer.title, steps, [item.probabilities[layer.name] for item in shown]) for layer in layers],
    )  # fmt: skip


def _histogram(probabilities: Mapping[str, np.ndarray[Any, Any]]) -> Chart:
    every = np.concatenate([value.ravel() for value in probabilities.values()])
    counts, edges = np.histogram(every, bins=BINS, range=(0, 1))
    return Chart(
        name="probabilities", title="Probabilities now", form="bars", x_title="probability to be kept", y_title="share of all weights",
        categories=[f"{low:.1f} to {high:.1f}" for low, high in pairwise(edges.tolist())],
        series=[series("weights", range(BINS), counts / len(every))],
        note="Weights near 0 or 1 are decided; those between are still drawn.",
    )  # fmt: skip


def _thinned(standings: Sequence[Standing]) -> list[Standing]:
    if len(standings) <= MOST_POINTS:
        return list(standings)
    last = len(standings) - 1
    return [standings[round(place * last / (MOST_POINTS - 1))] for place in range(MOST_POINTS)]
