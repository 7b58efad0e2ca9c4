"""What a data set gives, and who may see which part of it.

`samples` data sets give images or vectors with labels, split three ways; a `table` answers trials from a benchmark; an
`objective` maps a genome to a reward. The test split is sealed: a search receives `SearchData`, from which no test row can be reached;
`open_test` wants a `FinalePass`, and nobody but the loop's own module makes one. The seal keeps out mistakes, not malice.

>>> from search_engine.datasets.digits import ENTRY
>>> isinstance(ENTRY, DatasetEntry), issubclass(ENTRY.config, DatasetConfig), ENTRY.files
(True, True, ())
>>> digits = ENTRY.open(ENTRY.config(), Path("unused"))
>>> data = digits.search_data(seed=0)
>>> isinstance(digits, Samples), isinstance(data.train, Part), len(data.train), len(data.validation), data.train.inputs.shape[1:]
(True, True, 1011, 337, (1, 8, 8))
>>> digits.open_test("please")  # only a FinalePass opens it
Traceback (most recent call last):
TypeError: the test split opens only to the finale
>>> FinalePass()  # and only the finale has one
Traceback (most recent call last):
TypeError: a FinalePass is made by the finale alone: a finisher returns its network and a scorer, and the loop opens the test split

A reward without samples is an `Objective`:

>>> class Shortest(Objective):
...     space = "sequence"
...     def reward(self, genome): return -float(sum(map(int, genome.content.values())))
>>> Shortest().reward(Genome("sequence", {"place1": "2", "place2": "1"}))
-3.0

Answers that are there already are a `Table` (from a file: `file_table.FileTable`):

>>> class Two(Table):
...     space, declared_samples = "sequence", 100
...     def charge(self, genome, string, fidelity): return 100 if string in "12" else 0
...     def lookup(self, genome, string, fidelity): return TableAnswer({"val_accuracy": int(string) / 4}, samples=100)
...     def final_metrics(self, genome, string, key): return {"test_accuracy": int(string) / 4}
>>> Two().lookup(Genome("sequence", {"place1": "2"}), "2", {}).metrics
{'val_accuracy': 0.5}
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict

from ..base.errors import BadInput
from ..base.measures import check_unit
from ..spaces.data_shape import NO_INPUT, DataShape, Kind, Preprocessing
from ..spaces.genomes import Genome, canonical_json, digest
from ..spaces.tasks import TaskName
from .transformation import Transformation

Array = np.ndarray[Any, Any]
ConfigT = TypeVar("ConfigT", bound="DatasetConfig")


class DatasetConfig(BaseModel):
    """Base of the data sets' options (sizes, validation share)."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    spares_test: ClassVar[frozenset[str]] = frozenset({"validation_share"})
    """Names of options that leave the test part as it is, whatever their value."""

    def opened(self) -> dict[str, Any]:
        """What decides which test part is opened: every option that is none of `spares_test` and not at its default. Where these are
        equal, it is one test part, and visits to it are counted together."""
        return self.model_dump(mode="json", exclude=set(self.spares_test), exclude_defaults=True)

    def used(self, declared: int) -> int:
        """With how many examples a run works under these options, where the entry declares so many outside the test part: for forecasts."""
        return declared


@dataclass(frozen=True)
class Part:
    """One part of a split: raw inputs (n, channels, height, width), (n, channels, time) or (n, features), labels (n,) int64 or, for a
    regression, targets (n, values) float32, and the indices into the source."""

    inputs: Array
    labels: Array
    indices: Array

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class SearchData:
    """All that a search may see."""

    dataset: str
    shape: DataShape
    train: Part
    validation: Part
    preprocessing: Preprocessing
    class_names: tuple[str, ...]
    feature_names: tuple[str, ...] = ()
    """What the features of a vector are called, where they have names."""
    transformation: Transformation | None = None
    """How the cells of a table became these inputs, and answers the targets, fitted to the training part; None where inputs are raw."""
    class_weights: str = "none"
    """How much classes count in the training losses of a search by steps (`TrainingConfig.class_weights`)."""

    @property
    def in_own_units(self) -> Callable[[Array], Array]:
        """Takes back what a fitted encoding standardised: of the targets of a regression, and of what a network answers. Holds no data."""
        target = None if self.transformation is None else self.transformation.target
        return target.in_own_units if target is not None and target.kind == "number" else _as_they_are


