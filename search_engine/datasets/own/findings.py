"""What was found in a file, and what is kept of it: forms for people and for JSON, without a rule in them."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from .choices import Choices, Kind, SplitKind, Task

DataKind = Literal["vector", "image", "series"]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Form):
    """The file that was given."""

    name: str
    bytes: int
    sha256: str


class Column(_Form):
    """One column of a table."""

    name: str
    kind: Kind
    """What becomes of it."""
    inferred: Kind
    why: str = ""
    """Why it is dropped, or taken for what it is; empty where that goes without saying."""
    missing: int = 0
    distinct: int = 0
    least: float | None = None
    largest: float | None = None
    mean: float | None = None
    categories: list[str] = []
    """The most frequent ones, at most 20."""
    gives_away: float | None = None
    """How well this column alone predicts the target on rows that the rule was not made of (accuracy, or R² of a regression), where that
    is suspiciously good."""


class Share(_Form):
    """One class (or a part of the range of a regression's target) and how often it stands."""

    name: str
    count: int
    test: int


class Split(_Form):
    kind: SplitKind
    column: str | None = None
    test_share: float
    validation_share: float
    seed: int
    train: int = 0
    """Rows that a person fixed for training; the others outside the test part are divided by the run's seed."""
    validation: int = 0
    pool: int
    """Rows outside the test part."""
    test: int
    words: str


class Sample(_Form):
    """An example to look at."""

    label: str
    part: Literal["search", "test"]
    row: list[str] | None = None
    picture: str | None = None
    """A PNG file, base64."""
    series: list[list[float]] | None = None
    """One list for each channel."""


class Note(_Form):
    """Something to know before a score on these data is believed."""

    code: str
    message: str
    count: int = 0


class Findings(_Form):
    """All that `examine` says."""

    kind: DataKind
    task: Task
    format: str
    rows: int
    """Examples that are used."""
    columns: list[Column] = []
    target: str
    class_names: list[str]
    """Of a regression: the target's name."""
    balance: list[Share]
    split: Split
    shape: list[int]
    """Of one example as a network sees it: (features,), (channels, height, width) or (channels, time)."""
    samples: list[Sample]
    notices: list[Note]
    source: Source


class LaidOut(_Form):
    """A column as it is kept: place `place` of `numbers.npy` (number) or of `codes.npy` (category)."""

    name: str
    kind: Literal["number", "category"]
    place: int
    missing: bool = False
    """number: whether a second input says that it was missing."""
    categories: list[str] = []
    """Those of all rows outside the test part, at most `Bounds.categories`; code -1 is missing or another one."""

    @property
    def width(self) -> int:
        return len(self.categories) if self.kind == "category" else 1 + self.missing


class Manifest(Findings):
    """`set.json` of a stored set."""

    format_number: int = 1
    id: str
    digest: str
    title: str
    made: str = ""
    """When it was kept, ISO 8601 in UTC; no part of the digest."""
    choices: Choices
    layout: list[LaidOut] = []
    decimal: str = "."
    arrays: dict[str, str] = Field(description="file -> SHA-256 of its bytes")
