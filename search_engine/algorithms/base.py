"""What an algorithm is: a list of phases, each speaking one of two languages.

A *trial phase* proposes candidates (`ask`) and receives results in ask order (`tell`). A *step phase* moves a super-network or a
population in memory, one optimiser step or one generation at a time (`step`). Neither knows devices beyond `Context.device`, workers,
Celery or Django, and neither reads the clock: the search loop decides when to call.

A trial phase, as small as it can be, and a hand that drives it in place of the search loop:

>>> from search_engine.catalogue import registry
>>> from search_engine.spaces.data_shape import NO_INPUT
>>> class FirstBest(TrialPhase[SteadyConfig]):
...     def begin(self, context, handover): super().begin(context, handover); self.top = None
...     def ask(self): return [Proposal(self.context.space.sample(self.context.rng))]
...     def tell(self, results):
...         for result in results:
...             if result.ok and (self.top is None or result.metrics["reward"] > self.top.value):
...                 self.top = Finalist(result.genome, value=result.metrics["reward"], candidate=result.number)
...     def best(self): return [self.top] if self.top else []
...     def state_dict(self): return {}
...     def load_state_dict(self, state): pass
>>> sequence = registry.space("sequence")
>>> space = sequence.space(sequence.config(n=3), NO_INPUT)
>>> phase = FirstBest()
>>> phase.begin(Context(space, SteadyConfig(), seed=0, rng=random.Random(0), metric="reward", log=EventLog("run")), None)
>>> for number in range(3):
...     [proposal] = phase.ask()
...     phase.tell([Result(number, proposal.genome, "completed", {"reward": float(number)}, Cost())])
>>> phase.best()[0].candidate, phase.window, isinstance(phase, Phase)
(2, 1, True)
>>> Proposal(phase.best()[0].genome, parents=(2,), operator="copy", inherit=Inherit(trial=2, parts=("stem",))).inherit.trial
2

A step phase moves by itself:

>>> class Countdown(StepPhase[AlgorithmConfig]):
...     left = 2
...     steps_done = property(lambda self: 2 - self.left)
...     finished = property(lambda self: self.left == 0)
...     def step(self): self.left -= 1; return Cost(forward_backward=64)
...     def best(self): return []
...     def state_dict(self): return {"left": self.left}
...     def load_state_dict(self, state): self.left = state["left"]
>>> countdown = Countdown()
>>> cost = Cost()
>>> while not countdown.finished: cost = cost.plus(countdown.step())
>>> countdown.steps_done, cost.samples, countdown.stop_reason
(2, 128.0, 'horizon')

And the entry under which either is found:

>>> entry = AlgorithmEntry(
...     id="first_best", title="First best", family="sampling", summary="Keeps the best.", source="an example", needs=frozenset({"trials"}),
...     space_needs=frozenset({"sample"}), config=SteadyConfig, phases=lambda options: [FirstBest()], domains=Domains(least=1, most=1),
... )
>>> [space.id for space in registry.spaces_for(entry)][:2]
['cell', 'nb201']
"""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from ..base import plugins
from ..base.compression import Compression, Compressions, Narrowed
from ..base.measures import check_unit
from ..base.migrations import Steps
from ..base.population_config import PopulationConfig
from ..datasets.base import Array, Part, SearchData
from ..events import PICTURES, Cost, EventLog, Payload, Report
from ..spaces.base import SearchSpace, SpaceEntry
from ..spaces.genomes import Genome
from ..spaces.populations import GivenPopulation, Individuals
from .given import GivenModel

Finish = Literal["retrain", "as_is", "none"]
Split = Literal["val", "test"]
StopReason = Literal["horizon", "settled", "stopped"]


class AlgorithmConfig(BaseModel):
    """Base of the algorithms' hyper-parameters. Every field has a description, a default and a range. The properties say what they mean
    for the trials that the search will ask for: checks, estimates and forecasts go by them."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @property
    def compressions(self) -> Compressions | None:
        """How networks are compressed before they are trained; None where none is."""
        return None

    @property
    def initial_population(self) -> dict[str, int] | None:
        """How many individuals of which kind the search begins with, where it can begin with given ones (`Context.population`)."""
        return None

    @property
    def trial_fidelity(self) -> dict[str, Any]:
        """What (nearly) every trial asks of its training, other than the run's config says."""
        return {}


