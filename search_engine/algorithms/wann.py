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

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from pydantic import Field, field_validator

from ..events import Champion, Cost, Metrics, PopulationBlock
from ..generators import derive_seed
from ..growth.activations import DIFFERENTIABLE, NUMBERS, ActivationName
from ..growth.champions import changes
from ..growth.evaluation import Scores, as_inputs, evaluate
from ..growth.genes import Array, Genes, initial_genes
from ..growth.innovation import InnovationTable
from ..growth.operators import Mutation, apply_mutation, choose
from ..growth.ranking import rank
from ..growth.records import ELITE, INITIAL, Birth, encode_block, pack_population, unpack_population
from ..lazy import lazy_module
from .base import AlgorithmConfig, AlgorithmEntry, Context, Finalist, Phase, StepPhase

if TYPE_CHECKING:
    import torch

    from ..spaces.neuron_graph import NeuronGraphSpace
else:
    torch = lazy_module("torch")

FORGET_EVERY = 50
"""Generations between two clearings of the innovation table: seldom, because each looks at the whole population."""


class WannConfig(AlgorithmConfig):
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


class Scored(NamedTuple):
    """A network of the archive, with its accuracy and log-likelihood on the validation part (means over the shared weights)."""

    genes: Genes
    accuracy: float
    log_likelihood: float
    generation: int


