"""PathNet: Evolution Channels Gradient Descent in Super Neural Networks (C. Fernando et al., arXiv 1701.08734).

A super-network has L layers of M modules. A genotype is a path through it: at most N modules of each layer. A population of genotypes
learns the first task; one step is a binary tournament (section 2.3 of the paper, its serial form):

    1. Draw two genotypes. Each in turn trains the *shared* weights along its path on T minibatches; that gives its fitness.
    2. The loser is overwritten by a copy of the winner in which each gene is mutated with probability 1 / (L N).

A task ends when a fitness reaches the threshold, or after so many tournaments. Then the modules of the best path are frozen, all others
are drawn anew, and a new population with a new readout learns the next task; its paths may use what was frozen, but cannot change it:
nothing that was learned before is forgotten.

Where it departs from the paper: fitness is the accuracy on validation data after the training (the paper's, on the minibatches while they
are trained on, is the option `train_batches`); the frozen modules take part in every later forward pass (`fixed_always_active`); and the
speed-up is shown beside its controls, because a frozen path also makes the network wider, which helps even where it learned nothing.
Only what goes beyond the control with an untrained frozen path is learned transfer. Measured on two tasks of five digits, tournaments
until 95 % of the training examples: second task 12.9, from scratch 19.7, untrained frozen path 14.6 (mean of twelve seeds); with paths
that must choose the frozen modules, as in the paper, 21.5 against 20.9 from scratch (eight seeds).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, field_validator

from search_engine.base.lazy import lazy_module
from search_engine.events import Cost, Metrics, Notice, PathwaysFrame
from search_engine.spaces.genomes import Genome

from ..base import Context, Finalist, StopReason
from ..step_search import StepSearch
from ..trials.schemata.watch import SchemataConfig
from .diversity import diversity, overlap
from .genotypes import path_of, union
from .path_schemata import PathSchemata
from .population import Population

if TYPE_CHECKING:
    from search_engine.spaces.modular import ModularSpace, Path
    from search_engine.supernets import modular_network

    from . import kept_weights, shared_training
else:
    kept_weights = lazy_module("search_engine.algorithms.pathnet.kept_weights")
    modular_network = lazy_module("search_engine.supernets.modular_network")
    shared_training = lazy_module("search_engine.algorithms.pathnet.shared_training")

ControlName = Literal["from_scratch", "width_control", "fine_tune"]
SHARED = "weights shared with other paths"
"""What a path's weights have been given when it is ranked."""
LETTERS = "ABCDEFGH"


