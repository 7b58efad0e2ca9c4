"""Linear and convolutional layers whose weights are independent Gaussians: w ~ q(w) = N(mu, sigma^2), learnt by mu and log sigma.

In training mode a layer draws its *output* instead of its weights (local reparameterisation, Kingma, Salimans, Welling, NeurIPS 2015,
section 2.3): given the input x, W x is Gaussian with mean x * mu and variance x^2 * sigma^2 (`*` is the layer's own linear map), and
every example gets a draw of its own, which makes the gradient quieter. In evaluation mode the layer uses its mean weights.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional as F

LEAST_VARIANCE = 1e-16
"""Output variances are raised to this: an input of zeros has none, and the slope of the square root there is infinite."""


class Posterior(NamedTuple):
    """q of one tensor of weights: independent N(mu, exp(log_sigma)^2), both of the tensor's shape. `log_sigma` is the logarithm of the
    standard deviation, with the layer's floor already applied."""

    name: str
    """`weight` or `bias`."""
    mu: torch.Tensor
    log_sigma: torch.Tensor


def floored(log_sigma: torch.Tensor, floor: float) -> torch.Tensor:
    """log of the standard deviation sqrt(exp(2 log_sigma) + exp(2 floor)), which stays above exp(floor) smoothly."""
    return 0.5 * torch.logaddexp(2 * log_sigma, torch.as_tensor(2 * floor, dtype=log_sigma.dtype, device=log_sigma.device))


class MeanFieldLayer(nn.Module):
    """What both layers share: the parameters and the draw.

    Parameters: `weight_mu`, `weight_log_sigma`, and with a bias `bias_mu`, `bias_log_sigma` (the latter absent for a point bias).
    `log_sigma_floor` keeps every standard deviation above exp(floor), smoothly: sigma^2 = exp(2 log_sigma) + exp(2 floor). A hard clamp
    would give a weight that once fell below no gradient to come back with.
    """

    def __init__(
        self, weight: torch.Tensor, bias: torch.Tensor | None, *, init_log_sigma: float = -3.0, log_sigma_floor: float | None = None,
        point_bias: bool = False,
    ) -> None:
        """`weight` and `bias` are the first means (copied). `point_bias`: the bias is an ordinary parameter without a distribution."""
        super().__init__()
        self.log_sigma_floor = log_sigma_floor
        self.weight_mu = nn.Parameter(weight.detach().clone())
        self.weight_log_sigma = nn.Parameter(torch.full_like(self.weight_mu, init_log_sigma))
        self.bias_mu = None if bias is None else nn.Parameter(bias.detach().clone())
        self.bias_log_sigma = None if bias is None or point_bias else nn.Parameter(torch.full_like(bias.detach(), init_log_sigma))

    def posteriors(self) -> list[Posterior]:
        """q of the weight, then of the bias where it has one."""
        found = [Posterior("weight", self.weight_mu, self._floored(self.weight_log_sigma))]
        if self.bias_mu is not None and self.bias_log_sigma is not None:
            found.append(Posterior("bias", self.bias_mu, self._floored(self.bias_log_sigma)))
        return found

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Training: one draw of the output per example. Evaluation: the output at the mean weights."""
        mean = self._map(inputs, self.weight_mu, self.bias_mu)
        if not self.training:
            return mean
        weight, *rest = self.posteriors()
        variance = self._map(inputs.square(), (2 * weight.log_sigma).exp(), (2 * rest[0].log_sigma).exp() if rest else None)
        return mean + variance.clamp(min=LEAST_VARIANCE).sqrt() * torch.randn_like(mean)

    @abstractmethod
    def plain(self, keep: torch.Tensor | None = None) -> nn.Module:
        """The ordinary layer at the mean weights, on the same device; `keep` (weight's shape, bool) sets the others to zero."""

    @abstractmethod
    def _map(self, inputs: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
        """The layer's linear map with these weights."""

    def _floored(self, log_sigma: torch.Tensor) -> torch.Tensor:
        return log_sigma if self.log_sigma_floor is None else floored(log_sigma, self.log_sigma_floor)

    def _fill(self, layer: nn.Linear | nn.Conv1d | nn.Conv2d, keep: torch.Tensor | None) -> nn.Module:
        layer = layer.to(device=self.weight_mu.device, dtype=self.weight_mu.dtype)
        with torch.no_grad():
            layer.weight.copy_(self.weight_mu if keep is None else torch.where(keep, self.weight_mu, torch.zeros_like(self.weight_mu)))
            if self.bias_mu is not None and layer.bias is not None:
                layer.bias.copy_(self.bias_mu)
        return layer.train(self.training)


class BayesLinear(MeanFieldLayer):
    """y = W x + b with W (out, in) and b (out) Gaussian."""

    def __init__(
        self, layer: nn.Linear, *, init_log_sigma: float = -3.0, log_sigma_floor: float | None = None, point_bias: bool = False,
    ) -> None:
        """The twin of `layer`, with its weights as first means."""
        super().__init__(
            layer.weight, layer.bias, init_log_sigma=init_log_sigma, log_sigma_floor=log_sigma_floor, point_bias=point_bias
        )
        self.in_features, self.out_features = layer.in_features, layer.out_features

    def _map(self, inputs: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
        return F.linear(inputs, weight, bias)

    def plain(self, keep: torch.Tensor | None = None) -> nn.Module:
        return self._fill(nn.Linear(self.in_features, self.out_features, bias=self.bias_mu is not None), keep)


class BayesConvolution(MeanFieldLayer):
    """A convolution along time or over images with Gaussian kernels (out, in / groups, sides) and biases (out), padded with zeros."""

    def __init__(
        self, layer: nn.Conv1d | nn.Conv2d, *, init_log_sigma: float = -3.0, log_sigma_floor: float | None = None, point_bias: bool = False,
    ) -> None:
        """The twin of `layer`, with its weights as first means. Raises ValueError where it does not pad with zeros: the variance of a
        reflected or repeated border is not what this layer computes."""
        if layer.padding_mode != "zeros":
            raise ValueError(f"a Bayesian convolution pads with zeros, not '{layer.padding_mode}'")
        super().__init__(
            layer.weight, layer.bias, init_log_sigma=init_log_sigma, log_sigma_floor=log_sigma_floor, point_bias=point_bias
        )
        self._kind, self._convolve = type(layer), F.conv1d if isinstance(layer, nn.Conv1d) else F.conv2d
        self.in_channels, self.out_channels = layer.in_channels, layer.out_channels
        self.kernel_size, self.stride, self.padding = layer.kernel_size, layer.stride, layer.padding
        self.dilation, self.groups = layer.dilation, layer.groups

    def _map(self, inputs: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
        result: torch.Tensor = self._convolve(  # type: ignore[operator]
            inputs, weight, bias, self.stride, self.padding, self.dilation, self.groups
        )
        return result

    def plain(self, keep: torch.Tensor | None = None) -> nn.Module:
        twin = self._kind(
            self.in_channels, self.out_channels, self.kernel_size, self.stride, self.padding, self.dilation, self.groups,  # type: ignore
            bias=self.bias_mu is not None,
        )
        return self._fill(twin, keep)
