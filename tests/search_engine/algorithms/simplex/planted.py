"""A planted problem whose best structure is known: y = x0^2 + sin(3 x1) + relu(x2), one edge per input (the separable plant).

The super-network weighs five functions of each input. It is asked as a classification so that a search runs on it unchanged: y is cut
into bins, and the logit of a bin falls with the squared distance of its centre, which makes cross-entropy a squared error.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import networkx as nx
import numpy as np
import torch
from torch import nn

from search_engine.algorithms.base import Context
from search_engine.algorithms.simplex.darts import DartsConfig, DartsSearch
from search_engine.catalogue import registry
from search_engine.datasets.base import Part, SearchData
from search_engine.events import EventLog, FamilyGroup, GraphNode
from search_engine.spaces.base import SearchSpace, SpaceConfig, SpaceEntry
from search_engine.spaces.data_shape import DataShape, Preprocessing
from search_engine.spaces.genomes import Genome

OPERATIONS = ("none", "identity", "square", "sin3", "relu")
TRUTH = ["square", "sin3", "relu"]
EDGES = [(f"x{index}", "y") for index in range(3)]
BINS = np.linspace(-2.0, 8.0, 41)
SHAPE = DataShape((3,), len(BINS))


class PlantedSpace(SearchSpace[SpaceConfig]):
    """One operation per edge, `none` excluded; content: {"operations": [three names]}."""

    id: ClassVar[str] = "planted"
    offers: ClassVar[frozenset[str]] = frozenset({"sample", "supernet"})

    def validate(self, genome: Genome) -> None:
        assert len(genome.content["operations"]) == len(EDGES)

    def sample(self, rng: random.Random) -> Genome:
        return Genome(self.id, {"operations": [rng.choice(OPERATIONS[1:]) for _ in EDGES]})

    def normal_form(self, genome: Genome) -> Any:
        return genome.content["operations"]

    def to_string(self, genome: Genome) -> str:
        return " ".join(genome.content["operations"])

    def to_graph(self, genome: Genome) -> nx.MultiDiGraph:
        graph = nx.MultiDiGraph()
        for (source, target), name in zip(EDGES, genome.content["operations"], strict=True):
            graph.add_edge(source, target, key=name, operation=name)
        return graph

    def drawings(self, genome: Genome) -> Any:
        return {"plant": super().drawings(genome)["network"]}

    def derive(self, weights: dict[str, np.ndarray[Any, Any]]) -> Genome:
        return Genome(self.id, {"operations": [OPERATIONS[1 + int(row[1:].argmax())] for row in weights["plant"]]})

    def family(self) -> list[FamilyGroup]:
        nodes = [GraphNode(id=name, label=name, kind="input") for name, _ in EDGES] + [GraphNode(id="y", label="y", kind="output")]
        return [FamilyGroup(name="plant", title="Plant", nodes=nodes, edges=EDGES, operations=list(OPERATIONS))]


class PlantedNetwork(nn.Module):
    """Each edge has a scale to learn; the centres of the bins are fixed."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(1 + 0.1 * torch.randn(len(EDGES), 1))
        self.bias = nn.Parameter(torch.zeros(()))
        self.register_buffer("centres", torch.tensor(BINS, dtype=torch.float32))

    def forward(self, x: torch.Tensor, gamma: dict[str, torch.Tensor]) -> torch.Tensor:
        """x (B, 3), gamma["plant"] (3, 5) -> logits (B, bins)."""
        values = torch.stack([torch.zeros_like(x), x, x * x, torch.sin(3 * x), x.relu()], dim=2)
        y = (values * (self.scale * gamma["plant"])).sum(dim=(1, 2)) + self.bias
        return -2.0 * (y[:, None] - self.centres).square()


def build_supernet(space: SearchSpace[Any]) -> nn.Module:
    return PlantedNetwork()


ENTRY = SpaceEntry(
    "planted", "Planted", "", "", SpaceConfig, PlantedSpace, PlantedSpace.offers, frozenset({"vector"}),
    builder="tests.search_engine.algorithms.simplex.planted:build",
)


def planted_data(seed: int, examples: int = 1024) -> SearchData:
    rng = np.random.default_rng(seed)
    x = rng.uniform(-2, 2, (examples, 3)).astype(np.float32)
    y = x[:, 0] ** 2 + np.sin(3 * x[:, 1]) + np.maximum(x[:, 2], 0)
    labels = np.abs(y[:, None] - BINS).argmin(axis=1)
    part = Part(inputs=x, labels=labels, indices=np.arange(examples))
    plain = Preprocessing(scale=1.0, mean=(0.0,) * 3, std=(1.0,) * 3)
    return SearchData(
        dataset="planted", shape=SHAPE, train=part, validation=part, preprocessing=plain, class_names=tuple(map(str, range(len(BINS))))
    )


@contextmanager
def registered() -> Iterator[None]:
    """The planted space in the registry inside the block."""
    try:
        registry.spaces()[ENTRY.id] = ENTRY
        yield
    finally:
        registry.spaces().pop(ENTRY.id, None)


def planted_search(seed: int = 0, structure_every: int = 1, data: SearchData | None = None, **options: Any) -> DartsSearch:
    """A fresh DARTS search on the plant, its network drawn from torch's generator seeded with `seed`."""
    torch.manual_seed(seed)
    context = Context(
        space=PlantedSpace(SpaceConfig(), SHAPE), options=DartsConfig(**options), seed=seed, rng=random.Random(seed), metric="val_accuracy",
        log=EventLog("phase:0"), data=data or planted_data(seed), structure_every=structure_every,
    )
    search = DartsSearch()
    with registered():
        search.begin(context, None)
    return search
