"""The largest eigenvalue of the structure's Hessian, and the stop that watches it."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from search_engine.algorithms.simplex.curvature import ITERATIONS, largest_eigenvalue
from search_engine.algorithms.simplex.habits import EigenvalueStop, EpochView, Habits, SimplexHabitsConfig
from search_engine.structures.dirichlet import DirichletStructure
from tests.search_engine.algorithms.simplex.planted import planted_search
from tests.search_engine.algorithms.simplex.simplex_searches import METHODS, of_kind, run, simplex_search


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize("spectrum", [[5.0, 1.0, 0.5, -9.0, 0.0, 2.0], [-1.0, -2.0, -3.0, -4.0, -5.0, -6.0], [2.0] * 6])
def test_the_largest_eigenvalue_is_the_most_positive_one(spectrum: list[float]) -> None:
    """Not the largest in size, which a power iteration without a shift would give."""
    rotation, _ = torch.linalg.qr(torch.randn(6, 6, dtype=torch.float64, generator=generator()))
    matrix = rotation @ torch.diag(torch.tensor(spectrum, dtype=torch.float64)) @ rotation.T
    alphas = [torch.randn(2, 2, dtype=torch.float64, requires_grad=True), torch.randn(2, dtype=torch.float64, requires_grad=True)]

    def loss(weights: object, alphas: list[torch.Tensor]) -> torch.Tensor:
        flat = torch.cat([alpha.flatten() for alpha in alphas])
        return flat @ matrix @ flat / 2 + flat.sum()

    before = [alpha.detach().clone() for alpha in alphas]
    assert largest_eigenvalue(loss, [], alphas, generator()) == pytest.approx(max(spectrum), abs=1e-8)  # type: ignore[arg-type]
    assert all(torch.equal(old, new) for old, new in zip(before, alphas, strict=True)) and alphas[0].grad is None


def test_a_loss_that_is_flat_in_the_structure_has_no_curvature() -> None:
    alphas = [torch.ones(3, requires_grad=True)]
    assert largest_eigenvalue(lambda weights, alphas: 2 * alphas[0].sum(), [], alphas, generator()) == 0


def test_it_is_that_of_the_full_hessian_of_a_search() -> None:
    search = planted_search(0, steps=30)
    run(search, 20)
    loss = search._loss(search.val_part, search.val_order)
    alpha = search.alpha.parameters[0]
    weights = [weight.detach() for weight in search.weights]
    hessian = torch.autograd.functional.hessian(lambda flat: loss(weights, [flat.view_as(alpha)]), alpha.detach().flatten())
    expected = float(torch.linalg.eigvalsh(hessian.double())[-1])
    assert expected > 0
    assert largest_eigenvalue(loss, search.weights, search.alpha.parameters, generator()) == pytest.approx(expected, rel=1e-3)


def test_a_draw_that_differentiates_once_has_its_curvature_from_differences() -> None:
    """Autograd's second derivative of an implicit gamma draw lacks terms: nothing would be raised, the number would be wrong."""
    structure = DirichletStructure({"g": (2, 3)}, generator(), dtype=torch.float64)
    target = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]], dtype=torch.float64)

    def loss(weights: object, alphas: list[torch.Tensor]) -> torch.Tensor:
        drawn = structure.sample(alphas, torch.Generator().manual_seed(3))["g"]
        return (5 * (drawn - target).square()).sum()

    (alpha,) = structure.parameters
    with torch.no_grad():
        # Away from 0, where the concentration's own second derivative jumps.
        alpha += torch.linspace(0.3, 0.8, 6, dtype=torch.float64).view(2, 3)

    def slope(at: torch.Tensor) -> torch.Tensor:
        moved = at.view_as(alpha).requires_grad_(True)
        return torch.autograd.grad(loss([], [moved]), moved)[0].flatten()

    flat, unit = alpha.detach().flatten(), 1e-4 * torch.eye(6, dtype=torch.float64)
    hessian = torch.stack([(slope(flat + row) - slope(flat - row)) / 2e-4 for row in unit])
    assert torch.allclose(hessian, hessian.T, atol=1e-4), "a Hessian is symmetric"
    expected = float(torch.linalg.eigvalsh((hessian + hessian.T) / 2)[-1])
    found = largest_eigenvalue(loss, [], structure.parameters, generator(), twice=structure.twice_differentiable)  # type: ignore[arg-type]
    assert found == pytest.approx(expected, rel=1e-2)
    missing = largest_eigenvalue(loss, [], structure.parameters, generator(), twice=True)  # type: ignore[arg-type]
    assert missing != pytest.approx(expected, rel=5e-2)


