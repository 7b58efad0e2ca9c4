"""A plain network and its Bayesian twin: the same modules under the same names, their linear and convolutional layers exchanged."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping

import torch
from torch import nn

from .layers import BayesConvolution, BayesLinear, MeanFieldLayer, Posterior


def to_bayesian(
    module: nn.Module, *, init_log_sigma: float = -3.0, log_sigma_floor: float | None = None, point_bias: bool = False
) -> nn.Module:
    """Exchange every nn.Linear, nn.Conv1d and nn.Conv2d of `module` (in place, names kept) by its mean-field twin, whose first means are
    the plain weights; a layer that stands in several places stays one layer. Returns the module (or the twin of a module that is a layer
    itself).
    """
    options = {"init_log_sigma": init_log_sigma, "log_sigma_floor": log_sigma_floor, "point_bias": point_bias}

    def twin(layer: nn.Module) -> nn.Module | None:
        if type(layer) is nn.Linear:
            return BayesLinear(layer, **options)  # type: ignore[arg-type]
        return BayesConvolution(layer, **options) if type(layer) in (nn.Conv1d, nn.Conv2d) else None  # type: ignore[arg-type]

    return _exchanged(module, twin)


def to_plain(module: nn.Module, keep: Mapping[str, torch.Tensor] | None = None) -> nn.Module:
    """A copy of a Bayesian network as plain layers at the mean weights. `keep`: layer name -> bool mask of its weight; what is not kept
    becomes 0. Raises KeyError for a mask of a layer that is not there."""
    keep = dict(keep or {})
    unknown = keep.keys() - {name for name, _ in bayesian_layers(module)}
    if unknown:
        raise KeyError(f"no Bayesian layer is called {sorted(unknown)}")
    masks = {id(layer): keep.get(name) for name, layer in bayesian_layers(module)}

    def plain(layer: nn.Module) -> nn.Module | None:
        return layer.plain(masks[id(layer)]) if isinstance(layer, MeanFieldLayer) else None

    # The layers are exchanged in a skeleton that shares them, so that the originals need not be copied first.
    memo: dict[int, object] = {id(layer): layer for _, layer in bayesian_layers(module)}
    return _exchanged(copy.deepcopy(module, memo), plain)


def bayesian_layers(module: nn.Module) -> Iterator[tuple[str, MeanFieldLayer]]:
    """(name, layer) of every mean-field layer, in the order of the module tree."""
    for name, layer in module.named_modules():
        if isinstance(layer, MeanFieldLayer):
            yield name, layer


def posteriors(module: nn.Module) -> Iterator[tuple[str, Posterior]]:
    """(`layer.weight` or `layer.bias`, q) of every tensor with a distribution."""
    for name, layer in bayesian_layers(module):
        for posterior in layer.posteriors():
            yield f"{name}.{posterior.name}" if name else posterior.name, posterior


def _exchanged(module: nn.Module, twin: Callable[[nn.Module], nn.Module | None]) -> nn.Module:
    """`module` with every part exchanged by its twin, where it has one; a part that stands in several places gets one twin."""
    done: dict[int, nn.Module] = {}

    def exchange(parent: nn.Module) -> nn.Module:
        if id(parent) in done:
            return done[id(parent)]
        other = twin(parent)
        done[id(parent)] = parent if other is None else other
        if other is None:
            # Not named_children(): that leaves out the second place of a shared part.
            for name, child in list(parent._modules.items()):
                if child is not None:
                    setattr(parent, name, exchange(child))
        return done[id(parent)]

    return exchange(module)
