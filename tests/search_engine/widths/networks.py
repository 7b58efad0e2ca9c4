"""Small networks whose channels are known by hand."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from search_engine.datasets.base import SearchData
from search_engine.datasets.digits import Digits, DigitsConfig

IMAGE = (1, 8, 8)


def digits() -> SearchData:
    return Digits(DigitsConfig()).search_data(seed=0)


def conv(inputs: int, outputs: int, kernel: int = 3) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]


def three_convolutions() -> nn.Sequential:
    """Convolutions of 24 channels at 8 x 8, 48 at 4 x 4, 48 at 2 x 2, each with batch normalisation; 0.53 MFLOPs."""
    torch.manual_seed(0)
    return nn.Sequential(
        *conv(1, 24), nn.MaxPool2d(2), *conv(24, 48), nn.MaxPool2d(2), *conv(48, 48),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(48, 10),
    )


def two_convolutions() -> nn.Sequential:
    """4 and 6 channels at 8 x 8, flattened."""
    return nn.Sequential(*conv(1, 4), *conv(4, 6), nn.Flatten(), nn.Linear(6 * 64, 10))


class Residual(nn.Module):
    """stem -> (body of the stem) + stem -> classifier; the body passes through `inner` channels."""

    def __init__(self, channels: int = 5, inner: int = 3) -> None:
        super().__init__()
        self.stem = nn.Sequential(*conv(1, channels))
        self.body = nn.Sequential(*conv(channels, inner), *conv(inner, channels)[:2])
        self.classifier = nn.Linear(channels, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        x = torch.relu(self.body(x) + x)
        result: Tensor = self.classifier(x.mean(dim=(2, 3)))
        return result


class Concatenated(nn.Module):
    """Two branches side by side, a depthwise convolution over both, a classifier over the flattened map."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 2, 1), nn.Conv2d(1, 3, 1)
        self.depthwise = nn.Conv2d(5, 5, 3, padding=1, groups=5)
        self.classifier = nn.Linear(5 * 64, 10)

    def forward(self, x: Tensor) -> Tensor:
        joined = torch.cat([self.first(x), self.second(x)], dim=1)
        result: Tensor = self.classifier(torch.flatten(self.depthwise(joined), 1))
        return result
