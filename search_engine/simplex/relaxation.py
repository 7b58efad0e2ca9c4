"""A search space relaxed: its super-network, the data of its two levels, and its loss as a function of (weights, alphas).

What the gradient methods on a super-network share before any of them has a rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from ..datasets.base import Part, SearchData
from ..datasets.splits import permutation
from ..errors import BadInput
from ..lazy import lazy_module
from ..structures import StructureDistribution

if TYPE_CHECKING:
    import torch
    from torch import nn
    from torch.nn import functional

    from ..training.precision import Precision
else:
    torch = lazy_module("torch")
    functional = lazy_module("torch.nn.functional")

Batch = tuple["torch.Tensor", "torch.Tensor"]
"""Network inputs (B, ...) and labels (B,)."""


def two_levels(data: SearchData, source: Literal["train_split", "validation"], share: float, *seed: object) -> tuple[Part, Part]:
    """(the part that fits the weights, the part that moves the structure).

    `train_split` divides the training part, `share` of it for the weights, and leaves the validation part to rank what was found;
    `validation` gives the weights the whole training part and the structure the validation part.
    """
    if source == "validation":
        return data.train, data.validation
    order = permutation(len(data.train), "levels", *seed)
    cut = min(max(round(share * len(order)), 1), len(order) - 1)
    if cut < 1:
        raise BadInput("dataset_options", "the training part has fewer than two examples: nothing is left to move the structure")
    return _subset(data.train, order[:cut]), _subset(data.train, order[cut:])


def _subset(part: Part, positions: Any) -> Part:
    return Part(inputs=part.inputs[positions], labels=part.labels[positions], indices=part.indices[positions])


class BatchLoss:
    """Cross-entropy of a super-network on one minibatch: a pure function of (weights, alphas), as the estimators of `bilevel` want it.

    `loss` and `accuracy` are those of the last call.
    """

    def __init__(self, network: nn.Module, structure: StructureDistribution, batch: Batch, precision: Precision) -> None:
        self._network = network
        self._names = [name for name, _ in network.named_parameters()]
        self._structure = structure
        self._inputs, self._labels = batch
        self._precision = precision
        self.loss = float("nan")
        self.accuracy = 0.0

    @property
    def examples(self) -> int:
        return len(self._labels)

    def __call__(self, weights: Sequence[torch.Tensor], alphas: Sequence[torch.Tensor]) -> torch.Tensor:
        """Mean cross-entropy in nats. `weights` stand in the order of the network's parameters, `alphas` in that of the groups."""
        parameters = dict(zip(self._names, weights, strict=True))
        with self._precision.autocast():
            logits = torch.func.functional_call(self._network, parameters, (self._inputs, self._structure.sample(alphas)))
        value = functional.cross_entropy(logits.float(), self._labels)
        self.loss = float(value.detach())
        self.accuracy = float((logits.detach().argmax(1) == self._labels).float().mean())
        return value


@contextmanager
def flops_once(flops: dict[str, float], part: str) -> Iterator[None]:
    """Count the FLOPs (2 x MACs) of the block into `flops[part]` the first time that part of a step runs; later on just run it."""
    if part in flops:
        yield
        return
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        yield
    flops[part] = float(counter.get_total_flops())
