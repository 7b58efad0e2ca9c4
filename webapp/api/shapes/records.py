"""What a run has recorded."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from search_engine.events import EventRecord, GraphData

from .runs import Model, RunDetail


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
    """The newest structure frame: group -> base64 of little-endian float32 (edges x operations; samples: draws x edges x operations)."""

    step: int
    groups: dict[str, str]
    samples: dict[str, str] = {}


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
    decisions: dict[str, Any] | None
    pictures: list[dict[str, Any]] = Field(
        description="the latest policy, marginals, colony, pathways, domains and surrogate frame, and the latest charts and mask frame of "
        "each phase (with its source)"
    )
    controls: list[dict[str, Any]]
    reports: list[dict[str, Any]]
    growth: list[dict[str, Any]] = Field(description="the newest growth steps, the oldest of them first")


class StructureSeries(BaseModel):
    """One edge's weights over the steps: base64 of little-endian float32 (steps x operations)."""

    group: str
    edge: int
    operations: list[str]
    steps: list[int]
    values: str
