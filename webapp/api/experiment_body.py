"""The body of POST experiments, and how it becomes run configs.

An experiment is one space, one data set, one budget, and several algorithms with several seeds under them: algorithms x seeds runs.
`plan` checks the body with the engine's own `check_new` and collects every problem with the path of its field in the body
(`algorithms.0.options.population`), so that the form can show all of them at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from search_engine.base.errors import BadInput
from search_engine.base.given_config import GivenConfig
from search_engine.base.population_config import PopulationConfig
from search_engine.base.quoting import shown
from search_engine.base.training_config import TrainingConfig
from search_engine.catalogue import registry
from search_engine.catalogue.checked import space_of
from search_engine.catalogue.config import Budget, CheckedRun, FinaleConfig, RunConfig, all_problems, check, check_new
from search_engine.catalogue.idle import used_in_vain, without
from search_engine.catalogue.starts import genomes_of, population_from, population_size
from search_engine.datasets.base import DatasetEntry
from search_engine.scoring.metrics import Ranking
from search_engine.spaces.genomes import Genome
from search_engine.spaces.populations import Individuals

MAX_RUNS = 200
GIVEN_ARCHITECTURE = "given_architecture"
MOST_STARTED = 20_000
"""Individuals, all runs together, that are made of given architectures while a request is answered."""
_MAX_REPAIRS = 8


class AlgorithmChoice(BaseModel):
    """One algorithm with its hyper-parameters (the defaults stand where none is given)."""

    model_config = ConfigDict(extra="forbid")

    id: str
    options: dict[str, Any] = {}


def _of_run(name: str) -> Any:
    """That field of a run's config: its default, range and description."""
    return copy(RunConfig.model_fields[name])


class Runtime(BaseModel):
    """What is about the machine rather than about the question."""

    model_config = ConfigDict(extra="forbid")

    threads: int = _of_run("threads")
    together: int = _of_run("together")
    device: Literal["auto", "cpu", "cuda"] = _of_run("device")
    amp: bool = _of_run("amp")
    structure_every: int = _of_run("structure_every")
    max_failures: int = _of_run("max_failures")


class ExperimentBody(BaseModel):
    """What a person configures."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(default="", max_length=200, description="empty = made from the algorithms and the data")
    algorithms: list[AlgorithmChoice] = Field(min_length=1, max_length=20)
    space: str = Field(default="", description="empty = the first algorithm's default")
    space_options: dict[str, Any] = {}
    datasets: list[str] = Field(default=[], max_length=10, description="empty = the space's default")
    dataset_options: list[dict[str, Any]] = Field(default=[], max_length=10)
    model: UUID | None = Field(
        default=None, description="a finished model of one's own that every run begins with; the algorithms must be able to"
    )
    population: UUID | None = Field(
        default=None, description="a run of one's own with whose initial population every run begins; the algorithms must be able to"
    )
    retrains: UUID | None = Field(
        default=None,
        description="a finished model of one's own whose architecture the one algorithm, given_architecture, trains again: as "
        "models/{id}/retraining says it. It changes nothing of the runs; the experiment says where its architecture comes from",
    )
    start: list[str] = Field(
        default=[], max_length=100, description="architectures, each as its space writes it or a genome's JSON, that every run's first "
        "population begins with; the algorithms must be able to",
    )
    seeds: list[int] = Field(default=[0], min_length=1, max_length=100)
    budget: Budget | None = None
    count_repeats: bool = Field(default=True, description="whether repeated trials, which cost nothing, count as trials of the budget")
    training: TrainingConfig = TrainingConfig()
    folds: int = _of_run("folds")
    objective: Ranking = _of_run("objective")
    finale: FinaleConfig = FinaleConfig()
    runtime: Runtime = Runtime()

    @field_validator("name")
    @classmethod
    def _trim(cls, value: str) -> str:
        return value.strip()

    @field_validator("seeds")
    @classmethod
    def _distinct(cls, value: list[int]) -> list[int]:
        if len(set(value)) != len(value):
            raise ValueError("give each seed once")
        return value


@dataclass(frozen=True)
class PlannedRun:
    """One run of the experiment: its checked config and which of the body's algorithms it is."""

    algorithm: int
    checked: CheckedRun
    unused: dict[str, str] = field(default_factory=dict)
    """Shared settings of the experiment that were given and that this algorithm does not use, with the reasons: its runs leave them at
    their defaults."""
    start: tuple[Genome, ...] = ()
    """The architectures that its population begins with."""

    def begun(self) -> tuple[RunConfig, Individuals | None]:
        """The config with which it is made, and the individuals of its first population where architectures are given. What it is
        checked, advised and estimated by says nothing of them: making them takes a while, and they change no cost."""
        space = space_of(self.checked) if self.start else None
        if space is None:
            return self.checked.config, None
        config, title = self.checked.config, self.checked.algorithm.title
        population, individuals = population_from(self.start, space, self.checked.options, config.seed, title)
        return config.model_copy(update={"population": population}), individuals


