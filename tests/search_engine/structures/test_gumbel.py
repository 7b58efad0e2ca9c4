"""Gumbel-Softmax structures: density, argmax law, gradients, the hard form, temperatures."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from search_engine.base.checkpoint import pack, unpack
from search_engine.structures import GumbelSoftmaxStructure, HardGumbelStructure, TemperatureSchedule
from search_engine.structures.temperature import LEAST_LEARNED

PROBABILITIES = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
EDGE = {"cell": (1, 3)}
DRAWS = 200_000

# E[max] and P(max > .95) of s = (5, 3, 2) / 10 by temperature.
TABLE = {
    0.05: (0.978, 0.909), 0.1: (0.957, 0.823), 0.2: (0.915, 0.660), 0.5: (0.801, 0.296), 1.0: (0.665, 0.059), 2.0: (0.528, 0.0016),
    5.0: (0.414, 0.0), 10.0: (0.373, 0.0), 50.0: (0.341, 0.0),
}


def structure(probabilities: torch.Tensor = PROBABILITIES, temperature: float = 1.0, hard: bool = False) -> GumbelSoftmaxStructure:
    kind = HardGumbelStructure if hard else GumbelSoftmaxStructure
    made = kind({"cell": (1, len(probabilities))}, torch.Generator().manual_seed(0), dtype=torch.float64, temperature=temperature)
    with torch.no_grad():
        made.parameters[0].copy_(probabilities.log().unsqueeze(0))
    return made  # type: ignore[return-value]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def drawn(made: GumbelSoftmaxStructure, seed: int = 0, count: int = DRAWS) -> torch.Tensor:
    """(count, operations), detached."""
    return made.sample(None, seeded(seed), (count,))["cell"][:, 0].detach()


def argmax_law(draws: torch.Tensor) -> np.ndarray:
    return np.bincount(draws.argmax(dim=1).numpy(), minlength=3) / len(draws)


# ---- the law


@pytest.mark.parametrize("temperature", [0.5, 1.0, 5.0])
def test_the_density_is_that_of_the_concrete_distribution(temperature: float) -> None:
    made = structure(temperature=temperature)
    points = drawn(made, count=1000).clamp_min(1e-6)
    known = torch.distributions.RelaxedOneHotCategorical(
        torch.tensor(temperature, dtype=torch.float64), probs=PROBABILITIES, validate_args=False
    )
    assert (made.log_prob({"cell": points.unsqueeze(1)}) - known.log_prob(points)).abs().max() < 1e-6


@pytest.mark.parametrize(("temperature", "tolerance"), [(5.0, 1e-3), (1.0, 0.015)])
def test_the_density_integrates_to_one(temperature: float, tolerance: float) -> None:
    """Over interior points of a barycentric grid; below one the mass at the edges escapes such a grid."""
    parts = 300
    points = torch.tensor(
        [(i, j, parts - i - j) for i in range(1, parts) for j in range(1, parts - i)], dtype=torch.float64
    ) / parts
    total = structure(temperature=temperature).log_prob({"cell": points.unsqueeze(1)}).exp().sum() / parts**2
    assert float(total.detach()) == pytest.approx(1.0, abs=tolerance)


@pytest.mark.parametrize("temperature", list(TABLE))
def test_the_strongest_operation_follows_s_at_every_temperature(temperature: float) -> None:
    draws = drawn(structure(temperature=temperature))
    assert argmax_law(draws) == pytest.approx(PROBABILITIES.numpy(), abs=0.004)
    largest = draws.max(dim=1).values
    expected, vertices = TABLE[temperature]
    assert float(largest.mean()) == pytest.approx(expected, abs=0.002)
    assert float((largest > 0.95).double().mean()) == pytest.approx(vertices, abs=0.004)


def test_noise_added_after_the_division_breaks_that_law() -> None:
    """A mistake in print: softmax(log s / tau + G). The test above must tell it apart."""
    gumbel = -(-torch.rand(DRAWS, 3, generator=seeded(), dtype=torch.float64).clamp_min(1e-20).log()).log()
    wrong = (PROBABILITIES.log() / 0.2 + gumbel).softmax(dim=1)
    assert argmax_law(wrong) == pytest.approx([0.919, 0.071, 0.010], abs=0.004)


@pytest.mark.parametrize("operations", [2, 3, 5, 8])
@pytest.mark.parametrize("temperature", [0.1, 1.0, 20.0])
def test_the_density_at_the_centre_has_a_closed_form(operations: int, temperature: float) -> None:
    made = structure(torch.full((operations,), 1.0 / operations, dtype=torch.float64), temperature)
    centre = torch.full((1, operations), 1.0 / operations, dtype=torch.float64)
    expected = math.lgamma(operations) + (operations - 1) * math.log(temperature)
    assert float(made.log_prob({"cell": centre}).detach()) == pytest.approx(expected, abs=1e-9)


def test_mass_moves_to_the_centre_as_the_temperature_rises() -> None:
    """Log density at the centre minus that at (.4, .3, .3), s uniform. It is not the uniform law at temperature one."""
    points = {"cell": torch.tensor([[[1 / 3, 1 / 3, 1 / 3]], [[0.4, 0.3, 0.3]]], dtype=torch.float64)}
    found = {}
    for temperature in (0.1, 2.0, 5.0, 20.0, 100.0):
        made = structure(torch.full((3,), 1 / 3, dtype=torch.float64), temperature)
        centre, beside = made.log_prob(points).detach().tolist()
        found[temperature] = centre - beside
    assert found == pytest.approx({0.1: -0.03, 2.0: 0.07, 5.0: 0.53, 20.0: 4.5, 100.0: 27.5}, abs=0.05)


# ---- gradients


def test_the_gradient_equals_a_difference_with_common_noise() -> None:
    made = structure(temperature=0.5)
    cost = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)

    def value(alpha: torch.Tensor) -> torch.Tensor:
        return (made.sample([alpha], seeded(3), (500,))["cell"] @ cost).square().mean()

    alpha = made.parameters[0]
    (gradient,) = torch.autograd.grad(value(alpha), alpha)
    for column in range(3):
        shift = torch.zeros_like(alpha)
        shift[0, column] = 1e-5
        difference = (value(alpha + shift) - value(alpha - shift)) / 2e-5
        assert float(gradient[0, column]) == pytest.approx(float(difference.detach()), abs=1e-4)
    assert gradient.abs().max() > 0.01


def test_a_low_temperature_makes_the_gradient_noisy() -> None:
    cost = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
    variances = []
    for temperature in (0.1, 0.5, 1.0, 5.0):
        made = structure(temperature=temperature)
        alphas = made.parameters[0].detach().expand(4000, 1, 3).clone().requires_grad_(True)
        logits = made.sample_logs([alphas], seeded(), ())["cell"]
        (gradients,) = torch.autograd.grad((logits.exp() @ cost).square().sum(), alphas)
        variances.append(float(gradients[:, 0].var(dim=0).sum()))
    assert variances == sorted(variances, reverse=True) and variances[0] > 100 * variances[-1]


def test_draws_depend_on_the_generator_alone() -> None:
    made = structure()
    before = torch.get_rng_state()
    first, again, other = (made.sample(None, seeded(seed))["cell"] for seed in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert torch.equal(before, torch.get_rng_state()), "the global generator must be left alone"
    single = GumbelSoftmaxStructure(EDGE, seeded())
    with torch.no_grad():
        single.parameters[0].copy_(made.parameters[0])
    assert torch.allclose(single.sample(None, seeded(1))["cell"].double(), first, atol=1e-6), "a seed means one draw at every precision"


def test_no_draw_is_infinite_at_the_ends_of_the_uniform_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    made = structure(temperature=0.05)
    for end in (0.0, 1.0):
        monkeypatch.setattr(torch, "rand", lambda shape, end=end, **_: torch.full(shape, end, dtype=torch.float64))
        logs = made.sample_logs(None, None, ())["cell"]
        assert torch.isfinite(logs).all() and torch.isfinite(made.sample()["cell"]).all()


# ---- the hard form


def test_a_hard_draw_is_one_hot_to_the_bit_with_the_relaxed_gradient() -> None:
    hard, soft = structure(temperature=0.7, hard=True), structure(temperature=0.7)
    draw, relaxed = hard.sample(None, seeded(5), (200,))["cell"], soft.sample(None, seeded(5), (200,))["cell"]
    assert set(draw.detach().unique().tolist()) == {0.0, 1.0} and torch.equal(draw.sum(dim=-1), torch.ones(200, 1, dtype=torch.float64))
    assert torch.equal(draw.argmax(dim=-1), relaxed.argmax(dim=-1))
    cost = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    (found,) = torch.autograd.grad((draw @ cost).sum(), hard.parameters)
    (expected,) = torch.autograd.grad((relaxed @ cost).sum(), soft.parameters)
    assert torch.allclose(found, expected, atol=1e-12) and found.abs().max() > 0


def test_with_chosen_only_just_the_drawn_weight_has_a_gradient() -> None:
    made = structure(hard=True)
    made.chosen_only = True  # type: ignore[attr-defined]
    draw = made.sample(None, seeded(1))["cell"]
    place = int(draw.argmax())
    for column in range(3):
        (gradient,) = torch.autograd.grad(draw[0, column], made.parameters, retain_graph=True)
        assert bool(gradient.abs().max() > 0) == (column == place)


def test_the_hard_law_is_categorical() -> None:
    made = structure(hard=True)
    total = sum(float(made.log_prob({"cell": torch.eye(3, dtype=torch.float64)[[k]]}).exp().detach()) for k in range(3))
    assert total == pytest.approx(1.0, abs=1e-12)
    with pytest.raises(ValueError, match="one operation per edge"):
        made.log_prob({"cell": PROBABILITIES.unsqueeze(0)})


# ---- temperatures


@pytest.mark.parametrize(("kind", "middle"), [("constant", 10.0), ("linear", 5.05), ("exponential", 1.0)])
def test_schedules_go_from_end_to_end_of_their_horizon(kind: str, middle: float) -> None:
    schedule = TemperatureSchedule(kind, 10.0, 0.1, 101)  # type: ignore[arg-type]
    last = 10.0 if kind == "constant" else 0.1
    assert [schedule.at(step) for step in (0, 50, 100, 500)] == pytest.approx([10.0, middle, last, last])


def test_a_schedule_of_one_step_has_a_temperature() -> None:
    assert TemperatureSchedule("linear", 2.0, 1.0, 1).at(0) == 2.0


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf])
def test_a_temperature_that_is_not_positive_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        GumbelSoftmaxStructure(EDGE, temperature=bad)
    with pytest.raises(ValueError, match="positive"):
        structure().temperature = bad
    with pytest.raises(ValueError, match="positive"):
        TemperatureSchedule("linear", 1.0, bad, 10)
    with pytest.raises(ValueError, match="horizon"):
        TemperatureSchedule("linear", 1.0, 1.0, 0)


def test_a_learned_temperature_has_a_gradient_and_never_crosses_its_floor() -> None:
    """A raw temperature under Adam becomes negative; this one cannot."""
    made = GumbelSoftmaxStructure(EDGE, seeded(), dtype=torch.float64, temperature=0.7, learn_temperature=True)
    assert made.names == ["cell", "temperature"] and made.temperature == pytest.approx(0.7)
    optimizer = torch.optim.Adam(made.parameters, lr=0.2)
    for step in range(100):
        optimizer.zero_grad()
        (-made.sample(None, seeded(step), (8,))["cell"].square().sum()).backward()
        optimizer.step()
    assert LEAST_LEARNED < made.temperature < 0.2
    made.temperature = 3.0
    assert made.temperature == pytest.approx(3.0)
    with pytest.raises(ValueError, match="above"):
        made.temperature = 0.01
    with pytest.raises(ValueError, match="begins above"):
        GumbelSoftmaxStructure(EDGE, temperature=0.05, learn_temperature=True)


def test_the_state_carries_both_kinds_of_temperature() -> None:
    for learned in (False, True):
        source = GumbelSoftmaxStructure(EDGE, seeded(1), temperature=0.4, learn_temperature=learned)
        target = GumbelSoftmaxStructure(EDGE, seeded(2), temperature=0.9, learn_temperature=learned)
        target.load_state_dict(unpack(pack(source.state_dict())))
        assert target.temperature == pytest.approx(0.4) and torch.equal(source.parameters[0], target.parameters[0])
    with pytest.raises(ValueError, match="not of a"):
        GumbelSoftmaxStructure(EDGE).load_state_dict(source.state_dict())