class SteadyConfig(AlgorithmConfig):
    """What every steady-state trial algorithm has."""

    window: int | None = Field(
        default=None,
        ge=1,
        le=64,
        title="Window of open trials",
        description="How many trials may be open at once. It is part of the search (proposal k waits for result k - window), so the "
        "result does not depend on how many workers there are; workers beyond the window wait. Empty: as many as cost this algorithm "
        "nothing that can be measured where candidates are trained, and 1 where answers are instant; the number is written into the "
        "run's config when the run is made.",
    )

    @property
    def open_trials(self) -> int:
        """The window. A config without one is a config of a run made before windows were written into it: one open trial."""
        return self.window or 1


GIVEN = -1
"""In place of an earlier trial: the finished network that the run begins with (`Context.given`)."""


@dataclass(frozen=True)
class Inherit:
    """Weights that a trial starts from: those of an earlier trial of the run that was told as completed and whose weights were kept."""

    trial: int
    """Or, where weights are morphed, `GIVEN`."""
    parts: tuple[str, ...] = ("",)
    """Submodules of the network (dotted names) whose parameters and buffers are copied; "" = the whole network."""
    morphs: tuple[dict[str, Any], ...] | None = None
    """In a space that offers `morphs`: the operators that made this genome of that trial's, in order; its weights are morphed with it. How
    good the network is before its own training is then part of the trial's figures (`GROWN`). None = weights are copied as they are."""


GROWN = "val_accuracy_grown"
"""Of a trial whose weights were morphed: the validation accuracy of its network before it was trained."""


@dataclass(frozen=True)
class Proposal:
    """One trial that an algorithm asks for."""

    genome: Genome
    parents: tuple[int, ...] = ()
    """Numbers of the parent candidates."""
    operator: str = "random"
    fidelity: dict[str, Any] = field(default_factory=dict)
    """Overrides of the run's training config for this trial, for example {"epochs": 2}."""
    inherit: Inherit | None = None
    """Weights to start from; None = fresh ones."""
    compress: Compression | None = None
    """How its network is compressed before it is trained; None = it is trained as it is."""


@dataclass(frozen=True)
class Compressed:
    """What became of a network that was compressed before it was trained."""

    genome: Genome
    """The network that was trained and scored, from fresh weights. The candidate's own genome stays what it was."""
    flops: tuple[float, float]
    """Of one forward pass over one example, before and after."""
    widths: dict[str, int]
    """By layer: channels that it keeps."""
    plain: dict[str, float] | None = None
    """Metrics of the network as it was, trained alike, where that was asked for (`Compression.beside`)."""
    narrowed: tuple[Narrowed, ...] = ()
    """Layer by layer; none of a trial of an earlier version."""


@dataclass(frozen=True)
class Result:
    """What a trial gave. `number` counts candidates from 0 in ask order."""

    number: int
    genome: Genome
    status: Literal["completed", "failed", "cancelled"]
    metrics: dict[str, float]
    cost: Cost
    reason: str = ""
    reused_from: int | None = None
    compressed: Compressed | None = None

    @property
    def ok(self) -> bool:
        return self.status == "completed"

    @property
    def scored(self) -> Genome:
        """The network that the metrics are of."""
        return self.compressed.genome if self.compressed is not None else self.genome


@dataclass(frozen=True)
class Finalist:
    """A genome that a phase hands to the finale, best first."""

    genome: Genome
    finish: Finish = "retrain"
    value: float | None = None
    """What it was ranked by: the run's metric, unless `metric` names another."""
    metric: str = ""
    selected_from: int = 1
    """So many architectures were compared to select this one; 1 = none was. Of a trial phase the loop counts itself."""
    fidelity: str = ""
    """How that value was measured, in words ("shared weights"); empty = the entry's `metric_note`, or as the search left it. Of a trial
    the loop knows it."""
    init: dict[str, Any] | None = None
    """Arrays to start from or to keep (checkpoint tree), where `finish` needs them."""
    candidate: int | None = None
    domains: tuple[int, ...] = (0,)
    """The data sets that it is finished on and tested on."""
    title: str = ""
    """What it is, where that is not plain "best architecture found"."""


