"""What a run has recorded."""

from __future__ import annotations

from typing import Annotated, Any
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
    """A trial. `id` follows from run and number. `cost` has `seconds` where the trial was trained for itself."""

    id: UUID
    run: UUID
    number: int
    candidate: int
    state: str
    reason: str
    metrics: dict[str, float]
    warnings: list[str] = Field(description="what makes its metrics say less than they seem to, in plain sentences")
    cost: dict[str, float]
    fidelity: dict[str, Any]
    reused_from: int | None
    simulated: bool
    value: float | None = Field(description="by which the search ranks it: the run's search_measure, at this trial's fidelity")
    genome: UUID
    genome_hash: str


class TrialPage(BaseModel):
    results: list[TrialInfo]
    next: str | None


class CandidateInfo(BaseModel):
    number: int
    genome: UUID
    genome_hash: str
    string: str = Field(description="its genome in the space's own text form; empty where it has none")
    parents: list[int]
    operator: str
    born_seq: int
    metrics: dict[str, float] = Field(
        description="what its trial measured, each fold of a cross-validation included; empty while it is open, and where it failed"
    )


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


Deltas = Annotated[list[int], Field(description="each less the one before it, the first as it is: add them up")]


class At(BaseModel):
    """What an event said, with the event's number; `data` as in the event records."""

    seq: int
    data: dict[str, Any]


class Track(BaseModel):
    """Named numbers that one source says together, as columns. Evenly thinned where there are thousands, the first and the newest always
    kept; a name may stand in several tracks of a source, said with others or alone."""

    source: str
    names: list[str]
    seqs: Deltas
    steps: Deltas
    samples: Deltas = Field(description="charged by the source so far, to a whole number; coded as the others are")
    values: list[list[float | None]] = Field(description="of each name, to seven digits; null where it was no finite number")


class CandidateColumns(BaseModel):
    """Candidates as columns, in birth order; the newest 20,000 (at a moment the newest 5,000)."""

    number: Deltas
    born: Deltas = Field(description="number of the event that said so; coded as the others are")
    told: list[int] = Field(
        description="how many events after its birth the result was told; 0 = not yet. At a moment, where that is not looked up: 1 = told"
    )
    value: list[float | None] = Field(description="by which the search ranks them: the run's search_measure; null until told")
    samples: Deltas = Field(description="what the run had been charged by then, to a whole number; of an open one as of the row before it")
    statuses: list[str] = Field(description="what `status` counts in: open, completed, failed, cancelled")
    status: list[int]
    operators: list[str] = Field(description="what `operator` counts in")
    operator: list[int]
    parents: list[list[int]]
    same_as: list[int | None] = Field(description="number of the first candidate known here with the same genome; null = itself")
    reused_from: list[int | None] = Field(description="number of the trial whose result was taken over")
    reasons: dict[str, str] = Field(description="number of a candidate that failed -> why; of the newest few hundred")
    warnings: dict[str, list[str]] = Field(
        description="number of a candidate -> what makes its figures say less than they seem to; of the newest few hundred"
    )


class TimelineColumns(BaseModel):
    """When things happened, in active seconds: a silence counts at most two, changes of the picture lie at least a sixtieth apart."""

    seqs: Deltas
    at: list[float] = Field(description="active seconds, to a thousandth")
    time: float | None = Field(description="seconds since the epoch of the newest event: what a next one's silence is measured from")
    ticks: Deltas = Field(description="events at which the picture changes")
    marks: Deltas = Field(description="new bests and champions")


class Snapshot(BaseModel):
    """A run as it stood at `as_of_seq`, with all of its past that adds up: apply the events after it. What only its newest moment shows is
    in `events`; how that was at another moment says `runs/{id}/moment`."""

    as_of_seq: int
    run: RunDetail
    events: list[EventRecord] = Field(description="what a moment gives, at the newest: in order")
    timeline: TimelineColumns
    curves: list[Track] = Field(description="of the search, its phases and finalists, and of the newest trials")
    candidates: CandidateColumns
    incumbents: list[At] = Field(description="without their genomes")
    phases: list[At]
    notices: list[At]
    finalists: list[At]
    controls: list[At]
    reports: list[At]
    growth: list[At] = Field(description="the newest hundred and others before them, evenly thinned")
    population: list[At] = Field(description="generations that live in memory, evenly thinned")
    log: list[EventRecord] = Field(description="the newest few hundred that a log tells of, in order, without genomes, graphs and charts")


class Moment(BaseModel):
    """What a run showed when its event `at` had come: add it to the snapshot's past."""

    at: int = Field(description="as asked for, or the run's newest event if that is before it")
    events: list[EventRecord] = Field(
        description="of every kind of which only the newest matters (weights, pictures, champion, best, derived architecture, family, "
        "decisions, generation) the newest until then, of charts and masks that of each phase, of a policy that of each data set; in order"
    )
    candidates: CandidateColumns | None = Field(description="where the run has more of them than a snapshot holds, else null")


class StructureSeries(BaseModel):
    """One edge's weights over the steps: base64 of little-endian float32 (steps x operations)."""

    group: str
    edge: int
    operations: list[str]
    steps: list[int]
    values: str
