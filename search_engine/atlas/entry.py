"""One figure or table of a published work: the form of its data file, and the reading of all files.

A file is TOML, checked by the classes here; it names algorithms, spaces, data sets, pictures and ready-made searches by their ids, which
are resolved against the registry when somebody looks (`resolve`), so a file may name what an installation does not have.

>>> isinstance(atlas(), Atlas), atlas().entry("nikulenkov-2022-table-3").title
(True, 'Speed-up and loss of accuracy')
"""

from __future__ import annotations

import math
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ..base.errors import BadInput

HERE = Path(__file__).resolve().parent
NAME = r"^[a-z0-9]+(-[a-z0-9]+)*$"
KEY = r"^[a-z0-9_]+$"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Source(_Part):
    """A published work."""

    id: str = Field(pattern=NAME)
    authors: str = Field(min_length=1)
    title: str = Field(min_length=1, description="in English; a translation says so")
    kind: str = Field(min_length=1, description="master's thesis, article, ...")
    where: str = Field(min_length=1, description="journal, conference, university")
    year: int = Field(ge=1900, le=2200)
    language: str = "English"
    order: int = Field(default=0, description="among the sources of the atlas; equal ones by year")


class RunsLike(_Part):
    """Which of somebody's runs an entry is about, and the picture of theirs that belongs to it."""

    title: str = Field(min_length=1, description="what the picture shows")
    algorithm: str
    space: str = ""
    datasets: tuple[str, ...] = Field(default=(), description="the first data set is one of these; none = any")
    options: dict[str, Any] = Field(default={}, description="the run's own options have these values")
    picture: str = Field(min_length=1, description="id of a picture of the run page")


class Form(_Part):
    """A choice with which the form for a new experiment opens."""

    title: str = Field(min_length=1)
    algorithm: str
    dataset: str = ""


class Column(_Part):
    """One data set of a table."""

    key: str = Field(pattern=KEY)
    title: str
    datasets: tuple[str, ...] = Field(min_length=1, description="ids of data sets here whose runs stand beside it, the likest first")
    presets: tuple[str, ...] = Field(default=(), description="ready-made searches that give its counterpart, the likest first")
    setup: dict[str, str] = Field(default={}, description="what the source says of this column's scale, by a name in words")


class Arm(_Part):
    """One of the groups of runs that a table compares."""

    title: str
    algorithm: str
    space: str = ""
    options: dict[str, Any] = {}


MeasureName = Literal["minutes", "last_generation_accuracy"]


class Measured(_Part):
    """How the counterpart of a row is taken from runs."""

    arm: str
    measure: MeasureName
    generation: str = Field(default="", description="option of the run that says how many networks a generation has, where that matters")

    @model_validator(mode="after")
    def _of_a_generation(self) -> Self:
        if self.measure == "last_generation_accuracy" and not self.generation:
            raise ValueError("say by `generation` which option of the run has the size of a generation")
        return self


class Derived(_Part):
    """A row that follows from two others by arithmetic: `first` / `second`, or `first` - `second`."""

    formula: Literal["ratio", "difference"]
    first: str = Field(description="a row: `its-entry/row`")
    second: str


class Row(_Part):
    """One quantity of a table."""

    key: str = Field(pattern=KEY)
    title: str
    unit: str = Field(min_length=1)
    decimals: int = Field(default=2, ge=0, le=6, description="with which it is published, at most")
    values: dict[str, float] = Field(default={}, description="by column, as printed; none where the source prints nothing of this row")
    measured: Measured | None = None
    derived: Derived | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.measured and self.derived:
            raise ValueError(f"row '{self.key}': give `measured` or `derived`, not both")
        if not (self.values or self.measured or self.derived):
            raise ValueError(f"row '{self.key}' has nothing to show: give its printed `values`, or say how it is `measured` or `derived`")
        return self


class Scale(_Part):
    """A setting that decides how large an experiment was: what is published beside what a run had."""

    title: str
    option: str = Field(description="of a run's config, dotted: options.generations, training.epochs")
    values: dict[str, float] = Field(description="by column; a column that is missing is not stated in the source")
    stated: str = Field(default="", description="what the source says instead of a number")


class Table(_Part):
    """The cells of a table."""

    columns: tuple[Column, ...] = Field(min_length=1)
    rows: tuple[Row, ...] = Field(min_length=1)
    arms: dict[str, Arm] = {}
    scale: tuple[Scale, ...] = ()

    @model_validator(mode="after")
    def _cells(self) -> Self:
        keys = [column.key for column in self.columns]
        for names, what in ((keys, "columns"), ([row.key for row in self.rows], "rows")):
            if len(set(names)) < len(names):
                raise ValueError(f"two {what} have one key: {', '.join(sorted(names))}")
        for row in self.rows:
            if row.values and set(row.values) != set(keys):
                raise ValueError(f"row '{row.key}' needs a value for each of {', '.join(keys)}, not for {', '.join(row.values)}")
            for name, value in row.values.items():
                if not math.isclose(round(value, row.decimals), value, abs_tol=1e-12):
                    raise ValueError(f"row '{row.key}', {name}: {value} has more decimals than {row.decimals}")
            if row.measured and row.measured.arm not in self.arms:
                raise ValueError(f"row '{row.key}': there is no arm '{row.measured.arm}'; there are: {', '.join(self.arms) or 'none'}")
        for scale in self.scale:
            if unknown := set(scale.values) - set(keys):
                raise ValueError(f"scale '{scale.title}': there is no column '{min(unknown)}'")
        return self


class Bars(_Part):
    """A chart of bars over the columns of tables, one series for each row."""

    title: str
    y_title: str
    rows: tuple[str, ...] = Field(min_length=1, description="`its-entry/row`")


