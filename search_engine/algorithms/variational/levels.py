"""How the parameters move: all on one objective, or hyper-parameters above variational parameters.

    one level    (theta, h) := (theta, h) + step along Q                             (where L and Q agree on theta, see Lambdas.one_level)
    two levels   n times:  theta := theta + step along L
                 once:     h := h + step along d/dh Q(theta + xi d/dtheta L(theta, h), h)

xi = 0 is the greedy first order. The unrolled gradient is estimated by `simplex.estimators`, with h in the place of the structure and theta
in that of the weights. All losses are per object (nats / m), so that rates and xi mean the same for every size of data.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from search_engine.base.checkpoint import copied
from search_engine.base.errors import TrialFailure

from ..simplex.estimators import ESTIMATORS, EstimatorName, VirtualStep
from .estimate import Point

GroupName = Literal["model", "structure", "precision", "prior"]
OptimizerName = Literal["adam", "sgd"]
Loss = Callable[[Point], Tensor]
"""An objective with its sign turned, per object, as a pure function of the point."""


@dataclass(frozen=True)
class Rates:
    """Learning rates of the groups of parameters."""

    model: float
    structure: float
    precision: float
    prior: float


class Levels:
    """The groups of parameters, who is below and who above, and their optimisers."""

    def __init__(
        self, point: Point, below: Sequence[GroupName], above: Sequence[GroupName], rates: Rates, optimizer: OptimizerName, clip: float
    ) -> None:
        """`below` and `above` name the groups that move; a group in neither stays as it is. Groups without tensors are skipped."""
        self.point = point
        self.below = [name for name in below if getattr(point, name)]
        self.above = [name for name in above if getattr(point, name)]
        self.clip = clip
        self._below = self._optimizer(self.below, rates, optimizer)
        self._above = self._optimizer(self.above, rates, optimizer)

    def _optimizer(self, names: Sequence[GroupName], rates: Rates, kind: OptimizerName) -> torch.optim.Optimizer | None:
        groups = [{"params": list(getattr(self.point, name)), "lr": getattr(rates, name)} for name in names]
        if not groups:
            return None
        return torch.optim.Adam(groups) if kind == "adam" else torch.optim.SGD(groups, lr=rates.model)

    # ---- moves

    def move_below(self, loss: Loss, where: str) -> None:
        """One step of theta on L."""
        values = self.values(self.below)
        leaves = [value.detach().requires_grad_(True) for value in values]
        gradients = _gradients(loss(self.at(below=leaves, above=_detached(self.values(self.above)))), leaves)
        self._apply(self._below, values, gradients, where)

    def move_together(self, loss: Loss, where: str) -> None:
        """One step of everything on one objective."""
        values = self.values(self.below) + self.values(self.above)
        leaves = [value.detach().requires_grad_(True) for value in values]
        cut = len(self.values(self.below))
        gradients = _gradients(loss(self.at(below=leaves[:cut], above=leaves[cut:])), leaves)
        if self.clip:
            gradients = _clipped(gradients, self.clip, where)
        self._apply(self._below, values[:cut], gradients[:cut], where, clip=False)
        self._apply(self._above, values[cut:], gradients[cut:], where, clip=False)

    def move_above(self, lower: Loss, upper: Loss, estimator: EstimatorName, xi: float, where: str) -> tuple[int, int]:
        """One step of h along the unrolled gradient. Returns the passes on the lower and on the upper loss."""
        values = self.values(self.above)
        leaves = [value.detach().requires_grad_(True) for value in values]
        found = ESTIMATORS[estimator](
            lambda below, above: lower(self.at(below=below, above=above)), lambda below, above: upper(self.at(below=below, above=above)),
            self.values(self.below), leaves, VirtualStep(xi),
        )
        self._apply(self._above, values, found.gradients, where)
        return found.train_passes, found.val_passes

    def _apply(
        self, optimizer: torch.optim.Optimizer | None, values: Sequence[Tensor], gradients: Sequence[Tensor], where: str, clip: bool = True
    ) -> None:
        if optimizer is None:
            return
        if clip and self.clip:
            gradients = _clipped(gradients, self.clip, where)
        for value, gradient in zip(values, gradients, strict=True):
            if not bool(torch.isfinite(gradient).all()):
                raise TrialFailure(f"a gradient is not a number {where}; try a smaller learning rate or a smaller gradient clip")
            value.grad = gradient.detach()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    # ---- the point and its parts

    def values(self, names: Sequence[str]) -> list[Tensor]:
        """The tensors of those groups, one group behind the other."""
        return [tensor for name in names for tensor in getattr(self.point, name)]

    def at(self, below: Sequence[Tensor], above: Sequence[Tensor]) -> Point:
        """The point with other tensors in the moving groups; what does not move is a constant."""
        groups: dict[str, Any] = {name: _detached(getattr(self.point, name)) for name in ("model", "structure", "precision", "prior")}
        for names, tensors in ((self.below, list(below)), (self.above, list(above))):
            for name in names:
                count = len(getattr(self.point, name))
                groups[name], tensors = tensors[:count], tensors[count:]
        return Point(**groups)

    def here(self) -> Point:
        """The point as it is, all constants."""
        return self.at(_detached(self.values(self.below)), _detached(self.values(self.above)))

    # ---- checkpoints

    def state_dict(self) -> dict[str, Any]:
        parts = {"below": self._below, "above": self._above}
        return {name: None if item is None else copied(item.state_dict()) for name, item in parts.items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for name, item in (("below", self._below), ("above", self._above)):
            if item is not None:
                item.load_state_dict(state[name])


def _detached(values: Sequence[Tensor]) -> list[Tensor]:
    return [value.detach() for value in values]


def _gradients(value: Tensor, of: Sequence[Tensor]) -> list[Tensor]:
    if not value.requires_grad:
        return [torch.zeros_like(tensor) for tensor in of]
    return list(torch.autograd.grad(value, list(of), allow_unused=True, materialize_grads=True))


def _clipped(gradients: Sequence[Tensor], clip: float, where: str) -> list[Tensor]:
    """All gradients brought to a common norm of at most `clip`."""
    norm = float(torch.stack([gradient.square().sum() for gradient in gradients]).sum().sqrt())
    if not math.isfinite(norm):
        raise TrialFailure(f"the gradient's norm is not a number {where}; try a smaller learning rate")
    return [gradient * (clip / norm) if norm > clip else gradient for gradient in gradients]
