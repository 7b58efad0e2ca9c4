"""Implicit reparameterisation: equal to path-wise gradients where there are any, and to PyTorch's for gamma laws."""

from __future__ import annotations

import math

import pytest
import torch

from search_engine.structures.gamma import gamma_cdf, log_density, log_gamma_draw
from search_engine.structures.implicit import implicit

COUNT = 200


def noise(seed: int = 0) -> torch.Tensor:
    return torch.rand(COUNT, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).clamp(1e-6, 1 - 1e-6)


def parameters(*values: float) -> list[torch.Tensor]:
    return [torch.full((COUNT,), value, dtype=torch.float64, requires_grad=True) for value in values]


def normal_cdf(z: torch.Tensor, mu: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
    return torch.special.ndtr((z - mu) / sigma)


def weibull_cdf(z: torch.Tensor, scale: torch.Tensor, shape: torch.Tensor) -> torch.Tensor:
    return -torch.expm1(-((z / scale) ** shape))


def kumaraswamy_cdf(z: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return 1 - (1 - z**a) ** b


CASES = {
    "normal": (normal_cdf, lambda u, mu, sigma: mu + sigma * torch.special.ndtri(u), (0.3, 1.7)),
    "weibull": (weibull_cdf, lambda u, scale, shape: scale * (-torch.log1p(-u)) ** (1 / shape), (2.0, 0.8)),
    "kumaraswamy": (kumaraswamy_cdf, lambda u, a, b: (1 - (1 - u) ** (1 / b)) ** (1 / a), (1.4, 2.5)),
}


@pytest.mark.parametrize("name", list(CASES))
def test_the_gradient_is_the_path_wise_one(name: str) -> None:
    """The paths at fixed rank u are known in closed form."""
    cdf, path, values = CASES[name]
    theta = parameters(*values)
    z = path(noise(), *theta)
    found = torch.autograd.grad((implicit(z, cdf, *theta) ** 2).sum(), theta)
    expected = torch.autograd.grad((z**2).sum(), theta)
    for ours, known in zip(found, expected, strict=True):
        assert torch.allclose(ours, known, rtol=1e-6, atol=1e-9)
    assert torch.equal(implicit(z, cdf, *theta), z.detach()), "the value is the draw itself"


@pytest.mark.parametrize("name", list(CASES))
def test_so_is_the_second_derivative(name: str) -> None:
    cdf, path, values = CASES[name]
    results = []
    for form in ("implicit", "path"):
        theta = parameters(*values)
        z = path(noise(), *theta)
        z = implicit(z, cdf, *theta) if form == "implicit" else z
        first = torch.autograd.grad((z**3).sum(), theta, create_graph=True)
        results.append(torch.autograd.grad(sum((part**2).sum() for part in first), theta))
    for ours, known in zip(*results, strict=True):
        assert torch.allclose(ours, known, rtol=1e-5, atol=1e-7)


def test_a_density_may_be_given() -> None:
    theta = parameters(0.3, 1.7)
    z = theta[0] + theta[1] * torch.special.ndtri(noise())
    given = implicit(z, normal_cdf, *theta, log_density=lambda z, mu, sigma: torch.distributions.Normal(mu, sigma).log_prob(z))
    own = implicit(z, normal_cdf, *theta)
    for ours, known in zip(torch.autograd.grad(given.sum(), theta), torch.autograd.grad(own.sum(), theta), strict=True):
        assert torch.allclose(ours, known, rtol=1e-6)


def test_only_wanted_parameters_get_a_gradient_and_shapes_must_agree() -> None:
    mu = torch.zeros(COUNT, dtype=torch.float64, requires_grad=True)
    sigma = torch.ones(COUNT, dtype=torch.float64)
    z = implicit(torch.special.ndtri(noise()), normal_cdf, mu, sigma)
    assert torch.allclose(torch.autograd.grad(z.sum(), mu)[0], torch.ones(COUNT, dtype=torch.float64), rtol=1e-9)
    with pytest.raises(ValueError, match="expand it first"):
        implicit(z, normal_cdf, mu[:1], sigma)


# ---- gamma


@pytest.mark.parametrize("shape", [1.001, 1.5, 3.0, 10.0, 100.0])
def test_the_gamma_gradient_is_torchs(shape: float) -> None:
    """PyTorch states a relative accuracy of about 5e-4 for its own; ours is checked tighter below."""
    (a,) = parameters(shape)
    drawn = torch.distributions.Gamma(a.detach(), torch.ones_like(a)).sample()
    (found,) = torch.autograd.grad(implicit(drawn, gamma_cdf, a, log_density=log_density).sum(), a)
    known = torch._standard_gamma_grad(a.detach(), drawn)
    assert torch.allclose(found, known, rtol=2e-3, atol=1e-6)


@pytest.mark.parametrize("shape", [0.001, 0.1, 0.5, 1.0, 3.0, 40.0])
def test_the_gradient_of_a_draw_is_its_derivative_at_fixed_noise(shape: float) -> None:
    (a,) = parameters(shape)
    first, second = noise(1), noise(2)
    (found,) = torch.autograd.grad(log_gamma_draw(a, first, second).sum(), a)
    step = 1e-5 * shape
    with torch.no_grad():
        difference = (log_gamma_draw(a + step, first, second) - log_gamma_draw(a - step, first, second)) / (2 * step)
    assert torch.allclose(found, difference, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("shape", [0.05, 0.7, 4.0])
def test_draws_follow_the_gamma_law(shape: float) -> None:
    """E[log G] = digamma(a), E[G] = a."""
    count = 100_000
    generator = torch.Generator().manual_seed(0)
    first, second = (torch.rand(count, generator=generator, dtype=torch.float64).clamp_min(1e-12) for _ in range(2))
    logs = log_gamma_draw(torch.full((count,), shape, dtype=torch.float64), first, second)
    spread = math.sqrt(float(torch.special.polygamma(1, torch.tensor(shape, dtype=torch.float64))) / count)
    assert float(logs.mean()) == pytest.approx(float(torch.digamma(torch.tensor(shape, dtype=torch.float64))), abs=5 * spread)
    assert float(logs.exp().mean()) == pytest.approx(shape, abs=5 * math.sqrt(shape / count))


def test_the_gamma_distribution_function_has_both_derivatives() -> None:
    z, a = torch.tensor([0.2, 1.0, 4.0, 30.0], dtype=torch.float64), torch.tensor([1.5, 1.0, 3.0, 20.0], dtype=torch.float64)
    assert torch.autograd.gradcheck(gamma_cdf, (z.requires_grad_(True), a.requires_grad_(True)), eps=1e-5, atol=1e-8)
