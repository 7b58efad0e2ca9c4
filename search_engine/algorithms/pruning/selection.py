"""From the weights of a round's start and end to the masks of the next round."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from search_engine.base.generators import derive_seed
from search_engine.spaces.plain_network import Layer

from .criteria import CriterionName, lowest, scores
from .rates import Rates, rate_of, removed_count

Masks = dict[str, Tensor]
"""Bool tensors of the weights' shapes, on the CPU, by layer; True = kept."""


def pruned(
    layers: Sequence[Layer], masks: Mapping[str, Tensor], first: Mapping[str, Tensor], last: Mapping[str, Tensor],
    options: Rates, criterion: CriterionName, *seed: object,
) -> Masks:  # fmt: skip
    """The masks after one removal. `first` and `last` are the weights at the round's start and end, on the CPU.

    Layer-wise: of every layer's n survivors exactly round(rate n) go. Global: of all n survivors exactly round(rate n) go, wherever they
    lie. The lowest scores go; of equal ones those that stand first. Masks only ever lose weights.
    """
    ranked: dict[str, Tensor] = {}
    places: dict[str, Tensor] = {}
    for layer in layers:
        alive = masks[layer.name].flatten().nonzero().flatten()
        places[layer.name] = alive
        generator = torch.Generator().manual_seed(derive_seed("criterion", layer.name, *seed))
        start, end = first[layer.name].flatten()[alive], last[layer.name].flatten()[alive]
        ranked[layer.name] = scores(criterion, start, end, rate_of(layer, options), generator)
    gone = _global(ranked, options.rate) if options.scope == "global" else _layerwise(layers, ranked, options)
    result: Masks = {}
    for layer in layers:
        mask = masks[layer.name].clone()
        mask.view(-1)[places[layer.name][gone[layer.name]]] = False
        result[layer.name] = mask
    return result


def _layerwise(layers: Sequence[Layer], ranked: Mapping[str, Tensor], options: Rates) -> dict[str, Tensor]:
    """Per layer the places among its survivors that go."""
    return {layer.name: lowest(ranked[layer.name], removed_count(len(ranked[layer.name]), rate_of(layer, options))) for layer in layers}


def _global(ranked: Mapping[str, Tensor], rate: float) -> dict[str, Tensor]:
    together = torch.cat(list(ranked.values()))
    gone = lowest(together, removed_count(len(together), rate))
    result, start = {}, 0
    for name, values in ranked.items():
        result[name] = gone[(gone >= start) & (gone < start + len(values))] - start
        start += len(values)
    return result
