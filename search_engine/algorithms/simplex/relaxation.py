"""A search space relaxed: its super-network, the data of its two levels, and its loss as a function of (weights, alphas).

What the gradient methods on a super-network share before any of them has a rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from search_engine.base.errors import BadInput
from search_engine.base.lazy import lazy_module
from search_engine.datasets.base import Part, SearchData
from search_engine.datasets.splits import permutation
from search_engine.spaces.tasks import TaskName
from search_engine.structures import StructureDistribution

if TYPE_CHECKING:
    import torch
    from torch import nn

    from search_engine.supernets.skip_dropout import SkipDropout
    from search_engine.training.precision import Precision
else:
    torch = lazy_module("torch")

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
    """The task's loss of a super-network on one minibatch: a pure function of (weights, alphas), as the estimators want it.

    The network itself computes where the weights are its own parameters (an estimator moves these in place); others are exchanged for
    them during the call.
    `noise` seeds the structure's draw, with a generator on the CPU, and that of the network's `dropouts`: every call draws the same
    (common random numbers).
    `loss` and `accuracy` (of classes; None for other tasks) are those of the last call.
    """

    def __init__(
        self,
        network: nn.Module,
        structure: StructureDistribution,
        batch: Batch,
        precision: Precision,
        task: TaskName = "classification",
        noise: int = 0,
        dropouts: Sequence[SkipDropout] = (),
        weights: Sequence[torch.Tensor] | None = None,
        class_weights: torch.Tensor | None = None,
    ) -> None:
        """`weights`: the network's parameters in their order, where somebody has them at hand (to look for them takes milliseconds).
        `class_weights` (classes,) are part of what is lowered and not of `loss`."""
        self._network = network
        self._own = list(network.parameters()) if weights is None else weights
        self._structure = structure
        self._inputs, self._labels = batch
        self._precision = precision
        self._task = task
        self._noise = noise
        self._dropouts = dropouts
        self._class_weights = class_weights
        self.loss = float("nan")
        self.accuracy: float | None = None

    @property
    def examples(self) -> int:
        return len(self._labels)

    def __call__(self, weights: Sequence[torch.Tensor], alphas: Sequence[torch.Tensor]) -> torch.Tensor:
        """A scalar: for classes the mean cross-entropy in nats. `weights` stand in the order of the network's parameters, `alphas` in
        that of the structure's."""
        from search_engine.training.criterion import mean_loss

        generator = torch.Generator().manual_seed(self._noise)
        if self._dropouts:
            zeros = torch.Generator(self._inputs.device).manual_seed(self._noise)
            for dropout in self._dropouts:
                dropout.generator = zeros
        with self._precision.autocast():
            outputs = self._outputs(weights, self._structure.sample(alphas, generator))
        value = mean_loss(self._task, outputs, self._labels)
        self.loss = float(value.detach())
        if self._class_weights is not None:
            value = mean_loss(self._task, outputs, self._labels, weights=self._class_weights)
        if self._task == "classification":
            self.accuracy = float((outputs.detach().argmax(1) == self._labels).float().mean())
        return value

    def _outputs(self, weights: Sequence[torch.Tensor], gamma: dict[str, torch.Tensor]) -> torch.Tensor:
        if len(weights) == len(self._own) and all(given is own for given, own in zip(weights, self._own, strict=True)):
            outputs: torch.Tensor = self._network(self._inputs, gamma)
            return outputs
        names = [name for name, _ in self._network.named_parameters()]
        outputs = torch.func.functional_call(self._network, dict(zip(names, weights, strict=True)), (self._inputs, gamma))
        return outputs

    def figures(self, part: str) -> dict[str, float]:
        """`<part>_loss` and, for classes, `<part>_accuracy` of the last call."""
        score = {} if self.accuracy is None else {f"{part}_accuracy": self.accuracy}
        return {f"{part}_loss": self.loss, **score}
