"""Gamma draws with a gradient in their shape parameter, from two uniform numbers each.

The quantile function of a gamma law has no derivative in closed form, and PyTorch's own sampler takes no generator. So a draw is made by
inversion, a smooth function of the shape at fixed uniform numbers, and its gradient is implicit (`implicit`), from the distribution
function P(a, z). For a shape below one almost all of the mass may lie below the smallest floating-point number, hence logarithms and

    log G(a) = log G(a + 1) + log(V) / a,      V uniform

(Marsaglia and Tsang 2000, section 6), in which the inverted law always has a shape above one.
"""

from __future__ import annotations

from typing import Any

import scipy.special  # type: ignore[import-untyped]
import torch
from torch.autograd.function import once_differentiable

from .implicit import implicit

RELATIVE_STEP = 1e-3
"""Step of the differences in the shape, in units of the law's own width sqrt(a). The five-point rule then errs by about 1e-12."""


class _GammaCdf(torch.autograd.Function):
    """P(a, z), elementwise in float64, with both derivatives."""

    @staticmethod
    def forward(ctx: Any, z: torch.Tensor, shape: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(z, shape)
        level: torch.Tensor = torch.special.gammainc(shape, z)
        return level

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, upstream: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        z, shape = ctx.saved_tensors
        return upstream * log_density(z, shape).exp(), upstream * _shape_derivative(z, shape)


def _shape_derivative(z: torch.Tensor, shape: torch.Tensor) -> torch.Tensor:
    """dP/da by central differences of whichever tail is the small one, so that little is lost far out."""
    step = RELATIVE_STEP * shape.sqrt()
    upper = z > shape

    def tail(moved: torch.Tensor) -> torch.Tensor:
        return torch.where(upper, -torch.special.gammaincc(moved, z), torch.special.gammainc(moved, z))

    near = tail(shape + step) - tail(shape - step)
    far = tail(shape + 2 * step) - tail(shape - 2 * step)
    return (8 * near - far) / (12 * step)


def gamma_cdf(z: torch.Tensor, shape: torch.Tensor) -> torch.Tensor:
    """P(shape, z): the distribution function of a gamma law of scale one. Both float64 and of one shape; differentiable once in each."""
    result: torch.Tensor = _GammaCdf.apply(z, shape)  # type: ignore[no-untyped-call]
    return result


def log_density(z: torch.Tensor, shape: torch.Tensor) -> torch.Tensor:
    """The log density of a gamma law of scale one."""
    return (shape - 1) * z.log() - z - torch.lgamma(shape)


def log_gamma_draw(shape: torch.Tensor, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """The logarithm of a gamma draw of scale one per element, float64, differentiable in `shape`.

    `shape` (...) is positive; `first` and `second` (...) are independent uniform numbers in (0, 1), on the CPU. Equal uniform numbers
    give draws that move smoothly with the shape.
    """
    above = shape.double() + 1
    quantile = scipy.special.gammaincinv(above.detach().cpu().numpy(), first.numpy())
    drawn = torch.as_tensor(quantile, dtype=torch.float64, device=above.device)
    boosted = implicit(drawn, gamma_cdf, above, log_density=log_density)
    return boosted.log() + second.to(above.device).log() / shape.double()
