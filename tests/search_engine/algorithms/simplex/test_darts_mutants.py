"""The checks of DARTS against wrong variants of it: each mutant must fail the check that is meant for it."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from search_engine.algorithms.base import Context
from search_engine.algorithms.simplex.darts import DartsConfig, DartsSearch
from search_engine.algorithms.simplex.estimators import VirtualStep, exact, finite_difference, first
from search_engine.algorithms.simplex.relaxation import BatchLoss
from search_engine.events import EventLog
from search_engine.spaces.base import SpaceConfig
from search_engine.spaces.cell import OPERATIONS, CellSpace
from tests.search_engine.algorithms.simplex.planted import SHAPE, TRUTH, PlantedSpace, planted_data, registered
from tests.search_engine.algorithms.simplex.test_estimators import SmoothProblem, toy_train, toy_val
from tests.search_engine.searches import network_search

# ---- A1: the paper's toy


def toy_optimum(mutant: str, xi: float) -> float:
    """Where alpha ends, with an architecture gradient direct - factor * implicit."""
    alpha, weight = (torch.tensor([value], dtype=torch.float64, requires_grad=True) for value in (2.0, -2.0))
    for _ in range(400):
        step = VirtualStep(xi)
        ahead = step.apply([weight.detach()], [2 * weight.detach() - 2 * alpha.detach()])
        direct = first(toy_train, toy_val, ahead, [alpha], step).gradients[0]
        implicit = direct - exact(toy_train, toy_val, [weight], [alpha], step).gradients[0]
        factor = {"right": 1.0, "first_order": 0.0, "wrong_sign": -1.0, "missing_xi": 1 / xi}[mutant]
        with torch.no_grad():
            alpha -= 0.05 * (direct - factor * implicit)
            weight -= 0.05 * (2 * weight - 2 * alpha)
    return alpha.item()


@pytest.mark.parametrize("xi", [0.1, 0.25])
def test_the_toy_tells_wrong_gradients_apart(xi: float) -> None:
    expected = 2 / (1 + 2 * xi)
    assert toy_optimum("right", xi) == pytest.approx(expected, abs=1e-3)
    for mutant in ("first_order", "wrong_sign", "missing_xi"):
        assert abs(toy_optimum(mutant, xi) - expected) > 0.05, mutant


# ---- A2: the implicit term


def test_the_implicit_term_tells_wrong_variants_apart() -> None:
    problem = SmoothProblem(0)
    direct = problem.direct()
    truth = problem.gradient(exact) - direct

    def error(found: Tensor) -> float:
        return float((found - truth).norm() / truth.norm())

    right = problem.gradient(finite_difference) - direct
    assert error(right) < 1e-3
    assert error(-right) == pytest.approx(2.0, abs=1e-3)
    forgetful = SmoothProblem(0)
    forgetful.step = VirtualStep(forgetful.xi, 0.0, 0.0, None)
    assert error(forgetful.gradient(finite_difference) - direct) > 0.1, "the look-ahead without momentum passes"


# ---- A3: the planted structure


class Flipped(DartsSearch):
    """Climbs the validation loss."""

    def _step_structure(self) -> None:
        for alpha in self.alpha.parameters:
            assert alpha.grad is not None
            alpha.grad = -alpha.grad
        super()._step_structure()


class Detached(DartsSearch):
    """The structure never hears of the loss."""

    def _loss(self, part: Any, order: Any, level: str = "weights") -> BatchLoss:
        loss = super()._loss(part, order, level)
        sample = loss._structure.sample

        class Cut:
            def sample(self, alphas: Any, generator: Any = None) -> Any:
                return {group: value.detach() for group, value in sample(alphas, generator).items()}

        loss._structure = Cut()  # type: ignore[assignment]
        return loss


@pytest.mark.parametrize("mutant", [Flipped, Detached])
def test_the_plant_is_not_recovered_by_wrong_searches(mutant: type[DartsSearch]) -> None:
    torch.manual_seed(0)
    context = Context(
        space=PlantedSpace(SpaceConfig(), SHAPE), options=DartsConfig(steps=150), seed=0, rng=random.Random(0), metric="val_accuracy",
        log=EventLog("phase:0"), data=planted_data(0), structure_every=150,
    )
    search = mutant()
    with registered():
        search.begin(context, None)
    while not search.finished:
        search.step()
    assert search.best()[0].genome.content["operations"] != TRUTH


# ---- A4: the derived genome


def weights_with_none_ahead(space: Any) -> dict[str, np.ndarray[Any, Any]]:
    """`none` leads on every edge; on the first edge of each node it is all there is."""
    edges, names = space.family()[0].edges, space.family()[0].operations
    table = np.full((len(edges), len(names)), 0.05)
    table[:, names.index("none")] = 0.9
    table[:, names.index("sep_conv_3x3")] = 0.3
    for row, (source, target) in enumerate(edges):
        if source == "c_{k-2}" and target != "0":
            table[row] = 0.01
            table[row, names.index("none")] = 100.0
    return {group.name: table for group in space.family()}


def edges_of(space: CellSpace, weights: dict[str, np.ndarray[Any, Any]], *, none_counts: bool, none_allowed: bool) -> list[Any]:
    """DARTS' rule written out again, with two ways to get it wrong."""
    table, edges = weights["normal"], space.edges
    kept = []
    for node in space.node_names:
        rows = [row for row, edge in enumerate(edges) if edge[1] == node]
        strength = {row: table[row].max() if none_counts else table[row, 1:].max() for row in rows}
        for row in sorted(rows, key=lambda row, strength=strength: -strength[row])[:2]:  # type: ignore[misc]
            column = int(table[row].argmax()) if none_allowed else 1 + int(table[row, 1:].argmax())
            kept.append((*edges[row], ("none", *OPERATIONS)[column]))
    return sorted(kept)


