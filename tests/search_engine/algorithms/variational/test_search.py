"""The general problem's terms and special cases, its two levels, the gamma of convolutional super-networks, refusals, pictures."""

from __future__ import annotations

import dataclasses
import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from search_engine.algorithms.bayes.layers import Posterior
from search_engine.algorithms.variational.estimate import Estimate, Hyperprior, Point, weights_divergence
from search_engine.algorithms.variational.lambdas import Lambdas, moved
from search_engine.algorithms.variational.levels import Levels, Rates
from search_engine.algorithms.variational.objective import Terms, free_energy, lower, upper
from search_engine.base.errors import BadInput
from search_engine.catalogue import config, registry
from search_engine.events import decode_floats
from search_engine.search.local_run import LocalRun
from search_engine.structures.gumbel import GumbelSoftmaxStructure
from tests.search_engine.algorithms.variational.runs import TOY, of_kind, run, variational_search

pytestmark = pytest.mark.filterwarnings("error:Converting a tensor with requires_grad:UserWarning")
GROUPS = ("model", "structure", "precision", "prior")


# ---- one point, its terms and their gradients


class Parts:
    """The terms of a fresh search on the eleven features at its first point, and gradients of what is made of them."""

    def __init__(self, repeat: int = 1, **options: Any) -> None:
        self.search = variational_search("thesis_toy", steps=10, warm_up_share=0.0, **{**TOY, **options})
        point = self.search.levels.point
        self.leaves = {name: [value.detach().requires_grad_(True) for value in getattr(point, name)] for name in GROUPS}
        inputs, targets = self.search._batch(self.search.fit_part, self.search.fit_order, 0)
        self.terms = self.search.estimate(
            Point(**self.leaves), inputs.repeat(repeat, 1), targets.repeat(repeat, 1), scale=1.0, noise=5, gamma_in_prior=True
        )

    def gradients(self, value: Tensor, *groups: str) -> list[Tensor]:
        of = [leaf for name in groups for leaf in self.leaves[name]]
        return list(torch.autograd.grad(value, of, retain_graph=True, allow_unused=True, materialize_grads=True))


def close(first: list[Tensor], second: list[Tensor], factor: float = 1.0) -> bool:
    return all(torch.allclose(factor * a, b, rtol=1e-4, atol=1e-5) for a, b in zip(first, second, strict=True))


def number(value: Tensor) -> float:
    """Out of the graph."""
    return float(value.detach())


def test_with_all_lambdas_one_both_objectives_are_the_evidence_bound_up_to_the_hyperprior() -> None:
    parts = Parts(hyperprior_shape=2.0, hyperprior_scale=0.5)
    lambdas = Lambdas()
    own, above = lower(parts.terms, lambdas), upper(parts.terms, lambdas)
    assert number(above - own) == pytest.approx(number(parts.terms.log_hyperprior), rel=1e-4)
    assert number(own) == pytest.approx(-number(free_energy(parts.terms)), rel=1e-6)
    assert close(parts.gradients(own, "model", "structure"), parts.gradients(above, "model", "structure"))
    law = parts.gradients(parts.terms.log_hyperprior, "precision")
    both = [a + b for a, b in zip(parts.gradients(own, "precision"), law, strict=True)]
    assert close(both, parts.gradients(above, "precision")) and any(bool(value.abs().max() > 0) for value in law)


@pytest.mark.parametrize(("likelihood", "prior_q"), [(0.01, 1.0), (100.0, 1.0), (2.0, 3.0)])
def test_where_the_ratio_of_lambdas_agrees_the_levels_ask_the_same_of_theta(likelihood: float, prior_q: float) -> None:
    parts = Parts()
    lambdas = Lambdas(likelihood, prior_q, prior_q / likelihood)
    assert lambdas.one_level
    own, above = (parts.gradients(value(parts.terms, lambdas), "model", "structure") for value in (lower, upper))
    scale = number(max(value.abs().max() for value in above))
    assert close([value * likelihood / scale for value in own], [value / scale for value in above])
    other = dataclasses.replace(lambdas, prior_l=2 * lambdas.prior_l)
    assert not other.one_level
    assert not close([v * likelihood / scale for v in parts.gradients(lower(parts.terms, other), "model")], [v / scale for v in above[:7]])


