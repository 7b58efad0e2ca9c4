"""Two-level Bayesian inference: exact where there is a closed form, bounds that are bounds, hyper-parameters at the top of the evidence."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
import torch

from search_engine.algorithms.base import Finalist
from search_engine.algorithms.evidence import estimates, finishing, level_one, level_two
from search_engine.algorithms.evidence.inference import Inference, InferenceOptions, largest_log_likelihood
from search_engine.algorithms.evidence.likelihoods import CategoricalLikelihood, GaussianLikelihood
from search_engine.algorithms.evidence.models import LinearModel, TanhModel
from search_engine.algorithms.evidence.problem import examples, model_of
from search_engine.base.errors import BadInput
from search_engine.catalogue import registry
from search_engine.catalogue.config import check
from search_engine.search.local_run import LocalRun
from search_engine.spaces import graphs
from search_engine.spaces.basis_expansion import BasisExpansionConfig, BasisExpansionSpace
from search_engine.spaces.data_shape import DataShape
from search_engine.spaces.genomes import Genome

MOST = 8
"""Largest degree in the tests of selection."""


def linear_posterior(correlated: bool = True, alpha: float = 0.7, beta: float = 5.0, seed: int = 0) -> estimates.Posterior:
    """A linear-Gaussian model of six features at its most probable weights, with the hyper-parameters given."""
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(40, 6, generator=generator, dtype=torch.float64)
    if correlated:
        features = features + 1.5 * features[:, :1]
    targets = features @ torch.randn(6, 2, generator=generator, dtype=torch.float64) + 0.4 * torch.randn(
        40, 2, generator=generator, dtype=torch.float64
    )
    model, likelihood = LinearModel(6, 2, lambda x: x), GaussianLikelihood(targets)
    start = torch.zeros(12, dtype=torch.float64)
    w = level_one.step(model, likelihood, features, start, alpha, beta, 0.0).weights
    matrix = level_one.precision(model, likelihood, features, w, alpha, beta)
    return estimates.Posterior(model, likelihood, features, w, matrix, alpha, beta)


def marginal(posterior: estimates.Posterior, alpha: Any, beta: Any) -> torch.Tensor:
    """log p(y | alpha, beta) from the covariance of y alone, by torch's own multivariate normal distribution."""
    seen, targets = posterior.seen, posterior.likelihood.targets
    covariance = torch.eye(len(seen), dtype=torch.float64) / beta + seen @ seen.T / alpha
    return torch.distributions.MultivariateNormal(torch.zeros(len(seen), dtype=torch.float64), covariance).log_prob(targets.T).sum()


# ---------------------------------------------------------------- estimates


def laplace_without(posterior: estimates.Posterior, mutant: str) -> float:
    """Laplace's formula with one of its parts wrong."""
    size, right = posterior.model.parameters, estimates.laplace(posterior)
    if mutant == "no determinant":
        return right + 0.5 * estimates.log_determinant(posterior.matrix)
    if mutant == "no normaliser of the prior":
        return right - 0.5 * size * math.log(posterior.alpha / (2 * math.pi))
    fit = right - estimates.occam_factor(posterior, right)
    return fit - estimates.occam_factor(posterior, right)


MUTANTS = ("no determinant", "no normaliser of the prior", "Occam factor with the other sign")


@pytest.mark.parametrize("correlated", [True, False])
def test_the_closed_form_laplace_and_the_full_bound_are_one(correlated: bool) -> None:
    posterior = linear_posterior(correlated)
    expected = float(marginal(posterior, posterior.alpha, posterior.beta))
    assert estimates.exact(posterior) == pytest.approx(expected, abs=1e-8)
    assert estimates.laplace(posterior) == pytest.approx(expected, abs=1e-8)
    assert estimates.elbo(posterior, "full", 1, torch.Generator())[0] == pytest.approx(expected, abs=1e-8)
    for mutant in MUTANTS:
        assert abs(laplace_without(posterior, mutant) - expected) > 0.1, mutant


