"""Three estimators of the architecture gradient of a bilevel problem (Liu, Simonyan, Yang 2019: DARTS, section 2.3).

    min over alpha of L_val(w*(alpha), alpha)      subject to   w*(alpha) = argmin over w of L_train(w, alpha)

The inner optimum is replaced by one virtual step of the weight optimiser,

    w' = w - xi (momentum * buffer + grad_w L_train(w, alpha) + weight_decay * w),

and the gradient of L_val(w'(alpha), alpha) in alpha is

    d_alpha L_val(w', alpha)  -  xi * d2_{alpha, w} L_train(w, alpha) . d_{w'} L_val(w', alpha).

`first` sets xi = 0. `finite_difference` approximates the product by a central difference of d_alpha L_train along v = d_{w'} L_val.
`exact` differentiates through the virtual step.

Losses are functions of (weights, alphas). Every estimator asks autograd for what it needs alone: no pass that wants the structure's
gradient computes one of the weights, and no `.grad` is touched. When an estimator returns or raises, every argument has the bits it came
with. In between `finite_difference` moves the given weights in place (a network whose parameters they are need not be rebuilt), and puts
them back from a copy: adding R, subtracting 2R and adding R again would drift by rounding. That copy and one gradient are all that it
keeps beside the pass under way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from search_engine.base.lazy import lazy_module

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_module("torch")

EstimatorName = Literal["first", "finite_difference", "exact"]

PERTURBATION = 0.01
"""Length of the finite-difference shift, ||epsilon v||. In float32 a smaller one is worse: the relative error of the implicit term is
about 1e-4 at 1e-2 and 1.5e-3 at 1e-4 (cancellation); in float64 the error falls with its square."""


class Loss(Protocol):
    """A loss on one fixed minibatch, as a function of weights and alphas, which it must not change. Returns a scalar."""

    def __call__(self, weights: Sequence[torch.Tensor], alphas: Sequence[torch.Tensor]) -> torch.Tensor: ...


@dataclass(frozen=True)
class VirtualStep:
    """The weight optimiser's next step as the estimators foresee it: SGD with momentum and weight decay, without clipping."""

    xi: float
    """Its learning rate; 0 turns every estimator into the first-order one."""
    momentum: float = 0.0
    weight_decay: float = 0.0
    buffers: Sequence[torch.Tensor | None] | None = None
    """The momentum buffers, one per weight; None (of all, or of one) where the optimiser has none yet."""

    def apply(self, weights: Sequence[torch.Tensor], gradients: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """w' for each weight; differentiable in `weights` and `gradients`."""
        if not weights:
            return []
        direction = list(torch._foreach_add(list(gradients), list(weights), alpha=self.weight_decay))
        moving = {} if self.buffers is None else {place: buffer for place, buffer in enumerate(self.buffers) if buffer is not None}
        if moving:
            moved = torch._foreach_add([direction[place] for place in moving], list(moving.values()), alpha=self.momentum)
            for place, value in zip(moving, moved, strict=True):
                direction[place] = value
        return list(torch._foreach_add(list(weights), direction, alpha=-self.xi))


@dataclass(frozen=True)
class ArchitectureGradient:
    """What an estimator gives, and what it took."""

    gradients: list[torch.Tensor]
    """One per alpha, of its shape."""
    val_loss: torch.Tensor
    """L_val at the weights it was evaluated at (w for `first`, w' for the others); a detached scalar."""
    train_passes: int
    """Forward and backward passes on the training minibatch. The double backward of `exact` counts as one pass more."""
    val_passes: int


Estimator = Callable[[Loss, Loss, Sequence["torch.Tensor"], Sequence["torch.Tensor"], VirtualStep], ArchitectureGradient]


def first(
    train_loss: Loss, val_loss: Loss, weights: Sequence[torch.Tensor], alphas: Sequence[torch.Tensor], step: VirtualStep
) -> ArchitectureGradient:
    """d_alpha L_val(w, alpha): the weights are taken for their optimum. Asks autograd for the alphas' gradients only."""
    value, gradients = _slope(val_loss, weights, alphas)
    return ArchitectureGradient(gradients, value, train_passes=0, val_passes=1)


def finite_difference(
    train_loss: Loss, val_loss: Loss, weights: Sequence[torch.Tensor], alphas: Sequence[torch.Tensor], step: VirtualStep
) -> ArchitectureGradient:
    """The paper's second-order estimator (equation 8): three training passes, no graph of a gradient is kept.

    `weights` are leaves. A loss sees them moved: w, w', w + epsilon v, w - epsilon v.

    >>> def train(weights, alphas):
    ...     return (weights[0] ** 2 - 2 * alphas[0] * weights[0] + alphas[0] ** 2).sum()
    >>> def val(weights, alphas):
    ...     return (alphas[0] * weights[0] - 2 * alphas[0] + 1).sum()
    >>> w, alpha = (torch.tensor([value], dtype=torch.float64, requires_grad=True) for value in (-2.0, 2.0))
    >>> round(finite_difference(train, val, [w], [alpha], VirtualStep(xi=0.5)).gradients[0].item(), 9), w.item()
    (2.0, -2.0)
    """
    if step.xi == 0 or not weights:
        return first(train_loss, val_loss, weights, alphas, step)
    with _asking(weights, True):
        # The virtual step's own gradient is one in w alone.
        ahead = step.apply(_constants(weights), _gradients(train_loss(weights, _constants(alphas)), weights))
    kept = [weight.detach().clone() for weight in weights]
    try:
        _place(weights, ahead)
        del ahead
        with _asking(weights, True):
            value = val_loss(weights, alphas)
            found = _gradients(value, [*alphas, *weights])
        value, direct, along = value.detach(), found[: len(alphas)], found[len(alphas) :]
        del found
        norm = float(torch.nn.utils.get_total_norm(along))
        if norm == 0:
            return ArchitectureGradient(direct, value, train_passes=1, val_passes=1)
        epsilon = PERTURBATION / norm
        sides = []
        for side in (epsilon, -epsilon):
            _place(weights, kept, along, side)
            sides.append(_slope(train_loss, weights, alphas)[1])
    finally:
        _place(weights, kept)
    above, below = sides
    total = [d - step.xi * (up - down) / (2 * epsilon) for d, up, down in zip(direct, above, below, strict=True)]
    return ArchitectureGradient(total, value, train_passes=3, val_passes=1)


def exact(
    train_loss: Loss, val_loss: Loss, weights: Sequence[torch.Tensor], alphas: Sequence[torch.Tensor], step: VirtualStep
) -> ArchitectureGradient:
    """Differentiates through the virtual step. Keeps the graph of the training gradient: for small networks.

    The paper's toy (figure 2) at its start: one step ahead of w = -2 is w' = -2 - 1/2 (2 w - 2 alpha) = 2, where alpha also moves w'.

    >>> def train(weights, alphas):
    ...     return (weights[0] ** 2 - 2 * alphas[0] * weights[0] + alphas[0] ** 2).sum()
    >>> def val(weights, alphas):
    ...     return (alphas[0] * weights[0] - 2 * alphas[0] + 1).sum()
    >>> w, alpha = torch.tensor([-2.0]), torch.tensor([2.0], requires_grad=True)
    >>> first(train, val, [w], [alpha], VirtualStep(xi=0.5)).gradients
    [tensor([-4.])]
    >>> exact(train, val, [w], [alpha], VirtualStep(xi=0.5)).gradients
    [tensor([2.])]
    """
    if step.xi == 0:
        return first(train_loss, val_loss, weights, alphas, step)
    inner = _leaves(weights)
    gradients = _gradients(train_loss(inner, alphas), inner, create_graph=True)
    # w itself does not depend on alpha: only its gradient carries the graph.
    value = val_loss(step.apply(_constants(weights), gradients), alphas)
    return ArchitectureGradient(_gradients(value, alphas), value.detach(), train_passes=2, val_passes=1)


ESTIMATORS: dict[EstimatorName, Estimator] = {"first": first, "finite_difference": finite_difference, "exact": exact}


def _constants(values: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    return [value.detach() for value in values]


def _leaves(values: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    return [value.detach().requires_grad_(True) for value in values]


@contextmanager
def _asking(weights: Sequence[torch.Tensor], wanted: bool) -> Iterator[None]:
    """Whether autograd follows the weights in the block. What is not followed saves nothing for its gradient either."""
    before = [weight.requires_grad for weight in weights]
    try:
        for weight in weights:
            weight.requires_grad_(wanted)
        yield
    finally:
        for weight, flag in zip(weights, before, strict=True):
            weight.requires_grad_(flag)


def _place(weights: Sequence[torch.Tensor], at: Sequence[torch.Tensor], along: Sequence[torch.Tensor] = (), factor: float = 0.0) -> None:
    """Write at + factor * along into the weights, in place and without any further tensor."""
    with torch.no_grad():
        torch._foreach_copy_(list(weights), list(at))
        if along:
            torch._foreach_add_(list(weights), list(along), alpha=factor)


def _slope(loss: Loss, weights: Sequence[torch.Tensor], alphas: Sequence[torch.Tensor]) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """(the loss, detached; its gradients in the alphas), the weights being constants."""
    with _asking(weights, False):
        value = loss(weights, alphas)
        return value.detach(), _gradients(value, alphas)


def _gradients(value: torch.Tensor, of: Sequence[torch.Tensor], create_graph: bool = False) -> list[torch.Tensor]:
    """Gradients of a scalar; zeros where it does not depend on a tensor (an operation that the structure leaves out)."""
    if not value.requires_grad:
        return [torch.zeros_like(tensor) for tensor in of]
    return list(torch.autograd.grad(value, list(of), create_graph=create_graph, allow_unused=True, materialize_grads=True))
