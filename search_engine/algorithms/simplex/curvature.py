"""The largest eigenvalue of the Hessian of a loss in alpha: how sharp the point is where a search stands.

Zela et al. 2020 (Understanding and Robustifying Differentiable Architecture Search) find that a search collapses when it grows: rounding
a sharp optimum to a genome loses much.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from search_engine.base.lazy import lazy_module

from .estimators import Loss

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_module("torch")

ITERATIONS = 12
"""Products with the Hessian. The largest eigenvalue of the structures here is found to three digits by ten."""


SHIFT = 1e-2
"""Length of the shift of a central difference of gradients: float32 gradients keep about four digits of it."""


def largest_eigenvalue(
    loss: Loss, weights: Sequence[torch.Tensor], alphas: Sequence[torch.Tensor], generator: torch.Generator, iterations: int = ITERATIONS,
    *, twice: bool = True,
) -> float:
    """The largest (most positive) eigenvalue of d2 loss / d alpha2, by Lanczos' method with full reorthogonalisation.

    `generator` (on the CPU) draws the first direction. `twice`: whether autograd can differentiate the loss in alpha twice; where it
    cannot (a draw whose gradient is implicit) products with the Hessian are central differences of gradients, which needs a loss that
    draws the same noise in every call. Costs one pass and `iterations` backward passes through it, or two passes per iteration. No
    argument changes.
    """
    constants = [weight.detach() for weight in weights]

    def gradient(at: Sequence[torch.Tensor], graph: bool) -> torch.Tensor:
        value = loss(constants, at)
        if not value.requires_grad:
            return torch.zeros(sum(alpha.numel() for alpha in at)).to(value)
        parts = torch.autograd.grad(value, list(at), create_graph=graph, allow_unused=True, materialize_grads=True)
        return torch.cat([part.flatten() for part in parts])

    slope = gradient(alphas, graph=twice)
    if twice and not slope.requires_grad:
        return 0.0

    def shifted(direction: torch.Tensor) -> list[torch.Tensor]:
        moves = direction.split([alpha.numel() for alpha in alphas])
        return [(alpha.detach() + move.view_as(alpha)).requires_grad_(True) for alpha, move in zip(alphas, moves, strict=True)]

    def product(direction: torch.Tensor) -> torch.Tensor:
        if not twice:
            above, below = (gradient(shifted(sign * SHIFT * direction), graph=False) for sign in (1, -1))
            return (above - below) / (2 * SHIFT)
        parts = torch.autograd.grad(slope @ direction, list(alphas), retain_graph=True, allow_unused=True, materialize_grads=True)
        return torch.cat([part.flatten() for part in parts])

    start = torch.randn(slope.numel(), generator=generator, dtype=torch.float64).to(slope)
    basis = [start / start.norm()]
    diagonal: list[float] = []
    beside: list[float] = []
    for step in range(min(iterations, slope.numel())):
        image = product(basis[-1]).detach()
        diagonal.append(float(image @ basis[-1]))
        for _ in range(2):
            # Twice is enough to keep the basis orthogonal in floating point.
            for vector in basis:
                image = image - (image @ vector) * vector
        length = float(image.norm())
        if length < 1e-7 * max(abs(entry) for entry in (*diagonal, *beside, 1e-30)) or step == min(iterations, slope.numel()) - 1:
            break
        beside.append(length)
        basis.append(image / length)
    small = torch.diag(torch.tensor(diagonal, dtype=torch.float64))
    for place, entry in enumerate(beside[: len(diagonal) - 1]):
        small[place, place + 1] = small[place + 1, place] = entry
    return float(torch.linalg.eigvalsh(small)[-1])
