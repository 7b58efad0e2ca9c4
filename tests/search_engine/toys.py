"""Small spaces, objectives and algorithms for testing the search loop without training; registered for a test only."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import networkx as nx
from pydantic import Field

from search_engine.algorithms.base import AlgorithmConfig, AlgorithmEntry, Finalist, Proposal, Result, TrialPhase
from search_engine.algorithms.trials.ranking import Ranking
from search_engine.base.generators import derive_seed
from search_engine.catalogue import registry
from search_engine.contract.searches import science as science
from search_engine.datasets.base import DatasetConfig, DatasetEntry, Objective
from search_engine.events import Notice
from search_engine.search import resources
from search_engine.spaces.base import SearchSpace, SpaceConfig, SpaceEntry
from search_engine.spaces.data_shape import DataShape
from search_engine.spaces.genomes import Genome


class BitsConfig(SpaceConfig):
    bits: int = Field(default=100, ge=1, le=1000)


class BitsSpace(SearchSpace[BitsConfig]):
    """Strings of bits: the toy of Real et al.'s published notebook."""

    id: ClassVar[str] = "bits"
    offers: ClassVar[frozenset[str]] = frozenset({"sample", "mutate", "enumerate"})

    def validate(self, genome: Genome) -> None:
        assert len(genome.content["bits"]) == self.config.bits

    def size(self) -> int:
        return int(2**self.config.bits)

    def enumerate(self) -> Iterator[Genome]:
        return (Genome("bits", {"bits": list(bits)}) for bits in itertools.product((0, 1), repeat=self.config.bits))

    def sample(self, rng: random.Random) -> Genome:
        return Genome("bits", {"bits": [rng.randrange(2) for _ in range(self.config.bits)]})

    def mutate(self, genome: Genome, rng: random.Random) -> tuple[Genome, str]:
        bits = list(genome.content["bits"])
        position = rng.randrange(len(bits))
        bits[position] = 1 - bits[position]
        return Genome("bits", {"bits": bits}), "flip"

    def normal_form(self, genome: Genome) -> Any:
        return genome.content["bits"]

    def to_string(self, genome: Genome) -> str:
        return "".join(map(str, genome.content["bits"]))

    def to_graph(self, genome: Genome) -> nx.MultiDiGraph:
        graph = nx.MultiDiGraph()
        graph.add_edge("input", "output", key=self.to_string(genome))
        return graph


class OnesConfig(DatasetConfig):
    noise: float = Field(default=0.01, ge=0)
    fail_share: float = Field(default=0.0, ge=0, le=1)


class Ones(Objective):
    """Share of ones plus noise that depends on the genome alone, so that equal genomes have equal rewards."""

    space = "bits"
    declared_samples = 10

    def __init__(self, config: OnesConfig) -> None:
        self.config = config

    def reward(self, genome: Genome) -> float:
        bits = genome.content["bits"]
        noise = random.Random(derive_seed("ones", genome.key)).gauss(0, self.config.noise)
        return sum(bits) / len(bits) + noise


SPACE = SpaceEntry("bits", "Bits", "", "", BitsConfig, BitsSpace, BitsSpace.offers, frozenset({"vector"}))
DATASET = DatasetEntry(
    "ones",
    "Ones",
    "",
    "",
    "",
    "objective",
    OnesConfig,
    lambda config, path: Ones(config),
    "vector",
    DataShape((1,), 2),
    frozenset({"samples", "trials"}),
    frozenset({"bits"}),
    metric="reward",
)


@contextmanager
def registered(
    *, algorithms: tuple[Any, ...] = (), spaces: tuple[Any, ...] = (SPACE,), datasets: tuple[Any, ...] = (DATASET,)
) -> Iterator[None]:
    """Add entries to the registry inside the block."""
    tables = ((registry.algorithms(), algorithms), (registry.spaces(), spaces), (registry.datasets(), datasets))
    try:
        for table, entries in tables:
            table.update({entry.id: entry for entry in entries})
        yield
    finally:
        for table, entries in tables:
            for entry in entries:
                table.pop(entry.id, None)
        resources._open.cache_clear()
        resources._split.cache_clear()


class GenerationalConfig(AlgorithmConfig):
    size: int = Field(default=4, ge=1, le=100, description="genomes of a generation")


class Generational(TrialPhase):
    """Whole generations of random genomes; says a notice when it is built, as an algorithm may."""

    scheduling = "generational"

    def begin(self, context: Any, handover: dict[str, Any] | None) -> None:
        super().begin(context, handover)
        self.ranking = Ranking(context.metric)
        self.heard: list[int] = []
        context.emit(Notice(name="built", message="built"), 0)

    def ask(self) -> list[Proposal]:
        return [Proposal(self.context.space.sample(self.context.rng)) for _ in range(self.context.options.size)]

    def tell(self, results: list[Result]) -> None:
        for result in results:
            self.heard.append(result.number)
            self.ranking.add(result, self.context.space.hash(result.genome))

    def best(self) -> list[Finalist]:
        return self.ranking.finalists()

    def state_dict(self) -> dict[str, Any]:
        return {"ranking": self.ranking.state_dict(), "heard": self.heard}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.ranking.load_state_dict(state["ranking"])
        self.heard = state["heard"]


GENERATIONAL = AlgorithmEntry(
    id="generational", title="Generational", family="evolution", summary="", source="", needs=frozenset({"trials"}),
    space_needs=frozenset({"sample"}), config=GenerationalConfig, phases=lambda config: [Generational()],
)