def test_without_a_prior_term_the_lower_level_is_maximum_likelihood() -> None:
    parts = Parts()
    value = lower(parts.terms, Lambdas(prior_l=0.0))
    assert torch.equal(value, parts.terms.log_likelihood)
    assert not any(bool(gradient.abs().max() > 0) for gradient in parts.gradients(value, "precision", "prior"))


def test_evidence_estimate_with_hyper_parameters_of_largest_likelihood() -> None:
    """lambda prior Q = 0, lambda prior L = 1."""
    parts = Parts()
    lambdas = Lambdas(prior_q=0.0)
    assert torch.equal(upper(parts.terms, lambdas), parts.terms.log_likelihood)
    assert number(lower(parts.terms, lambdas)) == pytest.approx(-number(free_energy(parts.terms)), rel=1e-6)
    assert not lambdas.one_level


def test_the_effective_sample_size_is_m_over_lambda() -> None:
    """Every object twice and lambda doubled: twice the objective, so the same optimum."""
    once, twice = Parts(weights="point"), Parts(weights="point", repeat=2)
    assert number(once.terms.divergence) != 0
    # So large that the divergence, small at the start, counts for as much as the likelihood.
    large = abs(number(once.terms.log_likelihood) / number(once.terms.divergence))
    expected = 2 * lower(once.terms, Lambdas(prior_l=large))
    found = lower(twice.terms, Lambdas(prior_l=2 * large))
    assert number(found) == pytest.approx(number(expected), rel=1e-4, abs=1e-3)
    assert abs(number(lower(twice.terms, Lambdas(prior_l=large)) - expected)) > 0.5 * abs(number(once.terms.log_likelihood))


def test_struct_terms_read_the_prior_alone_and_positive_weights_lower_its_divergence() -> None:
    parts = Parts(lambda_struct=(1.0,), structure_priors=((0.9, 0.05, 0.05),))
    (term,) = parts.terms.struct
    difference = upper(parts.terms, Lambdas(struct=(2.0,))) - upper(parts.terms, Lambdas(struct=(0.0,)))
    assert number(difference) == pytest.approx(-2 * number(term), rel=1e-3)
    assert any(bool(value.abs().max() > 0) for value in parts.gradients(term, "prior"))
    assert not any(bool(value.abs().max() > 0) for value in parts.gradients(term, "model", "structure", "precision"))


def test_the_divergence_of_weights_is_the_formula_of_the_general_problem() -> None:
    """1/2 sum ( gamma^-2 a (mu^2 + sigma^2) - 1 + log gamma^2 - log(a sigma^2) ), a the precision."""
    mu, log_sigma, a, gamma = torch.tensor([0.5, -1.0]), torch.tensor([-0.2, 0.1]), torch.tensor([2.0, 0.5]), 0.3
    found = weights_divergence(
        [Posterior("weight", mu, log_sigma)], [a.log()], [("sum", 0, 1)], {"sum": torch.tensor([[0.7, gamma]]).log()}
    )
    square = (2 * log_sigma).exp()
    by_hand = 0.5 * (a * (mu**2 + square) / gamma**2 - 1 + math.log(gamma**2) - (a * square).log()).sum()
    assert number(found) == pytest.approx(number(by_hand), rel=1e-5)
    plain = weights_divergence([Posterior("weight", mu, log_sigma)], [a.log()], [None], {"sum": torch.ones(1, 2)})
    assert number(plain) == pytest.approx(number(0.5 * (a * (mu**2 + square) - 1 - (a * square).log()).sum()), rel=1e-5)


def test_the_hyperprior_is_the_inverse_gamma_law_of_the_variances() -> None:
    variance = torch.tensor([0.3, 2.0])
    found = Hyperprior(2.5, 0.7).log_density([-variance.log()], "cpu")
    # v is inverse gamma exactly if 1/v is gamma: p(v) = p_gamma(1/v) / v^2.
    expected = (torch.distributions.Gamma(2.5, 0.7).log_prob(1 / variance) - 2 * variance.log()).sum()
    assert number(found) == pytest.approx(number(expected), rel=1e-5)
    assert number(Hyperprior().log_density([variance], "cpu")) == 0.0


