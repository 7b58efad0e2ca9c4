"""Implicit reparameterisation: a path-wise gradient for any law whose distribution function can be differentiated.

A draw z of a univariate law with distribution function F(z; theta) and density q = dF/dz keeps its rank F(z; theta) while theta moves.
Differentiating that constancy gives (Figurnov, Mohamed, Mnih: Implicit Reparameterization Gradients, NeurIPS 2018, equation 5)

    dz/dtheta = - (dF/dtheta) / q(z; theta),

and the draw itself may come from anywhere: an inversion, a rejection sampler, a table.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

Cdf = Callable[..., torch.Tensor]
"""F(z, *parameters), elementwise."""
Density = Callable[..., torch.Tensor]
"""log q(z, *parameters), elementwise."""


class _Implicit(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, cdf: Cdf, log_density: Density | None, drawn: torch.Tensor, *parameters: torch.Tensor) -> torch.Tensor:
        ctx.cdf, ctx.log_density = cdf, log_density
        result = drawn.clone()
        # The result itself is kept: in a second derivative z moves with theta too, through this very function.
        ctx.save_for_backward(result, *parameters)
        return result

    @staticmethod
    def backward(ctx: Any, upstream: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        drawn, *parameters = ctx.saved_tensors
        again = torch.is_grad_enabled()
        with torch.enable_grad():
            # Aliases: F is differentiated partially, in theta at fixed z and in z at fixed theta.
            z = _alias(drawn, again)
            theta = [_alias(value, again) for value in parameters]
            level = ctx.cdf(z, *theta)
            if ctx.log_density is None:
                (density,) = torch.autograd.grad(level.sum(), z, create_graph=again, retain_graph=True)
            else:
                density = ctx.log_density(z, *theta).exp()
            wanted = [index for index, needed in enumerate(ctx.needs_input_grad[3:]) if needed]
            found = torch.autograd.grad(level, [theta[index] for index in wanted], -upstream / density, create_graph=again)
        gradients: list[torch.Tensor | None] = [None] * len(theta)
        for index, gradient in zip(wanted, found, strict=True):
            gradients[index] = gradient
        return (None, None, None, *gradients)


def _alias(value: torch.Tensor, again: bool) -> torch.Tensor:
    """The value as a variable of its own; in the graph of the original if that will be differentiated once more."""
    if again and value.requires_grad:
        return value.view_as(value)
    return value.detach().requires_grad_(value.is_floating_point())


def implicit(drawn: torch.Tensor, cdf: Cdf, *parameters: torch.Tensor, log_density: Density | None = None) -> torch.Tensor:
    """`drawn` with the gradient of a draw from the law of `cdf` at `parameters`.

    `drawn` (...) are values drawn at exactly these parameters; they count as constants. `cdf(z, *parameters)` is elementwise, so the
    parameters have (or are expanded to) the shape of `drawn`. Where `log_density` is not given, the density is the derivative of `cdf` in
    z. Derivatives of higher order are right where `cdf` has them. Raises ValueError for a parameter of another shape.
    """
    for value in parameters:
        if value.shape != drawn.shape:
            raise ValueError(f"a parameter has shape {tuple(value.shape)}, the draws {tuple(drawn.shape)}: expand it first")
    result: torch.Tensor = _Implicit.apply(cdf, log_density, drawn.detach(), *parameters)  # type: ignore[no-untyped-call]
    return result
