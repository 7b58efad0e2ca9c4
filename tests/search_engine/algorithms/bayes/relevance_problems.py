"""Problems whose answer is known: a linear model of which few features matter, and data that two factors made."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from search_engine.algorithms.base import Context
from search_engine.algorithms.bayes.ard.search import ArdConfig, ArdSearch
from search_engine.algorithms.bayes.vae_ard.search import VaeArdConfig, VaeArdSearch
from search_engine.datasets.base import Array, Part, SearchData
from search_engine.events import EventLog
from search_engine.spaces.autoencoder import AutoencoderConfig, AutoencoderSpace
from search_engine.spaces.data_shape import DataShape, Preprocessing
from search_engine.spaces.plain_network import PlainNetworkConfig, PlainNetworkSpace

NEVER = 10**9
"""Steps between two pictures where a test needs none."""
FEATURES, RELEVANT = 20, 5


def vectors(inputs: Array, labels: Array, validation: int, shape: DataShape) -> SearchData:
    """The last `validation` examples are the validation part; features as they are."""
    inputs, labels = inputs.astype(np.float32), labels.astype(np.int64 if shape.task == "classification" else np.float32)
    cut, width = len(inputs) - validation, inputs.shape[1]

    def part(start: int, end: int) -> Part:
        return Part(inputs[start:end], labels[start:end], np.arange(start, end))

    plain = Preprocessing(scale=1.0, mean=(0.0,) * width, std=(1.0,) * width)
    names = tuple(str(number) for number in range(shape.classes))
    return SearchData("known", shape, part(0, cut), part(cut, len(inputs)), plain, names)


def linear_data(seed: int) -> SearchData:
    """200 examples of 20 features, the first 5 with |w| in [1, 2], noise 0.5; 50 more for validation."""
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(250, FEATURES))
    weights = np.zeros(FEATURES)
    weights[:RELEVANT] = rng.uniform(1, 2, RELEVANT) * rng.choice([-1, 1], RELEVANT)
    targets = inputs @ weights + 0.5 * rng.normal(size=250)
    return vectors(inputs, targets[:, None], 50, DataShape((FEATURES,), 1, "regression"))


def two_factor_data(seed: int) -> SearchData:
    """1000 examples of 12 values, each a bent mixture of two Gaussian factors, with noise 0.1 on a deviation of 1; 200 for validation."""
    rng = np.random.default_rng(seed)
    mixed = rng.normal(size=(1200, 2)) @ rng.normal(size=(2, 12))
    bent = mixed + 0.3 * np.sin(2 * mixed)
    inputs = (bent - bent.mean(0)) / bent.std(0) + 0.1 * rng.normal(size=bent.shape)
    return vectors(inputs, np.zeros(1200), 200, DataShape((12,), 2))


def _context(space: Any, options: Any, data: SearchData, seed: int, metric: str, structure_every: int) -> Context:
    return Context(
        space=space, options=options, seed=seed, rng=random.Random(seed), metric=metric, log=EventLog("phase:0"), data=data,
        structure_every=structure_every,
    )


def ard_search(
    data: SearchData, seed: int = 0, *, widths: tuple[int, ...] = (), space: dict[str, Any] | None = None, structure_every: int = NEVER,
    kind: type[ArdSearch] = ArdSearch, **options: Any,
) -> ArdSearch:
    """A search at its start, on a perceptron of those widths (none: a linear model)."""
    import torch

    torch.manual_seed(seed)
    plain = PlainNetworkSpace(PlainNetworkConfig(widths=widths, **(space or {})), data.shape)
    search = kind()
    search.begin(_context(plain, ArdConfig(**options), data, seed, "val_r2", structure_every), None)
    return search


def vae_search(
    data: SearchData, seed: int = 0, *, latents: int = 10, width: int = 32, structure_every: int = NEVER,
    kind: type[VaeArdSearch] = VaeArdSearch, **options: Any,
) -> VaeArdSearch:
    """A search at its start."""
    import torch

    torch.manual_seed(seed)
    space = AutoencoderSpace(AutoencoderConfig(latents=latents, encoder=(width,), decoder=(width,)), data.shape)
    search = kind()
    search.begin(_context(space, VaeArdConfig(**options), data, seed, "val_elbo", structure_every), None)
    return search


def finished(search: Any) -> Any:
    while not search.finished:
        search.step()
    return search
