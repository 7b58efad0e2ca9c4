"""Convolutions of all edges of a source by products are the convolutions."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from search_engine.supernets.grouped.dense import dense
from search_engine.supernets.grouped.layout import Layout
from search_engine.training.flops import FlopCounter
from tests.search_engine.supernets.grouped.twins import assert_equal, derivatives


def normal(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(len(shape)), dtype=torch.float64).requires_grad_()


@pytest.mark.parametrize("side", [1, 3, 5])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [(1, 1), (1, 2), (2, 3), (5, 5), (8, 6), (9, 4)])
def test_products_are_convolutions(size: tuple[int, int], stride: int, side: int) -> None:
    """Values, gradients, second ones, each gradient alone, and what they are charged."""
    layout, weight = Layout(2, *size), normal(6, 3, side, side)
    rows = normal(3, layout.pixels)

    def plain(rows: Tensor, weight: Tensor) -> Tensor:
        return layout.strided(stride).rows(functional.conv2d(layout.state(rows), weight, None, stride, side // 2))

    given = [rows, weight]
    found = derivatives(lambda: dense(rows, layout, weight, stride), given, twice=True)
    expected = derivatives(lambda: plain(rows, weight), given, twice=True)
    assert_equal(found, expected)
    for place in (0, 1):
        own = [tensor.detach() for tensor in given]
        own[place].requires_grad_()
        counted = []
        for form in (lambda: dense(own[0], layout, own[1], stride), lambda: plain(*own)):  # noqa: B023
            with FlopCounter() as counter:
                (gradient,) = torch.autograd.grad(form().sin().sum(), own[place])
            assert_equal([gradient], [expected[1 + place]])
            counted.append(counter.total)
        assert counted[0] == counted[1] > 0
