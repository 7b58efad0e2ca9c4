"""A planted problem for budgeted super-networks: six parallel blocks of different cost, of which the first, and cheapest, does all that
is asked. Asked as a regression: the target is a sign times the root of 2, so that the empty network has a loss of exactly 2."""

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
from search_engine.algorithms.budgeted_supernet.search import BudgetedSupernet, BudgetedSupernetConfig
from search_engine.catalogue import registry
from search_engine.datasets.base import Part, SearchData
from search_engine.events import EventLog, FamilyGroup, GraphNode
from search_engine.spaces.base import SearchSpace, SpaceConfig, SpaceEntry
from search_engine.spaces.block_costs.blocks import Block, cheapest_path, live
from search_engine.spaces.block_costs.costs import BlockCosts
from search_engine.spaces.data_shape import DataShape, Preprocessing
from search_engine.spaces.genomes import Genome

COSTS = (1.0, 2.0, 3.0, 4.0, 4.0, 5.0)
"""19 together."""
WHOLE = sum(COSTS)
SHAPE = DataShape((1,), 1, "regression")


class PlantedBlocks(SearchSpace[SpaceConfig]):
    """Any subset of the six blocks, also none; content: {"kept": [places]}."""

    id: ClassVar[str] = "planted_blocks"
    offers: ClassVar[frozenset[str]] = frozenset({"blocks"})
    blocks = tuple(Block(0, 1, f"block{place}") for place in range(len(COSTS)))

    def prices(self, kind: str) -> BlockCosts:
        return BlockCosts(COSTS, 0.0)

    def live(self, masks: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return live(self.blocks, masks, 2)

    def path(self, prices: list[float]) -> list[int]:
        return cheapest_path(self.blocks, prices, 2) or []

    def as_family_weights(self, values: np.ndarray[Any, Any]) -> dict[str, np.ndarray[Any, Any]]:
        return {"plant": values[None].astype(np.float32)}

    def derive(self, weights: dict[str, np.ndarray[Any, Any]]) -> Genome:
        return Genome(self.id, {"kept": [int(place) for place in np.flatnonzero(weights["plant"][0] > 0.5)]})

    def kept(self, genome: Genome) -> list[int]:
        return list(genome.content["kept"])

    def validate(self, genome: Genome) -> None:
        assert all(0 <= place < len(COSTS) for place in genome.content["kept"])

    def sample(self, rng: random.Random) -> Genome:
        return Genome(self.id, {"kept": [place for place in range(len(COSTS)) if rng.random() < 0.5]})

    def normal_form(self, genome: Genome) -> Any:
        return genome.content["kept"]

    def to_string(self, genome: Genome) -> str:
        return " ".join(map(str, genome.content["kept"]))

    def to_graph(self, genome: Genome) -> nx.MultiDiGraph:
        graph = nx.MultiDiGraph()
        for place in genome.content["kept"]:
            graph.add_edge("input", "output", key=f"block{place}", operation=f"block{place}")
        return graph

    def family(self) -> list[FamilyGroup]:
        nodes = [GraphNode(id=name, label=name, kind=name) for name in ("input", "output")]
        operations = [block.operation for block in self.blocks]
        return [FamilyGroup(name="plant", title="Plant", nodes=nodes, edges=[("input", "output")], operations=operations)]


class PlantedSupernet(nn.Module):
    """x (B, 1), gates (B, 6) -> (B, 1): block 0 gives the input, the others give nothing. There is nothing to learn."""

    def __init__(self) -> None:
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(()))

    def forward(self, x: torch.Tensor, gates: torch.Tensor) -> torch.Tensor:
        return gates[:, :1] * x + 0 * self.unused


def build_supernet(space: SearchSpace[Any]) -> nn.Module:
    return PlantedSupernet()


ENTRY = SpaceEntry(
    "planted_blocks", "Planted blocks", "", "", SpaceConfig, PlantedBlocks, PlantedBlocks.offers, frozenset({"vector"}),
    builder="tests.search_engine.algorithms.budgeted_supernet.planted_blocks:build", tasks=frozenset({"regression"}),
)


def planted_data(examples: int = 256) -> SearchData:
    x = np.sqrt(2, dtype=np.float32) * np.where(np.arange(examples) % 2, 1, -1)[:, None].astype(np.float32)
    part = Part(inputs=x, labels=x, indices=np.arange(examples))
    plain = Preprocessing(scale=1.0, mean=(0.0,), std=(1.0,))
    return SearchData(dataset="planted", shape=SHAPE, train=part, validation=part, preprocessing=plain, class_names=("y",))


@contextmanager
def registered() -> Iterator[None]:
    """The planted space in the registry inside the block."""
    try:
        registry.spaces()[ENTRY.id] = ENTRY
        yield
    finally:
        registry.spaces().pop(ENTRY.id, None)


def planted_search(
    weight: float, budget: float, kind: type[BudgetedSupernet] = BudgetedSupernet, seed: int = 0, steps: int = 1500, **options: Any
) -> BudgetedSupernet:
    """A fresh search; `weight` and `budget` in units of cost (the whole is 19), as the options take shares."""
    torch.manual_seed(seed)
    values = {
        "cost_weight": weight * WHOLE, "budget": budget / WHOLE, "no_path_penalty": 0.0, "warm_up_epochs": 0, "epochs": steps,
        "batch_size": 256, "stochastic": "all", **options,
    }
    context = Context(
        space=PlantedBlocks(SpaceConfig(), SHAPE), options=BudgetedSupernetConfig(**values), seed=seed, rng=random.Random(seed),
        metric="val_r2", log=EventLog("phase:0"), data=planted_data(), structure_every=100_000,
    )
    search = kind()
    with registered():
        search.begin(context, None)
    return search


def outcome(search: BudgetedSupernet) -> tuple[list[int], float, float]:
    """Run to the end: the probable blocks, their cost, and the loss with them."""
    while not search.finished:
        search.step()
        search.context.log.drain()
    kept = [int(place) for place in np.flatnonzero(search.probabilities() > 0.5)]
    return kept, sum(COSTS[place] for place in kept), search.report.points[-1]["val_loss"]