@dataclass(frozen=True)
class Plan:
    """A body that can be run."""

    body: ExperimentBody
    runs: list[PlannedRun]

    @property
    def name(self) -> str:
        if self.body.name:
            return self.body.name
        first = self.runs[0].checked
        titles = ", ".join(dict.fromkeys(run.checked.algorithm.title for run in self.runs))
        return f"{titles} on {first.dataset.title}"[:200]

    def normalised(self) -> dict[str, Any]:
        """The body with its defaults filled in: what is stored, and what a clone starts from."""
        first = self.runs[0].checked.config
        chosen = {"space": first.space, "datasets": first.datasets, "dataset_options": first.dataset_options}
        options = {run.algorithm: run.checked.config.options for run in self.runs}
        algorithms = [item.model_copy(update={"options": options[index]}) for index, item in enumerate(self.body.algorithms)]
        body = self.body.model_copy(update={"name": self.name, "algorithms": algorithms, **chosen})
        return body.model_dump(mode="json")


def _no_models(model: UUID) -> GivenConfig:
    raise BadInput("model", f"there is no model {model}", code="unknown")


def _no_runs(run: UUID) -> PopulationConfig:
    raise BadInput("population", f"there is no run {run}", code="unknown")


def _no_retraining(model: UUID, options: Mapping[str, Any]) -> None:
    raise BadInput("retrains", f"there is no model {model}", code="unknown")


def _built_in(name: str) -> DatasetEntry:
    if name not in registry.datasets():
        raise BadInput("dataset", f"there is no {shown(name)} among the built-in data sets", code="unknown_id")
    return registry.dataset(name)


@dataclass(frozen=True)
class Given:
    """What that is of which the body has the id, for whoever asks."""

    model: Callable[[UUID], GivenConfig] = _no_models
    """A finished model. Raises BadInput (field "model")."""
    population: Callable[[UUID], PopulationConfig] = _no_runs
    """The initial population of a run. Raises BadInput (field "population")."""
    dataset: Callable[[str], DatasetEntry] = _built_in
    """A data set that they may use. Raises BadInput (field "dataset")."""
    retrains: Callable[[UUID, Mapping[str, Any]], None] = _no_retraining
    """Whether a run with these options trains the architecture of that model. Raises BadInput (field "retrains")."""


_NOTHING = Given()


def plan(data: Any, data_dir: Path | None, given: Given = _NOTHING) -> tuple[Plan | None, list[BadInput]]:
    """The plan, or every problem in order of the fields. Changes nothing anywhere."""
    if not isinstance(data, dict):
        return None, [BadInput("", "send a JSON object with algorithms, space, datasets, seeds and budget", code="invalid")]
    try:
        body = ExperimentBody.model_validate(data)
    except ValidationError as error:
        return None, all_problems("", error)
    if len(body.algorithms) * len(body.seeds) > MAX_RUNS:
        message = f"{len(body.algorithms)} algorithms x {len(body.seeds)} seeds are more than {MAX_RUNS} runs; use fewer"
        return None, [BadInput("seeds", message)]
    return _Planner(body, data_dir, given).plan()


