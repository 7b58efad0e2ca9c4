"""What the API says: one pydantic model per resource.

They are the single definition behind the REST responses, the frames of the WebSocket (`webapp.live`) and the OpenAPI document from
which the browser's types are generated.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field, RootModel

from search_engine.events import EventRecord, GraphData

from .problems import FieldProblem

RunState = Literal["queued", "running", "pausing", "paused", "completed", "failed", "cancelled"]


# ---------------------------------------------------------------- catalogue


class AlgorithmInfo(BaseModel):
    """An algorithm of the registry. `schema_` (JSON key `schema`) is the JSON schema of its options."""

    id: str
    title: str
    family: str
    summary: str
    source: str
    needs: list[str]
    lives: str
    structure: str
    spaces: list[str] = Field(description="what it can search, its default first")
    datasets: list[str]
    budgets: list[str]
    schema_: dict[str, Any] = Field(serialization_alias="schema")


class SpaceInfo(BaseModel):
    """A search space of the registry."""

    id: str
    title: str
    description: str
    source: str
    offers: list[str]
    inputs: list[str]
    schema_: dict[str, Any] = Field(serialization_alias="schema")


class ShapeInfo(BaseModel):
    """(channels, height, width) or (features,), and the number of classes."""

    input: list[int]
    classes: int


class DatasetInfo(BaseModel):
    """A data set of the registry, and whether its files are here."""

    id: str
    title: str
    description: str
    source: str
    licence: str
    provides: str
    input_kind: str
    shape: ShapeInfo | None
    budgets: list[str]
    spaces: list[str] | None
    sizes: dict[str, int]
    metric: str
    available: bool
    missing_files: list[str]
    schema_: dict[str, Any] = Field(serialization_alias="schema")


class Combination(BaseModel):
    """One combination that works."""

    algorithm: str
    space: str
    dataset: str
    budgets: list[str]


class RunSchemas(BaseModel):
    """JSON schemas of the parts of an experiment that no registry entry owns."""

    training: dict[str, Any]
    finale: dict[str, Any]
    run: dict[str, Any]


class Preset(BaseModel):
    """A ready-made search: `experiment` is a body for POST experiments."""

    id: str
    title: str
    description: str
    experiment: dict[str, Any]


class AlgorithmInfos(RootModel[list[AlgorithmInfo]]):
    """In catalogue order."""


class SpaceInfos(RootModel[list[SpaceInfo]]):
    """In catalogue order."""


class DatasetInfos(RootModel[list[DatasetInfo]]):
    """In catalogue order."""


class Combinations(RootModel[list[Combination]]):
    """Every combination that works."""


class Presets(RootModel[list[Preset]]):
    """Ready-made searches."""


# ---------------------------------------------------------------- runs


class ExperimentName(BaseModel):
    id: UUID
    name: str


class AlgorithmName(BaseModel):
    id: str
    title: str


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
    datasets: list[str]
    index: int
    role: Literal["finalist", "baseline"]
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


# ---------------------------------------------------------------- estimates


class RunEstimate(BaseModel):
    algorithm: str
    seed: int
    samples: float | None
    seconds: float | None
    steps: int | None
    trials: int | None
    note: str


class EstimateResult(BaseModel):
    runs: list[RunEstimate]
    total_seconds: float | None


class EstimateInfo(BaseModel):
    """A cost estimate, made by a worker because it needs torch."""

    id: UUID
    state: Literal["queued", "running", "done", "failed"]
    result: EstimateResult | None
    reason: str


# ---------------------------------------------------------------- records of a run


class EventPage(BaseModel):
    """Events after a sequence number. `last_seq` is the run's newest."""

    events: list[EventRecord]
    last_seq: int
    has_more: bool


class TrialInfo(BaseModel):
    """A trial. `id` follows from run and number."""

    id: UUID
    run: UUID
    number: int
    candidate: int
    state: str
    reason: str
    metrics: dict[str, float]
    cost: dict[str, float]
    fidelity: dict[str, Any]
    reused_from: int | None
    simulated: bool
    value: float | None
    genome: UUID
    genome_hash: str