def test_a_minibatch_counts_for_the_whole_data() -> None:
    search = variational_search("thesis_toy", steps=4, **{**TOY, "batch_size": 10, "weights": "point"})
    estimate: Estimate = search.estimate
    whole, parts = [], []
    inputs, targets = search.fit_part.take(torch.arange(50))
    for size, values in ((50, whole), (10, parts)):
        for first in range(0, 50, size):
            batch = slice(first, first + size)
            terms = estimate(search.levels.here(), inputs[batch], targets[batch], scale=50 / size, noise=1, gamma_in_prior=True)
            values.append(float(terms.log_likelihood))
    assert np.mean(parts) == pytest.approx(whole[0], rel=1e-5)


# ---- the theorem: KL(q || p) falls as lambda prior Q rises


DATA, FIT, DEVIATION = 4.0, 1.5, 0.2
"""Information of the data, the likeliest weight, the (fixed) deviation of q."""


def _terms(point: Point) -> Terms:
    """One weight with a normal likelihood around FIT, all in closed form: q = N(mu, DEVIATION^2), prior N(0, 1 / a)."""
    mu, log_a = point.model[0], point.precision[0]
    likelihood = -0.5 * DATA * ((mu - FIT) ** 2 + DEVIATION**2)
    divergence = weights_divergence([Posterior("weight", mu, torch.full_like(mu, math.log(DEVIATION)))], [log_a], [None], None)
    return Terms(likelihood.sum(), divergence, torch.zeros(()))


def _solved(prior_q: float, greedy: bool) -> float:
    """KL(q || p) at the end of the two-level optimisation, by the program's own levels."""
    mu, log_a = torch.tensor([0.0], requires_grad=True), torch.tensor([0.5], requires_grad=True)
    levels = Levels(Point([mu], [], [log_a], []), ["model"], ["precision"], Rates(0.1, 1, 0.1, 1), "sgd", clip=0.0)
    lambdas = Lambdas(prior_q=prior_q)
    for _ in range(300):
        for _ in range(3):
            levels.move_below(lambda point: -lower(_terms(point), lambdas), "")
        # The virtual step of Newton's length makes the unrolled gradient the exact one at the lower optimum.
        xi = 0.0 if greedy else 1 / (DATA + float(log_a.detach().exp()))
        levels.move_above(
            lambda point: -lower(_terms(point), lambdas), lambda point: -upper(_terms(point), lambdas), "exact", xi, ""
        )
    return number(_terms(levels.here()).divergence)


def _exact(prior_q: float) -> float:
    """The same on a grid of a, the lower optimum in closed form."""
    best = (-math.inf, 0.0)
    for log_a in np.linspace(-2, 4, 2401):
        a = math.exp(log_a)
        mu = DATA * FIT / (DATA + a)
        divergence = 0.5 * (a * (mu**2 + DEVIATION**2) - 1 - math.log(a * DEVIATION**2))
        best = max(best, (-0.5 * DATA * ((mu - FIT) ** 2 + DEVIATION**2) - prior_q * divergence, divergence))
    return best[1]


def test_the_description_cost_falls_as_its_weight_in_q_rises() -> None:
    """Bakhteev's theorem, at optima that are reached. A greedy upper level, blind to how the lower one answers, does not feel lambda."""
    weights = (0.3, 0.6, 1.0, 2.0)
    found = [_solved(prior_q, greedy=False) for prior_q in weights]
    assert found == pytest.approx([_exact(prior_q) for prior_q in weights], abs=0.005)
    assert all(first > second + 0.01 for first, second in itertools.pairwise(found))
    blind = [_solved(prior_q, greedy=True) for prior_q in (1.0, 2.0, 4.0)]
    assert max(blind) - min(blind) < 0.001


def test_complexity_rises_and_falls_with_the_lambdas() -> None:
    assert [moved("linear", 1, 3, share) for share in (0, 0.5, 1)] == [1, 2, 3]
    assert [moved("exponential", 1, 100, share) for share in (0, 0.5, 1)] == pytest.approx([1, 10, 100])
    ends = {}
    for name, first, last in (("lowered", 0.01, 100.0), ("raised", 100.0, 0.01)):
        search = variational_search(
            "thesis_toy", every=1, steps=80, warm_up_share=0.0, lambda_schedule="exponential", lambda_prior_q=first,
            lambda_prior_q_end=last, lambda_prior_l=first, lambda_prior_l_end=last, learning_rate=0.05, prior_learning_rate=0.05,
            learn_precision=False, **{**TOY, "samples": 1},
        )
        metrics = of_kind(run(search), "metrics")
        assert metrics[1].values["lambda_prior_q"] == pytest.approx(first * (last / first) ** (1 / 79))
        assert metrics[-1].values["lambda_prior_q"] == last
        ends[name] = (metrics[20].values["kl_weights"], metrics[-1].values["kl_weights"])
    assert ends["lowered"][1] < ends["lowered"][0]
    assert ends["raised"][1] > ends["raised"][0]