def view(epoch: int, eigenvalue: float | None) -> EpochView:
    return EpochView(
        epoch=epoch, step=epoch, weights={"g": np.zeros((1, 1))}, operations={"g": ["a"]}, derived={"g": ["a"]}, eigenvalue=eigenvalue
    )


def test_it_stops_when_the_mean_has_grown_by_the_ratio() -> None:
    habit = EigenvalueStop(window=2, ratio=1.3)
    values = [1.0, 1.0, 1.3, 1.3, 1.31]
    # Means of (1, 1) and (1.3, 1.3): exactly the ratio, not above it. Then (1, 1.3) and (1.3, 1.31): below. Then a jump.
    fired = [habit.after_epoch(view(epoch, value)) for epoch, value in enumerate([*values, 3.0], start=1)]
    assert [firing is not None for firing in fired] == [False] * 5 + [True]
    assert fired[-1] is not None and fired[-1].stop
    # Of the means of epochs 3, 4 and 5, 6 the earlier one stands for its middle, epoch 3.
    assert fired[-1].notice.values == {"ratio": pytest.approx((1.31 + 3.0) / 2.6), "eigenvalue": 3.0, "epoch": 3.0}
    assert fired[-1].back_to == 3


def test_a_new_stage_and_a_negative_mean_say_nothing() -> None:
    habit = EigenvalueStop(window=1, ratio=1.3)
    assert habit.after_epoch(view(4, 1.0)) is None
    assert habit.after_epoch(view(1, 9.0)) is None, "the first epoch of another stage"
    assert habit.after_epoch(view(2, 9.1)) is None
    assert habit.after_epoch(view(3, -1.0)) is None and habit.after_epoch(view(4, 5.0)) is None


def test_a_restored_habit_goes_on() -> None:
    config = SimplexHabitsConfig(skip_limit=0, eigenvalue_ratio=1.3, eigenvalue_window=2)
    values = [1.0, 1.0, 1.1, 1.9, 2.5]
    for cut in range(1, 5):
        first, second = Habits(config), Habits(config)
        for epoch, value in enumerate(values[:cut], start=1):
            first.after_epoch(view(epoch, value))
        second.load_state_dict(json.loads(json.dumps(first.state_dict())))
        rest = list(enumerate(values, start=1))[cut:]
        assert [second.after_epoch(view(*item)) for item in rest] == [first.after_epoch(view(*item)) for item in rest]


@pytest.mark.parametrize("method", METHODS)
def test_any_method_can_be_watched(method: str) -> None:
    search = simplex_search(method, "nb201", epochs=2, eigenvalue_ratio=1.3, eigenvalue_window=1, shrink_stages=1)
    per_epoch = search.train_order.per_epoch
    costs = []
    while not search.finished and len(costs) < per_epoch:
        costs.append(search.step().forward_backward)
    # A difference of gradients takes two passes.
    each = 1 if search.alpha.twice_differentiable else 2
    assert costs[-1] == costs[0] + (1 + each * ITERATIONS) * 8 and len(set(costs[:-1])) == 1
    metrics = of_kind(search.context.log.drain(), "metrics")
    assert "hessian_eigenvalue" in metrics[-1].values and "hessian_eigenvalue" not in metrics[0].values


def test_a_sharp_search_stops_and_returns_the_structure_from_before() -> None:
    search = planted_search(0, steps=400, eigenvalue_ratio=1.0001, eigenvalue_window=1, structure_every=1000)
    structures, events = {}, []
    while not search.finished:
        events += run(search, 1)
        if not search.finished and search.epoch_ends:
            structures[search.epoch] = search.structure()
    assert search.steps_done < 400 and search.stopped == "Hessian eigenvalue"
    (notice,) = of_kind(events, "notice")
    (epoch,) = {int(notice.values["epoch"])} & set(structures)
    assert epoch == search.epoch - 1, "a window of one epoch"
    now = search.structure()
    assert all(np.array_equal(now[group], value) for group, value in structures[epoch].items())
    assert of_kind(events, "structure")[-1].step == search.steps_done, "the last frame shows what is returned"
    assert [notice.name for notice in of_kind(events, "notice")] == ["eigenvalue"]