class WannSearch(StepPhase):
    """One generation a step."""

    title = "Growing a population"

    def begin(self, context: Context, handover: dict[str, Any] | None) -> None:
        super().begin(context, handover)
        assert context.data is not None
        self.options: WannConfig = context.options
        self.space: NeuronGraphSpace = context.space  # type: ignore[assignment]
        data = context.data
        self.train_features = self.space.features(data.train, data.preprocessing)
        self.validation_inputs = as_inputs(self.space.features(data.validation, data.preprocessing), context.device)
        self.validation_labels = self._labels(data.validation.labels)
        self.activations = tuple(NUMBERS[name] for name in self.options.activations)
        self.table = InnovationTable(self.space.inputs, self.space.outputs)
        self.generation = 0
        self.spent = Cost()
        self.archive: list[Scored] = []
        probability, size = self.options.initial_probability, self.options.population
        self.population = [initial_genes(self.space.inputs, self.space.outputs, probability, context.rng) for _ in range(size)]
        self.births = [Birth(-1, INITIAL)] * size
        self.validated = [False] * size

    # ---------------------------------------------------------------- one generation

    def step(self) -> Cost:
        before = self.spent
        scores = self._on_batch()
        mean, best = scores.log_likelihood.mean(axis=1), scores.log_likelihood.max(axis=1)
        self._validate(mean)
        self._report(mean, best)
        self._next_generation(self._ranked(mean, best))
        self.generation += 1
        return Cost(
            forward=self.spent.forward - before.forward,
            flops=self.spent.flops - before.flops,
        )

    def _on_batch(self) -> Scores:
        """Everybody on this generation's batch: a function of seed and generation alone."""
        assert self.context.data is not None
        labels = self.context.data.train.labels
        generator = np.random.RandomState(derive_seed(self.context.seed, "batch", self.generation) % 2**32)
        chosen = generator.permutation(len(labels))[: self.options.batch_size]
        inputs = as_inputs(self.train_features[chosen], self.context.device)
        self._charge(self.population, len(chosen))
        return evaluate(self.population, inputs, self._labels(labels[chosen]), self.options.weights)

    def _ranked(self, mean: Array, best: Array) -> list[int]:
        """Places in the population, best first."""
        if self.context.rng.random() < self.options.complexity_probability:
            second = np.array([1 / max(genes.connections, 1) for genes in self.population])
        else:
            second = best
        return [int(place) for place in rank(np.stack([mean, second], axis=1))]

    def _next_generation(self, ranked: list[int]) -> None:
        survivors = ranked[: len(ranked) - int(len(ranked) * self.options.cull_ratio)]
        elites = survivors[: int(len(survivors) * self.options.elite_ratio)]
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
        if self.generation % FORGET_EVERY == 0:
            self.table.forget(self.population)

    def _child(self, place: int) -> tuple[Genes, Birth]:
        options = self.options
        shares = {
            "add_node": options.add_node,
            "add_connection": options.add_connection,
            "enable": options.enable,
            "change_activation": options.change_activation,
        }
        parent = self.population[place]
        mutation: Mutation | None = choose(parent, self.table, self.context.rng, shares, self.activations)
        if mutation is None:
            return parent, Birth(place, ELITE)
        return apply_mutation(parent, mutation), Birth(place, mutation.operator, mutation.values)

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
        former = self.archive[0] if self.archive else None
        known = {entry.genes.key for entry in self.archive}
        for place, genes, accuracy, likelihood in zip(
            new, candidates, scores.accuracy.mean(axis=1), scores.log_likelihood.mean(axis=1), strict=True
        ):
            self.validated[place] = True
            if genes.key not in known:
                known.add(genes.key)
                self.archive.append(Scored(genes, float(accuracy), float(likelihood), self.generation))
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
                generation=self.generation,
                value=champion.accuracy,
                metric=self.context.metric,
                genome=genome.to_json(),
                genome_hash=self.space.hash(genome),
                graph=self.space.drawings(genome)["network"],
                **changes(former.genes if former else None, champion.genes),
            ),
            self.generation,
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
        self.context.emit(Metrics(step=self.generation, samples=self.spent.samples, values=values), self.generation)
        block = encode_block(self.generation, self.population, self.births, mean, best)
        self.context.emit(
            PopulationBlock(
                generation=self.generation, size=len(self.population), block=block, best=float(mean.max()), mean=float(mean.mean())
            ),
            self.generation,
        )

    def _charge(self, networks: list[Genes], samples: int) -> None:
        passes = len(self.options.weights) * samples
        edges = sum(genes.connections for genes in networks)
        self.spent = self.spent.plus(Cost(forward=len(networks) * passes, flops=2.0 * edges * passes))

    def _labels(self, labels: Array) -> torch.Tensor:
        return torch.from_numpy(labels.astype(np.int64)).to(self.context.device)

    # ---------------------------------------------------------------- phase

    @property
    def horizon(self) -> int:
        return self.options.generations

    @property
    def finished(self) -> bool:
        return self.generation >= self.options.generations

    @property
    def steps_done(self) -> int:
        return self.generation

    def best(self) -> list[Finalist]:
        weights = {"weights": np.array(self.options.weights)}
        return [Finalist(self.space.genome(entry.genes), finish="as_is", value=entry.accuracy, init=weights) for entry in self.archive]

    def state_dict(self) -> dict[str, Any]:
        return {
            "generation": self.generation,
            "spent": self.spent.model_dump(),
            "table": self.table.state_dict(),
            "population": pack_population(self.population),
            "births": [[birth.parent, birth.operator, list(birth.values)] for birth in self.births],
            "validated": list(self.validated),
            "archive": pack_population([entry.genes for entry in self.archive]),
            "archive_scores": [[entry.accuracy, entry.log_likelihood, entry.generation] for entry in self.archive],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.generation = state["generation"]
        self.spent = Cost.model_validate(state["spent"])
        self.table.load_state_dict(state["table"])
        self.population = unpack_population(state["population"])
        self.births = [Birth(parent, operator, tuple(values)) for parent, operator, values in state["births"]]
        self.validated = list(state["validated"])
        archived = zip(unpack_population(state["archive"]), state["archive_scores"], strict=True)
        self.archive = [Scored(genes, *scores) for genes, scores in archived]


def _phases(options: WannConfig) -> list[Phase]:
    return [WannSearch()]


ENTRY = AlgorithmEntry(
    id="wann",
    title="WANN",
    family="evolution",
    summary="Grows graphs of neurons that work with one shared weight for all edges, whatever its value: the structure itself is the "
    "solution. At the end the weights are tuned and trained as well.",
    source="Gaier & Ha 2019, Weight Agnostic Neural Networks, arXiv:1906.04358",
    needs=frozenset({"weights"}),
    space_needs=frozenset({"growth"}),
    config=WannConfig,
    phases=_phases,
    budgets=frozenset({"samples", "seconds"}),
    spaces=("neuron_graph",),
    lives="a graph that grows",
    structure=("growth", "population"),
    metric_note="shared weights",
    finisher="search_engine.growth.four_numbers:finish",
    quick={"options": {"population": 12, "generations": 4, "batch_size": 64}},
)