# ---- convolutional super-networks


@pytest.mark.parametrize("space", ["cell", "nb201"])
def test_every_operation_of_a_super_network_has_its_structure_weight_before_it(space: str) -> None:
    sizes = {"cell": {"nodes": 2, "search_cells": 3, "search_channels": 2}, "nb201": {"cells": 1, "channels": 2}}
    search = variational_search("digits", space, space_options=sizes[space], steps=2, batch_size=16)
    groups = {group.name: group for group in search.report.family}
    for name, place in zip(search.model.posterior_names, search.model.places, strict=True):
        if ".operations." not in name:
            assert place is None, name
            continue
        assert place is not None
        group, _, column = place
        assert groups[group].operations[column] in name.split(".")
        if space == "cell":
            cell: Any = search.model.network.get_submodule(name.split(".mixing.")[0])
            assert group == ("reduction" if cell.reduction else "normal")
    assert {place[0] for place in search.model.places if place is not None} == set(groups)
    run(search)
    assert len(search.density_ratios()) == sum(log_a.numel() for log_a in search.precision)


# ---- refusals


def refused(**changes: Any) -> BadInput:
    values = {"algorithm": "variational", "space": "primitives_sum", "datasets": ["thesis_toy"], **changes}
    with pytest.raises(BadInput) as caught:
        config.check(values)
    return caught.value


@pytest.mark.parametrize(
    ("field", "options"),
    [
        ("options.lambda_prior_q", {"lambda_prior_q": -1}),
        ("options.lambda_prior_l", {"lambda_prior_l": -0.1}),
        ("options.lambda_likelihood_q", {"lambda_likelihood_q": -2}),
        ("options.lambda_temp", {"lambda_temp": 0}),
        ("options.structure_prior_temperature", {"structure_prior_temperature": -1}),
        ("options.structure_priors", {"lambda_struct": [1], "structure_priors": [[0.5, 0.5]]}),
        ("options.structure_priors.0.1", {"lambda_struct": [1], "structure_priors": [[0.5, 0, 0.5]]}),
        ("options", {"lambda_struct": [1, 1], "structure_priors": [[0.5, 0.2, 0.3]]}),
        ("options.lambda_prior_q_end", {"lambda_schedule": "exponential", "lambda_prior_q_end": 0}),
        ("options.lambda_struct", {"problem": "free_energy", "lambda_struct": [1], "structure_priors": [[0.5, 0.2, 0.3]]}),
        ("options.levels", {"problem": "free_energy", "levels": "one"}),
    ],
)
def test_what_cannot_work_is_refused_before_the_start(field: str, options: dict[str, Any]) -> None:
    assert refused(options=options).field == field


def test_a_negative_struct_weight_is_allowed_and_real_weights_need_the_free_energy() -> None:
    config.check({
        "algorithm": "variational", "space": "primitives_sum", "datasets": ["thesis_toy"],
        "options": {"lambda_struct": [-1], "structure_priors": [[0.9, 0.1, 0.1]]},
    })
    assert refused(space_options={"constraint": "real"}).field == "options.problem"
    error = refused(options={"lambda_struct": [1], "structure_priors": [[0.5, 0.5]]})
    assert "constant, tanh_first, tanh_all" in error.message


# ---- pictures, results