Scorer = Callable[[Split, Part], Mapping[str, float | Array]]
"""(split, its examples) -> figures by name, without the split's prefix: `accuracy`, `loss`, `ensemble`, ... The loop calls it, with
gradients off, once for each split; the network must be the same afterwards. Arrays among them are for `Finished.report` alone."""


@dataclass(frozen=True)
class Finished:
    """What a finisher gives. It never sees a test row: the loop alone opens the test split and hands it to the scorer.

    >>> import numpy as np
    >>> finished = Finished(network=None, score=lambda split, part: {"accuracy": float((part.labels == 3).mean())}, figures={"units": 4.0})
    >>> finished.score("test", Part(inputs=np.zeros((2, 1)), labels=np.array([3, 1]), indices=np.arange(2)))
    {'accuracy': 0.5}
    """

    network: Any
    """A torch.nn.Module on the CPU, or None where there is none to hand out."""
    score: Scorer
    fidelity: str = "as the search left it"
    """What its weights have been given, in words."""
    figures: dict[str, float] = field(default_factory=dict)
    """What there is to say of it beside scores: sizes, its evidence, ... None of them is of the test split."""
    cost: Cost = field(default_factory=Cost)
    """What finishing used; scoring is added by the loop."""
    passes: int = 1
    """Forward passes over each example that the scorer takes."""
    report: Callable[[Mapping[Split, Mapping[str, Array]]], Report] | None = None
    """What is to be drawn of the arrays that the scorer gave, by split."""


@dataclass
class Context:
    """What the search loop gives a phase."""

    space: SearchSpace[Any]
    options: Any
    """The algorithm's own config, validated."""
    seed: int
    rng: random.Random
    """The phase's own generator for decisions; its state is checkpointed by the loop."""
    metric: str
    """Name of the fitness in `Result.metrics` (higher is better)."""
    log: EventLog
    data: SearchData | None = None
    """Train and validation samples of the first domain; None for trial phases and for tables."""
    domains: list[SearchData] = field(default_factory=list)
    """Those of every domain, in order; empty where `data` is None."""
    device: str = "cpu"
    amp: bool = False
    structure_every: int = 1
    """Steps between two recorded structure frames."""
    given: GivenModel | None = None
    """The finished network that the search begins with, where it is one of those that can (`AlgorithmEntry.begins_with`) and has one."""
    population: GivenPopulation | None = None
    """The initial population that it begins with, where it is given one (`AlgorithmConfig.initial_population`)."""
    keep_population: Callable[[PopulationConfig, Individuals], None] = lambda config, individuals: None
    """Keeps an initial population in the run's folder."""

    def emit(self, payload: Payload, step: int) -> None:
        """Say a science fact. It must follow from seed and config alone."""
        self.log.add(payload, step)


OptionsT = TypeVar("OptionsT", bound=AlgorithmConfig)


