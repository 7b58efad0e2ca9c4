"""A person's own data, and what there is to see of any data set."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from search_engine.datasets.own.choices import Choices
from search_engine.datasets.own.findings import Findings
from webapp.core.models import Dataset


class DataProgress(BaseModel):
    """How far the work under way is."""

    done: float = Field(description="0 to 1")
    text: str


class OwnDataset(BaseModel):
    """A person's own data set, from its upload on. `findings` come with one set, not with a list of them."""

    id: UUID
    purpose: Literal["data", "run"] = Field(description="a run goes on as `run-imports/{id}`")
    title: str
    file_name: str
    size: int = Field(description="bytes of the upload")
    received: int = Field(description="bytes that are there")
    stored: int = Field(description="bytes of what is kept")
    state: Literal["uploading", "uploaded", "examining", "examined", "keeping", "ready", "failed"]
    reason: str = Field(description="why it failed, or what the last try met")
    progress: DataProgress | None
    dataset: str = Field(description="what experiments call it; empty until it is kept")
    version: int
    previous: UUID | None = Field(description="the version before it")
    created: datetime
    touched: datetime
    kind: str = Field(description="vector, image or series; empty until it was examined")
    task: str
    rows: int | None
    choices: Choices | None = None
    findings: Findings | None = None

    @classmethod
    def of(cls, row: Dataset, *, whole: bool = False) -> OwnDataset:
        """`whole`: with its findings."""
        found: dict[str, Any] = row.findings or {}
        return cls(
            id=row.pk, purpose=row.purpose, title=row.title, file_name=row.file_name, size=row.size, received=row.received,
            stored=row.stored, state=row.state, reason=row.reason,
            progress=None if not row.progress else DataProgress(**row.progress), dataset=row.registry_id,
            version=row.version, previous=row.previous_id, created=row.created, touched=row.touched, kind=found.get("kind", ""),
            task=found.get("task", ""), rows=found.get("rows"), choices=Choices.model_validate(row.choices) if whole else None,
            findings=Findings.model_validate(found) if whole and found else None,
        )  # fmt: skip


class RunImport(BaseModel):
    """A run, or an experiment, that somebody brings from elsewhere: its upload, and what became of it."""

    id: UUID
    file_name: str
    size: int = Field(description="bytes of the upload")
    received: int = Field(description="bytes that are there")
    state: Literal["uploading", "uploaded", "examining", "ready", "failed"]
    reason: str = Field(description="why it failed: which file does not fit, and what would be right")
    progress: DataProgress | None
    experiment: UUID | None = Field(description="what it became")
    runs: int = Field(description="how many runs are in it, once that is known")
    created: datetime

    @classmethod
    def of(cls, row: Dataset) -> RunImport:
        return cls(
            id=row.pk, file_name=row.file_name, size=row.size, received=row.received, state=row.state, reason=row.reason,
            progress=None if not row.progress else DataProgress(**row.progress), experiment=row.experiment_id,
            runs=row.choices.get("runs", 0), created=row.created,
        )  # fmt: skip


class RunImportPage(BaseModel):
    """A page of them, newest first."""

    results: list[RunImport]
    next: str | None


class OwnDatasetPage(BaseModel):
    """A page of a person's own data sets, newest first."""

    results: list[OwnDataset]
    next: str | None


class DataRoom(BaseModel):
    """How much data a person has here, and may have."""

    taken: int
    most: int
    most_of_a_file: int


class DatasetUseInfo(BaseModel):
    """An experiment that uses a data set."""

    id: int
    experiment: UUID
    name: str
    created: datetime
    runs: int
    open_runs: int = Field(description="those that have not ended")


class DatasetUsePage(BaseModel):
    """A page of what uses a data set, newest first."""

    results: list[DatasetUseInfo]
    next: str | None


class DatasetLookInfo(BaseModel):
    """What there is to see of a data set, once a worker has looked."""

    dataset: str
    state: Literal["queued", "running", "done", "failed"]
    reason: str
    result: dict[str, Any] | None = Field(description="search_engine.datasets.look.Look")
