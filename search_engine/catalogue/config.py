"""The configuration of one run, and its check.

One definition serves the command line, the API and the form. `check` resolves ids and options against the registry, fills
defaults, and raises BadInput with the dotted field name for the first thing that cannot work.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, ValidationError, model_serializer, model_validator

from ..base.errors import BadInput
from ..base.given_config import GivenConfig
from ..base.lazy import load_object
from ..base.measures import split_of
from ..base.population_config import PopulationConfig
from ..base.quoting import shortened, shown
from ..base.training_config import TrainingChanges, TrainingConfig
from ..base.works_with import WorksWith, one_of, other_than
from ..scoring.metrics import METRICS, Ranking

if TYPE_CHECKING:
    from ..algorithms.base import AlgorithmEntry, Phase
    from ..datasets.base import DatasetEntry
    from ..spaces.base import SearchSpace

BudgetKind = Literal["trials", "samples", "flops", "seconds"]
BUDGET_KINDS: tuple[BudgetKind, ...] = get_args(BudgetKind)


class Budget(BaseModel):
    """Exactly one of four kinds."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    trials: int | None = Field(
        default=None, ge=1, le=10_000_000, description="number of trials told, repeated ones included unless `count_repeats` is off"
    )
    samples: float | None = Field(
        default=None, gt=0, le=1e15, description="training examples x passes (a forward pass alone counts a third)"
    )
    flops: float | None = Field(
        default=None, gt=0, le=1e24,
        description="2 x multiply-accumulates of all passes, forward and backward, by formula, never by measured time (a table: its own)",
    )
    seconds: float | None = Field(
        default=None, gt=0, le=1e8, description="leased seconds summed over workers; only an identical prefix is promised"
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Budget:
        if sum(getattr(self, kind) is not None for kind in BUDGET_KINDS) != 1:
            raise ValueError(f"give exactly one of {', '.join(BUDGET_KINDS)}")
        return self

    @property
    def kind(self) -> BudgetKind:
        return next(kind for kind in BUDGET_KINDS if getattr(self, kind) is not None)

    @property
    def limit(self) -> float:
        return float(getattr(self, self.kind))


class FinaleConfig(BaseModel):
    """What happens to the best genomes after the search."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    works_with: ClassVar[WorksWith] = {"onnx": {"export": one_of(True)}, "ensemble": {"seeds": other_than(1)}}

    finalists: int = Field(default=1, ge=1, le=10, description="how many of the best genomes are retrained and tested")
    baselines: int = Field(
        default=3, ge=0, le=20,
        description="how many random architectures, of about the size of the best one, are finished and tested in the same way beside it, "
        "so that its score stands beside their spread; an algorithm that brings comparisons of its own makes those instead; 0 = none of "
        "either",
    )
    export: bool = Field(default=True, description="make the download bundle")
    onnx: bool = Field(
        default=True,
        description="include the network in other forms, with the preprocessing inside: an ONNX file and a torch.export program (.pt2), "
        "each checked in a fresh process",
    )
    redundancy: bool = Field(
        default=True,
        description="measure on validation data how many weights of the finished network can be removed, and what noise does to it",
    )
    seconds: float | None = Field(
        default=None, gt=0, le=1e8,
        description="device seconds that the training of each network of the finale may take; where they are used up it ends at its next "
        "step, is scored and offered as it then is, and the run says so and is marked as not reproducible; empty = no bound. What an "
        "algorithm finishes itself is not trained here and has no bound",
    )
    training: TrainingChanges = Field(
        default=TrainingChanges(),
        description="the final retraining, on the training part; what is left open is as the algorithm's own recipe has it",
    )
    train_on: Literal["train", "train_and_validation"] = Field(
        default="train", title="Trained on",
        description="train_and_validation = every network of the finale is trained on the training and the validation part together, once "
        "the search has chosen it: more examples, but no validation score of the finished network is left, and nothing is stopped early or "
        "chosen by one. The test part stays out of it",
    )
    seeds: int = Field(
        default=1, ge=1, le=10, title="Trainings",
        description="how many times each of the best genomes is trained, from as many seeds, each from new weights; every network is "
        "tested once, and the mean of the test scores stands with its standard error. The download is the one with the best validation "
        "score, and where there is none the first one: never the one with the best test score. Random architectures beside it are trained "
        "once",
    )
    ensemble: bool = Field(
        default=False, title="As an ensemble",
        description="the download is all of the trainings in one: it answers with the mean of their probabilities, and of numbers with the "
        "mean. It is as large and as slow as all of them together",
    )

    @model_validator(mode="before")
    @classmethod
    def _of_runs_made_before(cls, values: Any) -> Any:
        """`baseline` (yes or no) was one random architecture or none."""
        if isinstance(values, dict) and isinstance(values.get("baseline"), bool) and "baselines" not in values:
            values = {**values, "baselines": int(values["baseline"])}
            del values["baseline"]
        return values

    @model_serializer(mode="wrap")
    def _as_before_these_were_options(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """A finale that trains each network once, on the training part, is written as finales were before there was a choice: what was
        digested or saved stays equal."""
        values: dict[str, Any] = handler(self)
        return {name: value for name, value in values.items() if name not in RETRAINING or value != RETRAINING[name]}


RETRAINING: dict[str, Any] = {"train_on": "train", "seeds": 1, "ensemble": False}
"""Fields of a finale that are written only where they are others than these."""
_WRITTEN_IF_OTHER: dict[str, Any] = {"model": None, "population": None, "folds": 1, "objective": "default"}


class RunConfig(BaseModel):
    """Everything that decides a run's science."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    algorithm: str
    options: dict[str, Any] = {}
    space: str = ""
    space_options: dict[str, Any] = {}
    datasets: list[str] = []
    dataset_options: list[dict[str, Any]] = []
    model: GivenConfig | None = Field(
        default=None, description="a finished network that the search begins with, where the algorithm can begin with one"
    )
    population: PopulationConfig | None = Field(
        default=None, description="the initial population of another run that the search begins with, where it has one"
    )
    seed: int = Field(default=0, ge=0, lt=2**31)
    budget: Budget | None = None
    count_repeats: bool = Field(
        default=True,
        description="whether a trial that takes the result of an earlier one, and so costs nothing, counts as one of a budget in trials; "
        "off: every counted trial is paid for, so that searches which repeat themselves get as many new ones as others",
    )
    training: TrainingConfig = TrainingConfig()
    objective: Ranking = Field(
        default="default", title="Ranked by",
        description="by which metric on the validation part candidates are compared, the best epoch of an early stop is kept and finished "
        "networks are scored first; what is to be small (log loss, RMSE, MAE) is ranked by its negative. default = the data set's own "
        "(accuracy, or R²). With any other choice, and with accuracy or r2 named here, every trial measures all metrics of its task. "
        "Training lowers its loss as ever",
    )
    folds: int = Field(
        default=1, ge=1, le=20, title="Folds",
        description="1 = a candidate is scored on the data set's validation part. k >= 2 = k-fold cross-validation: training and "
        "validation part together are divided into k folds, each class evenly, by the run's seed; a candidate is trained k times, on all "
        "folds but one each time, and its score is the mean over the folds that were left out. It costs k trainings, and a budget in "
        "anything but trials counts them all. The test part stays out of it, and the finale is as ever",
    )
    finale: FinaleConfig = FinaleConfig()
    max_failures: int = Field(default=5, ge=1, le=1000, description="this many failed trials in a row fail the run")
    structure_every: int = Field(default=1, ge=1, le=100_000, description="steps between two recorded structure frames")
    threads: int = Field(default=1, ge=1, le=256, description="torch threads; part of the promise of equal bits")
    together: int = Field(
        default=1, ge=1, le=64, title="Trials trained together",
        description="1 = every trial is trained for itself. With more, so many trials are opened at once, and those of them whose networks "
        "have the same shape are trained together in one stack of weights: several times faster where networks are small, in more memory. "
        "At most as many as may be open at once (the algorithm's window). Results equal those of one by one to rounding, not to the bit: "
        "whoever repeats a run repeats it with the same number, which is recorded",
    )
    device: Literal["auto", "cpu", "cuda"] = Field(default="auto", description="auto = CUDA where the worker has it")
    amp: bool = Field(default=False, description="mixed precision on CUDA")

    @model_serializer(mode="wrap")
    def _as_before_these_were_options(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """A run that begins with no finished network or given population, has no folds and no objective of its own, is written as runs were
        before any could: what was digested or saved stays equal."""
        values: dict[str, Any] = handler(self)
        return {name: value for name, value in values.items() if name not in _WRITTEN_IF_OTHER or value != _WRITTEN_IF_OTHER[name]}


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
        if self.objective:
            return f"val_{METRICS[self.objective].ranked}"
        entry: AlgorithmEntry = self.algorithm
        return entry.metric or self.dataset.metric

    @property
    def objective(self) -> str:
        """The metric of `scoring.metrics` that the config names; empty where it leaves that to the data set."""
        return "" if self.config.objective == "default" else self.config.objective

    @property
    def finale_training(self) -> TrainingConfig:
        """How every network of the finale is trained that is trained there, finalist and baseline alike: the algorithm's recipe, and what
        the config changes of it. Raises BadInput(field "finale.training") where the two do not fit."""
        from .recipes import recipe

        own = recipe(self)
        given = self.config.finale.training.given
        return own if not given else parse("finale.training", TrainingConfig, own.changed(given))  # type: ignore[no-any-return]

    @property
    def finishes(self) -> bool:
        """Whether the finale trains anything: not where finalists are taken as they are, nor where a table or a formula answered."""
        return self.dataset.provides == "samples" and not self.algorithm.finisher

    def unit(self, metric: str) -> str:
        """The unit that an entry declares for a figure of its own; empty where the figure is one of `base.measures`."""
        owners = (self.algorithm, self.dataset)
        return next((entry.metric_unit for entry in owners if entry.metric and _bare(entry.metric) == _bare(metric)), "")

    def phases(self) -> list[Phase]:
        """Fresh phases of the algorithm: the search's, then its controls."""
        entry: AlgorithmEntry = self.algorithm
        return entry.phases(self.options, len(self.datasets)) if entry.domains.most > 1 else entry.phases(self.options)


def _bare(metric: str) -> str:
    split = split_of(metric)
    return metric.removeprefix(f"{split}_") if split else metric


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
    from .checked import space_of
    from .objective import check_objective

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
    for place, entry in enumerate(datasets):
        if not registry.fits(algorithm, space, entry):
            fitting = [item.id for item in registry.datasets_for(algorithm, space)]
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
    if not config.count_repeats and (config.budget is None or config.budget.kind != "trials"):
        raise BadInput("count_repeats", "only a budget in trials counts repeats; in every other one they cost nothing: leave it on")
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
    if config.folds > 1:
        _check_folds(checked)
    if config.objective != "default":
        check_objective(checked)
    _check_finale(checked)
    if config.budget is None and needs_budget(checked.phases()):
        kinds = f"{', '.join(BUDGET_KINDS[:-1])} or {BUDGET_KINDS[-1]}"
        raise BadInput("budget", f"{algorithm.title} stops only by a budget: give {kinds}")
    # An algorithm may refuse a combination of options, or options that do not fit so many data sets.
    checked.phases()
    made = space_of(checked)
    if made is not None:
        for field, training in (("training", config.training), ("finale.training", checked.finale_training)):
            _check_training(field, training, made)
        if algorithm.check:
            load_object(algorithm.check)(options, made)
    if config.model is not None:
        _check_model(config.model, checked, made)
    if config.population is not None and made is not None:
        _check_population(config.population, checked, made)
    return checked


def check_new(config: RunConfig | dict[str, Any], data_dir: Path | None = None) -> CheckedRun:
    """As `check`, for a config of which a run is made now: what it leaves open, the window of open trials, the recipe of the finale and
    how long a trial trains on few examples, is written into it. So it says itself how it was searched and finished, and a later version's
    default changes nothing.

    The window follows from the config alone, never from the machine: where candidates are trained it is the algorithm's
    (`AlgorithmEntry.window`), so that several workers have something to do; elsewhere answers are instant and it is 1.

    >>> check_new({"algorithm": "random", "space": "mlp", "datasets": ["digits"], "budget": {"trials": 10}}).config.options
    {'window': 8}
    >>> check_new({"algorithm": "random", "space": "sequence", "budget": {"trials": 10}}).config.options
    {'window': 1}
    >>> check_new({"algorithm": "lottery_ticket"}).config.finale.training.given["learning_rate"]
    0.0012
    """
    from .few_examples import of_trials
    from .idle import idle, refuse_idle
    from .recipes import recipe

    checked = check(config, data_dir)
    refuse_idle(checked)
    if (training := of_trials(checked, idle(checked.algorithm, checked.space, checked.dataset))) != checked.config.training:
        checked = checked.model_copy(update={"config": checked.config.model_copy(update={"training": training})})
    if checked.finishes:
        used = checked.finale_training
        # A training leaves unweighted classes unsaid; beside a recipe that weighs them this is a change, and changes are said.
        unweighted = {"class_weights": "none"} if recipe(checked).class_weights != "none" else {}
        changes = TrainingChanges(**{**unweighted, **used.model_dump()})
        finale = checked.config.finale.model_copy(update={"training": changes})
        checked = checked.model_copy(update={"config": checked.config.model_copy(update={"finale": finale})})
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


def needs_budget(phases: list[Phase]) -> bool:
    """Whether a search of these phases has no plan that ends it.

    >>> from .registry import algorithm
    >>> [name for name in ("random", "grid", "deepswarm", "darts") if needs_budget(algorithm(name).phases(algorithm(name).config()))]
    ['random']
    """
    from ..algorithms.base import TrialPhase

    return any(isinstance(phase, TrialPhase) and not phase.finite for phase in phases)


def _check_domains(count: int, algorithm: AlgorithmEntry) -> None:
    least, most = algorithm.domains.least, algorithm.domains.most
    if least <= count <= most:
        return
    wanted = "one data set" if most == 1 else f"{least} to {most} data sets in order" if least < most else f"{least} data sets in order"
    raise BadInput("datasets", f"{algorithm.title} searches {wanted} at a time; give {'one id' if most == 1 else 'their ids'}, not {count}",
                   code="incompatible")


def _check_together(checked: CheckedRun) -> None:
    from ..algorithms.base import TrialPhase

    title = checked.algorithm.title
    by_trials = [phase for phase in checked.phases() if isinstance(phase, TrialPhase) and not phase.control]
    if checked.dataset.provides != "samples" or not by_trials:
        raise BadInput("together", "only searches that train a network for every trial can train several together, and "
                       f"{title} on '{checked.dataset.id}' does not: leave this at 1", code="incompatible")
    if all(phase.keeps_weights for phase in by_trials):
        raise BadInput("together", f"in {title} a trial starts from the weights of earlier ones, which is done one by one: leave this at 1",
                       code="incompatible")
    if checked.config.amp:
        raise BadInput("together", "networks trained together need full precision; leave amp off, or this at 1", code="incompatible")
    window = getattr(checked.options, "window", checked.config.together) or checked.algorithm.window
    # A generation is opened as a whole, whatever the window.
    if checked.config.together > window and any(phase.scheduling == "steady" for phase in by_trials):
        raise BadInput("together", f"at most as many trials as may be open at once can be trained together, and of {title} that is "
                       f"{window} (options.window): take a larger window, or fewer here", code="incompatible")


def _check_folds(checked: CheckedRun) -> None:
    from ..algorithms.base import TrialPhase

    title = checked.algorithm.title
    by_trials = [phase for phase in checked.phases() if isinstance(phase, TrialPhase) and not phase.control]
    if checked.dataset.provides != "samples" or not by_trials:
        raise BadInput("folds", "only searches that train a network for every trial can score it by cross-validation, and "
                       f"{title} on '{checked.dataset.id}' does not: leave this at 1", code="incompatible")
    if any(phase.keeps_weights for phase in by_trials):
        raise BadInput("folds", f"in {title} a trial starts from the weights of an earlier one, which has one network, not one for each "
                       "fold: leave this at 1", code="incompatible")
    if checked.options.compressions is not None:
        raise BadInput("folds", "a compression gives every trial one smaller network, not one for each fold: leave this at 1, or "
                       "`compress` at none", code="incompatible")
    if checked.config.together > 1:
        raise BadInput("folds", "trials that are trained together have one split for all: leave this at 1, or `together`",
                       code="incompatible")


def _check_finale(checked: CheckedRun) -> None:
    finale = checked.config.finale
    asked = [name for name, value in RETRAINING.items() if getattr(finale, name) != value]
    if not asked:
        return
    if len(checked.datasets) > 1:
        default = str(RETRAINING[asked[0]]).lower()
        raise BadInput(f"finale.{asked[0]}", "a network of several data sets is finished on all of them at once, and once: leave this at "
                       f"{default}", code="incompatible")
    if finale.ensemble and checked.dataset.task == "reconstruction":
        raise BadInput("finale.ensemble", "a mean of rebuilt inputs has no code of its own: leave this off", code="incompatible")
    if finale.train_on == "train" or not checked.finishes:
        return
    training = checked.finale_training
    for name, why in (("early_stop", "it stops by the validation score, and none is left"), ("train_examples", "it leaves examples out")):
        if getattr(training, name):
            raise BadInput(f"finale.training.{name}", f"finale.train_on is train_and_validation, and {why}: use 0, or train on train",
                           code="incompatible")


def _check_training(field: str, training: TrainingConfig, space: SearchSpace[Any]) -> None:
    try:
        space.validate_training(training.layers, training.channels)
    except BadInput as error:
        raise BadInput(f"{field}.{error.field}", error.message, error.code) from None
    if training.augment not in ("auto", "none") and any(len(domain.input) != 3 for domain in space.domains):
        raise BadInput(f"{field}.augment", f"{shown(training.augment)} works on images; these data are none: use none")


def _check_model(given: GivenConfig, checked: CheckedRun, space: SearchSpace[Any] | None) -> None:
    from ..algorithms.given import GivenModel
    from . import registry

    algorithm: AlgorithmEntry = checked.algorithm
    if not algorithm.begins_with:
        able = ", ".join(entry.title for entry in registry.algorithms().values() if entry.begins_with) or "none that is installed"
        raise BadInput("model", f"{algorithm.title} does not begin with a finished network; these do: {able}", code="incompatible")
    try:
        entry = registry.space(given.space)
    except BadInput as error:
        raise BadInput("model", f"it is of a space that is not installed here: {error.message}", error.code) from None
    if space is not None:
        load_object(algorithm.begins_with)(checked.options, space, GivenModel(given, entry, space.shape))


def _check_population(given: PopulationConfig, checked: CheckedRun, space: SearchSpace[Any]) -> None:
    from ..spaces.populations import check_fits

    check_fits(given, space, checked.options.initial_population, checked.algorithm.title)


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
        name = ".".join(shortened(str(part)) for part in item["loc"])
        message = item["msg"].removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            message = "there is no such option"
        elif "input" in item and isinstance(item["input"], str | int | float | bool):
            message = f"{message}, not {shown(item['input'])}"
        problems.append(BadInput(".".join(part for part in (field, name) if part), message))
    return problems


def from_pydantic(field: str, error: ValidationError) -> BadInput:
    """The first problem of a pydantic error."""
    return all_problems(field, error)[0]


__all__ = [
    "BUDGET_KINDS", "Budget", "BudgetKind", "CheckedRun", "FinaleConfig", "RunConfig", "all_problems", "check", "check_new",
    "from_pydantic", "parse",
]