class Phase(ABC, Generic[OptionsT]):
    """A stretch of a search, of an algorithm with the options `OptionsT`. `state_version` rises when `state_dict` changes its form, and
    `state_steps` says how a state of an earlier version becomes one of the next (`base.migrations`)."""

    language: ClassVar[Literal["trials", "steps"]]
    name: str = "search"
    title: str = "Search"
    state_version: ClassVar[int] = 1
    state_steps: ClassVar[Steps] = {}
    control: bool = False
    """A control runs after the search (also after one that its budget cut), for comparison only: it has its own horizon, its cost is
    reported apart like the finale's, and it changes neither finalists nor handover."""

    paired_with: int | None = None
    """For a control: the place of the phase whose seed it takes, so that the two differ by the condition and not by their draws."""

    context: Context
    options: OptionsT
    """The algorithm's own, validated."""

    def begin(self, context: Context, handover: dict[str, Any] | None) -> None:
        """Called once on construction, also before `load_state_dict`. `handover` is what the phase before left."""
        self.context = context
        self.options = context.options

    @property
    def horizon(self) -> int | None:
        """Steps (or trials) that the config plans, or None where only the budget ends it."""
        return None

    @property
    def lengthened_by(self) -> str:
        """The option (`epochs`, `steps`, `generations`) that only says how long the phase is: with a larger one all that it does up to its
        present horizon stays the same, so that a new run can go on from there. Empty where something else follows the horizon: a schedule
        of rates or temperatures, a warm-up, stages."""
        return ""

    def structure(self) -> dict[str, Any] | None:
        """Structure parameters now: per family group an array (edges x operations), or None."""
        return None

    @abstractmethod
    def best(self) -> list[Finalist]:
        """Finalists, best first, ranked on validation. May be empty before anything was evaluated."""

    def baselines(self) -> list[Finalist]:
        """What the finale finishes beside the first finalist in the same way, for an honest comparison; each needs a `title`."""
        return []

    def handover(self) -> dict[str, Any] | None:
        """What the next phase starts from (a checkpoint tree)."""
        return None

    @abstractmethod
    def state_dict(self) -> dict[str, Any]:
        """Everything that `begin` does not rebuild, as a checkpoint tree (the loop keeps `context.rng` itself)."""

    @abstractmethod
    def load_state_dict(self, state: dict[str, Any]) -> None: ...


class TrialPhase(Phase[OptionsT]):
    """Ask and tell. Steady-state phases are asked one proposal at a time within a window; generational ones give a whole
    generation and are asked again after all of it was told."""

    language = "trials"
    scheduling: ClassVar[Literal["steady", "generational"]] = "steady"
    repeatable: ClassVar[bool] = True
    """Whether an equal genome at equal fidelity gives an equal result, so that it may be reused instead of paid again."""
    finite: ClassVar[bool] = False
    """Whether `ask` ends by itself after finitely many proposals, so that it needs no budget and a long row of reused trials says
    nothing."""
    keeps_weights: ClassVar[bool] = False
    """Whether completed trials leave their weights for `Proposal.inherit`."""
    goes_on: ClassVar[bool] = False
    """Whether the finale trains finalists, and baselines that name a candidate, on from the weights that their trials left."""

    stop_reason: Literal["exhausted", "repeated", "horizon", "settled"] = "exhausted"
    """What it means that `ask` returns nothing: nothing that it could propose is left, it finds nothing new any more (though something may
    be left), the plan is carried out, or the search has settled by a rule of its own."""

    @property
    def window(self) -> int:
        """How many trials may be open at once: from the config, never the number of workers."""
        return int(getattr(self.options, "open_trials", 1))

    @property
    def planned(self) -> int | None:
        """How many trials it asks if nothing cuts it, where it is `finite`."""
        return self.horizon

    @abstractmethod
    def ask(self) -> list[Proposal]:
        """Steady: one proposal, or none if exhausted. Generational: the next generation, or none if finished."""

    @abstractmethod
    def tell(self, results: list[Result]) -> None:
        """Results in ask order (steady: one)."""

    def forgotten(self) -> list[int]:
        """Numbers of trials whose kept weights no later proposal inherits, since the last call. Asked after every `tell`."""
        return []


class StepPhase(Phase[OptionsT]):
    """One optimiser step, or one generation, at a time."""

    language = "steps"

    @abstractmethod
    def step(self) -> Cost:
        """Do one step and return what it used. Emits its events through `self.context`."""

    @property
    @abstractmethod
    def finished(self) -> bool:
        """Whether the horizon is reached or a stop rule of the algorithm fired."""

    @property
    @abstractmethod
    def steps_done(self) -> int: ...

    @property
    def preparing(self) -> bool:
        """Whether the next call of `step` still makes what the first step then moves (a large population, in parts)."""
        return False

    @property
    def stop_reason(self) -> StopReason:
        """What it means that the phase is finished: the plan is carried out, nothing better was found, or a stop rule fired."""
        return "horizon"

    def planned_samples(self) -> float | None:
        """Samples of the whole horizon, where steps differ so much that the first few do not tell; None = as the first few."""
        return None


