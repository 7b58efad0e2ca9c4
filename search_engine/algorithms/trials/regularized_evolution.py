"""Regularized (aging) evolution.

Source: Real, Aggarwal, Huang, Le, "Regularized Evolution for Image Classifier Architecture Search", AAAI 2019 (arXiv:1802.01548),
algorithm 1. The oldest individual dies, never the worst: with noisy scores a lucky genome cannot stay for ever.

The paper mutates one thing at a time. `mutation_probability` is the variant of several libraries (for example NNI's): every decision
changes with that probability. A child without any change would be its parent over again, so one decision changes at least.

With more than one open trial a proposal draws its parent from the population as it is when it is asked; a child enters, and the oldest
leaves, when its result is told. Failed children do not enter and push nobody out.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from pydantic import Field

from search_engine.base.errors import BadInput
from search_engine.spaces.base import SearchSpace
from search_engine.spaces.genomes import Genome

from ..base import QUICK_TRIALS, AlgorithmEntry, Context, Idle, Phase, Proposal, Result, SteadyConfig
from .aging import AgingConfig, AgingPopulation, Individual
from .initial_population import GENOMES, Founders, SharedStart
from .schemata.decisions import DecisionOperators, genes_of
from .schemata.schema import Array, Genes, Schema
from .schemata.selecting import with_replacement
from .schemata.steady import SteadySchemata
from .schemata.watch import Watch
from .search import TrialSearch


class RegularizedEvolutionConfig(AgingConfig, SharedStart, SteadyConfig):
    """Hyper-parameters of aging evolution. The paper's CIFAR-10 values are population 100, sample 25 for 20,000 models. The defaults suit
    budgets of about a hundred trials: a quarter of the budget (at most 50) lives at once, a fifth of that enters a tournament."""

    crossover: float = Field(
        default=0.0,
        ge=0,
        le=1,
        title="Crossover",
        description="Probability that a child mixes two parents before it mutates, where the space offers it; 0 in the paper.",
    )

    mutation_probability: float = Field(
        default=0.0,
        ge=0,
        le=1,
        title="Mutation probability",
        description="0: a mutation changes exactly one decision, as in the paper. Above 0: every decision changes with this probability, "
        "one at least (only in spaces that are a list of decisions).",
    )

    @property
    def initial_population(self) -> dict[str, int] | None:
        return {GENOMES: self.population}


class RegularizedEvolution(TrialSearch[RegularizedEvolutionConfig]):
    """Tournament selection, one mutation, the oldest dies."""

    title = "Regularized evolution"
    state_version = 2
    keeps = ("asked", "living")

    def begin(self, context: Context, handover: dict[str, Any] | None) -> None:
        """Raises BadInput(field "options.mutation_probability") for a space without decisions."""
        super().begin(context, handover)
        if self.options.mutation_probability and "decisions" not in context.space.offers:
            raise BadInput(
                "options.mutation_probability",
                f"the space '{context.space.id}' is no list of decisions: leave it at 0 (one mutation at a time)",
                code="incompatible",
            )
        self.living: AgingPopulation[Genome] = AgingPopulation(self.options.population, Genome.to_json, Genome.from_json)
        self.founders = Founders(context, self.options.population)
        self.asked = 0
        self.schemata: SteadySchemata[Genome] | None = None
        if self.options.schemata:
            operators = _Operators(self)
            watch = Watch(self.options.schemata, context.seed, context.metric, "population", "", operators.decisions.text)
            size = self.options.population
            self.schemata = SteadySchemata(watch, operators, self.living, births=size, size=size)

    def ask(self) -> list[Proposal]:
        options, space, rng = self.options, self.context.space, self.context.rng
        self.asked += 1
        unparented = self.asked <= options.population or not self.living
        if self.schemata is not None:
            self.schemata.asked(unparented)
        if self.founders.wanted and self.asked <= options.population:
            return [Proposal(self.founders.proposed(self.asked - 1), operator="random")]
        if unparented:
            return [Proposal(space.sample(rng), operator="random")]
        parents: list[Individual[Genome]] = []

        def parent() -> Genome:
            parents.append(self._parent())
            return parents[-1].content

        child, operator = self.child(parent, rng)
        return [Proposal(child, parents=tuple(individual.number for individual in parents), operator=operator)]

    @property
    def crosses(self) -> float:
        """Probability that a child has two parents."""
        return self.options.crossover if "crossover" in self.context.space.offers else 0.0

    def child(self, parent: Callable[[], Genome], rng: random.Random) -> tuple[Genome, str]:
        """A child of one that `parent` gives, or of two, and the operators' names."""
        genome, space = parent(), self.context.space
        if self.crosses and rng.random() < self.crosses:
            child, operator = self._mutate(space.crossover(genome, parent(), rng), rng)
            return child, f"crossover, {operator}"
        return self._mutate(genome, rng)

    def _mutate(self, genome: Genome, rng: random.Random) -> tuple[Genome, str]:
        """A child of `genome`, and the operator's name."""
        space, probability = self.context.space, self.options.mutation_probability
        if not probability:
            return space.mutate(genome, rng)  # type: ignore[no-any-return]
        choices = space.choices_of(genome)
        places = space.decisions.changeable(choices)
        changing = [place for place in places if rng.random() < probability] or [rng.choice(places)]
        changed = 0
        for place in changing:
            # A change further up may have made this decision inactive, or drawn it anew already.
            if choices[place] is not None:
                choices = space.decisions.change(choices, place, rng)
                changed += 1
        return space.genome_of(choices), f"mutation of {changed}"

    def _parent(self) -> Individual[Genome]:
        return self.living.tournament(self.options.sample, self.context.rng)

    def tell(self, results: list[Result]) -> None:
        for result in results:
            oldest = self.living.leaving if result.ok else None
            if result.ok:
                self.living.enter(Individual(result.number, result.genome, result.metrics[self.context.metric]))
            if self.schemata is not None:
                frame = self.schemata.told(result.ok, oldest.content if oldest else None)
                if frame is not None:
                    self.context.emit(frame, self.tally.told + 1)
        super().tell(results)

    def frame_due(self, before: int) -> bool:
        return bool(self.living) and super().frame_due(before)

    def figures(self, latest: Result) -> dict[str, float]:
        """The living in numbers. Age is counted in trials since birth; a clone (an equal architecture) is not unique."""
        values = [individual.value for individual in self.living]
        count = len(values)
        return {
            "best": self.ranking.finalists()[0].value or 0.0,
            "population_mean": self.living.mean,
            "population_min": min(values),
            "population_max": max(values),
            "mean_age": sum(latest.number - individual.number for individual in self.living) / count,
            "unique": len({self.context.space.hash(individual.content) for individual in self.living}) / count,
        }