def _as_they_are(values: Array) -> Array:
    return values


class FinalePass:
    """The right to open a test split. `search_engine.search.sealed` alone makes one, and the finale alone imports that module (an
    import contract and a test see to it).

    This guards against mistakes: an algorithm, a space or a plug-in that asks for test rows fails at once. Code that means to deceive
    runs in the same process and can reach anything; against it only reading it helps.
    """

    __slots__ = ()

    def __new__(cls) -> FinalePass:
        raise TypeError(
            "a FinalePass is made by the finale alone: a finisher returns its network and a scorer, and the loop opens the test split"
        )


class Samples(ABC):
    """A data set with inputs and labels."""

    @abstractmethod
    def shape(self) -> DataShape: ...

    @abstractmethod
    def search_data(self, seed: int) -> SearchData:
        """Train and validation parts; the split depends on the config and on `seed` only."""

    def fold_data(self, seed: int, count: int, fold: int) -> SearchData:
        """As `search_data`, for fold number `fold` (from 0) of `count`: it is the validation part, and all the others are the training
        part (`datasets.folds`). What is divided is what `search_data` divides, so the test part stays untouched. Raises
        BadInput(field "folds") for a data set that cannot be divided so."""
        raise BadInput("folds", "this data set does not say how it is divided into folds: leave this at 1", code="incompatible")

    @abstractmethod
    def open_test(self, key: FinalePass) -> Part:
        """The test part. Needs the finale's pass."""

    def prepared(self, part: Part, data: SearchData) -> Part:
        """A test part as networks of `data` take it: with what was fitted to its training part (missing cells, categories, the target's
        unit). As it is, where nothing is fitted but `Preprocessing`."""
        return part

    @property
    def kept_bytes(self) -> int:
        """Bytes of memory that it keeps beside the parts that it has given out."""
        return 0


@dataclass(frozen=True)
class TableAnswer:
    metrics: dict[str, float]
    samples: int
    """Training examples that the benchmark's own training used: charged as if it had been run here."""
    flops: float = 0.0
    """2 x multiply-accumulates of that training; 0 where the table does not say."""


