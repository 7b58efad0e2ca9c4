"""Regularized (aging) evolution.

Source: Real, Aggarwal, Huang, Le, "Regularized Evolution for Image Classifier Architecture Search", AAAI 2019 (arXiv:1802.01548),
algorithm 1. The oldest individual dies, never the worst: with noisy scores a lucky genome cannot stay for ever.

With more than one open trial a proposal draws its parent from the population as it is when it is asked; a child enters, and the oldest
leaves, when its result is told. Failed children do not enter and push nobody out.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any, Self

from pydantic import Field, model_validator

from ..genomes import Genome
from .base import QUICK_TRIALS, AlgorithmEntry, Finalist, Phase, Proposal, Result, SteadyConfig, TrialPhase
from .ranking import Ranking


class RegularizedEvolutionConfig(SteadyConfig):
    """Hyper-parameters of aging evolution. The paper's CIFAR-10 values are population 100, sample 25 for 20,000 models."""

    population: int = Field(default=25, ge=2, le=10_000, title="Population", description="How many individuals live at once (P).")
    sample: int = Field(
        default=5,
        ge=1,
        le=10_000,
        title="Tournament",
        description="How many individuals are drawn, with replacement; the best of them is the parent (S).",
    )
    crossover: float = Field(
        default=0.0,
        ge=0,
        le=1,
        title="Crossover",
        description="Probability that a child mixes two parents before it mutates, where the space offers it; 0 in the paper.",
    )

    @model_validator(mode="after")
    def _sample_fits(self) -> Self:
        if self.sample > self.population:
            raise ValueError(f"sample ({self.sample}) must not be larger than population ({self.population})")
        return self


@dataclass(frozen=True)
class Individual:
    """A living genome. `number` is its candidate's."""

    number: int
    genome: Genome
    value: float


class RegularizedEvolution(TrialPhase):
    """Tournament selection, one mutation, the oldest dies."""

    title = "Regularized evolution"

    def begin(self, context: Any, handover: dict[str, Any] | None) -> None:
        super().begin(context, handover)
        self.living: deque[Individual] = deque()
        self.asked = 0
        self.ranking = Ranking(context.metric)

    def ask(self) -> list[Proposal]:
        options, space, rng = self.context.options, self.context.space, self.context.rng
        self.asked += 1
        if self.asked <= options.population or not self.living:
            return [Proposal(space.sample(rng), operator="random")]
        parent = self._tournament()
        if options.crossover and "crossover" in space.offers and rng.random() < options.crossover:
            other = self._tournament()
            mixed = space.crossover(parent.genome, other.genome, rng)
            child, operator = space.mutate(mixed, rng)
            return [Proposal(child, parents=(parent.number, other.number), operator=f"crossover, {operator}")]
        child, operator = space.mutate(parent.genome, rng)
        return [Proposal(child, parents=(parent.number,), operator=operator)]

    def _tournament(self) -> Individual:
        draws = [self.context.rng.randrange(len(self.living)) for _ in range(self.context.options.sample)]
        # max keeps the first of equals, so a tie goes to the earlier draw.
        return max((self.living[index] for index in draws), key=lambda individual: individual.value)

    def tell(self, results: list[Result]) -> None:
        for result in results:
            if not result.ok:
                continue
            self.living.append(Individual(result.number, result.genome, result.metrics[self.context.metric]))
            if len(self.living) > self.context.options.population:
                self.living.popleft()
            self.ranking.add(result, self.context.space.hash(result.genome))

    def best(self) -> list[Finalist]:
        return self.ranking.finalists()

    def state_dict(self) -> dict[str, Any]:
        return {
            "asked": self.asked,
            "living": [[individual.number, individual.genome.to_json(), individual.value] for individual in self.living],
            "ranking": self.ranking.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.asked = state["asked"]
        self.living = deque(Individual(number, Genome.from_json(genome), value) for number, genome, value in state["living"])
        self.ranking.load_state_dict(state["ranking"])


def phases(config: RegularizedEvolutionConfig) -> list[Phase]:
    return [RegularizedEvolution()]


ENTRY = AlgorithmEntry(
    id="regularized_evolution",
    title="Regularized evolution",
    family="evolution",
    summary="A population in which the best of a small random sample has a mutated child and the oldest dies.",
    source="Real et al., AAAI 2019, arXiv:1802.01548, algorithm 1",
    needs=frozenset({"trials"}),
    space_needs=frozenset({"sample", "mutate"}),
    config=RegularizedEvolutionConfig,
    phases=phases,
    structure="population",
    quick=QUICK_TRIALS,
)
