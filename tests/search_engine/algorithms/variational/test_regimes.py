"""The thesis's three regimes and Gridasov's trajectories at stated seeds, with what a wrong implementation does."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
import pytest

from search_engine.algorithms.variational import estimate
from search_engine.base.errors import TrialFailure
from tests.search_engine.algorithms.variational.runs import REGIMES, ToyResult, of_kind, run, sincos_path, toy_run, variational_search

SEEDS = (0, 1, 2)
FAST: dict[str, Any] = {"steps": 250, "learning_rate": 0.04, "structure_learning_rate": 0.04, "prior_learning_rate": 0.04}
"""A quarter of the steps, each four times as long."""


def right(regime: str, result: ToyResult, temperature: float = 0.2) -> bool:
    """What the three regimes are known by; the likelihood-heavy one's expected weights are judged over the seeds."""
    _, one, everything = result.expected
    if regime == "elbo":
        return bool(one > 0.9)
    if regime == "prior":
        return bool(everything < 0.1 and result.uninformative >= 14)
    return bool(everything + one > 0.5 and result.train_mse < 0.75 * result.noise_variance and result.uninformative <= 3)


# ---- the three regimes


@pytest.mark.slow
@pytest.mark.parametrize("regime", REGIMES)
def test_three_regimes_of_the_thesis(regime: str) -> None:
    """lambda_temp 0.2, seeds 0 1 2, 1000 steps. The prior rejects the function of all features, the evidence takes the true one, the
    likelihood uses the rich one and fits the noise."""
    results = [toy_run(regime, seed, steps=1000) for seed in SEEDS]
    assert all(right(regime, result) for result in results), results
    if regime == "likelihood":
        assert np.mean([result.expected[2] for result in results]) > 0.2
        assert results[0].train_mse < 0.15


@pytest.mark.slow
@pytest.mark.parametrize("regime", REGIMES)
def test_the_regimes_hold_at_a_higher_temperature(regime: str) -> None:
    result = toy_run(regime, 0, steps=1000, lambda_temp=1.0)
    assert right(regime, result), result


def test_the_regimes_differ_in_a_short_run() -> None:
    for regime in REGIMES:
        result = toy_run(regime, 0, **FAST)
        assert right(regime, result), (regime, result)


# ---- wrong variants


def test_swapped_lambdas_give_the_other_regime() -> None:
    likelihood, prior_q, _ = REGIMES["prior"]
    swapped = {"lambda_likelihood_q": prior_q / likelihood, "lambda_prior_q": 1.0, "lambda_prior_l": likelihood}
    assert not right("prior", toy_run("prior", 0, **swapped, **FAST))


@pytest.mark.parametrize("regime", ["prior"])
def test_a_divergence_of_the_wrong_sign_is_noticed(regime: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = estimate.weights_divergence
    monkeypatch.setattr(estimate, "weights_divergence", lambda *given: -whole(*given))
    with suppress(TrialFailure):  # Numbers that run away are noticed, too.
        assert not right(regime, toy_run(regime, 0, **FAST))


# ---- the sine and the cosine


@pytest.mark.slow
def test_every_look_ahead_fits_and_the_path_bends_in_proportion() -> None:
    """Never that the amplitudes are the true ones: on [0, 1] they are not identified."""
    paths = {}
    for xi in (0.0, 0.1, 1.0, 5.0):
        paths[xi], loss = sincos_path(xi, 300)
        assert loss < 0.0115, xi
    deviation = {xi: float(np.abs(path - paths[0.0]).max()) for xi, path in paths.items()}
    assert deviation[0.0] == 0.0
    assert 8 <= deviation[1.0] / deviation[0.1] <= 12
    assert deviation[5.0] > deviation[1.0]


def test_the_path_bends_in_proportion_to_a_short_look_ahead() -> None:
    paths = {xi: sincos_path(xi, 60)[0] for xi in (0.0, 0.1, 1.0)}
    again = sincos_path(0.0, 60)[0]
    assert np.array_equal(paths[0.0], again)
    small, large = (float(np.abs(paths[xi] - paths[0.0]).max()) for xi in (0.1, 1.0))
    assert small > 0 and 8 <= large / small <= 12


# ---- lambda_struct: the prior of the structure is drawn to p', or driven away

NEAR = ((0.99, 0.05, 0.05), (0.05, 0.05, 0.99))
"""p1 near the constant, p2 near the function of all features, both at temperature 0.1, while the prior's own is 1."""


def struct_run(weights: tuple[float, ...], priors: tuple[tuple[float, ...], ...] = NEAR) -> tuple[list[dict[str, float]], Any]:
    """Q is the struct terms alone: what they do to p(Gamma|h), with nothing beside them. Metrics from first to last, and the prior's s.
    With the data beside them and all lambdas 1 they move the prior little: it stays with the posterior, which the data hold."""
    search = variational_search(
        "thesis_toy", every=20, steps=100, batch_size=1000, weights="point", levels="two", lambda_likelihood_q=0.0, lambda_prior_q=0.0,
        prior_learning_rate=0.05, lambda_struct=weights, structure_priors=priors,
    )
    metrics = [payload.values for payload in of_kind(run(search), "metrics")]
    assert search.prior is not None
    return metrics, search.prior.numpy()["sum"][0]


def test_positive_struct_terms_attract_the_prior_and_negative_ones_repel() -> None:
    drawn, s = struct_run((1.0, 0.0))
    assert drawn[-1]["kl_struct_1"] < drawn[0]["kl_struct_1"] - 0.8 and s.argmax() == 0
    other, s = struct_run((0.0, 1.0))
    assert other[-1]["kl_struct_2"] < other[0]["kl_struct_2"] - 0.8 and s.argmax() == 2
    away, s = struct_run((-1.0, 0.0))
    assert away[-1]["kl_struct_1"] > away[0]["kl_struct_1"] + 0.8
    still, s = struct_run((0.0, 0.0))
    assert still[-1]["kl_struct_1"] == pytest.approx(still[0]["kl_struct_1"], abs=0.3) and np.allclose(s, 1 / 3, atol=1e-6)