def test_the_mean_field_bound_is_strictly_below_where_weights_correlate() -> None:
    gaps = []
    for correlated in (False, True):
        posterior = linear_posterior(correlated)
        gaps.append(estimates.exact(posterior) - estimates.elbo(posterior, "mean_field", 1, torch.Generator())[0])
    assert 0 < gaps[0] < 1 < gaps[1]
    posterior = linear_posterior()
    orthogonal = posterior._replace(matrix=torch.diag(posterior.matrix.diagonal()))
    full, factorised = (estimates.elbo(orthogonal, kind, 1, torch.Generator())[0] for kind in ("full", "mean_field"))  # type: ignore[arg-type]
    assert full == pytest.approx(factorised, abs=1e-8)


def test_the_closed_form_of_the_bound_is_the_mean_of_its_draws() -> None:
    posterior = linear_posterior()
    for kind in ("full", "mean_field"):
        drawn = estimates.log_weights(posterior, kind, 20_000, torch.Generator().manual_seed(1))  # type: ignore[arg-type]
        expected = estimates.elbo(posterior, kind, 1, torch.Generator())[0]  # type: ignore[arg-type]
        assert float(drawn.mean()) == pytest.approx(expected, abs=4 * float(drawn.std()) / math.sqrt(20_000) + 1e-8)


def test_the_importance_weighted_bound_rises_from_the_elbo_to_the_evidence() -> None:
    """Averaged over 20,000 draws, correlated weights (gap of the mean-field bound above one nat)."""
    posterior = linear_posterior()
    evidence = estimates.exact(posterior)
    values = estimates.log_weights(posterior, "mean_field", 20_000, torch.Generator().manual_seed(0))
    bounds = [estimates.importance_weighted(values, k) for k in (1, 3, 10, 30, 100, 300)]
    curve = [bound.value for bound in bounds]
    assert curve == sorted(curve)
    elbo = estimates.elbo(posterior, "mean_field", 1, torch.Generator()).value
    assert elbo == pytest.approx(curve[0], abs=4 * bounds[0].error) and bounds[0].error < 0.05
    assert elbo + 0.5 < curve[-1] < evidence + 3 * bounds[-1].error
    # From the posterior itself every draw has the same weight: the bound is exact with one.
    drawn = estimates.log_weights(posterior, "full", 10, torch.Generator().manual_seed(0))
    assert estimates.importance_weighted(drawn, 1)[0] == pytest.approx(evidence, abs=1e-8)
    with pytest.raises(ValueError):
        estimates.importance_weighted(values, 0)


def test_the_occam_factor_is_a_price() -> None:
    """Evidence = fit + Occam factor, and the factor grows more negative with every function that the data need not."""
    rows = [fitted(seed=0, degree=degree) for degree in range(MOST + 1)]
    factors = [estimates.occam_factor(row.posterior(), estimates.exact(row.posterior())) for row in rows]
    assert all(factor < 0 for factor in factors)
    assert factors[3] > factors[5] > factors[8]
    for row, factor in zip(rows, factors, strict=True):
        assert row.log_likelihood + factor == pytest.approx(estimates.exact(row.posterior()), abs=1e-9)


# ---------------------------------------------------------------- derivatives