class PathNetConfig(SchemataConfig):
    """Hyper-parameters of PathNet. Layers, modules and the modules of a path belong to the space."""

    # ---- evolution
    population: int = Field(default=64, ge=2, le=1024, title="Population", description="Genotypes. Paper: 64.")
    generations: int = Field(
        default=120, ge=1, le=100_000, title="Tournaments per task",
        description="A task ends after so many tournaments, whatever it reached. Paper: up to 500.",
    )
    threshold: float = Field(
        default=0.98, ge=0, le=1, title="Threshold",
        description="A task ends as soon as a fitness reaches this; 0 = never. Paper: 0.998 of the training examples, on two classes.",
    )
    fitness: Literal["validation", "train_batches"] = Field(
        default="validation", title="Fitness",
        description="validation: accuracy on validation data after the training. train_batches: accuracy on the minibatches while they are "
        "trained on, as in the paper; it is a training accuracy and named so.",
    )
    validation_examples: int = Field(
        default=500, ge=1, le=1_000_000, title="Validation batch",
        description="Validation examples that score a tournament, the same for both; a data set with fewer is used whole.",
    )
    rescored: int = Field(
        default=8, ge=1, le=1024, title="Scored again at the end",
        description="At the end of a task so many of the fittest paths are scored once more, on all validation data and with the weights "
        "as they are then; the best of them is frozen. Only with validation fitness.",
    )

    # ---- training
    minibatches: int = Field(
        default=50, ge=1, le=10_000, title="Minibatches T", description="A genotype's training in a tournament. Paper: 50."
    )
    batch_size: int = Field(default=16, ge=1, le=65_536, title="Batch size", description="Examples in a minibatch. Paper: 16.")
    learning_rate: float = Field(
        default=0.01, gt=0, le=10, title="Learning rate",
        description="SGD's. Large ones hide the transfer, because everything is learned in a few tournaments. Paper: 0.0001; public "
        "implementations use 0.01 to 0.2.",
    )
    momentum: float = Field(default=0.0, ge=0, lt=1, title="Momentum", description="SGD's momentum; it moves active modules only.")
    weight_decay: float = Field(
        default=0.0, ge=0, le=1, title="Weight decay", description="L2 penalty on the weights of active modules; others stand still."
    )
    gradient_clip: float = Field(
        default=0.0, ge=0, le=1000, title="Gradient clip", description="Largest norm of a path's gradient; 0 = no limit."
    )

    # ---- transfer
    fixed_always_active: bool = Field(
        default=True, title="Frozen path always active",
        description="Earlier tasks' frozen modules take part in every later forward pass. Off = as in the paper, where a path must choose "
        "them; then hardly any transfer shows at this size.",
    )
    controls: tuple[ControlName, ...] = Field(
        default=("from_scratch", "width_control"), max_length=3, title="Controls",
        description="What each later task is compared with after the search, outside its budget. from_scratch: nothing frozen. "
        "width_control: the same modules frozen, but untrained; what goes beyond it is not due to the width. fine_tune: the path of the "
        "task before, trained on, without evolution.",
    )

    @field_validator("controls")
    @classmethod
    def _different(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) != len(value):
            raise ValueError("a control is named twice")
        return value


