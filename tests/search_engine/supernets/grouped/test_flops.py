"""A search is charged for what its formula takes, whatever computes it."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest
import torch
from torch import nn

from search_engine.algorithms.simplex.estimators import ESTIMATORS, VirtualStep
from search_engine.primitives.native.choice import Choice, name_of, using
from search_engine.supernets.grouped import choices
from search_engine.training.flops import FlopCounter
from tests.search_engine.primitives.native.compiler import compiled_kernel
from tests.search_engine.supernets.grouped.twins import cell, gamma_of, inputs_of, loss_of, nb201, twins

CASES = {
    "matrices": cell(1, 8, 8, search_channels=2, nodes=2), "convolutions": cell(3, 11, 9, search_channels=2, search_cells=3, nodes=2),
    "nb201": nb201(1, 8, 8, channels=2),
}


def count(network: nn.Module, x: torch.Tensor, gamma: dict[str, torch.Tensor], of: str) -> int:
    weights = {name: value.clone().requires_grad_(of != "w") for name, value in gamma.items()}
    for parameter in network.parameters():
        parameter.requires_grad_(of != "alpha")
    asked = [*(weights.values() if of != "w" else ()), *(network.parameters() if of != "alpha" else ())]
    with FlopCounter() as counter:
        torch.autograd.grad(network(x, weights).sum(), asked)
    return counter.total


@pytest.mark.parametrize("of", ["w", "alpha", "both"])
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("native", [False, True])
def test_the_same_number_grouped_and_edge_by_edge(case: str, of: str, native: bool) -> None:
    module, space = CASES[case]
    plain, grouped = twins(module, space)
    x, gamma = inputs_of(space, examples=choices.COMPILED_BATCH), gamma_of(space)
    if native:
        plain, grouped, x, gamma = plain.float(), grouped.float(), x.float(), {name: value.float() for name, value in gamma.items()}
    context: Any = using(Choice(name_of(compiled_kernel()))) if native else nullcontext()
    with context:
        found = count(grouped, x, gamma, of)
    assert found == count(plain, x, gamma, of) > 0


EXACT = {
    **CASES, "small maps": cell(1, 4, 4, search_channels=2, nodes=2), "tall maps": cell(1, 34, 4, search_channels=2, nodes=1),
}


@pytest.mark.parametrize("case", EXACT)
@pytest.mark.parametrize("native", [False, True])
def test_the_same_number_where_a_gradient_is_differentiated(case: str, native: bool) -> None:
    """The exact estimator: the second derivative goes on to the structure alone, by the formula of what is grouped."""
    module, space = EXACT[case]
    found = []
    for network in twins(module, space, dtype=torch.float32 if native else torch.float64):
        x, gamma = inputs_of(space, next(network.parameters()).dtype, 2 * choices.COMPILED_BATCH), gamma_of(space)
        alphas = [value.to(x.dtype).requires_grad_() for value in gamma.values()]
        train, val = (loss_of(network, gamma, part) for part in x.split(choices.COMPILED_BATCH))
        context: Any = using(Choice(name_of(compiled_kernel()))) if native else nullcontext()
        with context, FlopCounter() as counter:
            ESTIMATORS["exact"](train, val, list(network.parameters()), alphas, VirtualStep(0.1, 0.9, 1e-3))
        found.append(counter.total)
    assert found[0] == found[1] > 0