def test_jacobians_and_curvatures_are_those_of_autograd() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(7, 2, generator=generator, dtype=torch.float64)
    for model in (TanhModel(2, 3, 2), LinearModel(2, 2, lambda x: x)):
        w = torch.randn(model.parameters, generator=generator, dtype=torch.float64)
        expected = torch.autograd.functional.jacobian(lambda v, model=model: model.compute(v, x), w)
        torch.testing.assert_close(model.jacobian(w, x), expected, rtol=0, atol=1e-12)
    labels = CategoricalLikelihood(torch.tensor([0, 1, 1, 0, 1, 0, 0]))
    linear = LinearModel(2, 2, lambda x: x)
    w = torch.randn(4, generator=generator, dtype=torch.float64)
    exact = torch.autograd.functional.hessian(lambda v: -labels.log(linear.compute(v, x), 1.0), w)
    torch.testing.assert_close(labels.curvature(linear.compute(w, x), linear.jacobian(w, x), 1.0), exact, rtol=0, atol=1e-12)
    gradient = torch.autograd.functional.jacobian(lambda v: labels.log(linear.compute(v, x), 1.0), w)
    own = torch.einsum("nkp,nk->p", linear.jacobian(w, x), labels.gradient(linear.compute(w, x), 1.0))
    torch.testing.assert_close(own, gradient, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", ["softmax", "tanh"])
def test_the_most_probable_weights_have_no_gradient(kind: str) -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(30, 2, generator=generator, dtype=torch.float64)
    if kind == "softmax":
        model: Any = LinearModel(2, 3, lambda x: x)
        likelihood: Any = CategoricalLikelihood((x[:, 0] > 0).long() + (x[:, 1] > 0.5).long())
    else:
        model, likelihood = TanhModel(2, 3, 1), GaussianLikelihood(x.prod(1, keepdim=True))
    w, damping, converged = model.initial(generator), 1e-3, False
    for _ in range(200):
        if not converged:
            w, damping, converged, _ = vars_of(level_one.step(model, likelihood, x, w, 0.5, 4.0, damping))
    assert converged
    gradient = torch.autograd.functional.jacobian(lambda v: level_one.log_joint(model, likelihood, x, v, 0.5, 4.0), w)
    assert float(gradient.abs().max()) < 1e-3
    matrix = level_one.precision(model, likelihood, x, w, 0.5, 4.0, "full")
    expected = torch.autograd.functional.hessian(lambda v: -level_one.log_joint(model, likelihood, x, v, 0.5, 4.0), w)
    torch.testing.assert_close(matrix, expected, rtol=0, atol=1e-9)


def vars_of(progress: level_one.Progress) -> tuple[torch.Tensor, float, bool, int]:
    return progress.weights, progress.damping, progress.converged, progress.tries


def test_laplace_is_close_to_importance_weighing_for_a_classifier() -> None:
    """Not Gaussian, so Laplace is no longer exact; the weighed draws from its own Gaussian say how far it is."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(60, 2, generator=generator, dtype=torch.float64)
    likelihood = CategoricalLikelihood((x[:, 0] + 0.5 * torch.randn(60, generator=generator, dtype=torch.float64) > 0).long())
    model = LinearModel(2, 2, lambda x: x)
    w = torch.zeros(4, dtype=torch.float64)
    for _ in range(30):
        w = level_one.step(model, likelihood, x, w, 1.0, 1.0, 0.0).weights
    posterior = estimates.Posterior(model, likelihood, x, w, level_one.precision(model, likelihood, x, w, 1.0, 1.0), 1.0, 1.0)
    weighed = estimates.importance_weighted(estimates.log_weights(posterior, "full", 4000, generator), 1000)
    bound = estimates.elbo(posterior, "full", 4000, generator)
    assert abs(estimates.laplace(posterior) - weighed[0]) < 0.3
    assert bound[0] < weighed[0]


# ---------------------------------------------------------------- level two


def fitted(
    seed: int, degree: int, basis: str = "legendre", rule: Any = "evidence", tolerance: float = 1e-10, data: Any = None
) -> Inference:
    """Both levels of inference for one degree on the data set of polynomials (true degree 3)."""
    entry = registry.dataset("polynomial")
    data = data or entry.open(entry.config(data_seed=seed), Path()).search_data(seed)  # type: ignore[union-attr]
    space = BasisExpansionSpace(BasisExpansionConfig(bases=(basis,), max_degree=MOST), data.shape)  # type: ignore[arg-type]
    model = model_of(space, Genome(space.id, {"basis": basis, "degree": str(degree)}))
    options = InferenceOptions(rule=rule, tolerance=tolerance, updates=2000)
    inference = Inference(model, examples(data, data.train), options, torch.Generator().manual_seed(0))
    while not inference.finished:
        inference.step()
    return inference


@pytest.mark.parametrize("rule", ["evidence", "elbo_full"])
@pytest.mark.parametrize("basis", ["legendre", "powers"])
def test_hyper_parameters_stop_where_the_evidence_has_no_gradient(rule: str, basis: str) -> None:
    """MacKay's fixed point and expectation maximisation both end at a zero of d log p(D | alpha, beta), taken by autograd."""
    inference = fitted(0, 4, basis, rule)
    logs = torch.tensor([inference.alpha, inference.beta], dtype=torch.float64).log().requires_grad_()
    marginal(inference.posterior(), *logs.exp()).backward()
    assert logs.grad is not None and float(logs.grad.abs().max()) < 1e-6
    # A wrong count of parameters (P instead of gamma) is not at the top.
    wrong = torch.tensor([1.3 * inference.alpha, inference.beta], dtype=torch.float64).log().requires_grad_()
    marginal(inference.posterior(), *wrong.exp()).backward()
    assert float(wrong.grad.abs().max()) > 0.1  # type: ignore[union-attr]


def test_mean_field_maximisation_ends_at_the_top_of_its_own_bound() -> None:
    inference = fitted(0, 4, "powers", "elbo_mean_field")

    def bound(alpha: float, beta: float) -> float:
        model, likelihood, seen = inference.model, inference.likelihood, inference.seen
        w = level_one.step(model, likelihood, seen, torch.zeros(5, dtype=torch.float64), alpha, beta, 0.0).weights
        matrix = level_one.precision(model, likelihood, seen, w, alpha, beta)
        return estimates.elbo(estimates.Posterior(model, likelihood, seen, w, matrix, alpha, beta), "mean_field", 1, torch.Generator())[0]

    top = bound(inference.alpha, inference.beta)
    for alpha, beta in ((1.05, 1), (0.95, 1), (1, 1.05), (1, 0.95)):
        assert bound(alpha * inference.alpha, beta * inference.beta) < top
    assert top < estimates.exact(inference.posterior())


def test_effective_parameters_lie_between_none_and_all() -> None:
    posterior = linear_posterior()
    matrix = posterior.matrix - posterior.alpha * torch.eye(12, dtype=torch.float64)
    counts = [level_two.effective_parameters(matrix + alpha * torch.eye(12, dtype=torch.float64), alpha) for alpha in (1e-8, 1.0, 1e8)]
    assert counts[0] == pytest.approx(12) and counts[2] == pytest.approx(0, abs=1e-3) and 0 < counts[1] < 12


# ---------------------------------------------------------------- selection


def test_the_evidence_finds_the_degree_that_the_likelihood_and_the_mutants_miss() -> None:
    """True degree 3, noise 0.3, 63 training points, degrees 0 to 8, ten seeds. Measured: evidence 10, likelihood alone 0 (it always takes
    the largest), no determinant 0, other sign 0. Without the prior's normaliser it is still 10 (alpha is near 1): only the closed form
    tells that one."""
    found: dict[str, list[int]] = {name: [] for name in ("evidence", "likelihood", *MUTANTS)}
    for seed in range(10):
        rows = [fitted(seed, degree, tolerance=1e-4) for degree in range(MOST + 1)]
        scores = {
            "evidence": [estimates.exact(row.posterior()) for row in rows],
            "likelihood": [largest_log_likelihood(row) for row in rows],
            **{mutant: [laplace_without(row.posterior(), mutant) for row in rows] for mutant in MUTANTS},
        }
        for name, values in scores.items():
            found[name].append(int(np.argmax(values)))
    assert sum(degree == 3 for degree in found["evidence"]) >= 9
    assert found["likelihood"] == [MOST] * 10
    assert sum(degree == 3 for degree in found["no determinant"]) <= 3
    assert sum(degree == 3 for degree in found["Occam factor with the other sign"]) <= 3


# ---------------------------------------------------------------- space, networks, runs


def test_equal_hashes_are_equal_graphs() -> None:
    config = BasisExpansionConfig(bases=("legendre", "powers", "fourier", "tanh"), max_degree=3)
    space = BasisExpansionSpace(config, DataShape((1,), 1, "regression"))
    genomes = list(space.enumerate())
    for first in genomes:
        assert space.from_string(space.to_string(first)) == first
        for second in genomes:
            same = graphs.isomorphic(space.normal_graph(first), space.normal_graph(second))
            assert (space.hash(first) == space.hash(second)) == same
    assert nx.is_directed_acyclic_graph(space.to_graph(genomes[-1]))


@pytest.mark.parametrize("basis", ["legendre", "powers", "fourier", "rbf", "tanh"])
@pytest.mark.parametrize("degree", [0, 1, 3])
@pytest.mark.parametrize("features", [1, 2])
def test_the_network_computes_what_was_inferred(basis: Any, degree: int, features: int) -> None:
    space = BasisExpansionSpace(BasisExpansionConfig(bases=(basis,), max_degree=3, range=2.0), DataShape((features,), 2, "regression"))
    genome = Genome(space.id, {"basis": basis, "degree": str(degree)})
    model = model_of(space, genome)
    assert model.parameters == space.weights(basis, degree)
    w = torch.randn(model.parameters, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    network = finishing.network_of(space, Finalist(genome, finish="as_is", init={"weights": w}))
    x = torch.randn(9, features, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    expected = model.compute(w, model.see(x))
    torch.testing.assert_close(network(x.float()), expected.float(), rtol=1e-4, atol=1e-4)


def test_legendre_functions_are_those_of_numpy() -> None:
    from search_engine.supernets.basis_network import expand

    x = torch.linspace(-1, 1, 11, dtype=torch.float64)
    values = expand("legendre", 6, 1.0, x[:, None])
    for degree in range(1, 7):
        expected = np.polynomial.legendre.legval(x.numpy(), [0.0] * degree + [1.0])
        np.testing.assert_allclose(values[:, degree - 1].numpy(), expected, atol=1e-12)


def test_a_run_says_its_charts_and_finishes_the_alternatives(tmp_path: Path) -> None:
    import json

    values = {"algorithm": "evidence", "seed": 1, "space_options": {"max_degree": 5}, "options": {"importance_samples": 20},
              "finale": {"onnx": False, "export": False}}
    result = LocalRun(check(values, tmp_path), tmp_path, tmp_path).run()
    assert result["best"][0]["string"] == "legendre degree 3"
    rows = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    last = [row["data"] for row in rows if row["kind"] == "charts"][-1]
    names = [chart["name"] for chart in last["charts"]]
    assert names == ["evidence", "estimates", "functions", "hyperparameters", "estimate_values", "bound"]
    lines = [[line["name"] for chart in row["data"]["charts"] if chart["name"] == "functions" for line in chart["series"]]
             for row in rows if row["kind"] == "charts"]
    assert lines[-1] == ["chosen: legendre degree 3", "training examples"], "the last fitted model is not what was chosen"
    assert ["chosen: legendre degree 3", "being fitted: legendre degree 5", "training examples"] in lines
    assert all(len(json.dumps(row)) < 64_000 for row in rows)
    controls = {row["data"]["name"]: row["data"]["values"] for row in rows if row["kind"] == "control"}
    assert controls["likelihood"]["degree"] == 5 and controls["likelihood"]["evidence_degree"] == 3
    assert [row["data"]["role"] for row in rows if row["kind"] == "finalist"] == ["finalist", "baseline", "baseline", "baseline"]
    metrics = result["best"][0]["metrics"]
    assert metrics["log_evidence"] < 0 and metrics["test_r2"] > 0.5 and math.isfinite(metrics["test_log_density"])


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"space_options": {"max_degree": -1}}, "space_options.max_degree"),
        ({"options": {"initial_alpha": 0}}, "options.initial_alpha"),
        ({"options": {"initial_beta": -1}}, "options.initial_beta"),
        ({"options": {"importance_samples": 0}}, "options.importance_samples"),
        ({"space_options": {"max_degree": 40}, "datasets": ["breast_cancer"]}, "space_options.max_degree"),
        ({"space_options": {"bases": ["rbf", "rbf"]}}, "space_options.bases"),
    ],
)
def test_bad_input_names_its_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(BadInput) as error:
        check({"algorithm": "evidence", **changes})
    assert error.value.field == field


def test_models_with_and_without_a_closed_form_share_the_charts(tmp_path: Path) -> None:
    """Degree 0 is linear under every basis, tanh units are not: the closed form ends where they begin."""
    options = {"importance_samples": 20, "repeats": 2}
    values = {
        "algorithm": "evidence", "seed": 1, "options": options, "space_options": {"bases": ["tanh"], "max_degree": 1},
        "finale": {"onnx": False, "redundancy": False},
    }
    result = LocalRun(check(values, tmp_path), tmp_path, tmp_path).run()
    assert result["status"] == "completed", result["reason"]


def test_more_functions_than_examples_fail_with_a_hint(tmp_path: Path) -> None:
    values = {"algorithm": "evidence", "space_options": {"max_degree": 30}, "dataset_options": [{"examples": 24}]}
    result = LocalRun(check(values, tmp_path), tmp_path, tmp_path).run()
    assert result["status"] == "failed" and "choose a smaller degree" in result["reason"]
