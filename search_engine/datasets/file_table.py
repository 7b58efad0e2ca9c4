"""A benchmark's table in a file: a trial is looked up instead of trained.

A table is declared, not programmed. The declaration says which file it is, which column names the architecture (in the space's own text
form, `SearchSpace.to_string`), which figures a trial sees at which fidelity and what that costs, and which figures only the finale may
read. `nb201_table.py` declares NAS-Bench-201.

The file is a NumPy archive (`.npz`, one array of equal length per column) or CSV with a header (`.csv`, `.csv.gz`). An architecture without
a row is a failed trial: rows without a result are to be left out, not filled with NaN.
"""

from __future__ import annotations

import csv
import gzip
import io
import pickle  # nosec B403 # nothing is unpickled: its error is one of those that a bad file raises
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ..base.errors import BadInput, TrialFailure
from ..base.measures import split_of
from ..base.quoting import shown
from ..spaces.data_shape import DataShape
from ..spaces.genomes import Genome
from .base import Array, DatasetConfig, DatasetEntry, FinalePass, Table, TableAnswer

ENDINGS = (".npz", ".csv", ".csv.gz")


class TableConfig(DatasetConfig):
    """A table has no options."""


@dataclass(frozen=True)
class Column:
    """One figure of every architecture: a column of the file, times `times`, divided by `per`.

    >>> percent = Column("accuracy", per=100)
    >>> percent.figure(84.5)
    0.845
    """

    name: str
    times: float = 1.0
    per: float = 1.0

    def figure(self, value: Any) -> float:
        """What a value of the column stands for."""
        return float(value) * self.times / self.per


@dataclass(frozen=True)
class Fidelity:
    """What the benchmark measured after one kind of training, and what that training cost.

    >>> short = Fidelity({"val_accuracy": Column("val_12", per=100)}, samples=12 * 25_000, at={"epochs": 12})
    """

    metrics: Mapping[str, Column]
    """What a trial sees: never a figure of the test split."""
    samples: int | Column
    """What a trial charges: epochs x training examples, one number or a column."""
    at: Mapping[str, Any] = field(default_factory=dict)
    """The `Proposal.fidelity` that asks for it, for example {"epochs": 12}."""
    flops: float | Column | None = None
    """2 x multiply-accumulates of that training, all passes, where the benchmark knows: then a budget may be given in FLOPs."""