QUICK_TRIALS: dict[str, Any] = {
    "budget": {"trials": 3},
    "training": {"epochs": 1, "train_examples": 128, "channels": 4, "layers": 2},
    "finale": {"baselines": 1, "training": {"epochs": 1, "train_examples": 128, "channels": 4, "layers": 2}},
}
"""The quick run of an algorithm that trains its candidates."""


@lru_cache(maxsize=1)
def known_pictures() -> tuple[str, ...]:
    """The kinds of picture that an entry may declare: the engine's own, and those whose names installed packages add through the entry
    points `nascope.pictures` (only the names are read)."""
    return (*PICTURES, *(point.name for point in plugins.points("nascope.pictures")))


@dataclass(frozen=True)
class Domains:
    """How many data sets an algorithm searches at once, in order."""

    least: int = 1
    most: int = 1
    default: tuple[tuple[str, dict[str, Any]], ...] = ()
    """(data set id, options) of each where none is named; empty = the first fitting data set."""
    one_finalist_each: bool = False
    """Whether every data set gets a finalist (and a model) of its own."""


@dataclass(frozen=True)
class Idle:
    """Fields of a run config that do nothing with an algorithm, whatever else is set."""

    fields: tuple[str, ...]
    """Dotted names, for example `space_options.width`."""
    why: str
    """After "does not use it:", without a full stop."""
    spaces: tuple[str, ...] = ()
    """Where that is so; empty = in all its spaces."""
    unless: str = ""
    """Only where the space does not offer this (`SpaceEntry.offers`)."""
    without: str = ""
    """Only where no edge of the space carries this primitive (`SpaceEntry.lacks`)."""

    def holds(self, space: SpaceEntry) -> bool:
        """Whether it is so in a space."""
        return (
            (not self.spaces or space.id in self.spaces)
            and (not self.unless or self.unless not in space.offers)
            and (not self.without or self.without in space.lacks)
        )


NEVER_TWICE = Idle(("count_repeats",), "it proposes no architecture twice")
ONE_FINALIST = Idle(("finale.finalists",), "its search ends with one finalist, or with one for each data set")


