"""Experiments, runs, models and estimates."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from ..problems import FieldProblem

RunState = Literal["queued", "running", "pausing", "paused", "completed", "failed", "cancelled"]


class ExperimentName(BaseModel):
    id: UUID
    name: str


class AlgorithmName(BaseModel):
    """What a page needs to know of an algorithm that a run names; the rest is in the catalogue."""

    id: str
    title: str
    structure: list[str] = Field(description="its kinds of picture, what it is about first; empty where it was uninstalled since")
    metric_note: str = Field(description="how its results were measured where the metric's name does not say it, else empty")


class BudgetInfo(BaseModel):
    kind: Literal["trials", "samples", "seconds"]
    limit: float


class Charged(BaseModel):
    """What the budget was charged so far."""

    samples: float
    trials: int
    seconds: float
    flops: float


class RunProgress(BaseModel):
    """How far the run is, for people. `fraction` is null where nothing plans an end."""

    fraction: float | None
    text: str
    eta_seconds: float | None


class Best(BaseModel):
    """The best by validation fitness."""

    value: float
    metric: str
    candidate: int | None
    genome_hash: str


class RunWorker(BaseModel):
    """The worker that holds a lease of the run now."""

    name: str
    device: str
    threads: int


class Counts(BaseModel):
    candidates: int
    trials: int
    failed: int


class Bundle(BaseModel):
    """The download: size in bytes and SHA-256 of the zip."""

    size: int
    sha256: str


class Model(BaseModel):
    """A trained network of a run's finale; `bundle` is null where there is nothing to download (`reason` says why)."""

    id: UUID
    run: UUID
    experiment: ExperimentName
    algorithm: AlgorithmName
    space: str
    datasets: list[str] = Field(description="those of the run's data sets that it is for")
    seed: int
    index: int
    role: Literal["finalist", "baseline"]
    title: str = Field(description="what it is in the finale, for example the best architecture or the path of one task")
    genome_hash: str
    metrics: dict[str, float]
    parameters: int | None
    flops: float | None
    bundle: Bundle | None
    reason: str
    created: datetime


class Run(BaseModel):
    """One algorithm with its options and one seed."""

    id: UUID
    experiment: ExperimentName
    algorithm: AlgorithmName
    options: dict[str, Any]
    seed: int
    space: str
    datasets: list[str]
    state: RunState
    reason: str
    budget: BudgetInfo | None
    charged: Charged
    progress: RunProgress
    phase: str
    best: Best | None
    last_seq: int
    created: datetime
    started: datetime | None
    finished: datetime | None
    reproducible: bool
    reproducible_note: str
    worker: RunWorker | None
    counts: Counts
    models: list[Model]


class RunDetail(Run):
    """A run with its whole config."""

    config: dict[str, Any]


class RunPage(BaseModel):
    results: list[Run]
    next: str | None = Field(description="cursor of the next page")


class Experiment(BaseModel):
    """The runs compared under one space, data set and budget."""

    id: UUID
    name: str
    created: datetime
    space: str
    datasets: list[str]
    budget: BudgetInfo | None
    seeds: list[int]
    config: dict[str, Any]
    states: dict[str, int]
    runs: list[Run]


class ExperimentPage(BaseModel):
    results: list[Experiment]
    next: str | None = Field(description="cursor of the next page")


class CloneBody(BaseModel):
    """POST runs/{id}/clone: the seed of the copy; null = a new one."""

    model_config = {"extra": "forbid"}

    seed: int | None = Field(default=None, ge=0, lt=2**31)


class Validation(BaseModel):
    """Whether a body could be started, and everything that speaks against it."""

    valid: bool
    problems: list[FieldProblem]
    advice: list[str] = Field(default=[], description="what to know before the start although nothing is wrong, for example a cut grid")




class RunEstimate(BaseModel):
    algorithm: str
    seed: int
    samples: float | None
    seconds: float | None
    steps: int | None
    trials: int | None
    note: str
    advice: list[str] = []


class EstimateResult(BaseModel):
    runs: list[RunEstimate]
    total_seconds: float | None


class EstimateInfo(BaseModel):
    """A cost estimate, made by a worker because it needs torch."""

    id: UUID
    state: Literal["queued", "running", "done", "failed"]
    result: EstimateResult | None
    reason: str
