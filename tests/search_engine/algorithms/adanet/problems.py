"""Three problems in the plane for AdaNet: a line, exclusive or, the sign of a product of sines; and a search on them."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch

from search_engine.algorithms.adanet.search import AdaNet, AdaNetConfig
from search_engine.algorithms.base import Context
from search_engine.datasets.base import Part, SearchData
from search_engine.events import EventLog
from search_engine.spaces.data_shape import DataShape, Preprocessing
from search_engine.spaces.ensemble import EnsembleConfig, EnsembleSpace

SHAPE = DataShape((2,), 2)
EXAMPLES = 600
SIGNS = {
    "linear": lambda x: x[:, 0] + 0.5 * x[:, 1],
    "xor": lambda x: x[:, 0] * x[:, 1],
    "sinprod": lambda x: np.sin(3 * x[:, 0]) * np.sin(3 * x[:, 1]),
}


def problem(name: str, seed: int = 0) -> SearchData:
    """600 training and 600 validation points, uniform in [-1, 1]^2 (sinprod: [-1.5, 1.5]^2), labelled by a sign."""
    rng = np.random.default_rng([seed, sorted(SIGNS).index(name)])
    parts = []
    for first in (0, EXAMPLES):
        x = rng.uniform(-1, 1, (EXAMPLES, 2)) * (1.5 if name == "sinprod" else 1)
        labels = (SIGNS[name](x) > 0).astype(np.int64)
        parts.append(Part(inputs=x.astype(np.float32), labels=labels, indices=np.arange(first, first + EXAMPLES)))
    plain = Preprocessing(scale=1.0, mean=(0.0, 0.0), std=(1.0, 1.0))
    return SearchData(dataset=name, shape=SHAPE, train=parts[0], validation=parts[1], preprocessing=plain, class_names=("-", "+"))


def growing(data: SearchData, kind: type[AdaNet] = AdaNet, seed: int = 0, **options: Any) -> AdaNet:
    """A fresh search: 8 wide, T = 8, 30 epochs a candidate unless said otherwise."""
    torch.manual_seed(seed)
    values = {"width": 8, "iterations": 8, "epochs": 30, "controls": (), **options}
    context = Context(
        space=EnsembleSpace(EnsembleConfig(), data.shape), options=AdaNetConfig(**values), seed=seed, rng=random.Random(seed),
        metric="val_accuracy", log=EventLog("phase:0"), data=data, structure_every=1,
    )
    search = kind()
    search.begin(context, None)
    return search


def grown(data: SearchData, kind: type[AdaNet] = AdaNet, seed: int = 0, **options: Any) -> AdaNet:
    """The same at its end."""
    search = growing(data, kind, seed, **options)
    while not search.finished:
        search.step()
    return search


def depths(search: AdaNet) -> list[int]:
    """Depths of the accepted subnetworks that have a weight."""
    return [member.subnet.depth for member, weight in zip(search.ensemble.members, search.ensemble.weights.tolist(), strict=True) if weight]