class _Planner:
    """Collects the problems of one body, each once."""

    def __init__(self, body: ExperimentBody, data_dir: Path | None, given: Given) -> None:
        self.body = body
        self.given = given
        self.model: GivenConfig | None = None
        self.population: PopulationConfig | None = None
        self.data_dir = data_dir
        self.problems: dict[tuple[str, str], BadInput] = {}
        self.started = 0
        """Individuals that the given architectures become, of the algorithms so far."""
        self.unused: dict[int, dict[str, str]] = {}
        """By place of the algorithm: the shared settings that were given and that it does not use."""
        self.default_space = ""
        self.default_datasets: list[str] = []
        self.default_dataset_options: list[dict[str, Any]] = []

    def plan(self) -> tuple[Plan | None, list[BadInput]]:
        self._check_shared()
        runs = [run for index in range(len(self.body.algorithms)) for run in self._runs_of(index)]
        self._refuse_what_nobody_uses()
        if self.problems:
            return None, list(self.problems.values())
        return Plan(self.body, runs), []

    def _report(self, problem: BadInput) -> None:
        self.problems.setdefault((problem.field, problem.message), problem)

    def _model(self, field: str, model: type[BaseModel], values: dict[str, Any]) -> bool:
        try:
            model.model_validate(values)
        except ValidationError as error:
            for problem in all_problems(field, error):
                self._report(problem)
            return False
        return True

    def _check_shared(self) -> None:
        """Space and data sets: once, not once per algorithm."""
        self.space_known = self._known("space", registry.space, self.body.space) if self.body.space else True
        self.space_options = dict(self.body.space_options)
        if self.body.space and self.space_known:
            config = registry.space(self.body.space).config
            self.space_options = self.space_options if self._model("space_options", config, self.space_options) else {}
        known = [self._known(f"datasets.{index}", self.given.dataset, name) for index, name in enumerate(self.body.datasets)]
        self.datasets_known = all(known)
        self.dataset_options = list(self.body.dataset_options)
        if self.datasets_known and len(self.dataset_options) == len(self.body.datasets):
            for index, name in enumerate(self.body.datasets):
                if not self._model(f"dataset_options.{index}", self.given.dataset(name).config, self.dataset_options[index]):
                    self.dataset_options[index] = {}
        if self.body.model is not None:
            try:
                self.model = self.given.model(self.body.model)
            except BadInput as error:
                self._report(error)
        if self.body.population is not None:
            try:
                self.population = self.given.population(self.body.population)
            except BadInput as error:
                self._report(error)
        if self.body.retrains is not None:
            self._check_retrained(self.body.retrains)
        for index, seed in enumerate(self.body.seeds):
            if not 0 <= seed < 2**31:
                self._report(BadInput(f"seeds.{index}", f"a seed is a whole number from 0 to {2**31 - 1}, not {seed}"))

    def _check_retrained(self, model: UUID) -> None:
        [first, *others] = self.body.algorithms
        try:
            self.given.retrains(model, first.options if first.id == GIVEN_ARCHITECTURE and not others else {})
        except BadInput as error:
            self._report(error)

    def _known(self, field: str, find: Any, name: str) -> bool:
        try:
            find(name)
        except BadInput as error:
            self._report(BadInput(field, error.message, error.code))
            return False
        return True

    def _runs_of(self, index: int) -> list[PlannedRun]:
        choice = self.body.algorithms[index]
        if not self._known(f"algorithms.{index}.id", registry.algorithm, choice.id):
            return []
        entry = registry.algorithm(choice.id)
        options = choice.options if self._model(f"algorithms.{index}.options", entry.config, choice.options) else {}
        checked = self._checked(index, options)
        start = () if checked is None else self._start(checked)
        if checked is None or self.problems:
            return []
        # The seed is the only thing in which these runs differ, so one check serves them all.
        configs = [checked.config.model_copy(update={"seed": seed}) for seed in self.body.seeds]
        return [PlannedRun(index, checked.model_copy(update={"config": config}), self.unused[index], start) for config in configs]

    def _start(self, checked: CheckedRun) -> tuple[Genome, ...]:
        """The given architectures as the run's space has them. Another place of the body that is wrong may be why they do not fit."""
        if not self.body.start or self.problems:
            return ()
        try:
            if self.body.population is not None:
                raise BadInput("start", "the experiment begins with the population of a run already; give one of the two")
            if self.body.model is not None:
                raise BadInput("start", "the experiment begins with a finished model already; give one of the two")
            size = population_size(checked.options, checked.algorithm.title, len(self.body.start))
            self.started += size * len(self.body.seeds)
            if self.started > MOST_STARTED:
                most = f"{self.started:,} individuals would be made of these architectures, and {MOST_STARTED:,} is the most"
                raise BadInput("start", f"{most}: use fewer seeds, or smaller populations")
            space = space_of(checked)
            if space is None:
                raise BadInput("start", f"the shape of {checked.dataset.title} is known only once it is read: take another data set")
            return tuple(genomes_of(self.body.start, space))
        except BadInput as error:
            self._report(error)
            return ()

    def _refuse_what_nobody_uses(self) -> None:
        """A shared setting that one algorithm uses may stand there for the others; one that none uses does nothing at all."""
        if len(self.unused) < len(self.body.algorithms):
            return
        for name, why in self.unused[0].items():
            if all(name in unused for unused in self.unused.values()):
                who = "it does nothing here" if len(self.unused) == 1 else "none of these algorithms uses it"
                self._report(BadInput(path_in_body(0, name), f"{who}: {why}; leave it at its default", code="idle"))

    def _checked(self, index: int, options: dict[str, Any]) -> CheckedRun | None:
        """`check_new`, again and again with the field it complained about put right, so that one problem does not hide the next."""
        data_dir = self.data_dir
        config: dict[str, Any] = {
            "algorithm": self.body.algorithms[index].id,
            "options": options,
            "space": self.body.space if self.space_known and self.body.space else self.default_space,
            "space_options": self.space_options,
            "datasets": self.body.datasets if self.datasets_known and self.body.datasets else self.default_datasets,
            "dataset_options": self._dataset_options(),
            "model": self.model,
            "population": self.population,
            "budget": None if self.body.budget is None else self.body.budget.model_dump(exclude_none=True),
            "count_repeats": self.body.count_repeats,
            "training": self.body.training,
            "folds": self.body.folds,
            "objective": self.body.objective,
            "finale": self.body.finale,
            **self.body.runtime.model_dump(),
        }
        repairs = {field: list(values) for field, values in _HARMLESS.items()}
        for _ in range(_MAX_REPAIRS):
            try:
                given = check(RunConfig.model_validate(config), data_dir)
                self.unused[index] = {name: why for name, why in used_in_vain(given).items() if not name.startswith("options.")}
                checked = check_new(without(given.config, self.unused[index]), data_dir)
                # One experiment has one space and one data set: where none is named, the first algorithm's default holds for all.
                if index == 0:
                    self.default_space, self.default_datasets = checked.config.space, checked.config.datasets
                    self.default_dataset_options = checked.config.dataset_options
                return checked
            except BadInput as error:
                self._report(BadInput(path_in_body(index, error.field), error.message, error.code))
                if error.code == "missing_data":
                    data_dir = None
                elif not _repair(config, repairs, error.field):
                    return None
        return None

    def _dataset_options(self) -> list[dict[str, Any]]:
        if not self.datasets_known:
            return []
        return self.dataset_options if self.body.datasets or self.dataset_options else self.default_dataset_options