@dataclass(frozen=True)
class TableFile:
    """The declaration of a table.

    >>> short = Fidelity({"val_accuracy": Column("val_12", per=100)}, samples=12 * 25_000)
    >>> TableFile("nb201", "mine/table.csv", key="arch", fidelities=(short,)).columns
    ('val_12',)
    """

    space: str
    """Id of the space whose architectures it knows."""
    file: str
    """Path under the data directory, ending in .npz, .csv or .csv.gz."""
    key: str
    """The column that names the architecture, as the space's `to_string` does."""
    fidelities: tuple[Fidelity, ...]
    """The first is what a trial gets that asks for none."""
    final: Mapping[str, Column] = field(default_factory=dict)
    """What only the finale may read, for example `test_accuracy`."""
    final_at: Mapping[str, Any] | None = None
    """What the training behind `final` was, for example {"epochs": 200}; None = that of the first fidelity. Validation figures of another
    training are no finished network's: of them only what `final` names is shown beside a test figure."""

    def __post_init__(self) -> None:
        """Raises ValueError for a declaration that no file could fill."""
        if not self.file.endswith(ENDINGS):
            raise ValueError(f"the table's file is '{self.file}'; its name must end in one of: {', '.join(ENDINGS)}")
        if not self.fidelities:
            raise ValueError(f"the table '{self.file}' needs at least one fidelity")
        seen: list[dict[str, Any]] = []
        for fidelity in self.fidelities:
            if dict(fidelity.at) in seen:
                raise ValueError(f"the table '{self.file}' has two fidelities at {dict(fidelity.at)}")
            seen.append(dict(fidelity.at))
            if isinstance(fidelity.samples, int) and fidelity.samples < 0:
                raise ValueError(f"a trial of the table '{self.file}' cannot cost {fidelity.samples} samples")
            leaking = [name for name in fidelity.metrics if name.startswith("test")]
            if leaking:
                raise ValueError(f"'{leaking[0]}' stands among what a trial sees; figures of the test split belong in `final`")

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns with numbers that it reads, each once."""
        figures = [column for fidelity in self.fidelities for column in fidelity.metrics.values()]
        costs = [cost for fidelity in self.fidelities for cost in (fidelity.samples, fidelity.flops) if isinstance(cost, Column)]
        return tuple(dict.fromkeys(column.name for column in (*figures, *costs, *self.final.values())))


class FileTable(Table):
    """Answers from the declared file, which is read at the first question."""

    def __init__(self, table: TableFile, data_dir: Path) -> None:
        self.space = table.space
        self._table = table
        self._path = data_dir / table.file

    @cached_property
    def _columns(self) -> dict[str, Array]:
        columns = read_columns(self._path, self._table.key, self._table.columns)
        costs = [(cost, unit) for item in self._table.fidelities for cost, unit in ((item.samples, "sample"), (item.flops, "FLOP"))]
        for cost, unit in costs:
            if isinstance(cost, Column):
                charged = columns[cost.name].astype(np.float64) * (cost.times / cost.per)
                free = np.flatnonzero(charged < 1)
                if len(free):
                    # A search whose trials cost nothing would never end by its budget.
                    key = columns[self._table.key][free[0]]
                    raise _unusable(self._path, f"the column '{cost.name}' charges less than one {unit} for '{key}' (row {free[0] + 1})")
        return columns

    @cached_property
    def _rows(self) -> dict[str, int]:
        """Row of each architecture. Raises BadInput(field "dataset") for one that stands there twice."""
        keys = self._columns[self._table.key].tolist()
        rows = {key: row for row, key in enumerate(keys)}
        if len(rows) < len(keys):
            row, key = next((row, key) for row, key in enumerate(keys) if rows[key] != row)
            raise _unusable(self._path, f"'{key}' stands in rows {row + 1} and {rows[key] + 1}; an architecture has one row")
        return rows

    @property
    def architectures(self) -> list[str]:
        """The texts of those that it knows, in the file's order."""
        return list(self._rows)

    def _row(self, genome: Genome, string: str) -> int:
        if genome.space != self.space:
            raise BadInput("genome", f"the table answers for '{self.space}' only, not for '{genome.space}'")
        row = self._rows.get(string)
        if row is None:
            first = shown(next(iter(self._rows)))
            raise TrialFailure(f"the table {self._path.name} has no architecture {shown(string)} (its first is {first})")
        return row

    def _fidelity(self, asked: Mapping[str, Any]) -> Fidelity:
        if not asked:
            return self._table.fidelities[0]
        for fidelity in self._table.fidelities:
            if dict(fidelity.at) == dict(asked):
                return fidelity
        known = " or ".join(str(dict(fidelity.at)) for fidelity in self._table.fidelities)
        raise TrialFailure(f"the table {self._path.name} knows trials at {known}, not at {dict(asked)}")

    def _figures(self, columns: Mapping[str, Column], row: int) -> dict[str, float]:
        return {name: column.figure(self._columns[column.name][row]) for name, column in columns.items()}

    @cached_property
    def declared_samples(self) -> int:
        """The mean over all architectures, where they differ."""
        cost = self._table.fidelities[0].samples
        return cost if isinstance(cost, int) else round(cost.figure(self._columns[cost.name].mean(dtype=np.float64)))

    @cached_property
    def declared_flops(self) -> float:
        """The mean over all architectures."""
        cost = self._table.fidelities[0].flops
        return cost.figure(self._columns[cost.name].mean(dtype=np.float64)) if isinstance(cost, Column) else cost or 0.0

    def charge(self, genome: Genome, string: str, fidelity: Mapping[str, Any]) -> int:
        try:
            return round(self._cost(self._fidelity(fidelity).samples, genome, string))
        except TrialFailure:
            return 0

    def flops(self, genome: Genome, string: str, fidelity: Mapping[str, Any]) -> float:
        try:
            return self._cost(self._fidelity(fidelity).flops, genome, string)
        except TrialFailure:
            return 0.0

    def _cost(self, cost: float | Column | None, genome: Genome, string: str) -> float:
        return cost.figure(self._columns[cost.name][self._row(genome, string)]) if isinstance(cost, Column) else cost or 0

    def lookup(self, genome: Genome, string: str, fidelity: Mapping[str, Any]) -> TableAnswer:
        """Raises TrialFailure for an architecture or a fidelity that the table does not know."""
        row = self._row(genome, string)
        figures = self._figures(self._fidelity(fidelity).metrics, row)
        return TableAnswer(figures, self.charge(genome, string, fidelity), self.flops(genome, string, fidelity))

    def trial_at(self, fidelity: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._fidelity(fidelity).at

    def final_metrics(self, genome: Genome, string: str, key: FinalePass) -> dict[str, float]:
        if not isinstance(key, FinalePass):
            raise TypeError("the test figures open only to the finale")
        seen = self.lookup(genome, string, {}).metrics
        if self.final_at != self._table.fidelities[0].at:
            seen = {name: value for name, value in seen.items() if split_of(name) is None}
        return {**seen, **self._figures(self._table.final, self._row(genome, string))}

    @property
    def final_at(self) -> Mapping[str, Any]:
        table = self._table
        return table.fidelities[0].at if table.final_at is None else table.final_at


def table_entry(
    table: TableFile, *, id: str, title: str, description: str, source: str, licence: str, metric: str = "val_accuracy",
    metric_unit: str = "", shape: DataShape | None = None, sizes: Mapping[str, int] | None = None,
) -> DatasetEntry:
    """The registry's entry of a declared table.

    `metric` names the figure that results are ranked by, higher is better; `metric_unit` its unit where it is none of `base.measures`.
    `shape` is that of the data on which the benchmark trained; only a space whose architectures depend on it needs one. Raises ValueError
    where a fidelity lacks the metric.
    """
    for fidelity in table.fidelities:
        if metric not in fidelity.metrics:
            raise ValueError(f"the table '{table.file}' is ranked by '{metric}', which its fidelity {dict(fidelity.at)} lacks")
    # A search whose trials cost nothing would never end by its budget.
    charged, counted = (
        all(isinstance(cost, Column) or (cost or 0) > 0 for cost in costs)
        for costs in ([item.samples for item in table.fidelities], [item.flops for item in table.fidelities])
    )
    return DatasetEntry(
        id=id,
        title=title,
        description=description,
        source=source,
        licence=licence,
        provides="table",
        config=TableConfig,
        open=lambda config, data_dir: FileTable(table, data_dir),
        input_kind="none" if shape is None else shape.kind,
        shape=shape,
        budgets=frozenset(["trials", *(["samples"] if charged else []), *(["flops"] if counted else [])]),
        spaces=frozenset({table.space}),
        files=(table.file,),
        metric=metric,
        metric_unit=metric_unit,
        sizes=dict(sizes or {}),
    )


# ---- reading


def read_columns(path: Path, key: str, numbers: Iterable[str]) -> dict[str, Array]:
    """The column `key` as text and the columns `numbers` as finite numbers, all of one length.

    Nothing in the file is executed: object arrays (pickle) are refused. Raises BadInput(field "dataset") that names the file, the column
    and what would be right.
    """
    columns = _read_npz(path, (key, *numbers)) if path.name.endswith(".npz") else _read_csv(path, key, tuple(numbers))
    keys = columns[key]
    if keys.dtype.kind == "S":
        try:
            keys = columns[key] = np.char.decode(keys, "utf-8")
        except UnicodeDecodeError:
            raise _unusable(path, f"the column '{key}' holds bytes that are no UTF-8; save it as text (dtype=str)") from None
    if keys.dtype.kind != "U" or keys.ndim != 1:
        raise _unusable(path, f"the column '{key}' must hold one text per architecture, not {keys.dtype} in {keys.ndim} dimensions")
    if not len(keys):
        raise _unusable(path, "it has no rows")
    for name in numbers:
        values = columns[name]
        if values.dtype.kind not in "iuf":
            raise _unusable(path, f"the column '{name}' must hold numbers, not {values.dtype}")
        if values.shape != keys.shape:
            raise _unusable(path, f"the column '{name}' has the shape {values.shape}; {len(keys)} architectures need {keys.shape}")
        wrong = np.flatnonzero(~np.isfinite(values))
        if len(wrong):
            row = int(wrong[0])
            found = f"{values[row]} in row {row + 1} ('{keys[row]}')"
            raise _unusable(path, f"the column '{name}' holds {found}; leave out architectures without a result")
    return columns


def _read_npz(path: Path, names: Iterable[str]) -> dict[str, Array]:
    columns: dict[str, Array] = {}
    try:
        file = np.load(path, allow_pickle=False)
        if not isinstance(file, np.lib.npyio.NpzFile):
            raise _unusable(path, "it holds a single array; save the columns with numpy.savez")
        with file:
            for name in names:
                if name not in file.files:
                    raise _lacks(path, name, file.files)
                try:
                    columns[name] = file[name]
                except ValueError as error:
                    if "allow_pickle" not in str(error):
                        raise
                    # NumPy refuses object arrays before it unpickles anything.
                    raise _unusable(path, f"the column '{name}' holds Python objects; save it as numbers or as text (dtype=str)") from None
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile, zlib.error, pickle.UnpicklingError) as error:
        if isinstance(error, BadInput):
            raise
        # NumPy's own message advises to allow pickle.
        raise _unusable(path, "it cannot be read as a NumPy archive; save the columns with numpy.savez") from None
    return columns


