"""Hierarchical evolution: asynchronous tournament selection over motifs of motifs, without removal.

Source: Liu, Simonyan, Vinyals, Fernando, Kavukcuoglu, "Hierarchical Representations for Efficient Architecture Search", ICLR 2018
(arXiv:1711.00436), section 3.

The first individuals are random (`spaces.hierarchical`: a chain of identities after a thousand random steps). From then on the best of 5 %
of the population, drawn at random, has a child that differs in one entry of one motif; the child is evaluated and added. Nobody is removed.

The paper's controller gives the next child to whatever worker is free. Here proposal k waits for the result of proposal k - window, so that
the search is the same for any number of workers; results are told in the order asked. A failed child does not enter the population.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any, cast

from pydantic import Field

from search_engine.base.growing import GrowingDict, GrowingSet
from search_engine.events import MotifChange
from search_engine.spaces.base import SearchSpace
from search_engine.spaces.genomes import Genome
from search_engine.spaces.hierarchical import HierarchicalSpace, Mutation

from ..base import Context, Proposal, Result, SteadyConfig
from ..trials.aging import Individual
from ..trials.initial_population import GENOMES, Founders, SharedStart
from ..trials.schemata.decisions import DecisionOperators, genes_of
from ..trials.schemata.schema import Array, Genes, Schema
from ..trials.schemata.selecting import without_replacement
from ..trials.schemata.steady import SteadySchemata
from ..trials.schemata.watch import SchemataConfig, Watch
from ..trials.search import TrialSearch
from .population import GrowingPopulation
from .report import change_of, motifs_frame


class HierarchicalEvolutionConfig(SharedStart, SchemataConfig, SteadyConfig):
    """Hyper-parameters of hierarchical evolution. The paper has 200 random individuals and 7,000 evaluations in all. The default suits
    budgets of about a hundred trials."""

    initial: int = Field(
        default=20, ge=1, le=10_000, title="Random individuals",
        description="So many random genomes come first. A fifth of the trials is a good start. Paper: 200 of 7,000.",
    )
    tournament: float = Field(
        default=0.05, gt=0, le=1, title="Tournament",
        description="Share of the population that is drawn for a tournament, two individuals at least; the best of them is the parent. "
        "Paper: 0.05.",
    )

    @property
    def initial_population(self) -> dict[str, int] | None:
        return {GENOMES: self.initial}


class HierarchicalEvolution(TrialSearch[HierarchicalEvolutionConfig]):
    """Tournament selection, one entry changed, nobody removed."""

    title = "Hierarchical evolution"
    keeps = ("asked", "everybody", "changes", "architectures", "uses", "rejected")

    def begin(self, context: Context, handover: dict[str, Any] | None) -> None:
        super().begin(context, handover)
        self.space = cast(HierarchicalSpace, context.space)
        self.everybody = GrowingPopulation()
        self.changes: GrowingDict[int, MotifChange] = GrowingDict(MotifChange.model_dump, MotifChange.model_validate)
        """By candidate: what it changed of its parent."""
        self.architectures: GrowingSet[str] = GrowingSet()
        """Canonical hashes of the population."""
        self.uses = [[0] * level.motifs for level in self.space.hierarchy.levels]
        """Of each motif, level by level: how often it stands in the population's cells."""
        self.founders = Founders(context, self.options.initial)
        self.asked = 0
        self.rejected = 0
        """Steps that would have left a cell without a path, drawn again."""
        self.schemata: SteadySchemata[Genome] | None = None
        if self.options.schemata:
            operators = _Operators(self)
            watch = Watch(self.options.schemata, context.seed, context.metric, "population", "", operators.decisions.text)
            self.schemata = SteadySchemata(watch, operators, self.everybody, births=self.options.initial, size=None)

    # ---- ask

    def ask(self) -> list[Proposal]:
        rng, number = self.context.rng, self.asked
        self.asked += 1
        unparented = number < self.options.initial or not self.everybody
        if self.schemata is not None:
            self.schemata.asked(unparented)
        if self.founders.wanted and number < self.options.initial:
            return [Proposal(self.founders.proposed(number), operator="random")]
        if unparented:
            return [Proposal(self.space.sample(rng), operator="random")]
        parent = self._parent()
        child, mutation = self._child(parent.content)
        self.rejected += mutation.rejected
        self.changes[number] = change_of(mutation, number, parent.number)
        return [Proposal(child, parents=(parent.number,), operator=mutation.text)]

    def _parent(self) -> Individual[Genome]:
        return self.everybody.tournament(self.options.tournament, self.context.rng)

    def _child(self, genome: Genome) -> tuple[Genome, Mutation]:
        return self.space.mutation(genome, self.context.rng)

    # ---- tell

    def tell(self, results: list[Result]) -> None:
        before, leader = self.tally.told, self._leader
        for result in results:
            if result.ok:
                self._enter(Individual(result.number, result.genome, result.metrics[self.context.metric]))
            if self.schemata is not None:
                frame = self.schemata.told(result.ok, None)
                if frame is not None:
                    self.context.emit(frame, self.tally.told + 1)
        self.count(results)
        due = self.frame_due(before)
        if due:
            self.say(self.figures(results[-1]))
        if self.everybody and (due or self._leader != leader):
            self._draw(results[-1])

    def _enter(self, individual: Individual[Genome]) -> None:
        self.everybody.append(individual)
        self.architectures.add(self.space.hash(individual.content))
        for sums, uses in zip(self.uses, self.space.hierarchy.uses(self.space.entries_of(individual.content)), strict=True):
            for motif, times in enumerate(uses):
                sums[motif] += times

    @property
    def _leader(self) -> int | None:
        """The best candidate so far."""
        best = self.ranking.finalists()
        return best[0].candidate if best else None

    # ---- report

    def frame_due(self, before: int) -> bool:
        return bool(self.everybody) and super().frame_due(before)

    def figures(self, latest: Result) -> dict[str, float]:
        """The population in numbers; a clone (an equal architecture) is not unique."""
        [best, *_] = self.ranking.finalists()
        return {
            "best": best.value or 0.0,
            "population_mean": self.everybody.mean,
            "unique": len(self.architectures) / len(self.everybody),
            "rejected_share": self.rejected / max(self.rejected + len(self.changes), 1),
            "tournament_size": float(self.everybody.drawn(self.options.tournament)),
            "best_operations": float(self.space.hierarchy.operations(self.space.entries_of(best.genome))),
        }

    def _draw(self, latest: Result) -> None:
        [best, *_] = self.ranking.finalists()
        count = len(self.everybody)
        mean_uses = [[times / count for times in level] for level in self.uses]
        values = {"population": float(count), "tournament_size": float(self.everybody.drawn(self.options.tournament))}
        change = self.changes.get(cast(int, best.candidate))
        told = self.tally.told
        frame = motifs_frame(told, self.space, best, self.context.metric, mean_uses, change, self.changes.get(latest.number), values)
        self.context.emit(frame, told)


