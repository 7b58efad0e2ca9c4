"""Linear and convolutional layers with a mask over their weights.

A layer computes with `weight * mask`, so a removed weight adds nothing and gets no gradient: it stays what it is. With
`constants=True` it computes with `weight * mask + rest`, where `rest` holds what stands in the places of removed weights (Zhou et al. 2019,
section 4.2: weights frozen at their first values) and is 0 elsewhere. Biases are never masked.

First weights: Glorot's normal distribution (Glorot & Bengio 2010), of standard deviation sqrt(2 / (fan_in + fan_out)), and biases 0: what
Frankle & Carbin (2019) and Zhou et al. (2019) start from.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class _Masked:
    """What both layers share. `mask` (bool) and `rest` have the weight's shape."""

    weight: Any
    bias: Any
    mask: Tensor
    rest: Tensor | None
    register_buffer: Any

    def _add_mask(self, constants: bool) -> None:
        self.register_buffer("mask", torch.ones_like(self.weight, dtype=torch.bool))
        self.register_buffer("rest", torch.zeros_like(self.weight) if constants else None)

    def reset_parameters(self) -> None:
        nn.init.xavier_normal_(self.weight)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    @property
    def effective_weight(self) -> Tensor:
        """What the layer computes with."""
        kept: Tensor = self.weight * self.mask
        return kept if self.rest is None else kept + self.rest

    def fold_into(self, layer: Any) -> Any:
        """Give a plain layer of the same shape the effective weights."""
        with torch.no_grad():
            layer.weight.copy_(self.effective_weight)
            if self.bias is not None:
                layer.bias.copy_(self.bias)
        return layer


class MaskedLinear(_Masked, nn.Linear):
    """y = (W * mask) x + b; W and mask are (out, in)."""

    mask: Tensor
    rest: Tensor | None

    def __init__(self, in_features: int, out_features: int, bias: bool = True, *, constants: bool = False) -> None:
        nn.Linear.__init__(self, in_features, out_features, bias)
        self._add_mask(constants)

    def forward(self, input: Tensor) -> Tensor:
        return F.linear(input, self.effective_weight, self.bias)

    def plain(self) -> nn.Linear:
        """The ordinary layer that computes the same."""
        layer: nn.Linear = self.fold_into(nn.Linear(self.in_features, self.out_features, self.bias is not None))
        return layer


class MaskedConv2d(_Masked, nn.Conv2d):
    """A convolution with masked kernels: weight and mask are (out, in, height, width)."""

    mask: Tensor
    rest: Tensor | None

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, padding: int = 0, bias: bool = True, *, constants: bool = False
    ) -> None:
        nn.Conv2d.__init__(self, in_channels, out_channels, kernel_size, padding=padding, bias=bias)
        self._add_mask(constants)

    def forward(self, input: Tensor) -> Tensor:
        return F.conv2d(input, self.effective_weight, self.bias, self.stride, self.padding)

    def plain(self) -> nn.Conv2d:
        """The ordinary layer that computes the same."""
        kernel = int(self.kernel_size[0])
        plain = nn.Conv2d(self.in_channels, self.out_channels, kernel, padding=self.padding, bias=self.bias is not None)  # type: ignore[arg-type]
        layer: nn.Conv2d = self.fold_into(plain)
        return layer


MaskedLayer = MaskedLinear | MaskedConv2d
