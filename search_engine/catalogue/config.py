"""The configuration of one run, and its check.

One definition serves the command line, the API and the form. `check` resolves ids and options against the registry, fills
defaults, and raises BadInput with the dotted field name for the first thing that cannot work.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ..base.errors import BadInput
from ..base.lazy import load_object
from ..base.training_config import TrainingConfig

if TYPE_CHECKING:
    from ..algorithms.base import AlgorithmEntry, Phase
    from ..datasets.base import DatasetEntry
    from ..spaces.base import SearchSpace


class Budget(BaseModel):
    """Exactly one of three kinds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    trials: int | None = Field(default=None, ge=1, le=10_000_000, description="number of trials told, reused ones included")
    samples: float | None = Field(
        default=None, gt=0, le=1e15, description="training examples x passes (a forward pass alone counts a third)"
    )
    seconds: float | None = Field(
        default=None, gt=0, le=1e8, description="leased seconds summed over workers; only an identical prefix is promised"
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Budget:
        if sum(value is not None for value in (self.trials, self.samples, self.seconds)) != 1:
            raise ValueError("give exactly one of trials, samples, seconds")
        return self

    @property
    def kind(self) -> Literal["trials", "samples", "seconds"]:
        return "trials" if self.trials is not None else "samples" if self.samples is not None else "seconds"

    @property
    def limit(self) -> float:
        return float(getattr(self, self.kind))


class FinaleConfig(BaseModel):
    """What happens to the best genomes after the search."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    finalists: int = Field(default=1, ge=1, le=10, description="how many of the best genomes are retrained and tested")
    baseline: bool = Field(
        default=True, description="retrain and test one random genome in the same way, for an honest comparison (super-network searches)"
    )
    export: bool = Field(default=True, description="make the download bundle")
    onnx: bool = Field(default=True, description="include an ONNX file, checked against PyTorch")
    redundancy: bool = Field(
        default=True,
        description="measure on validation data how many weights of the finished network can be removed, and what noise does to it",
    )
    training: TrainingConfig = Field(default=TrainingConfig(epochs=12), description="the final retraining, on the training part")


class RunConfig(BaseModel):
    """Everything that decides a run's science."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    algorithm: str
    options: dict[str, Any] = {}
    space: str = ""
    space_options: dict[str, Any] = {}
    datasets: list[str] = []
    dataset_options: list[dict[str, Any]] = []
    seed: int = Field(default=0, ge=0, lt=2**31)
    budget: Budget | None = None
    training: TrainingConfig = TrainingConfig()
    finale: FinaleConfig = FinaleConfig()
    max_failures: int = Field(default=5, ge=1, le=1000, description="this many failed trials in a row fail the run")
    structure_every: int = Field(default=1, ge=1, le=100_000, description="steps between two recorded structure frames")
    threads: int = Field(default=1, ge=1, le=256, description="torch threads; part of the promise of equal bits")
    together: int = Field(
        default=1, ge=1, le=64,
        description="so many trials, asked one after the other, are opened at once, and those of equal shape trained together in one stack "
        "of weights; equal to one by one to rounding, not to the bit, so it is part of the promise of equal bits; 1 = one by one",
    )
    device: Literal["auto", "cpu", "cuda"] = Field(default="auto", description="auto = CUDA where the worker has it")
    amp: bool = Field(default=False, description="mixed precision on CUDA")


class CheckedRun(BaseModel):
    """A run config with its ids resolved and its options validated. Made by `check` only."""

    model_config = ConfigDict(arbitrary_types_allowed=True, frozen=True)

    config: RunConfig
    algorithm: Any
    options: Any
    space: Any
    space_options: Any
    datasets: list[Any]
    dataset_options: list[Any]

    @property
    def budget(self) -> Budget | None:
        return self.config.budget

    @property
    def dataset(self) -> DatasetEntry:
        """The first domain's data set."""
        entry: DatasetEntry = self.datasets[0]
        return entry

    @property
    def metric(self) -> str:
        """Name of the figure that results are ranked by, higher is better."""
        entry: AlgorithmEntry = self.algorithm
        return entry.metric or self.dataset.metric

    def phases(self) -> list[Phase]:
        """Fresh phases of the algorithm: the search's, then its controls."""
        entry: AlgorithmEntry = self.algorithm
        return entry.phases(self.options, len(self.datasets)) if entry.domains.most > 1 else entry.phases(self.options)


def check(config: RunConfig | dict[str, Any], data_dir: Path | None = None) -> CheckedRun:
    """Validate a run config against the registry. With `data_dir`, also that the data files are there.

    Raises BadInput or MissingData naming the field.

    >>> checked = check({"algorithm": "random", "space": "sequence", "budget": {"trials": 10}})
    >>> checked.dataset.id, checked.options.open_trials, checked.metric
    ('learn_to_count', 1, 'reward')
    >>> check({"algorithm": "random", "space": "sequence", "budget": {"samples": 10}})
    Traceback (most recent call last):
    search_engine.base.errors.BadInput: budget: the data set 'learn_to_count' cannot spend a budget in samples; use trials
    """
    from . import registry

    if isinstance(config, dict):
        try:
            config = RunConfig.model_validate(config)
        except ValidationError as error:
            raise from_pydantic("", error) from None
    algorithm = registry.algorithm(config.algorithm)
    spaces = registry.spaces_for(algorithm)
    space = registry.space(config.space) if config.space else spaces[0]
    if space.id not in [entry.id for entry in spaces]:
        names = ", ".join(entry.id for entry in spaces)
        raise BadInput("space", f"{algorithm.title} cannot search '{space.id}'; it can search: {names}", code="incompatible")
    if not config.datasets:
        config = config.model_copy(update=_default_datasets(config, algorithm, registry.datasets_for(algorithm, space)))
    datasets = [registry.dataset(name) for name in config.datasets]
    fitting = [entry.id for entry in registry.datasets_for(algorithm, space)]
    for place, entry in enumerate(datasets):
        if entry.id not in fitting:
            raise BadInput(
                f"datasets.{place}",
                f"{algorithm.title} on '{space.id}' cannot use '{entry.id}'; it can use: {', '.join(fitting) or 'none'}",
                code="incompatible",
            )
        if data_dir is not None:
            entry.check_files(data_dir)
    _check_domains(len(datasets), algorithm)
    options = parse("options", algorithm.config, config.options)
    space_options = parse("space_options", space.config, config.space_options)
    given = config.dataset_options or [{} for _ in datasets]
    if len(given) != len(datasets):
        raise BadInput("dataset_options", f"give one entry per data set ({len(datasets)}), not {len(given)}")
    dataset_options = [parse("dataset_options", entry.config, item) for entry, item in zip(datasets, given, strict=True)]
    if config.budget is not None:
        _check_budget(config.budget, algorithm, datasets[0])
    elif "trials" in algorithm.needs:
        raise BadInput("budget", f"{algorithm.title} stops only by a budget: give trials, samples or seconds")
    checked = CheckedRun(
        config=config.model_copy(update={"space": space.id, "datasets": [entry.id for entry in datasets]}),
        algorithm=algorithm,
        options=options,
        space=space,
        space_options=space_options,
        datasets=datasets,
        dataset_options=dataset_options,
    )
    if config.together > 1:
        _check_together(checked)
    # An algorithm may refuse a combination of options, or options that do not fit so many data sets.
    checked.phases()
    shapes = [entry.shape_of(item) for entry, item in zip(datasets, dataset_options, strict=True)]
    known = [shape for shape in shapes if shape is not None]
    if len(known) == len(shapes):
        made = space.space(space_options, known[0], tuple(known))
        for field, training in (("training", config.training), ("finale.training", config.finale.training)):
            _check_training(field, training, made)
        if algorithm.check:
            load_object(algorithm.check)(options, made)
    return checked


def check_new(config: RunConfig | dict[str, Any], data_dir: Path | None = None) -> CheckedRun:
    """As `check`, for a config of which a run is made now: the window of open trials that it leaves open is written into it. So it says
    itself how it was searched, and a later version's default changes nothing.

    The number follows from the config alone, never from the machine: where candidates are trained it is the algorithm's
    (`AlgorithmEntry.window`), so that several workers have something to do; elsewhere answers are instant and it is 1.

    >>> check_new({"algorithm": "random", "space": "mlp", "datasets": ["digits"], "budget": {"trials": 10}}).config.options
    {'window': 8}
    >>> check_new({"algorithm": "random", "space": "sequence", "budget": {"trials": 10}}).config.options
    {'window': 1}
    """
    checked = check(config, data_dir)
    if getattr(checked.options, "window", 0) is not None:
        return checked
    window = checked.algorithm.window if checked.dataset.provides == "samples" else 1
    written = checked.config.model_copy(update={"options": {**checked.config.options, "window": window}})
    return checked.model_copy(update={"config": written, "options": checked.options.model_copy(update={"window": window})})


def _default_datasets(config: RunConfig, algorithm: AlgorithmEntry, fitting: list[DatasetEntry]) -> dict[str, Any]:
    """The data sets of a config that names none: the algorithm's own choice where that fits the space, else the first fitting one."""
    names = {entry.id for entry in fitting}
    default: list[tuple[str, dict[str, Any]]] = [(name, options) for name, options in algorithm.domains.default if name in names]
    if not default:
        default = [(fitting[0].id, {})] * algorithm.domains.least if fitting else []
    options = config.dataset_options or [dict(options) for _, options in default]
    return {"datasets": [name for name, _ in default], "dataset_options": options}


def _check_domains(count: int, algorithm: AlgorithmEntry) -> None:
    least, most = algorithm.domains.least, algorithm.domains.most
    if least <= count <= most:
        return
    wanted = "one data set" if most == 1 else f"{least} to {most} data sets in order" if least < most else f"{least} data sets in order"
    raise BadInput("datasets", f"{algorithm.title} searches {wanted} at a time; give {'one id' if most == 1 else 'their ids'}, not {count}",
                   code="incompatible")


def _check_together(checked: CheckedRun) -> None:
    from ..algorithms.base import TrialPhase

    if checked.dataset.provides != "samples" or not any(isinstance(phase, TrialPhase) for phase in checked.phases()):
        raise BadInput("together", "only searches that train a network for every trial can train several together; leave it at 1",
                       code="incompatible")
    if checked.config.amp:
        raise BadInput("together", "networks trained together need full precision; leave amp off, or this at 1", code="incompatible")
    window = getattr(checked.options, "window", checked.config.together) or checked.algorithm.window
    if checked.config.together > window:
        raise BadInput("together", f"at most as many trials as may be open at once can be trained together: {window} (options.window)",
                       code="incompatible")


def _check_training(field: str, training: TrainingConfig, space: SearchSpace[Any]) -> None:
    try:
        space.validate_training(training.layers, training.channels)
    except BadInput as error:
        raise BadInput(f"{field}.{error.field}", error.message, error.code) from None


def _check_budget(budget: Budget, algorithm: AlgorithmEntry, dataset: DatasetEntry) -> None:
    for owner, budgets in ((algorithm.title, algorithm.budgets), (f"the data set '{dataset.id}'", dataset.budgets)):
        if budget.kind not in budgets:
            raise BadInput(
                "budget", f"{owner} cannot spend a budget in {budget.kind}; use {' or '.join(sorted(budgets))}", code="incompatible"
            )


def parse(field: str, model: type[BaseModel], values: dict[str, Any]) -> Any:
    """Validate `values` against `model`; raises BadInput naming `field.name`."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise from_pydantic(field, error) from None


def all_problems(field: str, error: ValidationError) -> list[BadInput]:
    """Every problem of a pydantic error as BadInput, in order."""
    problems = []
    for item in error.errors(include_url=False):
        name = ".".join(str(part) for part in item["loc"])
        message = item["msg"].removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            message = "there is no such option"
        elif "input" in item and isinstance(item["input"], str | int | float | bool):
            message = f"{message}, not {item['input']!r}"
        problems.append(BadInput(".".join(part for part in (field, name) if part), message))
    return problems


def from_pydantic(field: str, error: ValidationError) -> BadInput:
    """The first problem of a pydantic error."""
    return all_problems(field, error)[0]


__all__ = ["Budget", "CheckedRun", "FinaleConfig", "RunConfig", "all_problems", "check", "check_new", "from_pydantic", "parse"]