def test_the_rule_for_none_tells_wrong_derivations_apart() -> None:
    space: Any = network_search("cell").context.space
    weights = weights_with_none_ahead(space)
    found = sorted(tuple(edge) for edge in space.derive(weights).content["normal"]["edges"])
    assert found == edges_of(space, weights, none_counts=False, none_allowed=False)
    assert found != edges_of(space, weights, none_counts=True, none_allowed=False), "an edge of `none` alone wins a place"
    assert found != edges_of(space, weights, none_counts=False, none_allowed=True), "`none` is chosen"


# ---- A5: who may change what


def test_weights_that_are_shifted_in_place_do_not_come_back() -> None:
    """Why a finite difference puts the weights back from a copy: adding R, taking 2R away and adding R again leaves other bits."""
    torch.manual_seed(0)
    weights, shift = torch.randn(1000), 0.01 * torch.randn(1000)
    moved = weights + shift
    moved -= 2 * shift
    moved += shift
    assert torch.allclose(moved, weights, atol=1e-6) and not torch.equal(moved, weights)


def test_a_weight_optimiser_that_reaches_alpha_is_caught() -> None:
    search = network_search("cell", steps=3)
    search.weight_optimizer.add_param_group({"params": search.alpha.parameters})
    for alpha in search.alpha.parameters:
        alpha.grad = torch.ones_like(alpha)
    before = [alpha.detach().clone() for alpha in search.alpha.parameters]
    search.weight_optimizer.step()
    assert not any(torch.equal(old, new) for old, new in zip(before, search.alpha.parameters, strict=True))
    # The real one: a move of the weights leaves alpha as it is, even where alpha carries a gradient.
    clean = network_search("cell", steps=3)
    clean.step()
    before = [alpha.detach().clone() for alpha in clean.alpha.parameters]
    clean._move_weights(clean._loss(clean.train_part, clean.train_order), 0.02)
    assert all(torch.equal(old, new) for old, new in zip(before, clean.alpha.parameters, strict=True))