def test_a_law_shows_draws_and_an_edge_its_charts() -> None:
    search = variational_search("thesis_toy", every=2, steps=4, **TOY)
    events = run(search)
    frame = of_kind(events, "structure")[-1]
    assert set(frame.samples) == {"sum"}
    last = of_kind(events, "charts")[-1].charts
    assert {chart.name for chart in last} == {"trajectory", "expected_weights", "choice_probabilities", "simplex", "fit", "density_ratios"}
    values = of_kind(events, "metrics")[-1].values
    assert values["error_cost"] == -values["log_likelihood"]
    assert values["description_cost"] == pytest.approx(values["kl_weights"] + values["kl_structure"], rel=1e-5)
    assert values["free_energy"] == pytest.approx(values["error_cost"] + values["description_cost"], rel=1e-5)
    assert [notice.name for notice in of_kind(events, "notice")] == ["structure_in_prior"]
    assert isinstance(search.law, GumbelSoftmaxStructure) and values["theta_temp"] > 0.05


def test_the_triangle_shows_where_the_prior_goes_and_where_it_is_sent() -> None:
    """p(Γ), q(Γ) and every p′, as shares of three; the prior's way is the prior's own."""
    search = variational_search(
        "thesis_toy", every=2, steps=20, batch_size=1000, weights="point", levels="two", lambda_likelihood_q=0.0, lambda_prior_q=0.0,
        prior_learning_rate=0.2, lambda_struct=(1.0, -1.0), structure_priors=((0.99, 0.05, 0.05), (0.05, 0.05, 0.99)),
    )
    chart = next(chart for chart in of_kind(run(search), "charts")[-1].charts if chart.name == "simplex")
    assert chart.form == "triangle" and len(chart.categories) == 3
    names = [line.name for line in chart.series]
    assert names == ["draws of q(Γ)", "q(Γ)", "p(Γ)", "p′₁, λ^Q_struct = 1: attracts", "p′₂, λ^Q_struct = -1: repels"]
    assert search.prior is not None
    shares = {line.name: (decode_floats(line.x), decode_floats(line.y)) for line in chart.series}
    x, y = shares["p(Γ)"]
    assert (x[0], y[0]) == pytest.approx((1 / 3, 1 / 3)) and len(x) == 11, "it begins in the middle"
    assert (x[-1], y[-1]) == pytest.approx(tuple(search.prior.numpy()["sum"][0][:2])) and x[-1] > 0.5, "and goes to p′₁"
    assert (shares["q(Γ)"][0][-1], shares["q(Γ)"][1][-1]) == pytest.approx(tuple(search.law.numpy()["sum"][0][:2]))
    assert (shares[names[3]][0][0], shares[names[3]][1][0]) == pytest.approx((0.99 / 1.09, 0.05 / 1.09))


@pytest.mark.parametrize(
    ("dataset", "space_options", "options"),
    [
        ("sincos", {"constraint": "real"}, {"problem": "free_energy", "steps": 3, "estimator": "exact", "xi": 1.0}),
        ("thesis_toy", {}, {"steps": 3, "levels": "two", "estimator": "finite_difference", "lambda_prior_q": 2.0}),
    ],
)
def test_a_run_on_a_formula_ends_with_a_model_in_a_bundle(
    dataset: str, space_options: dict[str, Any], options: dict[str, Any], tmp_path: Path
) -> None:
    checked = config.check({
        "algorithm": "variational", "space": "primitives_sum", "space_options": space_options, "datasets": [dataset], "options": options,
        "finale": {"onnx": False, "baselines": 0, "training": {"epochs": 1}},
    })
    result = LocalRun(checked, tmp_path, tmp_path).run()
    assert result["status"] == "completed" and result["model"] == "model/", result
    assert {"val_r2", "test_r2"} <= set(result["best"][0]["metrics"])


def test_the_derived_function_starts_from_what_the_search_found() -> None:
    search = variational_search(
        "sincos", steps=2, problem="free_energy", weights="point", space_options={"constraint": "real"}, structure_learning_rate=0.1
    )
    run(search)
    (finalist,) = search.best()
    assert finalist.init is not None
    entry = registry.space("primitives_sum")
    from search_engine.base.lazy import load_object
    from search_engine.base.training_config import TrainingConfig

    network = load_object(entry.builder)(search.context.space, finalist.genome, "final", TrainingConfig())
    network.load_state_dict(finalist.init["network"])
    inputs = search.fit_part.normalise(search.fit_part.raw)
    with torch.no_grad():
        expected = search._at(search.law.numpy()).eval()(inputs)
        assert torch.allclose(network.eval()(inputs), expected, atol=1e-6)