class PathNetTask(StepSearch[PathNetConfig]):
    """The evolution of paths for one task. `step` is one tournament."""

    state_version = 2

    def __init__(self, task: int) -> None:
        self.task = task
        self.name = f"task {task + 1}"
        self.title = f"Task {LETTERS[task]}" + (": transfer" if task else "")

    def begin(self, context: Context, handover: dict[str, Any] | None) -> None:
        """Draw super-network and population, put back what earlier tasks froze. Raises TypeError without samples."""
        super().begin(context, handover)
        data = self.samples_of_all[self.task]
        self.space: ModularSpace = context.space  # type: ignore[assignment]
        self.kept: dict[str, Any] = handover or {"paths": [], "records": [], "weights": {}, "finalists": []}
        self.earlier = self._earlier()
        self.frozen = union(self.earlier, self.space.config.layers)
        # Everything is drawn anew; only then the frozen modules get their weights back. So whatever is not frozen is re-initialised.
        network = modular_network.build_supernet(self.space)
        self._restore(network)
        options = self.options
        self.training = shared_training.SharedTraining(
            network.to(context.device), self.frozen, self.task, data,
            batch_size=options.batch_size, learning_rate=options.learning_rate, momentum=options.momentum,
            weight_decay=options.weight_decay, gradient_clip=options.gradient_clip, validation_examples=options.validation_examples,
            seed=context.seed, device=context.device, amp=context.amp,
        )  # fmt: skip
        self.population = self._population()
        self.reached = False
        self.schemata: PathSchemata | None = None
        if options.schemata and not self.control:
            self.schemata = PathSchemata(self.population, options.schemata, context.seed, self._figure, self.task)
        self._introduce()

    def _earlier(self) -> list[Path]:
        """The paths that are frozen."""
        return [path_of(path) for path in self.kept["paths"][: self.task]]

    def _restore(self, network: modular_network.ModularSupernet) -> None:
        kept_weights.restore(network, self.kept["weights"])

    def _population(self) -> Population:
        size = self.space.config
        return Population.drawn(self.options.population, size.layers, size.modules, size.active, self.context.rng)

    @property
    def horizon(self) -> int:
        return self.options.generations

    @property
    def stop_reason(self) -> StopReason:
        return "stopped" if self.reached else "horizon"

    @property
    def finished(self) -> bool:
        return self.reached or super().finished

    # ---- one tournament

    def step(self) -> Cost:
        """Two genotypes compete. Raises TrialFailure where a loss is not finite."""
        before = self.cost
        pair = self.population.draw(self.context.rng)
        trained = []
        for place in pair:
            trained.append(self._compete(place))
            self.reached = 0 < self.options.threshold <= (self.population.fitness[place] or 0.0)
            if self.reached:
                # At once: the other's training would move the shared weights, and with them what has just been measured.
                break
        values = {
            "train_loss": sum(item.loss for item in trained) / len(trained),
            "train_accuracy": sum(item.accuracy for item in trained) / len(trained),
        }
        competed = {place: self.population.genotypes[place] for place in pair}
        tournament = () if self.reached else self.population.settle(*pair, self.context.rng)
        self.done += 1
        if self.schemata is not None and tournament:
            frame = self.schemata.settled(*(competed[place] for place in tournament))
            if frame is not None:
                self.context.emit(frame, self.done)
        if self.finished and self.options.fitness == "validation":
            self._score_again()
        self._report(tournament, values)
        if self.finished:
            self._conclude()
        return self.spent_since(before)

    def _compete(self, place: int) -> shared_training.Trained:
        """Train a genotype's path on T minibatches and give the genotype its fitness."""
        modules = self._active(self.population.path(place))
        trained = self.training.train(modules, self.options.minibatches)
        self.spend(trained.cost)
        fitness = trained.accuracy
        if self.options.fitness == "validation":
            scored = self.training.score(modules, self.done)
            self.spend(scored.cost)
            fitness = scored.accuracy
        self.population.score(place, fitness, self.done)
        return trained

    def _always(self) -> Path:
        """The modules that are in every forward pass."""
        return self.frozen if self.options.fixed_always_active else ((),) * self.space.config.layers

    def _active(self, path: Path) -> Path:
        return union([path, self._always()], self.space.config.layers)

    def _score_again(self) -> None:
        """The fittest paths on all validation data: what was scored long ago was scored with other weights."""
        population = self.population
        ranked = population.ranked
        for place in ranked[: self.options.rescored]:
            scored = self.training.score(self._active(population.path(place)), None)
            self.spend(scored.cost)
            population.score(place, scored.accuracy, self.done)
        for place in ranked[self.options.rescored :]:
            population.forget(place)

    # ---- what is said

    def _introduce(self) -> None:
        if self.options.fitness == "train_batches" and not self.earlier:
            message = "fitness is the accuracy on training minibatches while they are trained on, as in the paper: no validation score"
            self.context.emit(Notice(name="fitness", message=message), 0)
        self._say_frame([])

    def _report(self, tournament: tuple[int, ...], values: dict[str, float]) -> None:
        # Beside it stands the mean of the two that competed, `train_accuracy`.
        name = self._figure if self.options.fitness == "validation" else "best_train_accuracy"
        now = {name: self._best_fitness() or 0.0, **values, **self._population_values()}
        self.context.emit(Metrics(step=self.done, samples=self.cost.samples, values=now), self.done)
        if self.finished or self.done % self.context.structure_every == 0:
            self._say_frame(list(tournament))

    def _say_frame(self, tournament: list[int]) -> None:
        size, population = self.space.config, self.population
        self.context.emit(
            PathwaysFrame(
                step=self.done, task=self.task, layers=size.layers, modules=size.modules,
                population=[_lists(path) for path in population.paths], fitness=list(population.fitness),
                metric=self._figure,
                frozen=_lists(self.frozen), earlier=[_lists(path) for path in self.earlier], best=_lists(population.path(population.best)),
                tournament=tournament, values=self._population_values(),
            ),
            self.done,
        )  # fmt: skip

    def _population_values(self) -> dict[str, float]:
        best = self.population.path(self.population.best)
        return {
            "diversity": diversity(self.population.paths, self.space.config.modules),
            "overlap": float(overlap(best, self.frozen)),
        }

    def _best_fitness(self) -> float | None:
        return self.population.fitness[self.population.best]

    def _conclude(self) -> None:
        path = self.population.path(self.population.best)
        shared = f", {overlap(path, self.frozen)} of them frozen by earlier tasks" if self.earlier else ""
        count = sum(len(layer) for layer in path)
        message = f"task {LETTERS[self.task]}: {in_words(self._record())}; its best path uses {count} modules{shared}"
        self.context.emit(Notice(name="task_ended", message=message, step=self.done, values=self._record()), self.done)

    # ---- results

    @property
    def _figure(self) -> str:
        """The name of the fitness: paths may be ranked on the minibatches that they train on, as in the paper."""
        return "val_accuracy" if self.options.fitness == "validation" else "train_accuracy"

    def _record(self) -> dict[str, float]:
        fitness = self._best_fitness()
        return {
            "tournaments": float(self.done), "reached": float(self.reached), "fitness": 0.0 if fitness is None else fitness,
            "threshold": self.options.threshold,
        }

    def _genome(self) -> Genome:
        return self.space.genome(self.population.path(self.population.best), self._always(), self.task)

    def best(self) -> list[Finalist]:
        """One finalist per task so far, with the weights that its path was left with."""
        found = [
            Finalist(
                Genome.from_json(item["genome"]), finish="as_is", value=item["value"], init={"state": item["state"]}, domains=(task,),
                metric=self._figure, selected_from=item["selected_from"], fidelity=SHARED,
                title=f"path of task {LETTERS[task]}",
            )
            for task, item in enumerate(self.kept["finalists"])
        ]
        return found if self._best_fitness() is None else [*found, self._own_finalist()]

    def _own_finalist(self) -> Finalist:
        genome = self._genome()
        state = self.training.network.path_state(genome)
        return Finalist(
            genome, finish="as_is", value=self._best_fitness(), init={"state": state}, domains=(self.task,),
            metric=self._figure, selected_from=max(1, 2 * self.done), fidelity=SHARED,
            title=f"path of task {LETTERS[self.task]}",
        )

    def handover(self) -> dict[str, Any] | None:
        """Paths, records and finalists of all tasks so far; the weights of every frozen module and of every readout."""
        path = self.population.path(self.population.best)
        own = self._own_finalist()
        frozen = union([*self.earlier, path], self.space.config.layers)
        finalist = {
            "genome": own.genome.to_json(), "value": own.value, "selected_from": own.selected_from, "state": (own.init or {})["state"],
        }
        return {
            "paths": [_lists(item) for item in [*self.earlier, path]],
            "records": [*self.kept["records"], self._record()],
            "weights": kept_weights.keep(self.training.network, frozen, self.task + 1),
            "finalists": [*self.kept["finalists"], finalist],
        }

    # ---- checkpoints

    def state_dict(self) -> dict[str, Any]:
        return {
            **super().state_dict(),
            "training": self.training.state_dict(),
            "population": self.population.state_dict(),
            "reached": self.reached,
            **({} if self.schemata is None else {"schemata": self.schemata.state_dict()}),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        self.training.load_state_dict(state["training"])
        self.population.load_state_dict(state["population"])
        self.reached = state["reached"]
        if self.schemata is not None:
            self.schemata.load_state_dict(state["schemata"])


def in_words(record: dict[str, float]) -> str:
    """How a task ended."""
    if record["reached"]:
        return f"reached {record['threshold']:g} after {record['tournaments']:.0f} tournaments"
    return f"{record['fitness']:.3f} after {record['tournaments']:.0f} tournaments"


def _lists(path: Path) -> list[list[int]]:
    return [list(layer) for layer in path]