def _read_csv(path: Path, key: str, numbers: tuple[str, ...]) -> dict[str, Array]:
    try:
        content = gzip.decompress(path.read_bytes()) if path.name.endswith(".gz") else path.read_bytes()
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise _unusable(path, f"it cannot be read as CSV in UTF-8 ({error})") from None
    header, *lines = rows or [[]]
    for name in (key, *numbers):
        if name not in header:
            raise _lacks(path, name, header)
        if header.count(name) > 1:
            raise _unusable(path, f"two columns are called '{name}'")
    for row, line in enumerate(lines):
        if len(line) != len(header):
            raise _unusable(path, f"row {row + 1} has {len(line)} fields; its header has {len(header)}")
    columns: dict[str, Array] = {key: np.array([line[header.index(key)] for line in lines], dtype=np.str_)}
    for name in numbers:
        place = header.index(name)
        values = np.empty(len(lines), np.float64)
        for row, line in enumerate(lines):
            try:
                values[row] = float(line[place])
            except ValueError:
                raise _unusable(path, f"the column '{name}' must hold numbers, not {shown(line[place])} in row {row + 1}") from None
        columns[name] = values
    return columns


def _lacks(path: Path, name: str, there: Iterable[str]) -> BadInput:
    return _unusable(path, f"there is no column '{name}'; its columns are: {', '.join(there) or 'none'}")


def _unusable(path: Path, why: str) -> BadInput:
    return BadInput("dataset", f"the table {path} cannot be used: {why}", code="damaged_data")
