"""Two domains that cannot share a path: the planted problem of multi-path NAS.

Domain 0 is the digits. Domain 1 is the same images inverted, their pixels permuted, their labels shifted. Of the four modules of a layer
0 and 1 spoil domain 0's signal with noise, 2 and 3 domain 1's, so every module is bad for one of them and no common path suits both.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

from search_engine.algorithms.base import Context
from search_engine.algorithms.policy.multipath.search import MultiPathConfig, MultiPathSearch
from search_engine.base.generators import GlobalGenerators
from search_engine.catalogue import registry
from search_engine.datasets.base import Part, SearchData
from search_engine.datasets.digits import _read
from search_engine.events import EventLog
from search_engine.spaces.base import SpaceEntry
from search_engine.spaces.data_shape import DataShape, Preprocessing
from search_engine.spaces.domain_paths import DomainPathsConfig, DomainPathsSpace
from search_engine.spaces.genomes import Genome

LAYERS, UNITS = 3, 32
BAD = ((0, 1), (2, 3))
"""Per domain the modules that spoil its signal."""
NOISE = 0.5
"""Standard deviation of what a bad module adds to its units, which are normalised to about 1."""
SHAPE = DataShape((1, 8, 8), 10)
TRAIN, REWARD = 900, 450


class PlantedPaths(DomainPathsSpace):
    """Three layers of four equal modules."""

    id: ClassVar[str] = "planted_paths"


class PlantedDomains(nn.Module):
    """A perceptron per domain; a module is a linear layer and ReLU, normalised per domain."""

    def __init__(self, space: PlantedPaths) -> None:
        super().__init__()
        self.space = space
        self.noise = NOISE
        self.stems = nn.ModuleList(nn.Sequential(nn.Flatten(), nn.Linear(64, UNITS)) for _ in BAD)
        self.grid = nn.ModuleList(nn.ModuleList(nn.Linear(UNITS, UNITS) for _ in range(4)) for _ in range(LAYERS))
        self.norms = nn.ModuleList(
            nn.ModuleList(nn.BatchNorm1d(UNITS, track_running_stats=False) for _ in range(LAYERS)) for _ in BAD
        )
        self.heads = nn.ModuleList(nn.Linear(UNITS, 10) for _ in BAD)

    def pieces(self, domain: int) -> tuple[nn.Module, list[list[nn.Module]], nn.Module]:
        return self.stems[domain], [list(layer) for layer in self.grid], self.heads[domain]  # type: ignore[arg-type]

    def forward_path(self, x: torch.Tensor, genome: Genome, domain: int = 0) -> torch.Tensor:
        x = self.stems[domain](x)
        for layer, label in enumerate(self.space.paths(genome)[domain]):
            module = self.space.modules.index(label)
            x = self.norms[domain][layer](self.grid[layer][module](x)).relu()  # type: ignore[index]
            if module in BAD[domain]:
                x = x + self.noise * torch.randn_like(x)
        logits: torch.Tensor = self.heads[domain](x)
        return logits


def build_supernet(space: PlantedPaths) -> PlantedDomains:
    return PlantedDomains(space)


ENTRY = SpaceEntry(
    "planted_paths", "Planted", "", "", DomainPathsConfig, PlantedPaths, PlantedPaths.offers,
    builder="tests.search_engine.algorithms.policy.multipath.planted_domains:build",
)


@contextmanager
def registered() -> Iterator[None]:
    """The planted space in the registry inside the block."""
    try:
        registry.spaces()[ENTRY.id] = ENTRY
        yield
    finally:
        registry.spaces().pop(ENTRY.id, None)


@lru_cache(maxsize=8)
def planted_data(seed: int) -> tuple[list[SearchData], list[Part]]:
    """The search's data and a held-out part, of each domain."""
    images, labels = _read()
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    pixels = np.random.default_rng(99).permutation(64)
    other = (16 - images).reshape(len(images), 64)[:, pixels].reshape(images.shape)
    datas, held_out = [], []
    for inputs, targets in ((images, labels), (other, (labels + 3) % 10)):
        first, second, third = (
            Part(inputs=inputs[rows], labels=targets[rows], indices=rows)
            for rows in (shuffled[:TRAIN], shuffled[TRAIN : TRAIN + REWARD], shuffled[TRAIN + REWARD :])
        )
        grey = Preprocessing(16.0, (float(inputs.mean()) / 16,), (float(inputs.std()) / 16,))
        datas.append(SearchData("planted", SHAPE, first, second, grey, tuple(map(str, range(10)))))
        held_out.append(third)
    return datas, held_out


def planted_search(
    kind: type[MultiPathSearch] = MultiPathSearch, seed: int = 0, noise: float = NOISE, **options: Any
) -> MultiPathSearch:
    """A search on the two domains, its network drawn from torch's generator seeded with `seed`."""
    datas, _ = planted_data(seed)
    config = DomainPathsConfig(layers=LAYERS, modules=("skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"))
    options = {"steps": 1500, "warm_up": 200, **options}
    context = Context(
        space=PlantedPaths(config, SHAPE, (SHAPE, SHAPE)), options=MultiPathConfig(**options), seed=seed, rng=random.Random(seed),
        metric="val_accuracy", log=EventLog("phase:0"), data=datas[0], domains=datas, structure_every=10**6,
    )
    search = kind()
    torch.manual_seed(seed)
    with registered():
        search.begin(context, None)
    search.network.noise = noise
    return search


def run_to_the_end(search: MultiPathSearch, seed: int = 0) -> MultiPathSearch:
    """All steps, the network's noise from a generator of its own."""
    generators = GlobalGenerators(seed)
    with generators.active():
        while not search.finished:
            search.step()
    return search


def bad_share(search: MultiPathSearch) -> list[float]:
    """P(bad) of each domain: the probability of its bad modules, mean over the layers."""
    return [float(search.policies.probabilities(domain)[:, bad].sum(1).mean()) for domain, bad in enumerate(BAD)]


def held_out_accuracy(search: MultiPathSearch, seed: int) -> list[float]:
    """Of each domain's most probable path, with the super-network's weights, on examples that the search never saw."""
    from search_engine.training.batches import DevicePart

    scores = []
    for domain, (data, part) in enumerate(zip(*planted_data(seed), strict=True)):
        inputs, labels = DevicePart(part, data.preprocessing, "cpu").take(torch.arange(len(part)))
        with torch.no_grad():
            logits = search.network.forward_path(inputs, search.space.genome_of(search.paths()[domain]), domain)
        scores.append(float((logits.argmax(1) == labels).float().mean()))
    return scores