class _Operators:
    """How children come of parents here, for their schemata."""

    def __init__(self, search: RegularizedEvolution) -> None:
        self.search, self.space = search, search.context.space
        rate = search.options.mutation_probability
        self.decisions = DecisionOperators(self.space, "changed" if rate else "own", rate, search.crosses)

    def genes(self, content: Genome) -> Genes:
        return genes_of(self.space.choices_of(content))

    def survival(self, schemata: Sequence[Schema], content: Genome) -> Array:
        return self.decisions.survival(schemata, content)

    def kept(self, schemata: Sequence[Schema], selected: Array, kept: Array) -> Array:
        return self.decisions.crossed(schemata, selected, kept)

    def children(self, parent: Callable[[], Genome], count: int, rng: random.Random) -> Sequence[Genes]:
        return [self.genes(self.search.child(parent, rng)[0]) for _ in range(count)]

    def weights(self, values: Array) -> Array:
        return with_replacement(values, self.search.options.sample)


def advise(options: RegularizedEvolutionConfig, space: SearchSpace[Any], trials: int | None) -> list[str]:
    """What to know before the start (`AlgorithmEntry.advice`)."""
    advice = []
    if trials is not None and trials <= options.population:
        advice.append(
            f"The first {options.population:,} individuals are random, the budget allows {trials:,} trials: this would be random search. "
            "Make the population smaller than the budget, a quarter of it for example."
        )
    if options.population < 3 * options.open_trials:
        advice.append(
            f"With {options.open_trials} open trials and a population of {options.population:,}, parents are often dead before their "
            f"children are told. Use a population of at least {3 * options.open_trials}."
        )
    return advice


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
    window=4,
    structure=("queue", "population", "schemata"),
    idle=(
        Idle(("options.crossover",), "the space cannot mix two architectures", unless="crossover"),
        Idle(("options.mutation_probability",), "its architectures are no lists of decisions", unless="decisions"),
        Idle(("options.schemata",), "its architectures are no lists of decisions: what a schema fixes is nowhere said", unless="decisions"),
    ),
    advice="search_engine.algorithms.trials.regularized_evolution:advise",
    quick=QUICK_TRIALS,
)
