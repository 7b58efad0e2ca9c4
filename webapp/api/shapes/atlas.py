"""The atlas: published figures and tables, and what there is of them here."""

from __future__ import annotations

from datetime import date as Date
from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from search_engine.events import Chart

from .runs import ExperimentName


class AtlasSource(BaseModel):
    """A published work."""

    id: str
    authors: str
    title: str
    kind: str
    where: str
    year: int
    language: str


class AtlasRun(BaseModel):
    """The newest fitting run of whoever asks."""

    id: UUID
    experiment: ExperimentName
    seed: int
    dataset: str
    finished: datetime | None


class AtlasPicture(BaseModel):
    """A picture of the run page that an entry is about."""

    title: str
    picture: str
    algorithm: str
    run: AtlasRun | None = Field(description="whose picture it would be; null where none has finished yet")
    lacking: list[str] = Field(description="what it needs and this installation does not have")


class AtlasSearch(BaseModel):
    """A ready-made search by its id."""

    id: str
    title: str = Field(description="its id where it is not in this installation")
    installed: bool


class AtlasForm(BaseModel):
    """A choice with which the form opens."""

    title: str
    algorithm: str
    dataset: str
    installed: bool


class AtlasEntryInfo(BaseModel):
    """A figure or a table."""

    id: str
    source: str
    kind: Literal["figure", "table"]
    number: int
    section: str
    title: str
    shows: str = Field(description="what the source shows there")
    here: str = Field(description="what there is of it here, and how it differs")
    notes: list[str]
    pictures: list[AtlasPicture]
    searches: list[AtlasSearch]
    forms: list[AtlasForm]
    explore: str = Field(description="a panel of the page Distributions, or empty")
    page: str = Field(description="another page of the application, or empty")
    lacking: list[str] = Field(description="everything that it names and this installation does not have")


class AtlasInfo(BaseModel):
    """All of it, in order."""

    sources: list[AtlasSource]
    entries: list[AtlasEntryInfo]


class AtlasEstimate(BaseModel):
    """A quantity from finished runs."""

    value: float
    runs: int = Field(description="of each group, at least")
    low: float | None = Field(description="of the 95 % interval; null below two runs or pairs")
    high: float | None
    pairs: int = Field(description="pairs of equal seeds that the interval is of; 0 where it is of single runs")


class AtlasCell(BaseModel):
    """A published value, and what stands beside it."""

    column: str
    published: float | None = Field(description="null where the source prints nothing of it")
    recomputed: float | None = Field(description="from the published cells that it follows from; null where it is measured")
    agrees: bool | None = Field(description="whether the recomputed one is the published one in all its digits")
    recorded: AtlasEstimate | None = Field(description="from the runs that come with the program")
    ours: AtlasEstimate | None = Field(description="from the runs of whoever asks")


class AtlasRow(BaseModel):
    """One quantity."""

    key: str
    title: str
    unit: str
    decimals: int
    group: str = Field(description="of which group of runs it is; empty where it compares two")
    cells: list[AtlasCell]


class AtlasScale(BaseModel):
    """A setting that decides how large the experiment was."""

    title: str
    published: float | None
    stated: str = Field(description="what the source says instead of a number")
    ours: list[float] = Field(description="of the runs beside it, each value once")


class AtlasRuns(BaseModel):
    """The runs that stand beside one column, and how far they can be compared with what is published."""

    dataset: str
    dataset_title: str
    notice: str = Field(description="a sentence without which scores on it would be misread, or empty")
    same_data: bool = Field(description="whether it is the data set that is likest the published one")
    runs: dict[str, int] = Field(description="finished runs, by group")
    failed: int = Field(description="networks of their last generations that gave no result")
    scale: list[AtlasScale]


class AtlasOurs(AtlasRuns):
    """All of one experiment of whoever asks."""

    experiment: ExperimentName


class AtlasRecorded(AtlasRuns):
    """Those that come with the program: of a ready-made search, run once by the project."""

    search: AtlasSearch
    date: Date
    machine: str = Field(description="that they ran on, in words")


class AtlasColumn(BaseModel):
    """One data set."""

    key: str
    title: str
    setup: dict[str, str]
    searches: list[AtlasSearch]
    available: bool = Field(description="whether the files of any of its data sets are on this machine")
    recorded: AtlasRecorded | None
    ours: AtlasOurs | None


class AtlasTable(BaseModel):
    """Published cells, with ours beside them."""

    columns: list[AtlasColumn]
    rows: list[AtlasRow]


class AtlasEntry(AtlasEntryInfo):
    """An entry with its cells and charts."""

    published: AtlasSource
    table: AtlasTable | None
    charts: list[Chart]
