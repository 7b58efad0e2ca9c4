"""Evo-NAS: evolution whose mutations are proposed by a controller that learns which mutations are good.

Source: Maziarz, Tan, Khorlin, Chang and Gesmundo, "Evolutionary-Neural Hybrid Agents for Architecture Search", arXiv:1811.09828.

    fill the population with P samples of the untrained policy pi (nearly uniform)
    repeat:  parent = the best of S drawn from the population, which ages (Real et al. 2019: the oldest leaves)
             walk the decisions t = 1 .. T, the LSTM reading the child so far:
                 with probability 1 - p:  a_t = parent's choice
                 with probability p:      a_t ~ pi(. | a_<t)             (at least one decision is drawn)
             evaluate; the child enters the population; after every `batch` results pi is trained

At the start pi is nearly uniform, so this is plain evolution; with time the drawn choices become good ones. pi is trained by priority
queue (the K best distinct sequences become more likely; the default) or by REINFORCE, and there on the log-probabilities of the drawn
decisions alone: what was copied is none of the policy's doing.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from search_engine.base.works_with import WorksWith, each, one_of
from search_engine.spaces.base import SearchSpace
from search_engine.spaces.decisions import Choices

from ..base import QUICK_TRIALS, AlgorithmEntry, Context, Phase, Proposal, Result
from ..trials.aging import AgingConfig, AgingPopulation, Individual
from ..trials.initial_population import GENOMES, Founders, SharedStart
from ..trials.schemata.decisions import DecisionOperators, genes_of
from ..trials.schemata.schema import Array, Genes, Schema
from ..trials.schemata.selecting import with_replacement
from ..trials.schemata.steady import SteadySchemata
from ..trials.schemata.watch import Watch
from ..trials.search import TrialSearch
from .options import PolicyConfig, controller_of
from .priority_queue import PriorityQueueTraining
from .reinforce import Asked, Learner, MovingBaseline, OpenProposals, Reinforce, rewarded_trials
from .report import PolicyReport


class EvoNasConfig(AgingConfig, SharedStart, PolicyConfig):
    """Hyper-parameters of Evo-NAS. The defaults suit budgets of about a hundred trials; for thousands take a population of 100 and a
    tournament of 20."""

    works_with: ClassVar[WorksWith] = {
        **each(("baseline_decay", "stale_after", "stale"), {"training": one_of("reinforce")}),
        "queue": {"training": one_of("priority_queue")},
    }

    mutation_probability: float = Field(
        default=0.15,
        ge=0,
        le=1,
        title="Mutation probability",
        description="Each decision is drawn from the policy with this probability (p) and else copied from the parent; at least one is "
        "drawn. 1 = no evolution, the policy alone.",
    )
    training: Literal["priority_queue", "reinforce"] = Field(
        default="priority_queue",
        title="Training of the policy",
        description="priority_queue: the best sequences so far become more likely, whatever the scale of the scores; reinforce: policy "
        "gradient on the drawn decisions (then take an entropy weight near 0 and a learning rate near 0.01).",
    )
    queue: int = Field(default=10, ge=1, le=1000, title="Queue", description="How many best sequences the priority queue keeps (K).")
    batch: int = Field(default=10, ge=1, le=1000, title="Batch", description="Results after which the policy takes one training step.")
    learning_rate: float = Field(default=0.003, gt=0, le=1, title="Learning rate", description="Adam's, of the controller.")
    entropy_weight: float = Field(
        default=0.02,
        ge=0,
        le=10,
        title="Entropy weight",
        description="Bonus for an undecided policy (beta), times the sum of its decisions' entropies in nats: beside log-probabilities "
        "with the priority queue, in the rewards' unit with REINFORCE.",
    )

    @property
    def initial_population(self) -> dict[str, int] | None:
        return {GENOMES: self.population}


class EvoNas(TrialSearch[EvoNasConfig]):
    """Tournament, a walk that copies or draws, aging, and a policy that learns from the results."""

    title = "Evo-NAS"
    keeps = ("learner", "living", "asked", "waiting", "batch", "values")

    def begin(self, context: Context, handover: dict[str, Any] | None) -> None:
        super().begin(context, handover)
        options = self.options
        self.controller = controller_of(context.space.decisions, options, context.seed)
        self.learner = self._learner(options)
        self.report = PolicyReport(context, self.controller)
        self.report.declare()
        self.living: AgingPopulation[Choices] = AgingPopulation(options.population, list, tuple)
        self.founders = Founders(context, options.population)
        self.asked = 0
        self.waiting = OpenProposals()
        self.batch = rewarded_trials()
        """Completed since the last training step, with their rewards."""
        self.values: dict[str, float] = {}
        """Numbers of the latest training step."""
        self.schemata: SteadySchemata[Choices] | None = None
        if options.schemata:
            operators = _Operators(self)
            watch = Watch(options.schemata, context.seed, context.metric, "population", "", operators.decisions.text)
            self.schemata = SteadySchemata(watch, operators, self.living, births=options.population, size=options.population)

    def _learner(self, options: EvoNasConfig) -> Learner:
        if options.training == "priority_queue":
            return PriorityQueueTraining(
                self.controller,
                options.learning_rate,
                size=options.queue,
                entropy_weight=options.entropy_weight,
                clip=options.gradient_clip,
            )
        return Reinforce(
            self.controller,
            options.learning_rate,
            MovingBaseline(options.baseline_decay),
            entropy_weight=options.entropy_weight,
            clip=options.gradient_clip,
        )

    # ---- ask

    def ask(self) -> list[Proposal]:
        rng, space = self.context.rng, self.context.space
        self.asked += 1
        unparented = self.asked <= self.options.population or not self.living
        if self.schemata is not None:
            self.schemata.asked(unparented)
        if self.founders.wanted and self.asked <= self.options.population:
            genome = self.founders.proposed(self.asked - 1)
            # The policy drew none of its decisions.
            self.waiting.add(Asked(tuple(space.choices_of(genome)), (), 0.0, self.learner.version))
            return [Proposal(genome, operator="random")]
        if unparented:
            sampled = self.controller.sample(rng)
            self.waiting.add(Asked(sampled.choices, sampled.drawn, sampled.log_prob, self.learner.version))
            return [Proposal(space.genome_of(sampled.choices), operator="policy")]
        parent = self.living.tournament(self.options.sample, rng)
        child = self.controller.walk(rng, self.kept(parent.content, rng))
        self.waiting.add(Asked(child.choices, child.drawn, child.log_prob, self.learner.version, parent.content))
        return [Proposal(space.genome_of(child.choices), parents=(parent.number,), operator=f"{len(child.drawn)} drawn")]

    def kept(self, parent: Choices, rng: random.Random) -> list[int | None]:
        """The parent's choices without those that are to be drawn anew (None)."""
        probability = self.options.mutation_probability
        places = self.context.space.decisions.changeable(parent)
        drawn = [place for place in places if rng.random() < probability]
        if not drawn and places:
            drawn = [rng.choice(places)]
        kept = list(parent)
        for place in drawn:
            kept[place] = None
        return kept

    # ---- tell

    def tell(self, results: list[Result]) -> None:
        options = self.options
        for result in results:
            asked = self.waiting.take()
            self.count([result])
            oldest = self.living.leaving if result.ok else None
            if result.ok:
                self._enter(result, asked)
            if self.schemata is not None:
                frame = self.schemata.told(result.ok, oldest.content if oldest else None)
                if frame is not None:
                    self.context.emit(frame, self.tally.told)
            if self.tally.told % options.batch == 0:
                told = list(self.batch)
                self.batch.clear()
                # The first population shows what the untrained policy finds; it is learned from, but not before it is complete.
                if self.tally.told > options.population:
                    self._train(told)
            if self.living and self.pace.due(self.tally.told):
                self._say(asked)

    def _enter(self, result: Result, asked: Asked) -> None:
        value = result.metrics[self.context.metric]
        self.living.enter(Individual(result.number, asked.choices, value))
        self.batch.append((asked, value))
        if isinstance(self.learner, PriorityQueueTraining):
            self.learner.queue.add(value, asked.choices)

    def _train(self, told: list[tuple[Asked, float]]) -> None:
        options = self.options
        if isinstance(self.learner, PriorityQueueTraining):
            if len(self.learner.queue):
                update = self.learner.update()
                self.values = {"gradient_norm": update.gradient_norm, "queue_mean": self.learner.queue.mean_reward}
        elif isinstance(self.learner, Reinforce) and told:
            moved = self.learner.update_from(told, options.stale_after, options.stale)
            if moved is not None:
                self.values = {"gradient_norm": moved.gradient_norm, "baseline": moved.baseline, "reward": moved.reward}

    def _say(self, asked: Asked) -> None:
        values = {**self.values, "population_mean": self.living.mean}
        if asked.parent:
            changed = sum(asked.parent[place] != asked.choices[place] for place in asked.drawn)
            values |= {"drawn": float(len(asked.drawn)), "changed": float(changed)}
        self.say(self.report.say(self.tally.told, asked.choices, asked.parent, asked.drawn, values))


