"""One mixing, grouped by source and edge by edge: plans and styles that no super-network of the product has, and what must be refused."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from search_engine.primitives.modules import SEARCH, Style
from search_engine.supernets.grouped import pointwise
from search_engine.supernets.grouped.by_source import BySource
from search_engine.supernets.mixing import CellPlan, EdgePlan, PerEdge
from tests.search_engine.supernets.grouped.twins import assert_equal, derivatives

OPERATIONS = (
    "none", "skip_connect", "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5", "max_pool_3x3", "avg_pool_3x3", "nor_conv_1x1",
    "nor_conv_3x3", "nor_conv_5x5",
)


def plan(stride: int, style: Style = SEARCH, channels: int = 2) -> CellPlan:
    """Two inputs and two nodes; every edge has its own choice of operations, one has none."""
    edges = (
        EdgePlan(0, 2, OPERATIONS, stride), EdgePlan(1, 2, ("none", "sep_conv_5x5", "max_pool_3x3"), stride),
        EdgePlan(0, 3, ("skip_connect", "dil_conv_3x3", "sep_conv_3x3", "nor_conv_3x3"), stride), EdgePlan(1, 3, ("none",), stride),
        EdgePlan(2, 3, OPERATIONS[1:], 1),
    )
    return CellPlan(2, 2, edges, OPERATIONS, channels, style)


def pair(which: CellPlan) -> tuple[PerEdge, BySource]:
    mixings = []
    for kind in (PerEdge, BySource):
        torch.manual_seed(0)
        mixings.append(kind(which).double())
    return mixings[0], mixings[1]  # type: ignore[return-value]


def states_of(size: tuple[int, int], channels: int = 2) -> list[Tensor]:
    generator = torch.Generator().manual_seed(5)
    return [torch.randn(3, channels, *size, generator=generator, dtype=torch.float64).requires_grad_() for _ in range(2)]


def weights_of(which: CellPlan) -> Tensor:
    generator = torch.Generator().manual_seed(6)
    return torch.rand(len(which.edges), len(which.operations), generator=generator, dtype=torch.float64).requires_grad_()


def of_mixing(mixing: PerEdge, states: list[Tensor], gamma: Tensor | None, *, twice: bool = False) -> list[Tensor | None]:
    of = [*states, *([] if gamma is None else [gamma]), *mixing.parameters()]
    return derivatives(lambda: torch.cat([node.flatten() for node in mixing(states, gamma)]), of, twice=twice)


@pytest.mark.parametrize("size", [(6, 5), (9, 10)])
@pytest.mark.parametrize("stride", [1, 2])
def test_every_edge_has_its_own_operations(size: tuple[int, int], stride: int) -> None:
    """Small maps and large ones, and such as become small."""
    plain, grouped = pair(plan(stride))
    states, gamma = states_of(size), weights_of(plan(stride))
    assert_equal(of_mixing(grouped, states, gamma, twice=True), of_mixing(plain, states, gamma, twice=True))
    assert_equal(of_mixing(grouped, states, None), of_mixing(plain, states, None))


@pytest.mark.parametrize("affine", [False, True])
@pytest.mark.parametrize("running", [False, True])
@pytest.mark.parametrize("pool_norm", [False, True])
def test_every_style(affine: bool, running: bool, pool_norm: bool) -> None:
    """In training and in evaluation, running statistics included."""
    which = plan(1, Style(affine, running, pool_norm))
    plain, grouped = pair(which)
    states, gamma = states_of((5, 5)), weights_of(which)
    for training in (True, False):
        plain.train(training)
        grouped.train(training)
        assert_equal(of_mixing(grouped, states, gamma), of_mixing(plain, states, gamma))
    buffers = dict(plain.named_buffers())
    assert bool(buffers) == running
    assert_equal([value for _, value in grouped.named_buffers()], list(buffers.values()), 0.0)


@pytest.mark.parametrize("evaluate", ["chosen", "chosen_bare"])
def test_a_node_that_gets_nothing_is_zero(evaluate: Any) -> None:
    """All weight of its edges on `none`, and none at all."""
    for row in (torch.eye(len(OPERATIONS))[0], torch.zeros(len(OPERATIONS))):
        which = plan(2)
        plain, grouped = pair(which)
        plain.evaluate = grouped.evaluate = evaluate
        gamma = weights_of(which).detach()
        gamma[0], gamma[1] = row, row
        assert_equal(of_mixing(grouped, states_of((6, 6)), gamma.requires_grad_()), of_mixing(plain, states_of((6, 6)), gamma))
        assert not grouped(states_of((6, 6)), gamma)[0].any()


def test_what_the_plain_form_refuses_is_refused() -> None:
    which = plan(1)
    _, grouped = pair(which)
    for evaluate in ("all", "chosen"):
        grouped.evaluate = evaluate  # type: ignore[assignment]
        with pytest.raises(ValueError, match="gamma must have shape"):
            grouped(states_of((4, 4)), torch.ones(5, 3, dtype=torch.float64))
    unreachable = CellPlan(1, 2, (EdgePlan(0, 1, OPERATIONS[1:3]),), OPERATIONS, 2, SEARCH)
    with pytest.raises(ValueError, match="no incoming edge"):
        BySource(unreachable)([torch.zeros(2, 2, 3, 3)])
    single = [torch.zeros(1, 2, 1, 1), torch.zeros(1, 2, 1, 1)]
    for kind in (PerEdge, BySource):
        with pytest.raises(ValueError, match="more than 1 value per channel"):
            kind(which)(single, torch.ones(5, len(OPERATIONS)))


def test_a_large_mean_costs_no_digits() -> None:
    """float32: the variance of values around a thousand, to the precision of the values themselves."""
    values = 1000 + torch.randn(3, 5000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    exact = (values - values.mean(1, keepdim=True)) / (values.var(1, correction=0, keepdim=True) + 1e-5).sqrt()
    given = torch.eye(3)[:, :, None], [values.float()[:, None, :].expand(3, 1, 5000).reshape(1, 3, 5000)]
    found = pointwise.hidden(pointwise.product(given[0].view(1, 3, 3), given[1]))
    assert (found.double() - exact.clamp_min(0)).abs().max() < 1e-3
