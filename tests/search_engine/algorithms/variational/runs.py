"""Variational searches for tests: the thesis's eleven features, the sine and cosine."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from search_engine.algorithms.base import Context
from search_engine.algorithms.variational.options import VariationalConfig
from search_engine.algorithms.variational.search import VariationalSearch
from search_engine.catalogue import registry
from search_engine.events import EventLog

REGIMES = {"prior": (0.01, 1.0, 100.0), "elbo": (1.0, 1.0, 1.0), "likelihood": (100.0, 1.0, 0.01)}
"""(lambda likelihood Q, lambda prior Q, lambda prior L) of the thesis's three regimes; each is one-level."""

SINCOS: dict[str, Any] = {
    "problem": "free_energy", "weights": "point", "structure_data": "validation", "batch_size": 1000, "learn_noise": False,
    "noise": 0.5**0.5, "estimator": "exact", "optimizer": "sgd", "learning_rate": 0.05, "structure_learning_rate": 0.05,
    "gradient_clip": 0.0, "warm_up_share": 0.0,
}
TOY: dict[str, Any] = {"batch_size": 1000, "samples": 3, "init_log_sigma": 0.0, "structure_learning_rate": 0.01}


def variational_search(
    dataset: str, space: str = "primitives_sum", seed: int = 0, every: int = 10**6, space_options: dict[str, Any] | None = None,
    **options: Any,
) -> VariationalSearch:
    """A fresh search; the network is drawn from torch's generator seeded with `seed`."""
    data_entry, space_entry = registry.dataset(dataset), registry.space(space)
    samples: Any = data_entry.open(data_entry.config(), Path())
    data = samples.search_data(seed)
    torch.manual_seed(seed)
    context = Context(
        space=space_entry.space(space_entry.config(**(space_options or {})), data.shape), options=VariationalConfig(**options), seed=seed,
        rng=random.Random(seed), metric="val_r2", log=EventLog("phase:0"), data=data, structure_every=every,
    )
    search = VariationalSearch()
    search.begin(context, None)
    return search


def run(search: VariationalSearch) -> list[Any]:
    """To the end; the events that were said."""
    while not search.finished:
        search.step()
    return search.context.log.drain()


def of_kind(events: list[Any], kind: str) -> list[Any]:
    return [event.payload for event in events if event.kind == kind]


@dataclass(frozen=True)
class ToyResult:
    """What a run on the eleven features ended with."""

    expected: Any
    """E gamma of the constant, the function of one feature, the function of all."""
    uninformative: int
    """Weights with rho > 0.9, of 15."""
    train_mse: float
    noise_variance: float
    """Mean squared distance of the training targets from tanh(x0): what a perfect model leaves."""


def toy_run(regime: str, seed: int, **options: Any) -> ToyResult:
    likelihood, prior_q, prior_l = REGIMES[regime]
    given = {**TOY, "lambda_likelihood_q": likelihood, "lambda_prior_q": prior_q, "lambda_prior_l": prior_l, "lambda_temp": 0.2}
    search = variational_search("thesis_toy", seed=seed, **{**given, **options})
    run(search)
    inputs, targets = search.fit_part.raw, search.fit_part.labels
    expected = search.expected_weights()
    with torch.no_grad():
        outputs = search._at(expected).eval()(inputs)
    return ToyResult(
        expected=expected["sum"][0], uninformative=int((search.density_ratios() > 0.9).sum()),
        train_mse=float((outputs - targets).square().mean()),
        noise_variance=float((torch.tanh(inputs[:, :1]) - targets).square().mean()),
    )


def sincos_path(xi: float, steps: int, seed: int = 0) -> tuple[Any, float]:
    """(the path of (a0, a1) step by step (steps + 1, 2), the last validation loss)."""
    search = variational_search("sincos", seed=seed, every=1, space_options={"constraint": "real"}, steps=steps, xi=xi, **SINCOS)
    events = run(search)
    return np.array(search.ways[0])[:, :2], of_kind(events, "metrics")[-1].values["val_loss"]