class Course(_Part):
    """A chart of the best of each generation, one line for each run of an arm on one data set. An entry with it has a `table`, whose
    arms and columns are named here."""

    title: str
    y_title: str
    arm: str
    column: str
    generation: str = Field(min_length=1, description="option of the run that says how many networks a generation has")


class Entry(_Part):
    """A figure or a table."""

    id: str = Field(pattern=NAME)
    source: str = Field(pattern=NAME, description="id of a source")
    kind: Literal["figure", "table"]
    number: int = Field(ge=1, description="as the source numbers it")
    order: int = Field(ge=0, description="where it stands in the source, among figures and tables")
    section: str = Field(min_length=1, description="of the source")
    title: str = Field(min_length=1)
    shows: str = Field(min_length=1, description="what the source shows there, in words of our own")
    here: str = Field(min_length=1, description="what there is of it here, and how it differs")
    notes: tuple[str, ...] = Field(default=(), description="slips, differences in a last digit, what is not stated")
    runs: tuple[RunsLike, ...] = ()
    presets: tuple[str, ...] = Field(default=(), description="ready-made searches, by id")
    forms: tuple[Form, ...] = ()
    explore: str = Field(default="", description="a panel of the page Distributions")
    page: str = Field(default="", description="another page of the application")
    table: Table | None = None
    bars: tuple[Bars, ...] = ()
    courses: tuple[Course, ...] = ()

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if self.kind == "table" and self.table is None:
            raise ValueError("a table has `table` with its cells")
        return self

    @model_validator(mode="after")
    def _courses_are_of_the_table(self) -> Self:
        arms = self.table.arms if self.table else {}
        columns = [column.key for column in self.table.columns] if self.table else []
        for course in self.courses:
            if course.arm not in arms:
                raise ValueError(f"course '{course.title}': there is no arm '{course.arm}'; there are: {', '.join(arms) or 'none'}")
            if course.column not in columns:
                raise ValueError(f"course '{course.title}': there is no column '{course.column}'; there are: {', '.join(columns)}")
        return self


class EntryFile(Entry):
    """An entry as it stands in its file: a source that no other file describes may come along, so that a table is one file."""

    source: str | Source  # type: ignore[assignment]


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(path.name, f"is no TOML: {error}") from None


def _checked(path: Path, model: type[Any]) -> Any:
    """The file as `model`; its id is its name. Raises BadInput naming file and field."""
    try:
        return model.model_validate({"id": path.stem, **_read(path)})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise BadInput(f"{path.name}{f': {place}' if place else ''}", first["msg"].removeprefix("Value error, ")) from None


class Atlas(BaseModel):
    """All sources and entries, in order."""

    model_config = ConfigDict(frozen=True)

    sources: tuple[Source, ...]
    entries: tuple[Entry, ...]

    def entry(self, entry_id: str) -> Entry | None:
        return next((entry for entry in self.entries if entry.id == entry_id), None)

    def row(self, name: str) -> tuple[Entry, Row]:
        """The row of a table called `its-entry/row`. Raises BadInput where there is none."""
        owner, _, key = name.partition("/")
        entry = self.entry(owner)
        found = None if entry is None or entry.table is None else next((row for row in entry.table.rows if row.key == key), None)
        if entry is None or found is None:
            raise BadInput(name, "there is no such row; a row is named by its entry and its key: some-table/speed_up")
        return entry, found


def read_atlas(folder: Path = HERE) -> Atlas:
    """Every file under `folder`/sources and `folder`/entries. Raises BadInput naming the file and the field that is wrong."""
    sources = {source.id: source for path in sorted((folder / "sources").glob("*.toml")) for source in [_checked(path, Source)]}
    entries = []
    for path in sorted((folder / "entries").glob("*.toml")):
        found = _checked(path, EntryFile)
        if isinstance(found.source, Source):
            if found.source.id in sources:
                raise BadInput(f"{path.name}: source", f"'{found.source.id}' is described already: name it by its id")
            sources[found.source.id] = found.source
        values = {name: getattr(found, name) for name in Entry.model_fields}
        entries.append(Entry.model_construct(**{**values, "source": getattr(found.source, "id", found.source)}))
    ordered = sorted(sources.values(), key=lambda source: (source.order, source.year, source.id))
    places = {source.id: place for place, source in enumerate(ordered)}
    for entry in entries:
        if entry.source not in places:
            raise BadInput(f"{entry.id}.toml: source", f"there is no source '{entry.source}'; there are: {', '.join(places) or 'none'}")
    atlas = Atlas(sources=tuple(ordered), entries=tuple(sorted(entries, key=lambda entry: (places[entry.source], entry.order, entry.id))))
    _refer(atlas)
    return atlas


def _refer(atlas: Atlas) -> None:
    """Raises BadInput where an entry names a row that is not there, or one whose columns are others."""
    for entry in atlas.entries:
        rows = [name for bars in entry.bars for name in bars.rows]
        if entry.table is not None:
            rows += [name for row in entry.table.rows if row.derived for name in (row.derived.first, row.derived.second)]
        for name in rows:
            try:
                owner, _ = atlas.row(name)
            except BadInput as error:
                raise BadInput(f"{entry.id}.toml: {error.field}", error.message) from None
            if entry.table is not None and owner.table is not None:
                own, other = ([column.key for column in table.columns] for table in (entry.table, owner.table))
                if own != other:
                    raise BadInput(f"{entry.id}.toml: {name}", f"has the columns {', '.join(other)}, not {', '.join(own)}")


@lru_cache(maxsize=1)
def atlas() -> Atlas:
    """The atlas that comes with the program; its files never change while a process lives."""
    return read_atlas()