class _Operators:
    """How children come of parents here, for their schemata: slots are picked unequally, and what is picked becomes something else."""

    def __init__(self, search: HierarchicalEvolution) -> None:
        self.search = search
        self.decisions = DecisionOperators(search.space, "own")

    def genes(self, content: Genome) -> Genes:
        return genes_of(self.search.space.choices_of(content))

    def survival(self, schemata: Sequence[Schema], content: Genome) -> Array:
        return self.decisions.survival(schemata, content)

    def kept(self, schemata: Sequence[Schema], selected: Array, kept: Array) -> Array:
        return kept

    def children(self, parent: Callable[[], Genome], count: int, rng: random.Random) -> Sequence[Genes]:
        return [self.genes(self.search.space.mutation(parent(), rng)[0]) for _ in range(count)]

    def weights(self, values: Array) -> Array:
        return without_replacement(values, self.search.everybody.drawn(self.search.options.tournament))


def advise(options: HierarchicalEvolutionConfig, space: SearchSpace[Any], trials: int | None) -> list[str]:
    """What to know before the start (`AlgorithmEntry.advice`)."""
    if trials is not None and trials <= options.initial:
        return [
            f"The first {options.initial:,} individuals are random, the budget allows {trials:,} trials: this would be random search. "
            "Have fewer random individuals than trials, a fifth of them for example."
        ]
    return []