class _Operators:
    """How children come of parents here, for their schemata. One that is drawn may be drawn as it was; p counts it as lost."""

    def __init__(self, search: EvoNas) -> None:
        self.search = search
        self.decisions = DecisionOperators(search.context.space, "drawn", search.options.mutation_probability)

    def genes(self, content: Choices) -> Genes:
        return genes_of(content)

    def survival(self, schemata: Sequence[Schema], content: Choices) -> Array:
        return self.decisions.of_choices(schemata, content)

    def kept(self, schemata: Sequence[Schema], selected: Array, kept: Array) -> Array:
        return kept

    def children(self, parent: Callable[[], Choices], count: int, rng: random.Random) -> Sequence[Genes]:
        kept = [self.search.kept(parent(), rng) for _ in range(count)]
        return [genes_of(child.choices) for child in self.search.controller.walk_batch(rng, kept)]

    def weights(self, values: Array) -> Array:
        return with_replacement(values, self.search.options.sample)


def advise(options: EvoNasConfig, space: SearchSpace[Any], trials: int | None) -> list[str]:
    """What to know before the start (`AlgorithmEntry.advice`)."""
    if trials is not None and trials <= options.population:
        return [
            f"The first {options.population:,} individuals come from the untrained policy, the budget allows {trials:,} trials: this would "
            "be random search. Make the population smaller than the budget, a quarter of it for example."
        ]
    return []


def phases(config: EvoNasConfig) -> list[Phase]:
    return [EvoNas()]


ENTRY = AlgorithmEntry(
    id="evo_nas",
    title="Evo-NAS",
    family="evolution",
    summary="An aging population whose children copy each decision from their parent or draw it from an LSTM that learns what is good.",
    source="Maziarz et al. 2018, arXiv:1811.09828",
    needs=frozenset({"trials"}),
    space_needs=frozenset({"decisions"}),
    config=EvoNasConfig,
    phases=phases,
    structure=("policy", "queue", "family", "schemata"),
    advice="search_engine.algorithms.policy.evo_nas:advise",
    quick={
        **QUICK_TRIALS,
        "options": {"population": 2, "sample": 2, "batch": 2, "hidden": 16, "queue": 2},
        "budget": {"trials": 4},
    },
)
