"""Dirichlet, logit-normal and Bernoulli structures; divergences and restriction of every law."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch

from search_engine.structures import (
    DirichletStructure,
    GumbelSoftmaxStructure,
    HardBernoulliStructure,
    HardGumbelStructure,
    LogitNormalStructure,
    RelaxedBernoulliStructure,
    SoftmaxStructure,
    StructureDistribution,
    constraint,
)

SHAPES = {"normal": (2, 3), "reduction": (3, 4)}
DRAWS = 200_000
LAWS: dict[str, Any] = {
    "softmax": SoftmaxStructure,
    "gumbel": GumbelSoftmaxStructure,
    "hard gumbel": HardGumbelStructure,
    "dirichlet": DirichletStructure,
    "scaled dirichlet": lambda *args, **options: DirichletStructure(*args, form="scaled_softmax", temperature=1.5, **options),
    "logit-normal": LogitNormalStructure,
    "pinned logit-normal": lambda *args, **options: LogitNormalStructure(*args, pinned=True, **options),
    "bernoulli": RelaxedBernoulliStructure,
    "hard bernoulli": HardBernoulliStructure,
}


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def law(name: str, seed: int = 0, shapes: dict[str, tuple[int, int]] | None = None) -> StructureDistribution:
    """A law with parameters that are no longer at their start."""
    generator = seeded(seed)
    made: StructureDistribution = LAWS[name](shapes or SHAPES, generator, dtype=torch.float64)
    with torch.no_grad():
        for value in made.parameters:
            value.add_(0.5 * torch.randn(value.shape, generator=generator, dtype=torch.float64))
    return made


def dirichlet(*beta: float) -> DirichletStructure:
    """One edge with these concentrations."""
    made = DirichletStructure({"cell": (1, len(beta))}, seeded(), dtype=torch.float64)
    values = torch.tensor(beta, dtype=torch.float64)
    with torch.no_grad():
        made.parameters[0].copy_(torch.where(values < 1, values.log(), values - 1).unsqueeze(0))
    return made


# ---- what all have in common


@pytest.mark.parametrize("name", list(LAWS))
def test_draws_lie_in_their_set_and_move_with_the_given_parameters(name: str) -> None:
    made = law(name)
    draws = made.sample(None, seeded(1), (5,))
    for group, (edges, operations) in SHAPES.items():
        assert draws[group].shape == (5, edges, operations)
        # A mistake to catch: a draw without a gradient (`sample` in the place of `rsample`).
        assert draws[group].requires_grad
        assert constraint(made.constraint).contains(draws[group].detach().reshape(-1, operations).numpy(), tolerance=1e-6)
    other = [value.detach().clone().requires_grad_(True) for value in made.parameters]
    total = sum((value**2).sum() for value in made.sample(other, seeded(1)).values())
    gradients = torch.autograd.grad(total, [*other, *made.parameters], allow_unused=True)
    assert all(gradient is not None and gradient.abs().max() > 0 for gradient in gradients[: len(other)])
    assert all(gradient is None for gradient in gradients[len(other) :])


@pytest.mark.parametrize("name", [name for name in LAWS if name != "softmax"])
def test_draws_are_repeatable_and_leave_the_global_generator_alone(name: str) -> None:
    made, before = law(name), torch.get_rng_state()
    first, again, other = (made.sample(None, seeded(seed)) for seed in (1, 1, 2))
    assert all(torch.equal(first[group], again[group]) and not torch.equal(first[group], other[group]) for group in SHAPES)
    assert torch.equal(before, torch.get_rng_state())
    assert made.draws(7, seeded(1))["normal"].shape == (7, 2, 3) and made.draws(7, seeded(1))["normal"].dtype == np.float32


@pytest.mark.parametrize("name", [name for name in LAWS if name not in ("gumbel", "bernoulli")])
def test_the_mean_is_that_of_the_draws(name: str) -> None:
    made = law(name)
    with torch.no_grad():
        draws, mean = made.sample(None, seeded(4), (40_000,)), made.mean()
    for group in SHAPES:
        assert torch.allclose(draws[group].mean(dim=0), mean[group], atol=0.01)


@pytest.mark.parametrize("name", list(LAWS))
def test_the_divergence_agrees_with_its_estimate_and_vanishes_at_itself(name: str) -> None:
    ours, prior = law(name, 0), law(name, 1)
    with torch.no_grad():
        found = float(ours.kl(prior, samples=40_000, generator=seeded(2)))
        assert float(ours.kl(ours, samples=50, generator=seeded(3))) == pytest.approx(0.0, abs=1e-9)
        if name == "softmax":  # Its draws are points: the law over operations is categorical.
            expected = sum(
                float((p * (p.log() - prior.mean()[group].log())).sum()) for group, p in ours.mean().items()
            )
        else:
            expected = float(ours._sampled_kl(prior, 40_000, seeded(5), None, None))
    assert found > 0.05 and found == pytest.approx(expected, rel=0.05, abs=0.02)
    gradients = torch.autograd.grad(ours.kl(prior, samples=4, generator=seeded()), [*ours.parameters, *prior.parameters])
    assert all(bool(torch.isfinite(gradient).all()) and gradient.abs().max() > 0 for gradient in gradients)


@pytest.mark.parametrize(("ours", "prior"), [("dirichlet", "gumbel"), ("gumbel", "logit-normal"), ("logit-normal", "dirichlet")])
def test_densities_of_different_families_can_be_compared(ours: str, prior: str) -> None:
    """Both orders of one pair: divergences are positive, and not the same."""
    first, second = law(ours), law(prior)
    with torch.no_grad():
        there = float(first.kl(second, samples=20_000, generator=seeded(1)))
        back = float(second.kl(first, samples=20_000, generator=seeded(1)))
    assert there > 0 and back > 0 and there != pytest.approx(back, rel=1e-3)


def test_laws_on_different_sets_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="other sets"):
        law("gumbel").kl(law("hard gumbel"))
    with pytest.raises(ValueError, match="not over"):
        law("gumbel").kl(law("gumbel", shapes={"normal": (2, 3)}))
    with pytest.raises(ValueError, match="at least one draw"):
        law("gumbel").kl(law("gumbel", 1), samples=0)


@pytest.mark.parametrize("name", list(LAWS))
def test_a_dropped_operation_is_never_drawn_and_has_no_gradient(name: str) -> None:
    made, prior = law(name), law(name, 1)
    kept = {"normal": np.array([[True, True, False], [False, False, True]])}
    made.restrict(kept)
    prior.restrict(kept)
    draws = made.sample(None, seeded(1), (50,))
    assert bool((draws["normal"][:, ~torch.from_numpy(kept["normal"])] == 0).all())
    assert bool((draws["reduction"] > 0).any(dim=0).all()), "a group that is not named keeps all"
    assert np.all(made.numpy()["normal"][~kept["normal"]] == 0)
    if constraint(made.constraint).on_simplex:
        assert torch.allclose(draws["normal"].sum(dim=-1), torch.ones(50, 2, dtype=torch.float64))
        assert made.normalised_edge_entropy()["normal"][1] == 0.0, "an edge with one operation left is decided"
        assert made.normalised_edge_entropy()["normal"][0] > 0.3
    (gradient, *_) = torch.autograd.grad(sum((value**2).sum() for value in draws.values()), made.parameters)
    dropped = ~torch.from_numpy(kept["normal"])[:, : gradient.shape[1]]
    assert float(gradient[dropped].abs().sum()) == 0.0 and float(gradient.abs().sum()) > 0
    with torch.no_grad():
        found = float(made.kl(prior, samples=20_000, generator=seeded(3)))
        assert np.isfinite(found) and found > 0
        if name != "softmax":
            assert found == pytest.approx(float(made._sampled_kl(prior, 40_000, seeded(4), None, None)), rel=0.07, abs=0.02)


def test_the_entropy_counts_the_choices() -> None:
    for name in LAWS:
        fresh = LAWS[name](SHAPES, seeded(), dtype=torch.float64)
        assert fresh.normalised_entropy() == pytest.approx(1.0, abs=0.002), name


# ---- Dirichlet


@pytest.mark.parametrize(
    ("beta", "tolerance"), [((0.5, 1.0, 2.0), 1e-3), ((5.0, 3.0, 2.0), 1e-3), ((0.1, 0.1, 0.1), 0.03)]
)
def test_the_implicit_gradient_of_the_dirichlet_mean_is_the_analytic_one(beta: tuple[float, ...], tolerance: float) -> None:
    """d E[g_k] / d beta_i = (S delta_ki - beta_k) / S^2."""
    made = dirichlet(*beta)
    values = torch.tensor([beta], dtype=torch.float64, requires_grad=True)
    made.concentrations = lambda parameters=None: {"cell": values}  # type: ignore[method-assign]
    means = made.sample(None, seeded(0), (100_000,))["cell"][:, 0].mean(dim=0)
    total = sum(beta)
    for k in range(3):
        (found,) = torch.autograd.grad(means[k], values, retain_graph=True)
        expected = [(total * (i == k) - beta[k]) / total**2 for i in range(3)]
        assert found[0].tolist() == pytest.approx(expected, abs=tolerance)


def test_the_dirichlet_gradient_equals_a_difference_with_common_noise() -> None:
    made = dirichlet(0.3, 1.0, 4.0)
    cost = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)

    def value(alpha: torch.Tensor) -> torch.Tensor:
        return (made.sample([alpha], seeded(3), (300,))["cell"] @ cost).square().mean()

    alpha = made.parameters[0]
    (gradient,) = torch.autograd.grad(value(alpha), alpha)
    for column in range(3):
        shift = torch.zeros_like(alpha)
        shift[0, column] = 1e-5
        difference = (value(alpha + shift) - value(alpha - shift)) / 2e-5
        assert float(gradient[0, column]) == pytest.approx(float(difference.detach()), rel=1e-5, abs=1e-8)


@pytest.mark.parametrize(("concentration", "vertices"), [(0.01, 0.943), (0.1, 0.569), (0.995, 0.008), (5.0, 0.0)])
def test_a_small_concentration_lives_at_the_vertices(concentration: float, vertices: float) -> None:
    """Dir(s, lambda) with s of mean one: the temperature is the concentration."""
    made = DirichletStructure({"cell": (1, 3)}, seeded(), dtype=torch.float64, temperature=concentration, form="scaled_softmax")
    with torch.no_grad():
        made.parameters[0].zero_()
        largest = made.sample(None, seeded(1), (100_000,))["cell"].max(dim=-1).values
    assert float((largest > 0.95).double().mean()) == pytest.approx(vertices, abs=0.006)


def test_the_dirichlet_law_is_that_of_torch_and_uniform_at_one() -> None:
    made = dirichlet(0.5, 1.0, 2.0)
    known = torch.distributions.Dirichlet(torch.tensor([0.5, 1.0, 2.0], dtype=torch.float64))
    points = made.sample(None, seeded(1), (200,))["cell"].detach()
    inside = points.clamp_min(1e-6)
    assert torch.allclose(made.log_prob({"cell": inside}), known.log_prob(inside[:, 0] / inside[:, 0].sum(-1, keepdim=True)), atol=1e-4)
    flat = dirichlet(1.0, 1.0, 1.0)
    assert torch.allclose(flat.log_prob({"cell": points}), torch.tensor(2.0, dtype=torch.float64).log(), atol=1e-12)
    assert float(flat.kl_from_uniform().detach()) == pytest.approx(0.0, abs=1e-12)
    expected = torch.distributions.kl_divergence(known, torch.distributions.Dirichlet(torch.ones(3, dtype=torch.float64)))
    assert float(made.kl_from_uniform().detach()) == pytest.approx(float(expected))


def test_a_concentration_that_vanishes_stays_a_number() -> None:
    """elu(alpha) + 1 reaches zero in float32 already at alpha = -20."""
    made = DirichletStructure({"cell": (2, 4)}, seeded())
    with torch.no_grad():
        made.parameters[0].fill_(-60.0)
    draws = made.sample(None, seeded(1), (500,))["cell"]
    assert torch.isfinite(draws).all() and torch.allclose(draws.sum(dim=-1), torch.ones(500, 2))
    gradient, divergence = torch.autograd.grad(draws.square().sum(), made.parameters)[0], made.kl_from_uniform()
    assert torch.isfinite(gradient).all() and torch.isfinite(divergence)


# ---- logit-normal


@pytest.mark.parametrize(
    ("reading", "scale", "mean_of_largest", "vertices"),
    [
        ("standard_deviation", 1.0, 0.541, 4e-4), ("standard_deviation", 2.0, 0.681, 0.052),
        ("standard_deviation", 3.0, 0.763, 0.186), ("standard_deviation", 4.0, 0.813, 0.316),
        ("variance", 1.0, 0.565, None), ("variance", 2.0, 0.635, None), ("variance", 3.0, 0.679, None), ("variance", 4.0, 0.709, None),
    ],
)
def test_logit_normal_moments_under_both_readings_of_the_spread(
    reading: Any, scale: float, mean_of_largest: float, vertices: float | None
) -> None:
    """Logits with the spreads c (1, .5, .7), read as standard deviations or as variances."""
    given = scale * torch.tensor([1.0, 0.5, 0.7], dtype=torch.float64)
    made = LogitNormalStructure({"cell": (1, 3)}, seeded(), dtype=torch.float64, spread=scale, reading=reading)
    with torch.no_grad():
        assert float(made.moments()["cell"][1][0, 0]) == pytest.approx(scale if reading == "standard_deviation" else scale**0.5)
        named = made.named()
        named["cell.mu"].zero_()
        named["cell.log_sigma"].copy_((given if reading == "standard_deviation" else given.sqrt()).log().unsqueeze(0))
        draws = made.sample(None, seeded(1), (DRAWS,))["cell"][:, 0]
    largest = draws.max(dim=-1).values
    assert float(largest.mean()) == pytest.approx(mean_of_largest, abs=0.003)
    if vertices is not None:
        assert float((largest > 0.95).double().mean()) == pytest.approx(vertices, abs=0.004)
        assert np.bincount(draws.argmax(dim=-1).numpy()) / DRAWS == pytest.approx([0.38, 0.29, 0.33], abs=0.01)


@pytest.mark.parametrize("pinned", [False, True])
def test_the_logit_normal_density_integrates_to_one(pinned: bool) -> None:
    made = law("pinned logit-normal" if pinned else "logit-normal", shapes={"cell": (1, 3)})
    made.temperature = 1.3  # type: ignore[attr-defined]
    parts = 300
    points = torch.tensor([(i, j, parts - i - j) for i in range(1, parts) for j in range(1, parts - i)], dtype=torch.float64) / parts
    total = made.log_prob({"cell": points.unsqueeze(1)}).exp().sum() / parts**2
    assert float(total.detach()) == pytest.approx(1.0, abs=2e-3)


def test_the_divergence_of_the_weights_is_at_most_that_of_the_logits() -> None:
    """With all K logits free the Gaussian divergence only bounds it; with the last one pinned they are equal."""
    for name, equal in (("logit-normal", False), ("pinned logit-normal", True)):
        ours, prior = law(name, 0), law(name, 1)
        logits = torch.zeros((), dtype=torch.float64)
        for group in SHAPES:
            (mu, sigma), (mean, spread) = (
                (made.named()[f"{group}.mu"], made.named()[f"{group}.log_sigma"].exp()) for made in (ours, prior)
            )
            logits = logits + torch.distributions.kl_divergence(
                torch.distributions.Normal(mu, sigma), torch.distributions.Normal(mean, spread)
            ).sum()
        found = float(ours.kl(prior).detach())
        if equal:
            assert found == pytest.approx(float(logits.detach()))
        else:
            assert found < float(logits.detach()) - 0.1


# ---- Bernoulli


def test_the_relaxed_bernoulli_density_is_torchs() -> None:
    made = RelaxedBernoulliStructure({"cell": (2, 3)}, seeded(), dtype=torch.float64, temperature=0.6, probability=0.8)
    known = torch.distributions.RelaxedBernoulli(torch.tensor(0.6, dtype=torch.float64), logits=made.parameters[0])
    points = made.sample(None, seeded(1), (100,))["cell"].detach().clamp(1e-6, 1 - 1e-6)
    assert torch.allclose(made.log_prob({"cell": points}), known.log_prob(points).sum(dim=(-1, -2)), atol=1e-6)


@pytest.mark.parametrize("temperature", [0.1, 1.0, 10.0])
def test_bernoulli_draws_pass_one_half_with_their_probability(temperature: float) -> None:
    made = RelaxedBernoulliStructure({"cell": (1, 1)}, seeded(), dtype=torch.float64, temperature=temperature, probability=0.3)
    draws = made.draws(100_000, seeded(1))["cell"]
    assert float((draws > 0.5).mean()) == pytest.approx(0.3, abs=0.005)


def test_the_hard_bernoulli_law_is_exact_on_the_vertices() -> None:
    made = law("hard bernoulli", shapes={"cell": (1, 4)})
    total, entropy = 0.0, 0.0
    for vertex in itertools.product((0.0, 1.0), repeat=4):
        value = float(made.log_prob({"cell": torch.tensor([vertex], dtype=torch.float64)}).detach())
        total += np.exp(value)
        entropy -= value * np.exp(value)
    assert total == pytest.approx(1.0, abs=1e-12)
    assert float(made.entropy()["cell"].detach()) == pytest.approx(entropy)
    with pytest.raises(ValueError, match="not all 0 or 1"):
        made.log_prob({"cell": torch.full((1, 4), 0.5, dtype=torch.float64)})
    with pytest.raises(ValueError, match="initial probability"):
        HardBernoulliStructure(SHAPES, probability=1.0)