class TrialPage(BaseModel):
    results: list[TrialInfo]
    next: str | None


class CandidateInfo(BaseModel):
    number: int
    genome: UUID
    genome_hash: str
    parents: list[int]
    operator: str
    born_seq: int


class CandidatePage(BaseModel):
    results: list[CandidateInfo]
    next: str | None


class GenomeDetail(BaseModel):
    """A genome, the candidates that carry it, and its drawings (node-link graphs by name; empty in lists without ?hash=)."""

    id: UUID
    run: UUID
    hash: str
    space: str
    string: str
    content: dict[str, Any]
    drawings: dict[str, GraphData]
    candidates: list[int]


class GenomePage(BaseModel):
    results: list[GenomeDetail]
    next: str | None


class ModelPage(BaseModel):
    results: list[Model]
    next: str | None


class Curve(BaseModel):
    """One named metric of one source; evenly thinned to at most 2,000 points, the last one always kept."""

    steps: list[int]
    samples: list[float]
    values: list[float]


class CandidateColumns(BaseModel):
    """Candidates as columns, in birth order; the newest 20,000. `value` is null until told."""

    number: list[int]
    value: list[float | None]
    status: list[str]
    operator: list[str]
    parents: list[list[int]]
    genome_hash: list[str]


class StructureNow(BaseModel):
    """The newest structure frame: group -> base64 of little-endian float32 (edges x operations)."""

    step: int
    groups: dict[str, str]


class Snapshot(BaseModel):
    """A run as it stood at `as_of_seq`: apply the events after it. The data of single events are as in the event records."""

    as_of_seq: int
    run: RunDetail
    family: dict[str, Any] | None
    structure: StructureNow | None
    champion: dict[str, Any] | None
    derived: dict[str, Any] | None
    incumbent: dict[str, Any] | None
    phases: list[dict[str, Any]]
    metrics: dict[str, dict[str, Curve]]
    candidates: CandidateColumns
    finalists: list[dict[str, Any]]
    models: list[Model]
    notices: list[dict[str, Any]]


class StructureSeries(BaseModel):
    """One edge's weights over the steps: base64 of little-endian float32 (steps x operations)."""

    group: str
    edge: int
    operations: list[str]
    steps: list[int]
    values: str


# ---------------------------------------------------------------- machinery and people


class WorkerJob(BaseModel):
    """What a worker does now. `run` is null where the run is somebody else's."""

    id: UUID | None
    kind: str
    run: UUID | None


class WorkerInfo(BaseModel):
    """A worker process and when it was last heard of."""

    id: UUID
    name: str
    device: str
    threads: int
    host: str
    pid: int
    alive: bool
    last_seen: datetime
    job: WorkerJob | None


class WorkerInfos(RootModel[list[WorkerInfo]]):
    """The workers heard of lately."""


class Me(BaseModel):
    username: str
    id: int
    is_staff: bool


class LoginBody(BaseModel):
    model_config = {"extra": "forbid"}

    username: str = Field(min_length=1, max_length=150)
    password: str = Field(min_length=1, max_length=4096)


class TokenBody(BaseModel):
    model_config = {"extra": "forbid"}

    name: str = Field(min_length=1, max_length=100, description="what you will recognise it by")
    scope: Literal["read", "write"] = "write"


class TokenInfo(BaseModel):
    id: UUID
    name: str
    scope: Literal["read", "write"]
    hint: str = Field(description="first characters, to tell tokens apart")
    created: datetime
    last_used: datetime | None


class TokenInfos(RootModel[list[TokenInfo]]):
    """Your tokens, newest first."""


class NewToken(TokenInfo):
    """`token` is the plain value: shown this once, kept nowhere."""

    token: str


class Ticket(BaseModel):
    ticket: str
    expires_in: int


class Health(BaseModel):
    status: Literal["ok", "unavailable"]
    checks: dict[str, str]