class Table(ABC):
    """Answers trials from a benchmark: instant and simulated, and says so."""

    space: str

    @property
    @abstractmethod
    def declared_samples(self) -> int:
        """What a trial charges, roughly where architectures differ: epochs x training size of the benchmark's own training."""

    @abstractmethod
    def charge(self, genome: Genome, string: str, fidelity: Mapping[str, Any]) -> int:
        """What this trial charges; 0 for one that the table does not know."""

    def flops(self, genome: Genome, string: str, fidelity: Mapping[str, Any]) -> float:
        """The FLOPs of this trial's training; 0 where the table does not say, or does not know the trial."""
        return 0.0

    @property
    def declared_flops(self) -> float:
        """What a trial takes, roughly where architectures differ."""
        return 0.0

    @abstractmethod
    def lookup(self, genome: Genome, string: str, fidelity: Mapping[str, Any]) -> TableAnswer:
        """Search-time metrics (`val_accuracy` in [0, 1] and what else there is) of an architecture, given also as the space's text: never
        the test accuracy. Raises TrialFailure for an architecture or a fidelity (`Proposal.fidelity`) that the table does not know."""

    @abstractmethod
    def final_metrics(self, genome: Genome, string: str, key: FinalePass) -> dict[str, float]:
        """What the finale may read: adds `test_accuracy`. Every figure in it that begins with `val_` or `test_` is of one training,
        `final_at`."""

    def trial_at(self, fidelity: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the architectures behind a trial at this fidelity had been trained for, for example {"epochs": 12}; empty = it does not
        say."""
        return dict(fidelity)

    @property
    def final_at(self) -> Mapping[str, Any]:
        """What the architectures behind `final_metrics` had been trained for, for example {"epochs": 200}; empty = it does not say."""
        return {}


class Objective(ABC):
    """A reward per genome without samples (for example learn_to_count)."""

    space: str
    declared_samples: int = 0

    @abstractmethod
    def reward(self, genome: Genome) -> float: ...


@dataclass(frozen=True)
class DatasetEntry:
    """A data set in the registry."""

    id: str
    title: str
    description: str
    source: str
    licence: str
    provides: Literal["samples", "table", "objective"]
    config: type[DatasetConfig]
    open: Callable[[Any, Path], Samples | Table | Objective]
    """(config, data directory) -> the data set; raises MissingData with what to put where."""
    input_kind: Kind = "image"
    """What a network of it would take; `none` where there is nothing to put into a network (a formula)."""
    shape: DataShape | None = None
    """Known without opening any file. None: samples tell it once they are opened; a table or an objective has nothing to put into a
    network (`NO_INPUT`)."""
    budgets: frozenset[str] = frozenset({"samples", "trials", "flops", "seconds"})
    spaces: frozenset[str] | None = None
    """For tables and objectives: the spaces it can answer for; None = any space whose inputs fit."""
    files: tuple[str, ...] = ()
    """Paths under the data directory (or under `folder`) that must exist. A run records what they hold (`data_files`)."""
    folder: Path | None = None
    """Where `files` lie, if not under the data directory."""
    own: bool = False
    """Whether a person brought it: it is stored by the program and can be deleted."""
    package_files: tuple[str, ...] = ()
    """Files that come with an installed package, as `package/path/in/it`; recorded like `files`."""
    metric: str = "val_accuracy"
    metric_unit: str = ""
    """The unit of `metric` where that is none of `base.measures`."""
    test_reader: str = ""
    """Module (standing alone, with `read_test(folder)`) that a download takes along to read the test part from `files`; empty = the
    download carries the test part itself (data sets that are bundled with the program)."""
    sizes: dict[str, int] = field(default_factory=dict)
    notice: str = ""
    """A sentence without which scores on it would be misread; said wherever one is shown, from the form to the model card."""
    task: TaskName = "classification"
    idle: dict[str, str] = field(default_factory=dict)
    """Fields of a run config, by dotted name, that do nothing on it, with the reason."""
    same_test_as: str = ""
    """The id of a data set with the same test part, where there is one (its series in another form): visits are counted together."""
    shape_from: Callable[[Any], DataShape] | None = None
    """Where the options change the shape (a subset of the classes): (validated config) -> the shape; `shape` is that of the defaults."""

    def __post_init__(self) -> None:
        """Raises ValueError where nobody says the unit of `metric`."""
        check_unit(self.id, self.metric, self.metric_unit)

    def shape_of(self, options: Any) -> DataShape | None:
        """The shape under these options, or None if only the files tell."""
        if self.shape_from is not None:
            return self.shape_from(options)
        return NO_INPUT if self.shape is None and self.provides != "samples" else self.shape

    def test_part(self, options: DatasetConfig) -> str:
        """The name under which visits to the test part that these options open are counted, at most 100 characters; the id where they are
        the defaults. Two subsets of the classes are two test parts, two validation shares are none."""
        opened, name = options.opened(), self.same_test_as or self.id
        return f"{name}:{digest(canonical_json(opened))[:16]}" if opened else name

    def test_part_in_words(self, options: DatasetConfig) -> str:
        """The same for people: `digits (labels 3, 8)`."""
        said = [f"{name.replace('_', ' ')} {_in_words(value)}" for name, value in options.opened().items()]
        return f"{self.id} ({'; '.join(said)})" if said else self.id

    def check_files(self, data_dir: Path) -> None:
        """Raise MissingData naming the first absent file and where it should lie."""
        from ..base.errors import MissingData

        for name in self.missing_files(data_dir):
            if self.own:
                raise MissingData("dataset", f"the stored data set '{self.id}' lacks its file {name}: remove it and import it again")
            raise MissingData(
                "dataset",
                f"the data set '{self.id}' needs {name} under {data_dir} (set NASCOPE_DATA to the folder that holds it); "
                f"source: {self.source}",
            )

    def missing_files(self, data_dir: Path) -> list[str]:
        return [name for name in self.files if not ((self.folder or data_dir) / name).is_file()]


def _in_words(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
