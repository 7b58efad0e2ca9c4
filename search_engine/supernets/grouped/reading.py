"""Which operations of a cell can be grouped, and their parts: read from the modules that `build_primitive` made.

What is not exactly what is known here is nobody's group: a layer with a distribution, a normalisation with weights or statistics.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from ...primitives.modules import FactorizedReduce
from ..skip_dropout import SkipDropout
from .normalise import EPSILON


class Unknown(Exception):
    """An operation that cannot be grouped."""


@dataclass
class Term:
    """One operation of one edge."""

    row: int
    column: int
    target: int
    convolutions: list[nn.Conv2d] = field(default_factory=list)


@dataclass
class Source:
    """The operations that read one state at one stride, those with equal arithmetic together; each list by target."""

    separable: dict[int, list[Term]] = field(default_factory=dict)
    """By kernel side: ReLU, depthwise, pointwise, normalisation, twice."""
    dilated: dict[tuple[int, int], list[Term]] = field(default_factory=dict)
    """By kernel side and dilation: ReLU, depthwise, pointwise, normalisation."""
    dense: dict[int, list[Term]] = field(default_factory=dict)
    """By kernel side: ReLU, convolution, normalisation."""
    halved: list[Term] = field(default_factory=list)
    """Strided skip connections: ReLU, two 1x1 convolutions side by side, normalisation."""
    pooled: dict[tuple[str, bool], tuple[nn.Module, list[Term]]] = field(default_factory=dict)
    """By kind and whether a normalisation follows."""
    skipped: list[Term] = field(default_factory=list)
    dropped: list[tuple[SkipDropout, Term]] = field(default_factory=list)
    """Skip connections that drop values now."""

    @property
    def targets(self) -> list[int]:
        """The nodes that get something, in order; those of dropped skip connections come on top."""
        lists = [*self.separable.values(), *self.dilated.values(), *self.dense.values(), self.halved, self.skipped]
        lists += [own for _, own in self.pooled.values()]
        return sorted({term.target for own in lists for term in own})

    def add(self, operation: nn.Module, row: int, column: int, target: int) -> None:
        """Raises Unknown."""
        term = Term(row, column, target)
        kind = type(operation)
        if kind is nn.Identity:
            self.skipped.append(term)
        elif isinstance(operation, SkipDropout):
            if operation.rate == 0:
                self.skipped.append(term)
            else:
                self.dropped.append((operation, term))
        elif kind is FactorizedReduce:
            halving: Any = operation
            _known_norm(halving.norm)
            term.convolutions = [_convolution(halving.straight), _convolution(halving.shifted)]
            self.halved.append(term)
        elif kind in (nn.AvgPool2d, nn.MaxPool2d):
            self.pooled.setdefault((kind.__name__, False), (operation, []))[1].append(term)
        elif kind is nn.Sequential:
            self._add_layers(list(operation._modules.values()), term)
        else:
            raise Unknown(kind.__name__)

    def _add_layers(self, layers: list[Any], term: Term) -> None:
        kinds = tuple(type(layer) for layer in layers)
        if len(kinds) == 2 and kinds[0] in (nn.AvgPool2d, nn.MaxPool2d):
            _known_norm(layers[1])
            self.pooled.setdefault((kinds[0].__name__, True), (layers[0], []))[1].append(term)
        elif kinds == DENSE:
            _known_norm(layers[2])
            term.convolutions = [_convolution(layers[1])]
            self.dense.setdefault(layers[1].kernel_size[0], []).append(term)
        elif kinds == HALF:
            _known_norm(layers[3])
            term.convolutions = [_convolution(layers[1]), _convolution(layers[2])]
            self.dilated.setdefault((layers[1].kernel_size[0], layers[1].dilation[0]), []).append(term)
        elif kinds == HALF + HALF:
            _known_norm(layers[3])
            _known_norm(layers[7])
            term.convolutions = [_convolution(layers[place]) for place in (1, 2, 5, 6)]
            self.separable.setdefault(layers[1].kernel_size[0], []).append(term)
        else:
            raise Unknown(" ".join(kind.__name__ for kind in kinds))


DENSE = (nn.ReLU, nn.Conv2d, nn.BatchNorm2d)
HALF = (nn.ReLU, nn.Conv2d, nn.Conv2d, nn.BatchNorm2d)


def relu_pointwise_norm(layer: nn.Module) -> Tensor | None:
    """The weight (C', C, 1, 1) of a layer of ReLU, 1x1 convolution and normalisation; None = it is another one."""
    if type(layer) is not nn.Sequential:
        return None
    layers: list[Any] = list(layer._modules.values())
    if tuple(type(own) for own in layers) != DENSE or layers[1].kernel_size != (1, 1) or layers[1].stride != (1, 1):
        return None
    try:
        _known_norm(layers[2])
        return _convolution(layers[1]).weight
    except Unknown:
        return None


def halving(layer: nn.Module) -> list[Tensor] | None:
    """The weights (C' / 2, C, 1, 1) of a factorised reduction; None = it is something else."""
    if type(layer) is not FactorizedReduce:
        return None
    try:
        _known_norm(layer.norm)
        return [_convolution(layer.straight).weight, _convolution(layer.shifted).weight]
    except Unknown:
        return None


def _convolution(layer: Any) -> nn.Conv2d:
    if type(layer) is not nn.Conv2d or layer.bias is not None:
        raise Unknown(type(layer).__name__)
    return layer


def _known_norm(layer: Any) -> None:
    if type(layer) is not nn.BatchNorm2d or layer.weight is not None or layer.running_mean is not None or layer.eps != EPSILON:
        raise Unknown(type(layer).__name__)