def path_in_body(index: int, field: str) -> str:
    """Where a field of a run's config stands in the body of its experiment, the run being of the algorithm in that place."""
    head, _, rest = field.partition(".")
    if head == "algorithm":
        return f"algorithms.{index}.id"
    if head == "options":
        return f"algorithms.{index}.{field}"
    if head == "dataset":
        # Raised by what opens one data set, which does not know its place.
        return "datasets.0"
    if head == "dataset_options" and rest and not rest.split(".")[0].isdigit():
        return f"dataset_options.0.{rest}"
    if head in Runtime.model_fields:
        return f"runtime.{field}"
    return field


_HARMLESS: dict[str, list[Any]] = {
    "space": [""],
    "space_options": [{}],
    "datasets": [[]],
    "dataset_options": [[]],
    "options": [{}],
    "model": [None],
    "population": [None],
    "together": [1],
    "folds": [1],
    "objective": ["default"],
    "budget": [{"trials": 1}, {"samples": 1.0}, {"seconds": 1.0}, {"flops": 1.0}],
    "count_repeats": [True],
}
"""Values that stand in for a field that was wrong while the rest is checked; tried in order, each once."""


def _repair(config: dict[str, Any], repairs: dict[str, list[Any]], field: str) -> bool:
    """Put a harmless value where the wrong one stood; False where none is left."""
    head = field.partition(".")[0]
    key = "datasets" if head == "dataset" else head
    if not repairs.get(key):
        return False
    config[key] = repairs[key].pop(0)
    # The options of a space or data set were checked on their own and may not fit the default that now stands there.
    if key == "space":
        config["space_options"] = {}
    elif key == "datasets":
        config["dataset_options"] = []
    return True
