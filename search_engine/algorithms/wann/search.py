"""WANN: Weight Agnostic Neural Networks (A. Gaier, D. Ha, NeurIPS 2019, arXiv 1906.04358).

Search for a graph of neurons that does its task with *one* weight shared by all its edges, whatever that weight is. A generation:

    1. Evaluate every network with each of six shared weights on one batch of training data, the same for everybody.
       Its fitness is the mean log-likelihood over the weights; `max` is that of its best weight.
    2. Rank (non-dominated sorting): by (mean, 1 / connections) with probability 0.8, else by (mean, max); one draw a generation.
    3. Drop the worst fifth, keep the best fifth of the rest unchanged, fill up with children of tournament winners.
       A child differs from its parent by exactly one change: a node into an edge, a new edge, a disabled edge enabled, or another
       activation function.

It starts from almost nothing (each input-output edge with probability 0.05) and grows by at most one node or edge a generation, so the
number of generations matters more than the size of the population.

Where it departs from the code published with the paper: an operator that a network does not allow is drawn again instead of leaving the
child unchanged; three defects are absent (disabled edges between hidden nodes that still work in the network, the crowding distance's
parentheses, node numbers that must be ascending); a sample's log-probability is clipped at -50. The champion is the network of the best
accuracy on the validation part, averaged over the shared weights, among all that were ever the fittest of their generation.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from pydantic import Field, field_validator

from search_engine.base.generators import derive_seed
from search_engine.base.lazy import lazy_module
from search_engine.base.measures import measure_of
from search_engine.events import Champion, ChartsFrame, Cost, Fidelity, Metrics, PopulationBlock
from search_engine.spaces.neuron_genes.activations import DIFFERENTIABLE, NUMBERS, ActivationName
from search_engine.spaces.neuron_genes.genes import Array, Genes, initial_genes
from search_engine.spaces.neuron_genes.innovation import InnovationTable
from search_engine.spaces.neuron_genes.operators import Mutation, apply_mutation, choose

from ..base import Context, Finalist
from ..step_search import StepSearch
from ..thinned import Thinned
from ..trials.schemata.watch import SchemataConfig
from .champions import changes
from .evaluation import Plan, Scores, as_inputs, evaluate, parts
from .fronts import MOST, Front, first_front, front_chart
from .graph_schemata import GraphSchemata
from .ranking import rank
from .records import ELITE, INITIAL, Birth, encode_block, pack_population, unpack_population

if TYPE_CHECKING:
    import torch

    from search_engine.spaces.neuron_graph import NeuronGraphSpace
else:
    torch = lazy_module("torch")

FITNESS = "train_log_likelihood"
"""What the population is ranked by, on training batches: the mean over the shared weights, and the best of them."""
FORGET_EVERY = 50
"""Generations between two clearings of the innovation table: seldom, because each looks at the whole population."""


class WannConfig(SchemataConfig):
    """Hyper-parameters of the search; the paper's values for MNIST are named where they differ."""

    population: int = Field(default=64, ge=4, le=4096, title="Population", description="Networks in a generation. Paper: 960.")
    generations: int = Field(
        default=1200, ge=1, le=1_000_000, title="Generations",
        description="The horizon. Networks grow by one node or edge a generation, so this decides how large they can become. Paper: 4096.",
    )
    fitness: Literal["train_batches"] = Field(
        default="train_batches", title="Fitness",
        description="Fitness is measured on batches of the training part (as in the paper); validation data only choose the champion.",
    )
    batch_size: int = Field(
        default=1000, ge=10, le=100_000, title="Batch size",
        description="Training examples of a generation's batch, drawn anew each generation, the same for every network.",
    )
    weights: tuple[float, ...] = Field(
        default=(-2.0, -1.0, -0.5, 0.5, 1.0, 2.0), min_length=1, max_length=32, title="Shared weights",
        description="Each network is evaluated with each of these as the weight of all its edges.",
    )
    activations: tuple[ActivationName, ...] = Field(
        default=DIFFERENTIABLE, min_length=2, title="Activation functions",
        description="What a hidden node may compute. The step function is left out, as in the paper's MNIST search.",
    )
    initial_probability: float = Field(
        default=0.05, ge=0, le=1, title="Initial edges",
        description="Probability with which each edge from an input to an output is enabled at the start.",
    )
    tournament: int = Field(
        default=8, ge=1, le=1024, title="Tournament size",
        description="Networks drawn for a tournament; the best ranked is the parent. Paper: 32.",
    )
    cull_ratio: float = Field(
        default=0.2, ge=0, lt=1, title="Culled share", description="The worst share of the population has no children."
    )
    elite_ratio: float = Field(default=0.2, ge=0, lt=1, title="Elite share", description="The best share of the rest goes on unchanged.")
    complexity_probability: float = Field(
        default=0.8, ge=0, le=1, title="Complexity objective",
        description="Probability with which a generation is ranked by fitness and few connections, instead of fitness and best weight.",
    )
    add_node: float = Field(default=0.25, ge=0, le=1, title="Insert node", description="Share of children that get a node into an edge.")
    add_connection: float = Field(default=0.20, ge=0, le=1, title="Add connection", description="Share of children that get a new edge.")
    enable: float = Field(
        default=0.05, ge=0, le=1, title="Enable edge", description="Share of children in which a disabled edge is enabled."
    )
    change_activation: float = Field(
        default=0.50, ge=0, le=1, title="Change activation",
        description="Share of children in which a node gets another activation function.",
    )
    validated: int = Field(
        default=4, ge=1, le=64, title="Validated per generation",
        description="The fittest networks of a generation that are scored on the validation part, if they are new.",
    )
    archive: int = Field(default=10, ge=1, le=1000, title="Archive", description="Best networks so far, by validation, that are kept.")

    @field_validator("weights")
    @classmethod
    def _usable_weights(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if len(set(value)) != len(value) or any(not 0 < abs(weight) <= 10 for weight in value):
            raise ValueError("shared weights must be different numbers between -10 and 10, none of them 0")
        return value

    @field_validator("activations")
    @classmethod
    def _different(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) != len(value):
            raise ValueError("an activation function is named twice")
        return value

    @field_validator("change_activation")
    @classmethod
    def _some_growth(cls, value: float, info: Any) -> float:
        if value + sum(info.data.get(name, 0) for name in ("add_node", "add_connection", "enable")) <= 0:
            raise ValueError("at least one of the four mutations needs a positive share")
        return value


DRAWS_AT_ONCE = 2_000_000
"""So many random numbers found networks in one part: a fraction of a second."""


class Scored(NamedTuple):
    """A network of the archive, with its accuracy and log-likelihood on the validation part (means over the shared weights)."""

    genes: Genes
    accuracy: float
    log_likelihood: float
    generation: int


class WannSearch(StepSearch[WannConfig]):
    """One generation a step, so the generation under way is the number of steps done. A large population is made, evaluated and bred in
    parts, one a call of `step`; what a generation used is said with the last of them."""

    title = "Growing a population"
    state_version = 2

    def begin(self, context: Context, handover: dict[str, Any] | None) -> None:
        super().begin(context, handover)
        self.space: NeuronGraphSpace = context.space  # type: ignore[assignment]
        data = self.samples
        self.train_features = self.space.features(data.train.inputs, data.preprocessing)
        self.validation_inputs = as_inputs(self.space.features(data.validation.inputs, data.preprocessing), context.device)
        self.validation_labels = self._labels(data.validation.labels)
        self.activations = tuple(NUMBERS[name] for name in self.options.activations)
        self.table = InnovationTable(self.space.inputs, self.space.outputs)
        self.archive: list[Scored] = []
        self.judged = 0
        """Networks that were scored on the validation part: of so many the champion is the best."""
        self.fronts: Thinned[Front] = Thinned(MOST)
        size = self.options.population
        self.population: list[Genes] = []
        self._found()
        self.births = [Birth(-1, INITIAL)] * size
        self.validated = [False] * size
        self.plan: tuple[Plan | None, list[slice]] | None = None
        """How this generation is evaluated, once that is known."""
        self.evaluated: list[Array] = []
        """Log-likelihoods (networks, weights) of its parts so far."""
        self.looked = False
        """Whether the fittest of this generation are validated already, and only the next is to be bred."""
        self.unsaid = Cost()
        """What the parts of this generation used so far."""
        options = self.options
        self.schemata: GraphSchemata | None = None
        if options.schemata:
            self.schemata = GraphSchemata(
                options.schemata, context.seed, FITNESS, self._shares, len(self.activations), options.tournament
            )

    # ---------------------------------------------------------------- one generation

    @property
    def preparing(self) -> bool:
        return len(self.population) < self.options.population

    def _found(self) -> None:
        """The next founders, as many as are made at once."""
        space = self.space
        count = max(1, DRAWS_AT_ONCE // ((space.inputs + 1) * space.outputs))
        for _ in range(min(count, self.options.population - len(self.population))):
            self.population.append(initial_genes(space.inputs, space.outputs, self.options.initial_probability, self.context.rng))

    def step(self) -> Cost:
        if self.preparing:
            self._found()
            return Cost()
        before = self.cost
        ended = self._part()
        self.unsaid = self.unsaid.plus(self.spent_since(before))
        if not ended:
            return Cost()
        said, self.unsaid = self.unsaid, Cost()
        return said

    def _part(self) -> bool:
        """The next part of the generation; whether it was the last. Of a small population there is one."""
        scores = self._on_batch()
        if scores is None:
            return False
        mean, best = scores.log_likelihood.mean(axis=1), scores.log_likelihood.max(axis=1)
        if not self.looked:
            self._validate(mean)
            self.looked = len(self.evaluated) > 1
            if self.looked:
                return False
        self._report(mean, best)
        self._next_generation(self._ranked(mean, best), mean)
        self.plan, self.evaluated, self.looked = None, [], False
        self.done += 1
        return True

    def _on_batch(self) -> Scores | None:
        """Everybody on this generation's batch, a function of seed and generation alone; None while parts of a large population are left,
        and where the last of them was evaluated just now."""
        labels = self.samples.train.labels
        generator = np.random.RandomState(derive_seed(self.context.seed, "batch", self.done) % 2**32)
        chosen = generator.permutation(len(labels))[: self.options.batch_size]
        inputs = as_inputs(self.train_features[chosen], self.context.device)
        if self.plan is None:
            self.plan = parts(self.population, len(self.options.weights), len(chosen), inputs.device.type)
        how, places = self.plan
        if len(self.evaluated) == len(places):
            return Scores(np.concatenate(self.evaluated), None)
        part = places[len(self.evaluated)]
        found = evaluate(self.population[part], inputs, self._labels(labels[chosen]), self.options.weights, chosen=how)
        self.evaluated.append(found.log_likelihood)
        if len(self.evaluated) < len(places):
            return None
        self._charge(self.population, len(chosen))
        return None if len(places) > 1 else Scores(np.concatenate(self.evaluated), None)

    def _ranked(self, mean: Array, best: Array) -> list[int]:
        """Places in the population, best first."""
        if self.context.rng.random() < self.options.complexity_probability:
            second = np.array([1 / max(genes.connections, 1) for genes in self.population])
        else:
            second = best
        return [int(place) for place in rank(np.stack([mean, second], axis=1))]

    def _next_generation(self, ranked: list[int], fitness: Array) -> None:
        survivors = ranked[: len(ranked) - int(len(ranked) * self.options.cull_ratio)]
        elites = survivors[: int(len(survivors) * self.options.elite_ratio)]
        if self.schemata is not None:
            self.schemata.begin(self.population, fitness, survivors, elites, self.table, self._mutant)
        population = [self.population[place] for place in elites]
        births = [Birth(place, ELITE) for place in elites]
        validated = [self.validated[place] for place in elites]
        while len(population) < self.options.population:
            winner = min(self.context.rng.randrange(len(survivors)) for _ in range(self.options.tournament))
            child, birth = self._child(survivors[winner])
            population.append(child)
            births.append(birth)
            validated.append(False)
        self.population, self.births, self.validated = population, births, validated
        if self.schemata is not None:
            frame = self.schemata.close(population)
            if frame is not None:
                self.context.emit(frame, self.done)
        if self.done % FORGET_EVERY == 0:
            self.table.forget(self.population)

    def _child(self, place: int) -> tuple[Genes, Birth]:
        parent = self.population[place]
        mutation: Mutation | None = choose(parent, self.table, self.context.rng, self._shares, self.activations)
        if mutation is None:
            return parent, Birth(place, ELITE)
        return apply_mutation(parent, mutation), Birth(place, mutation.operator, mutation.values)

    @property
    def _shares(self) -> dict[str, float]:
        """Of each mutation."""
        options = self.options
        return {
            "add_node": options.add_node,
            "add_connection": options.add_connection,
            "enable": options.enable,
            "change_activation": options.change_activation,
        }

    def _mutant(self, parent: Genes, table: InnovationTable, rng: random.Random) -> Genes:
        """A child as it could be."""
        mutation = choose(parent, table, rng, self._shares, self.activations)
        return parent if mutation is None else apply_mutation(parent, mutation)

    # ---------------------------------------------------------------- champion

    def _validate(self, mean: Array) -> None:
        """Score the fittest new networks on the validation part, and keep the best ever."""
        fittest = np.argsort(-mean, kind="stable")[: self.options.validated]
        new = [int(place) for place in fittest if not self.validated[place]]
        if not new:
            return
        candidates = [self.population[place] for place in new]
        scores = evaluate(candidates, self.validation_inputs, self.validation_labels, self.options.weights, accuracy=True)
        assert scores.accuracy is not None
        self._charge(candidates, len(self.validation_labels))
        self.judged += len(candidates)
        former = self.archive[0] if self.archive else None
        known = {entry.genes.key for entry in self.archive}
        for place, genes, accuracy, likelihood in zip(
            new, candidates, scores.accuracy.mean(axis=1), scores.log_likelihood.mean(axis=1), strict=True
        ):
            self.validated[place] = True
            if genes.key not in known:
                known.add(genes.key)
                self.archive.append(Scored(genes, float(accuracy), float(likelihood), self.done))
        # The sort is stable, so of equals the older one stays in front.
        self.archive.sort(key=lambda entry: (-entry.accuracy, -entry.log_likelihood))
        del self.archive[self.options.archive :]
        if former is None or self.archive[0].genes.key != former.genes.key:
            self._crown(former)

    def _crown(self, former: Scored | None) -> None:
        champion = self.archive[0]
        genome = self.space.genome(champion.genes)
        self.context.emit(
            Champion(
                generation=self.done,
                value=champion.accuracy,
                metric=self.context.metric,
                fidelity=Fidelity(text=self._shared),
                selected_from=self.judged,
                genome=genome.to_json(),
                genome_hash=self.space.hash(genome),
                graph=self.space.drawings(genome)["network"],
                **changes(former.genes if former else None, champion.genes),
            ),
            self.done,
        )

    # ---------------------------------------------------------------- record

    def _report(self, mean: Array, best: Array) -> None:
        values = {
            "best": float(mean.max()),
            "mean": float(mean.mean()),
            "median_edges": float(np.median([genes.connections for genes in self.population])),
            "median_nodes": float(np.median([len(genes.nodes) for genes in self.population])),
        }
        if self.archive:
            values["val_accuracy"] = self.archive[0].accuracy
        self.context.emit(Metrics(step=self.done, samples=self.cost.samples, values=values), self.done)
        block = encode_block(self.done, self.population, self.births, mean, best)
        self.context.emit(
            PopulationBlock(
                generation=self.done, size=len(self.population), block=block, best=float(mean.max()), mean=float(mean.mean()),
                metric=FITNESS, direction=measure_of(FITNESS).direction,
            ),
            self.done,
        )
        self._draw_fronts(mean)

    def _draw_fronts(self, mean: Array) -> None:
        """Fitness against connections, where this generation is one of those that are kept, or the last."""
        if not self.fronts.due(self.done) and self.done + 1 < self.options.generations:
            return
        front = first_front(np.array([genes.connections for genes in self.population]), mean)
        words = f"mean log-likelihood over {len(self.options.weights)} shared weights, nats per training example"
        chart = front_chart(self.fronts.with_newest(self.done, front), words)
        self.context.emit(ChartsFrame(step=self.done, charts=[chart]), self.done)
        self.fronts.add(self.done, front)

    def _charge(self, networks: list[Genes], samples: int) -> None:
        passes = len(self.options.weights) * samples
        edges = sum(genes.connections for genes in networks)
        self.spend(Cost(forward=len(networks) * passes, flops=2.0 * edges * passes))

    def _labels(self, labels: Array) -> torch.Tensor:
        return torch.from_numpy(labels.astype(np.int64)).to(self.context.device)

    # ---------------------------------------------------------------- phase

    @property
    def horizon(self) -> int:
        return self.options.generations

    def best(self) -> list[Finalist]:
        weights = {"weights": np.array(self.options.weights)}
        return [
            Finalist(
                self.space.genome(entry.genes), finish="as_is", value=entry.accuracy, init=weights, selected_from=self.judged,
                fidelity=self._shared,
            )
            for entry in self.archive
        ]

    @property
    def _shared(self) -> str:
        """How the validation scores of the search are measured."""
        return f"one weight for all edges, mean over {len(self.options.weights)} of them"

    def state_dict(self) -> dict[str, Any]:
        return {
            **super().state_dict(),
            "table": self.table.state_dict(),
            "population": pack_population(self.population),
            "births": [[birth.parent, birth.operator, list(birth.values)] for birth in self.births],
            "validated": list(self.validated),
            "judged": self.judged,
            "evaluated": list(self.evaluated),
            # Between two parts of a large generation only: elsewhere the form is what it was before its end had parts, too.
            **({"looked": self.looked, "unsaid": self.unsaid.model_dump()} if self.evaluated else {}),
            **({} if self.schemata is None else {"schemata": self.schemata.state_dict()}),
            "archive": pack_population([entry.genes for entry in self.archive]),
            # Not in a state that was left before fronts were drawn.
            **({"fronts": self.fronts.state_dict()} if self.fronts.kept else {}),
            "archive_scores": [[entry.accuracy, entry.log_likelihood, entry.generation] for entry in self.archive],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        self.table.load_state_dict(state["table"])
        self.population = unpack_population(state["population"])
        self.births = [Birth(parent, operator, tuple(values)) for parent, operator, values in state["births"]]
        self.validated = list(state["validated"])
        self.judged = state["judged"]
        # One that was written before generations had parts.
        self.evaluated = list(state.get("evaluated", []))
        self.looked, self.unsaid = state.get("looked", False), Cost.model_validate(state.get("unsaid", {}))
        if self.schemata is not None:
            self.schemata.load_state_dict(state["schemata"])
        if "fronts" in state:
            self.fronts.load_state_dict(state["fronts"])
        archived = zip(unpack_population(state["archive"]), state["archive_scores"], strict=True)
        self.archive = [Scored(genes, *scores) for genes, scores in archived]
