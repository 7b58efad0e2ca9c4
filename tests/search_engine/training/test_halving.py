"""The pooling of stacks is torch's, bit for bit."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from search_engine.training.halving import HalvingMaxPool2d, is_halving


@pytest.mark.parametrize("shape", [(3, 2, 8, 8), (5, 1, 2, 6), (2, 3, 7, 5), (2, 3, 4, 5)])
def test_values_and_gradients_are_torchs_also_where_pixels_are_equal(shape: tuple[int, ...]) -> None:
    generator = torch.Generator().manual_seed(0)
    # Few values: ties everywhere, as behind a ReLU.
    inputs = torch.randint(0, 3, shape, generator=generator).float()
    weights = torch.rand(nn.MaxPool2d(2)(inputs).shape, generator=generator)
    found = []
    for pooling in (nn.MaxPool2d(2), HalvingMaxPool2d()):
        x = inputs.clone().requires_grad_()
        result = pooling(x)
        (result * weights).sum().backward()
        found.append((result.detach(), x.grad))
    (result, gradient), (mine, own) = found
    assert torch.equal(result, mine) and gradient is not None and own is not None and torch.equal(gradient, own)


def test_only_what_halves_is_taken_for_it() -> None:
    assert is_halving(nn.MaxPool2d(2)) and is_halving(nn.MaxPool2d((2, 2), stride=2))
    others = [nn.MaxPool2d(3, 2), nn.MaxPool2d(2, 1), nn.MaxPool2d(2, padding=1), nn.MaxPool2d(2, dilation=2), nn.AvgPool2d(2)]
    assert not any(map(is_halving, [*others, nn.MaxPool2d(2, ceil_mode=True), nn.MaxPool2d(2, return_indices=True)]))
