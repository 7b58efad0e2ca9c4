"""Mean-field layers: the draw has the moments of sampled weights, the divergence is the Gaussian one, the twins are the same function."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import nn
from torch.distributions import Normal, kl_divergence

from search_engine.algorithms.bayes.conversion import bayesian_layers, posteriors, to_bayesian, to_plain
from search_engine.algorithms.bayes.divergence import gaussian_kl, gaussian_kl_each
from search_engine.algorithms.bayes.layers import BayesConvolution, BayesLinear, MeanFieldLayer
from search_engine.algorithms.bayes.relevance import density_ratio, kept, relevant_variance


def _random_sigmas(layer: MeanFieldLayer) -> None:
    with torch.no_grad():
        for name, parameter in layer.named_parameters():
            if name.endswith("log_sigma"):
                parameter.copy_(torch.randn_like(parameter) * 0.4 - 1)


@pytest.mark.parametrize("kind", ["linear", "conv", "strided groups", "point bias", "no bias"])
def test_the_drawn_output_has_the_moments_of_sampled_weights(kind: str) -> None:
    torch.manual_seed(1)
    if "conv" in kind or "groups" in kind:
        plain = nn.Conv2d(4, 6, 3, padding=1) if kind == "conv" else nn.Conv2d(4, 6, 3, stride=2, padding=2, dilation=2, groups=2)
        layer: MeanFieldLayer = BayesConvolution(plain)
        inputs = torch.randn(2, 4, 5, 5)
    else:
        layer = BayesLinear(nn.Linear(7, 3, bias=kind != "no bias"), point_bias=kind == "point bias")
        inputs = torch.randn(2, 7)
    _random_sigmas(layer)
    draws = 6000
    with torch.no_grad():
        local = torch.stack([layer(inputs) for _ in range(draws)])
        sampled = []
        for _ in range(draws):
            weights = {item.name: Normal(item.mu, item.log_sigma.exp()).sample() for item in layer.posteriors()}
            sampled.append(layer._map(inputs, weights["weight"], weights.get("bias", layer.bias_mu)))
        by_weights = torch.stack(sampled)
    error = by_weights.std(0) / math.sqrt(draws)
    assert ((local.mean(0) - by_weights.mean(0)).abs() < 6 * error).all()
    # The ratio of two standard deviations estimated from n draws each deviates from 1 by about 1 / sqrt(n).
    assert ((local.std(0) / by_weights.std(0)).log().abs() < 5.5 / math.sqrt(draws)).all()


def test_each_example_of_a_batch_gets_a_draw_of_its_own() -> None:
    torch.manual_seed(0)
    layer = BayesLinear(nn.Linear(4, 2), init_log_sigma=0.0)
    first, second = layer(torch.ones(1, 4).expand(2, 4))
    assert (first - second).abs().min() > 0


def test_evaluation_uses_the_mean_weights() -> None:
    plain = nn.Linear(4, 2)
    layer = BayesLinear(plain, init_log_sigma=0.0).eval()
    inputs = torch.randn(3, 4)
    assert torch.equal(layer(inputs), plain(inputs))


def test_gradients_of_the_draw_are_those_of_its_moments() -> None:
    """E over draws of d/d theta of (output)^2 equals d/d theta of (mean^2 + variance)."""
    torch.manual_seed(3)
    layer = BayesLinear(nn.Linear(3, 1).double(), init_log_sigma=-0.5).double()
    x = torch.randn(1, 3, dtype=torch.float64)
    weight, bias = layer.posteriors()
    mean = x @ weight.mu.t() + bias.mu
    variance = x.square() @ (2 * weight.log_sigma).exp().t() + (2 * bias.log_sigma).exp()
    expected = torch.autograd.grad((mean.square() + variance).sum(), list(layer.parameters()))
    drawn = torch.autograd.grad(layer(x.expand(400_000, 3)).square().mean(), list(layer.parameters()))
    for ours, theirs in zip(drawn, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0.02, atol=0.02)


def test_an_input_of_zeros_gives_finite_gradients() -> None:
    layer = BayesLinear(nn.Linear(3, 2, bias=False))
    layer(torch.zeros(4, 3)).sum().backward()
    assert all(bool(parameter.grad.isfinite().all()) for parameter in layer.parameters() if parameter.grad is not None)


def test_the_floor_holds_and_gives_a_way_back() -> None:
    layer = BayesLinear(nn.Linear(3, 2), init_log_sigma=-30.0, log_sigma_floor=-4.0)
    log_sigma = layer.posteriors()[0].log_sigma
    assert bool((log_sigma >= -4).all())
    near = BayesLinear(nn.Linear(3, 2), init_log_sigma=-4.5, log_sigma_floor=-4.0)
    gaussian_kl(near.weight_mu, near.posteriors()[0].log_sigma, variance=1.0).backward()
    assert bool((near.weight_log_sigma.grad < 0).all()), "a wider prior must be able to raise sigma again"


def _tensors() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    mu, log_sigma, variance = (torch.randn(3, 4, generator=generator, dtype=torch.float64) for _ in range(3))
    return mu.requires_grad_(), log_sigma.requires_grad_(), variance.exp().requires_grad_()


def test_divergence_is_that_of_torch_with_its_gradients() -> None:
    mu, log_sigma, variance = _tensors()
    theirs = kl_divergence(Normal(mu, log_sigma.exp()), Normal(torch.zeros_like(mu), variance.sqrt()))
    wanted = torch.autograd.grad(theirs.sum(), (mu, log_sigma, variance))
    for prior in ({"variance": variance}, {"precision": 1 / variance}, {"log_variance": variance.log()}):
        ours = gaussian_kl_each(mu, log_sigma, **prior)  # type: ignore[arg-type]
        torch.testing.assert_close(ours, theirs)
        for got, want in zip(torch.autograd.grad(ours.sum(), (mu, log_sigma, variance)), wanted, strict=True):
            torch.testing.assert_close(got, want)


def test_divergence_broadcasts_the_prior_and_agrees_with_monte_carlo() -> None:
    mu, log_sigma, variance = _tensors()
    row = variance[:1].detach()
    q, p = Normal(mu.detach(), log_sigma.detach().exp()), Normal(torch.zeros(1, 4, dtype=torch.float64), row.sqrt())
    torch.manual_seed(0)
    draws = q.sample((200_000,))
    estimate = (q.log_prob(draws) - p.log_prob(draws)).sum((1, 2))
    error = float(estimate.std()) / math.sqrt(len(draws))
    assert abs(float(estimate.mean()) - float(gaussian_kl(mu, log_sigma, variance=row).detach())) < 5 * error
    assert float(gaussian_kl(torch.zeros(4), torch.zeros(4), variance=1.0)) == 0.0


def test_divergence_wants_the_prior_once() -> None:
    mu = torch.zeros(2)
    with pytest.raises(ValueError, match="exactly once"):
        gaussian_kl(mu, mu)
    with pytest.raises(ValueError, match="exactly once"):
        gaussian_kl(mu, mu, variance=1.0, precision=1.0)


def test_density_ratio_is_the_ratio_of_densities() -> None:
    mu, log_sigma, _ = _tensors()
    q = Normal(mu, log_sigma.exp())
    torch.testing.assert_close(density_ratio(mu, log_sigma), (q.log_prob(torch.zeros_like(mu)) - q.log_prob(mu)).exp())


@pytest.mark.parametrize(("threshold", "ratio"), [(0.01, 3.03), (0.05, 2.45), (0.5, 1.18)])
def test_a_weight_is_kept_where_zero_is_far_from_its_mean(threshold: float, ratio: float) -> None:
    sigma = torch.tensor([0.1, 0.1, 4.0, 4.0])
    mu = sigma * torch.tensor([ratio + 0.01, ratio - 0.01, -ratio - 0.01, -ratio + 0.01])
    assert kept(mu, sigma.log(), threshold).tolist() == [True, False, True, False]


def test_the_relevant_variance_makes_the_divergence_least() -> None:
    mu, log_sigma, _ = _tensors()
    best = relevant_variance(mu, log_sigma).detach().requires_grad_()
    (slope,) = torch.autograd.grad(gaussian_kl(mu, log_sigma, variance=best), best)
    assert float(slope.abs().max()) < 1e-12
    for factor in (0.9, 1.1):
        assert (gaussian_kl_each(mu, log_sigma, variance=best * factor) > gaussian_kl_each(mu, log_sigma, variance=best)).all()


class _Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten())
        self.first, self.head = nn.Linear(108, 108), nn.Linear(108, 2, bias=False)
        self.again = self.first

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.head(self.again(torch.relu(self.first(self.features(inputs)))))


def test_the_twin_has_the_same_names_and_function_and_comes_back() -> None:
    torch.manual_seed(0)
    plain = _Net().eval()
    inputs = torch.randn(2, 1, 8, 8)
    expected = plain(inputs)
    twin = to_bayesian(copy.deepcopy(plain), init_log_sigma=-1.0)
    assert [name for name, _ in bayesian_layers(twin)] == ["features.0", "first", "head"]
    assert twin.first is twin.again
    assert [name for name, _ in posteriors(twin)] == ["features.0.weight", "features.0.bias", "first.weight", "first.bias", "head.weight"]
    assert torch.equal(twin.eval()(inputs), expected)
    back = to_plain(twin)
    assert not list(bayesian_layers(back)) and list(bayesian_layers(twin)), "the original stays as it is"
    assert torch.equal(back(inputs), expected)
    assert {name: value.shape for name, value in back.state_dict().items()} == {n: v.shape for n, v in plain.state_dict().items()}


def test_a_mask_empties_what_is_not_kept() -> None:
    torch.manual_seed(0)
    twin = to_bayesian(_Net()).eval()
    mask = torch.rand(2, 108) > 0.5
    back = to_plain(twin, {"head": mask})
    assert torch.equal(back.head.weight != 0, mask) and torch.equal(back.head.weight[mask], twin.head.weight_mu[mask])
    assert torch.equal(back.first.weight, twin.first.weight_mu)
    with pytest.raises(KeyError):
        to_plain(twin, {"tail": mask})


def test_a_single_layer_becomes_its_twin() -> None:
    assert isinstance(to_bayesian(nn.Linear(2, 2)), BayesLinear)


def test_reflected_borders_are_refused() -> None:
    with pytest.raises(ValueError, match="zeros"):
        BayesConvolution(nn.Conv2d(1, 1, 3, padding=1, padding_mode="reflect"))
