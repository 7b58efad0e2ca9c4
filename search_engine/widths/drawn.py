"""Networks that were shrunk, as events: bounded, however many layers they have."""

from __future__ import annotations

from collections.abc import Sequence

from ..base.compression import Narrowed
from ..events import NarrowedLayer, NarrowedNetwork, WidthsFrame
from .histograms import ends

MOST_LAYERS = 24
"""Of a network: the widest; of equals the first."""


def network(
    title: str, layers: Sequence[Narrowed], cost: float, candidate: int | None = None, value: float | None = None,
    plain: float | None = None,
) -> NarrowedNetwork:  # fmt: skip
    """`layers` in the order of computation, which those that are shown keep; `cost` as a share of that before."""
    widest = sorted(range(len(layers)), key=lambda place: (-layers[place].before, place))[:MOST_LAYERS]
    shown = [
        NarrowedLayer(name=layer.name, before=layer.before, after=layer.after, counts=list(layer.counts), held=layer.held)
        for layer in (layers[place] for place in sorted(widest))
    ]
    return NarrowedNetwork(
        title=title, candidate=candidate, value=value, plain=plain, cost=cost, layers=shown, others=len(layers) - len(shown)
    )


def frame(
    step: int, networks: Sequence[NarrowedNetwork], threshold: float, measure: str, unit: str, metric: str, values: dict[str, float]
) -> WidthsFrame:
    """All networks' counts are around the same threshold."""
    return WidthsFrame(
        step=step, measure=measure, unit=unit, metric=metric, threshold=threshold, ends=ends(threshold), networks=list(networks),
        values=values,
    )