@dataclass(frozen=True)
class AlgorithmEntry:
    """An algorithm in the registry: what it is, what it needs, how to build its phases."""

    id: str
    title: str
    family: Literal["sampling", "gradient", "evolution", "probabilistic", "growth"]
    summary: str
    """One or two plain sentences for the form."""
    source: str
    """Paper or seed document."""
    needs: frozenset[str]
    """`trials` (any data set), `gradients` or `weights` (only data sets that provide samples)."""
    space_needs: frozenset[str]
    """What the space must offer."""
    config: type[AlgorithmConfig]
    phases: Callable[..., list[Phase]]
    """(validated config) -> fresh phases; where `domains.most` > 1: (validated config, number of data sets)."""
    window: int = 1
    """Open trials of a new run that trains its candidates and does not say how many (`SteadyConfig.window`): the largest number measured to
    lose less than two standard errors (`python -m benchmarks.nb201_incumbents --windows 1 2 4 8`), and 8 where no proposal hangs on one."""
    budgets: frozenset[str] = frozenset({"samples", "trials", "flops", "seconds"})
    """Kinds of budget that it can spend: `flops` only where its cost names them."""
    spaces: tuple[str, ...] | None = None
    """Where the algorithm brings its own space, only those; None = every space that offers what it needs."""
    no_space_for: dict[str, str] = field(default_factory=dict)
    """By kind of data (`image`, `vector`, `series`) for which no space is among those that it searches: why, in a plain sentence. The form
    shows it."""
    lives: str = "simplex vertices"
    """Where the structure lives (docs/architecture.md, "One idea")."""
    metric: str = ""
    """What its results are ranked by (higher is better) where that is not the data set's metric, for example `val_elbo`."""
    metric_unit: str = ""
    """The unit of `metric` where that is none of `base.measures`."""
    metric_note: str = ""
    """How those results were measured where that is not what a reader expects of the metric's name, for example "shared weights"."""
    objectives: Literal["", "any", "shares", "none"] = ""
    """By which metrics of `scoring.metrics` a config may have its search ranked (`objective`): any; those of which more is better and 0 the
    least (`shares`), where the score is a reward; none, where its method defines what it compares by. Empty = any where it makes trials,
    else none. What compares nothing before the finale says any."""
    weighs_classes: bool = False
    """Of a search by steps: whether its training losses weigh classes where the config asks for it (`SearchData.class_weights`)."""
    structure: tuple[str, ...] = ()
    """Its kinds of picture (`events.PICTURES`, or a name from the entry points `nascope.pictures`), what it is about first: each panel
    of the run page opens with the first of them that belongs to it. "queue" wants an option `population`, the number that lives."""
    domains: Domains = Domains()
    finisher: str = ""
    """`module:function` that finishes finalists with finish="as_is": (space, finalist, data, seed, device) -> `Finished`. It sees the
    training and the validation part; the loop scores what it gives on the validation part, and once on the test part."""
    finale: str = ""
    """What the finale does with the finalists and why that is right, in one or two plain sentences."""
    recipe: str = ""
    """`module:function` that gives the recipe of the retraining where the method's claim rests on one: (options, SpaceEntry) -> fields of
    `TrainingConfig`; the others are the house's (`catalogue.recipes.HOUSE`). Finalists and baselines share it. Torch-free and quick."""
    other_recipe: str = ""
    """What it does to the comparison when a person has the finale train by another recipe, in plain sentences."""
    check: str = ""
    """`module:function` that refuses options which do not fit the space: (options, space) -> None, raising BadInput(field "options.name").
    Called before anything starts, as soon as the shape of the data is known. Torch-free and quick."""
    idle: tuple[Idle, ...] = ()
    """What of a config it never reads, beyond what follows from its kind (`catalogue.idle`): refused in a new run, not offered by the form.
    An option that only needs the company of another says so in its config class (`base.works_with`)."""
    begins_with: str = ""
    """Where the search can begin with a finished network: `module:function` that refuses one which it cannot begin with, naming the layer
    and the reason: (options, space, `given.GivenModel` without weights) -> None, raising BadInput(field "model")."""
    begins_with_label: str = ""
    """What a button beside a finished model calls that, for example "Compress"."""
    company: str = ""
    """`module:function` that names the options which do nothing beside the others on this space and these data, where `base.works_with`
    cannot say it: (options, space) -> option -> what it would need, in words. Torch-free and quick."""
    advice: str = ""
    """`module:function` that says before the start what a person should know of this config: (options, space, trials) -> list of plain
    sentences, `trials` being how many the budget allows at most, or None where that is not known. Torch-free and quick."""
    quick: dict[str, Any] = field(default_factory=dict)
    """A partial run config that makes a run of seconds on the default space and data set: for the contract suite and first tries."""

    def __post_init__(self) -> None:
        """Raises ValueError where `structure` names a picture that nobody draws, where nobody says the unit of `metric`, or what beginning
        with a model is called."""
        strange = sorted(self.no_space_for.keys() - {"image", "vector", "series"})
        if strange:
            raise ValueError(f"{self.id}: no_space_for names {strange[0]!r}; a kind of data is image, vector or series")
        if bool(self.begins_with) != bool(self.begins_with_label):
            raise ValueError(f"{self.id}: begins_with and begins_with_label belong together")
        known = known_pictures()
        unknown = [name for name in self.structure if name not in known]
        if unknown:
            names = ", ".join(map(repr, unknown))
            raise ValueError(f"{self.id}: structure names {names}; a tuple of these can be drawn: {', '.join(known)}")
        check_unit(self.id, self.metric, self.metric_unit)
