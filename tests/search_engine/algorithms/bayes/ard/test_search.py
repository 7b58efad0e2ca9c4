"""Automatic relevance determination: the prior and the likelihood by hand, what is removed, and the acceptance on a linear model."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch.distributions import Normal

from search_engine.algorithms.bayes.conversion import posteriors, to_bayesian
from search_engine.algorithms.bayes.divergence import gaussian_kl
from search_engine.algorithms.bayes.likelihood import TaskLikelihood, gaussian_log_likelihood
from search_engine.algorithms.bayes.prior import RelevancePrior
from search_engine.algorithms.bayes.relevance import density_ratio
from search_engine.base.errors import BadInput, TrialFailure
from search_engine.base.generators import derive_seed
from search_engine.catalogue import registry
from search_engine.catalogue.config import check
from search_engine.events import ChartsFrame, ControlScored, MaskFrame, Metrics
from search_engine.search.local_run import LocalRun
from search_engine.spaces.data_shape import DataShape
from tests.search_engine.algorithms.bayes.relevance_problems import RELEVANT, ard_search, finished, linear_data, vectors

# ---- the parts of the bound


def _layer() -> torch.nn.Module:
    torch.manual_seed(0)
    layer = to_bayesian(torch.nn.Linear(4, 3), init_log_sigma=-1.0)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter += 0.3 * torch.randn_like(parameter)
    return layer


def test_the_learnt_prior_costs_half_log_one_plus_signal_to_noise() -> None:
    layer = _layer()
    wanted = sum(0.5 * (1 + item.mu.square() / (2 * item.log_sigma).exp()).log().sum() for _, item in posteriors(layer))
    torch.testing.assert_close(RelevancePrior(layer, "closed_form")(layer), wanted)


def test_the_gradient_rule_finds_the_closed_form() -> None:
    layer = _layer()
    prior = RelevancePrior(layer, "gradient", 0.3)
    torch.testing.assert_close(prior(layer), sum(gaussian_kl(item.mu, item.log_sigma, variance=0.3) for _, item in posteriors(layer)))
    optimizer = torch.optim.Adam(prior.parameters(), lr=0.05)
    for _ in range(800):
        optimizer.zero_grad()
        prior(layer).backward()
        optimizer.step()
    torch.testing.assert_close(prior(layer), RelevancePrior(layer, "closed_form")(layer), rtol=1e-4, atol=1e-4)


def test_a_fixed_prior_has_nothing_to_learn() -> None:
    assert not [item for item in RelevancePrior(_layer(), "fixed").parameters() if item.requires_grad]


def test_likelihoods_are_those_of_torch() -> None:
    values, targets, log_noise = torch.randn(5, 2), torch.randn(5, 2), torch.tensor(-0.7)
    torch.testing.assert_close(
        gaussian_log_likelihood(values, targets, log_noise), Normal(values, log_noise.exp()).log_prob(targets).sum(1)
    )
    logits, labels = torch.randn(5, 3), torch.tensor([0, 2, 1, 1, 0])
    torch.testing.assert_close(TaskLikelihood("classification")(logits, labels), logits.log_softmax(1)[range(5), labels])
    assert TaskLikelihood("classification").noise is None


# ---- what is removed


def _blobs() -> Any:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 180)
    inputs = rng.normal(size=(180, 6))
    inputs[:, :2] += 3 * np.eye(3)[labels][:, :2]
    return vectors(inputs, labels, 60, DataShape((6,), 3))


def test_orders_of_removal_remove_so_many_and_the_least_important_first() -> None:
    search = ard_search(_blobs(), widths=(8,))
    model = search.model
    with torch.no_grad():
        for layer in model.layers.values():
            layer.weight_log_sigma.copy_(torch.randn_like(layer.weight_log_sigma))
    total = search.space.weights
    for order in ("rho", "magnitude", "random"):
        masks = model.masks_without(20, order, 1)
        assert sum(int((~mask).sum()) for mask in masks.values()) == 20
        more = model.masks_without(30, order, 1)
        assert all((masks[name] | ~more[name]).all() for name in masks), "a longer removal removes what a shorter one did"
    assert not any(mask.any() for mask in model.masks_without(total, "rho", 1).values())
    rho = np.concatenate([values.ravel() for values in model.rho().values()])
    gone = ~np.concatenate([mask.ravel() for mask in model.masks_without(20, "rho", 1).values()])
    assert rho[gone].min() >= rho[~gone].max()
    magnitude = np.concatenate([layer.weight_mu.detach().numpy().ravel() for layer in model.layers.values()])
    gone = ~np.concatenate([mask.ravel() for mask in model.masks_without(20, "magnitude", 1).values()])
    assert np.abs(magnitude[gone]).max() <= np.abs(magnitude[~gone]).min()


def test_the_threshold_decides_what_the_pruned_network_computes_with() -> None:
    search = finished(ard_search(_blobs(), widths=(8,), steps=30, learning_rate=0.02, init_log_sigma=-2.0))
    (finalist,) = search.best()
    rho = search.model.rho()
    network = search.model.pruned(search.masks())
    for name, layer in network.weighted.items():
        expected = torch.where(torch.from_numpy(rho[name]) <= 0.05, search.model.layers[name].weight_mu, torch.tensor(0.0))
        assert torch.equal(layer.effective_weight, expected)
    assert 0 < sum(entry["kept"] for entry in finalist.genome.content["layers"]) < search.space.weights
    assert torch.equal(finalist.init["network"]["classifier.weight"], search.model.layers["output"].weight_mu.detach())  # type: ignore[index]
    search.space.validate(finalist.genome)
    kept = {sum(entry["kept"] for entry in item.genome.content["layers"]) for item in [finalist, *search.baselines()]}
    assert len(kept) == 1 and len(search.baselines()) == 2, "baselines remove as many"


def test_pictures_show_what_would_be_removed() -> None:
    search = finished(ard_search(_blobs(), widths=(8,), steps=12, structure_every=4, learning_rate=0.02, init_log_sigma=-2.0))
    payloads = [event.payload for event in search.context.log.drain()]
    frames = [item for item in payloads if isinstance(item, MaskFrame)]
    assert [frame.step for frame in frames] == [4, 8, 12]
    for layer, mask in zip(frames[-1].layers, search.masks().values(), strict=True):
        bits = np.unpackbits(np.frombuffer(base64.b64decode(layer.bits), np.uint8))[: mask.size]
        assert np.array_equal(bits.astype(bool), mask.ravel())
    charts = {chart.name: chart for chart in [item for item in payloads if isinstance(item, ChartsFrame)][-1].charts}
    assert set(charts) == {"rho", "removal_score", "removal_log_likelihood"}
    bars = [np.frombuffer(base64.b64decode(line.y), "<f4") for line in charts["rho"].series]
    assert all(abs(float(shares.sum()) - 1) < 1e-5 for shares in bars) and len(bars) == 2
    assert [line.name for line in charts["removal_score"].series] == ["by density ratio", "by magnitude", "at random"]
    intact = {float(np.frombuffer(base64.b64decode(line.y), "<f4")[0]) for line in charts["removal_score"].series}
    assert len(intact) == 1, "with nothing removed every order is the same network"
    values = [item for item in payloads if isinstance(item, Metrics)][-1].values
    assert values["elbo"] == pytest.approx(-values["error_cost"] - values["kl_weights"])
    assert values["error_cost"] == pytest.approx(-values["log_likelihood"] * 120)


def test_the_control_trains_under_the_fixed_prior_and_says_so() -> None:
    from search_engine.algorithms.bayes.ard.search import FixedPrior

    control = finished(ard_search(_blobs(), widths=(8,), steps=6, kind=FixedPrior))
    assert control.model.prior.rule == "fixed" and control.best() == control.baselines() == []
    (scored,) = [event.payload for event in control.context.log.drain() if isinstance(event.payload, ControlScored)]
    assert {"val_accuracy", "share_kept", "median_rho"} <= set(scored.values)


def test_a_convolutional_network_is_pruned_too() -> None:
    rng = np.random.default_rng(0)
    data = vectors(rng.normal(size=(60, 16)), rng.integers(0, 2, 60), 20, DataShape((1, 4, 4), 2))
    data = data.__class__(**{**data.__dict__, "preprocessing": type(data.preprocessing)(1.0, (0.0,), (1.0,))})
    for part in (data.train, data.validation):
        object.__setattr__(part, "inputs", part.inputs.reshape(-1, 1, 4, 4))
    search = finished(ard_search(data, widths=(6,), space={"network": "cnn", "channels": (3, 3)}, steps=3))
    assert list(search.model.layers) == ["conv1", "conv2", "dense1", "output"]
    network = search.model.pruned(search.masks())
    inputs = torch.from_numpy(data.validation.inputs)
    assert torch.equal(network(inputs), network.for_export()(inputs))


def test_a_bound_that_is_not_a_number_is_said() -> None:
    search = ard_search(linear_data(0), steps=3)
    with torch.no_grad():
        search.model.layers["output"].weight_mu.fill_(math.nan)
    with pytest.raises(TrialFailure, match="step 1 of 3"):
        search.step()


@pytest.mark.parametrize(
    ("options", "field"),
    [({"threshold": 0}, "threshold"), ({"threshold": 1}, "threshold"), ({"prior_variance": 0}, "prior_variance"),
     ({"kl_warmup": -0.1}, "kl_warmup"), ({"learning_rate": 0}, "learning_rate"), ({"variance": "none"}, "variance")],
)  # fmt: skip
def test_bad_options_are_refused_by_name(options: dict[str, Any], field: str) -> None:
    with pytest.raises(BadInput, match=field):
        check({"algorithm": "ard", "options": options})


# ---- acceptance: 5 of 20 features matter


class Found(NamedTuple):
    """rho (20,) with the variance learnt, and under the fixed prior N(0, 1)."""

    mu: list[torch.Tensor]
    log_sigma: list[torch.Tensor]


def _fitted(seeds: range, steps: int, rule: str) -> Found:
    mu, log_sigma = [], []
    for seed in seeds:
        options = {"batch_size": 200, "learning_rate": 0.02, "init_log_sigma": -3.0, "kl_warmup": 0.0}
        search = finished(ard_search(linear_data(seed), derive_seed("linear", seed) % 2**31, steps=steps, variance=rule, **options))
        item = search.model.layers["output"].posteriors()[0]
        mu.append(item.mu.detach()[0])
        log_sigma.append(item.log_sigma.detach()[0])
    return Found(mu, log_sigma)


Ratio = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def _figures(ard: Found, fixed: Found, ratio: Ratio, remove_above: bool = True) -> tuple[float, float, float]:
    """Share of relevant weights kept, of irrelevant ones removed (t = 0.05), and by how much the median rho of these is higher than
    under the fixed prior."""
    learnt, unlearnt = (torch.stack([ratio(*pair) for pair in zip(*found, strict=True)]) for found in (ard, fixed))
    removed = (learnt > 0.05) == remove_above
    gain = float(learnt[:, RELEVANT:].median() - unlearnt[:, RELEVANT:].median())
    return 1 - float(removed[:, :RELEVANT].float().mean()), float(removed[:, RELEVANT:].float().mean()), gain


def _check(seeds: range, steps: int, least_removed: float, least_gain: float) -> None:
    ard, fixed = (_fitted(seeds, steps, rule) for rule in ("closed_form", "fixed"))

    def accepted(figures: tuple[float, float, float]) -> bool:
        kept, removed, gain = figures
        return kept == 1 and removed >= least_removed and gain > least_gain

    figures = _figures(ard, fixed, density_ratio)
    print(f"relevant kept {figures[0]:.3f}, irrelevant removed {figures[1]:.3f}, median rho higher by {figures[2]:.3f}")
    assert accepted(figures), figures
    # Wrong variants, each of which must be noticed.
    wrong = {
        "the variance is not learnt": _figures(fixed, fixed, density_ratio),
        "the threshold the wrong way round": _figures(ard, fixed, density_ratio, remove_above=False),
        "sigma for sigma^2": _figures(ard, fixed, lambda mu, log_sigma: (-mu.square() / (2 * log_sigma.exp())).exp()),
        "mu not squared": _figures(ard, fixed, lambda mu, log_sigma: (-mu / (2 * log_sigma).exp()).exp()),
    }
    for name, found in wrong.items():
        print(f"{name}: {found}")
        assert not accepted(found), name


def test_relevant_weights_stay_and_the_others_go() -> None:
    """Two seeds and half the steps: one irrelevant weight of thirty that chance favours is 0.033."""
    _check(range(2), 700, 0.93, 0.1)


@pytest.mark.slow
def test_relevant_weights_stay_and_the_others_go_for_ten_seeds() -> None:
    _check(range(10), 1500, 0.97, 0.15)


@pytest.mark.parametrize("algorithm", ["ard", "vae_ard"])
def test_a_control_goes_no_farther_than_a_search_that_its_budget_cut(algorithm: str, tmp_path: Path) -> None:
    quick = {**registry.algorithm(algorithm).quick, "finale": {"export": False, "redundancy": False}}
    options = {**quick["options"], "steps": 12, "batch_size": 32}
    values = {"algorithm": algorithm, **quick, "options": options, "budget": {"samples": 150.0}}
    assert LocalRun(check(values), tmp_path, tmp_path, slice_seconds=1e9).run()["status"] == "completed"
    records = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    steps = {
        source: max(record["step"] for record in records if record["kind"] == "metrics" and record["source"] == source)
        for source in ("phase:0", "phase:1")
    }
    assert steps["phase:0"] == steps["phase:1"] < 12
