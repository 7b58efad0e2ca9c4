"""How many weights each round removes: a share of the survivors, per layer or of the whole network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from search_engine.spaces.plain_network import Layer

MOST_ROUNDS = 200
"""At the lowest rate of 1 % that is a share of 13 %."""


class Rates(Protocol):
    """The options that say it."""

    @property
    def rate(self) -> float: ...
    @property
    def output_rate(self) -> float: ...
    @property
    def convolution_rate(self) -> float: ...
    @property
    def scope(self) -> str: ...


def rate_of(layer: Layer, options: Rates) -> float:
    """The share of a layer's survivors that a round removes."""
    if options.scope == "global":
        return options.rate
    if layer.is_convolution:
        return options.convolution_rate
    return options.output_rate if layer.name == "output" else options.rate


def removed_count(kept: int, rate: float) -> int:
    """Exactly round(rate * kept)."""
    return round(rate * kept)


def next_counts(layers: Sequence[Layer], kept: Mapping[str, int], options: Rates) -> dict[str, int]:
    """Survivors per layer after one more round of layer-wise pruning."""
    return {layer.name: kept[layer.name] - removed_count(kept[layer.name], rate_of(layer, options)) for layer in layers}


def planned_shares(layers: Sequence[Layer], options: Rates, target: float) -> list[float]:
    """Share of all weights that is left in each round, from the dense network (1.0) to the first that is not above `target`.

    Ends earlier where the rates remove nothing more, or after 200 rounds.
    """
    total = sum(layer.total for layer in layers)
    counts = {layer.name: layer.total for layer in layers}
    left = total
    shares = [1.0]
    while shares[-1] > target and len(shares) <= MOST_ROUNDS:
        if options.scope == "global":
            now = left - removed_count(left, options.rate)
        else:
            counts = next_counts(layers, counts, options)
            now = sum(counts.values())
        if now == left:
            break
        left = now
        shares.append(left / total)
    return shares
