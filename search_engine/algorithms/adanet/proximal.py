"""The mixture weights: a convex problem, smooth loss plus a weighted l1 norm, by accelerated proximal steps.

    z = w - s grad L(w),        w := argmin over v of  |v - z|^2 / 2 + s sum c_j |v_j|  =  sign(z_j) max(|z_j| - s c_j, 0)

Source: A. Beck, M. Teboulle, "A Fast Iterative Shrinkage-Thresholding Algorithm", SIAM J. Imaging Sciences 2 (2009), sections 1.4 and 4
(backtracking); restarts where the objective rises: B. O'Donoghue, E. Candes, Found. Comput. Math. 15 (2015), section 3.2.
"""

from __future__ import annotations

import torch

from .objective import Objective

GROWTH = 2.0
"""By which the step is shortened until the quadratic bound holds."""


def soft_threshold(values: torch.Tensor, thresholds: torch.Tensor) -> torch.Tensor:
    """The proximal step of sum c_j |v_j|: exact zeros where |value| is at most its threshold."""
    # Adding 0 turns the -0.0 of a cut negative value into 0.0.
    return values.sign() * (values.abs() - thresholds).clamp_min(0) + 0.0


def minimise(objective: Objective, start: torch.Tensor, iterations: int, tolerance: float = 1e-10) -> torch.Tensor:
    """The weights (N,) float64 that minimise F, from `start`; never worse than `start`.

    Stops early where a step lowers F by less than `tolerance` of its value twice in a row.
    """
    best = current = start.clone()
    lowest = objective.value(current).total
    momentum, leap, step, idle = current, 1.0, 1.0, 0
    for _ in range(iterations):
        following, step = _proximal_step(objective, momentum, step)
        total = objective.value(following).total
        if total > lowest and leap > 1.0:
            # Momentum overshot: once more from the best point, without it.
            momentum, leap = best, 1.0
            continue
        idle = idle + 1 if lowest - total <= tolerance * abs(lowest) else 0
        if total < lowest:
            best, lowest = following, total
        if idle >= 2:
            break
        next_leap = (1 + (1 + 4 * leap * leap) ** 0.5) / 2
        momentum = following + (leap - 1) / next_leap * (following - current)
        current, leap = following, next_leap
    return best


def _proximal_step(objective: Objective, point: torch.Tensor, step: float) -> tuple[torch.Tensor, float]:
    """One proximal step from `point`, the step length halved until the loss lies under its quadratic bound there."""
    leaf = point.detach().clone().requires_grad_(True)
    loss = objective.loss(leaf)
    (gradient,) = torch.autograd.grad(loss, leaf)
    at = float(loss.detach())
    while True:
        following = soft_threshold(point - step * gradient, step * objective.penalties)
        moved = following - point
        with torch.no_grad():
            reached = float(objective.loss(following))
        bound = at + float(gradient @ moved) + float(moved @ moved) / (2 * step)
        # The last digits of a sum do not decide about a step.
        if reached <= bound + 1e-12 * max(abs(at), 1.0) or step < 1e-12:
            return following, step
        step /= GROWTH
