"""All depthwise convolutions of a source at once are the convolutions one by one."""

from __future__ import annotations

from functools import partial
from typing import get_args

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from search_engine.supernets.grouped import choices
from search_engine.supernets.grouped.depthwise import depthwise
from search_engine.supernets.grouped.layout import Layout
from search_engine.supernets.grouped.taps import Kernel
from tests.search_engine.supernets.grouped.twins import assert_equal, derivatives

CHANNELS = 3
KERNELS: tuple[tuple[Kernel, ...], ...] = (((3, 1), (5, 1)), ((3, 2), (5, 2)), ((5, 1), (3, 1), (3, 2)), ((3, 1),), ((7, 3),))
SIZES = ((1, 1), (2, 3), (5, 5), (8, 8), (9, 8), (11, 7), (16, 17), (33, 2))


def one_by_one(rows: Tensor, layout: Layout, weights: list[Tensor], kernels: tuple[Kernel, ...], stride: int) -> list[Tensor]:
    """The definition: one convolution for each channel of each group, in the layout's order."""
    state, groups, begin = layout.state(rows), [], 0
    for weight, (side, dilation) in zip(weights, kernels, strict=True):
        for own in weight.split(CHANNELS):
            x = state if len(rows) == CHANNELS else state[:, begin : begin + CHANNELS]
            begin += CHANNELS
            found = functional.conv2d(x, own, None, stride, dilation * (side // 2), dilation, CHANNELS)
            groups.append(layout.strided(stride).rows(found))
    return groups


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", SIZES)
def test_groups_are_convolutions(size: tuple[int, int], stride: int, shared: bool) -> None:
    generator = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64).requires_grad_()

    for kernels in KERNELS:
        weights = [normal((place % 2 + 1) * CHANNELS, 1, side, side) for place, (side, _) in enumerate(kernels)]
        layout = Layout(2, *size)
        rows = normal(CHANNELS if shared else sum(map(len, weights)), layout.pixels)

        def grouped(layout: Layout = layout, kernels: tuple[Kernel, ...] = kernels, *, given: list[Tensor]) -> Tensor:
            return torch.cat([block.flatten(1) for block in depthwise(given[0], layout, given[1:], kernels, stride, CHANNELS)])

        def plain(layout: Layout = layout, kernels: tuple[Kernel, ...] = kernels, *, given: list[Tensor]) -> Tensor:
            return torch.stack([group.flatten() for group in one_by_one(given[0], layout, given[1:], kernels, stride)])

        given = [rows, *weights]
        one, other = (derivatives(partial(form, given=given), given, twice=True) for form in (grouped, plain))
        assert_equal(one, other)


@pytest.mark.parametrize("size", [(4, 4), (10, 10), (34, 3)])
@pytest.mark.parametrize("groups", [1, 2])
def test_every_gradient_is_asked_for_alone(size: tuple[int, int], groups: int) -> None:
    """Of groups that share their input, and of one with its own."""
    layout = Layout(2, *size)
    rows, weight = torch.randn(groups * CHANNELS, layout.pixels), torch.randn(2 * CHANNELS, 1, 3, 3)
    both = rows.clone().requires_grad_(), weight.clone().requires_grad_()
    expected = torch.autograd.grad(depthwise(both[0], layout, [both[1]], [(3, 1)], 1, CHANNELS)[0].sin().sum(), both)
    for place in (0, 1):
        own = [rows, weight]
        own[place] = own[place].clone().requires_grad_()
        (found,) = torch.autograd.grad(depthwise(own[0], layout, [own[1]], [(3, 1)], 1, CHANNELS)[0].sin().sum(), own[place])
        assert torch.allclose(found, expected[place], atol=1e-5)


def test_every_arithmetic_is_tested() -> None:
    for shared in (True, False):
        found = {choices.arithmetic(Layout(2, *size), stride, shared) for size in SIZES for stride in (1, 2)}
        assert found == set(get_args(choices.Arithmetic))
