"""The parts of AdaNet: the objective, proximal steps, complexities against closed forms."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from search_engine.algorithms.adanet import complexity
from search_engine.algorithms.adanet.complexity import (
    linear,
    project,
    rademacher_linear,
    rademacher_perceptrons,
    random_signs,
    suprema,
)
from search_engine.algorithms.adanet.objective import Objective, losses
from search_engine.algorithms.adanet.proximal import minimise, soft_threshold


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# ---- the objective


def test_losses_of_two_classes_by_hand() -> None:
    outputs, labels = torch.tensor([[2.0], [2.0], [0.0]]), torch.tensor([1, 0, 1])
    margins = [1 - 2.0, 1 + 2.0, 1.0]
    logistic, exponential = losses(outputs, labels, "logistic"), losses(outputs, labels, "exponential")
    assert logistic.tolist() == pytest.approx([math.log1p(math.exp(value)) for value in margins])
    assert exponential.tolist() == pytest.approx([math.exp(value) for value in margins])


def test_more_classes_are_softmax_cross_entropy_of_the_sum() -> None:
    outputs, labels = torch.randn(4, 3, generator=generator()), torch.tensor([0, 2, 1, 1])
    expected = [-float(row.log_softmax(0)[label]) for row, label in zip(outputs, labels, strict=True)]
    assert losses(outputs, labels, "logistic").tolist() == pytest.approx(expected)


def test_the_objective_is_the_mean_loss_and_the_priced_weights() -> None:
    members = torch.randn(2, 5, 1, generator=generator(), dtype=torch.float64)
    labels = torch.tensor([0, 1, 1, 0, 1])
    objective = Objective(members, labels, torch.tensor([0.1, 0.3], dtype=torch.float64), "logistic")
    weights = torch.tensor([2.0, -1.0], dtype=torch.float64)
    value = objective.value(weights)
    f = 2 * members[0, :, 0] - members[1, :, 0]
    expected = np.mean([math.log1p(math.exp(1 - (2 * y - 1) * u)) for u, y in zip(f.tolist(), labels.tolist(), strict=True)])
    assert value.loss == pytest.approx(expected) and value.penalty == pytest.approx(0.2 + 0.3)
    assert value.total == value.loss + value.penalty


# ---- proximal steps


def test_the_proximal_step_is_exact() -> None:
    """It minimises |v - z|^2 / 2 + sum c |v|: by the closed form, by a fine grid, with exact zeros."""
    z, c = torch.tensor([2.0, -0.5, 0.3, -3.0, 0.0]), torch.tensor([0.5, 0.5, 0.3, 0.0, 1.0])
    found = soft_threshold(z, c)
    assert found.tolist() == [1.5, 0.0, 0.0, -3.0, 0.0]
    grid = torch.linspace(-4, 4, 80_001, dtype=torch.float64)
    for value, price, best in zip(z.tolist(), c.tolist(), found.tolist(), strict=True):
        assert float(grid[((grid - value).square() / 2 + price * grid.abs()).argmin()]) == pytest.approx(best, abs=1e-4)


def mixture(members: int, seed: int = 0, price: float = 0.02) -> Objective:
    outputs = torch.tanh(torch.randn(members, 200, 1, generator=generator(seed), dtype=torch.float64))
    labels = (outputs[:2].sum(dim=0)[:, 0] + 0.5 * torch.randn(200, generator=generator(9), dtype=torch.float64) > 0).long()
    return Objective(outputs, labels, torch.full((members,), price, dtype=torch.float64), "logistic")


@pytest.mark.parametrize("seed", range(3))
def test_the_mixture_weights_satisfy_the_optimality_conditions(seed: int) -> None:
    """Of a minimum of loss + sum c |w|: gradient -c sign(w) where w is not 0, at most c in size where it is."""
    objective = mixture(6, seed)
    weights = minimise(objective, torch.zeros(6, dtype=torch.float64), 2000)
    leaf = weights.clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(objective.loss(leaf), leaf)
    for value, slope, price in zip(weights.tolist(), gradient.tolist(), objective.penalties.tolist(), strict=True):
        if value:
            assert slope == pytest.approx(-price * math.copysign(1, value), abs=1e-5)
        else:
            assert abs(slope) <= price + 1e-6
    assert (weights == 0).any() and (weights[:2] > 0).all(), "two members decide the labels, the others are noise"


def test_the_mixture_does_not_depend_on_where_it_starts_and_never_gets_worse() -> None:
    objective = mixture(4)
    starts = [torch.zeros(4, dtype=torch.float64), torch.tensor([5.0, -3.0, 1.0, 2.0], dtype=torch.float64)]
    first, second = (minimise(objective, start, 2000) for start in starts)
    assert torch.allclose(first, second, atol=1e-3)
    assert all(math.copysign(1, weight) > 0 for weight in first.tolist() if weight == 0), "no -0.0 in a genome"
    for start in starts:
        for steps in (1, 2, 5, 20):
            assert objective.value(minimise(objective, start, steps)).total <= objective.value(start).total


def test_a_price_above_the_gradient_at_zero_leaves_nothing() -> None:
    assert (minimise(mixture(3, price=1.0), torch.zeros(3, dtype=torch.float64), 500) == 0).all()


def test_exponential_losses_do_not_overflow_the_search() -> None:
    objective = mixture(3)
    steep = Objective(objective.outputs * 50, objective.labels, objective.penalties, "exponential")
    weights = minimise(steep, torch.zeros(3, dtype=torch.float64), 500)
    assert bool(torch.isfinite(weights).all()) and steep.value(weights).total < steep.value(torch.zeros(3, dtype=torch.float64)).total


# ---- complexity


def test_the_depth_is_its_root() -> None:
    assert [complexity.depth_complexity(depth) for depth in (0, 1, 4)] == [0, 1, 2]


def test_projection_shortens_what_is_too_long_only() -> None:
    values = torch.tensor([[[3.0], [4.0]], [[0.3], [0.4]]])
    project([values], 1.0)
    assert torch.allclose(values, torch.tensor([[[0.6], [0.8]], [[0.3], [0.4]]]))


@pytest.mark.parametrize("bound", [0.5, 3.0])
def test_the_supremum_of_a_linear_class_is_its_closed_form(bound: float) -> None:
    """sup over |v| <= B of 1/m sum sigma_i v x_i = B/m |sum sigma_i x_i|, draw by draw."""
    inputs, signs = torch.randn(40, 6, generator=generator(1)), random_signs(12, 40, generator(2))
    start = torch.randn(12, 6, 1, generator=generator(3))
    found = suprema(linear, [start], inputs, signs, bound, 200)
    closed = bound * (signs @ inputs).norm(dim=1) / 40
    assert torch.allclose(found, closed, rtol=2e-3) and bool((found <= closed * (1 + 1e-5)).all())


def test_the_estimate_agrees_with_all_draws_of_a_linear_class() -> None:
    """E over sigma enumerated: 2^10 draws of ten inputs; the Monte Carlo mean of 400 draws lies within its standard error."""
    inputs = torch.randn(10, 3, generator=generator(4))
    signs = torch.tensor(list(itertools.product((-1.0, 1.0), repeat=10)))
    sizes = (signs @ inputs).norm(dim=1) / 10
    found = rademacher_linear(inputs, bound=1.0, draws=400, steps=150, generator=generator(5))
    assert found == pytest.approx(float(sizes.mean()), abs=4 * float(sizes.std()) / 20)


def test_the_complexity_of_a_linear_class_on_orthogonal_inputs_is_exact() -> None:
    """On R times the unit vectors every draw gives B R sqrt(m) / m, whatever the signs: no Monte Carlo error is left."""
    inputs = 2.0 * torch.eye(16)
    assert rademacher_linear(inputs, bound=1.5, draws=3, steps=200, generator=generator(6)) == pytest.approx(1.5 * 2.0 / 4, rel=2e-3)


def test_the_complexity_of_perceptrons_grows_with_their_norms_and_falls_with_the_examples() -> None:
    inputs = torch.randn(120, 4, generator=generator(7))

    def estimate(examples: int = 120, bound: float = 2.0) -> float:
        return rademacher_perceptrons(inputs[:examples], 1, 8, bound=bound, draws=6, steps=60, generator=generator(8))

    assert estimate(bound=0.5) < estimate() < estimate(bound=8.0) <= 1
    assert estimate(examples=30) > estimate()
    assert estimate() == estimate(), "the same draws give the same figure"


def test_a_linear_perceptron_is_about_a_linear_function_where_tanh_is() -> None:
    """With small norms tanh(v x + b) is v x + b: the closed form, |sum sigma_i (x_i, .)| with norm B for each of v and b."""
    inputs, bound = 0.1 * torch.randn(50, 5, generator=generator(9)), 0.1
    found = rademacher_perceptrons(inputs, 0, 8, bound=bound, draws=6, steps=150, generator=generator(10))
    signs = random_signs(6, 50, generator(10))
    closed = bound * ((signs @ inputs).norm(dim=1) + signs.sum(dim=1).abs()) / 50
    assert found == pytest.approx(float(closed.mean()), rel=2e-2)
