"""Events: the typed facts of a run, the one definition of them.

The command line writes them to `events.jsonl`, the web application stores and streams them, the browser's TypeScript types are
generated from `json_schema()`. *Science* events are reproducible: equal seed and config give equal payloads under equal keys
(source, step, kind, ordinal). *Ops* events (started, paused, a lease lost) tell what happened to the machinery and are not.

Float arrays travel as base64 of little-endian float32 (`encode_floats`), so a frame is small and exact.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter


class _Payload(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


# ---------------------------------------------------------------- shared parts


class GraphNode(_Payload):
    id: str
    label: str
    kind: str = Field(description="input, output, hidden, aggregation, operation: what the drawer shows it as")
    aggregation: str | None = None
    attributes: dict[str, Any] = {}


class GraphEdge(_Payload):
    source: str
    target: str
    key: str = Field(description="edge key of the multigraph: the primitive's name, or a number")
    operation: str | None = None
    attributes: dict[str, Any] = {}


class GraphData(_Payload):
    """An architecture graph in node-link form (networkx's MultiDiGraph outside Python)."""

    nodes: list[GraphNode]
    edges: list[GraphEdge]
    attributes: dict[str, Any] = {}


class FamilyGroup(_Payload):
    """One drawable graph of a model family whose edges carry weights, for example the normal cell.

    Structure frames carry one float array per group with shape (len(edges), len(operations)), in this order.
    """

    name: str
    title: str
    nodes: list[GraphNode]
    edges: list[tuple[str, str]]
    operations: list[str]
    fixed: list[tuple[str, str]] = Field(default=[], description="edges without a choice (for example node to concat)")
    layout: dict[str, tuple[float, float]] = Field(default={}, description="hand-made positions in the unit square; empty = lay out")
    constraint: str = Field(default="simplex", description="simplex, simplex_vertices, cube or cube_vertices: where an edge's weights live")


class Cost(_Payload):
    """What work has used. `samples` (training examples x passes) = forward_backward + forward / 3."""

    forward_backward: int = 0
    forward: int = 0
    flops: float = 0.0
    seconds: float = Field(default=0.0, description="only filled where a budget in seconds needs it; never part of science payloads")

    @property
    def samples(self) -> float:
        return self.forward_backward + self.forward / 3

    def plus(self, other: Cost) -> Cost:
        return Cost(
            forward_backward=self.forward_backward + other.forward_backward,
            forward=self.forward + other.forward,
            flops=self.flops + other.flops,
            seconds=self.seconds + other.seconds,
        )


# ---------------------------------------------------------------- science


class PhaseStarted(_Payload):
    kind: Literal["phase_started"] = "phase_started"
    phase: int
    name: str
    title: str
    language: Literal["trials", "steps"]
    horizon: int | None = Field(default=None, description="steps or trials that the config plans; a budget may cut it short")


class FamilyDeclared(_Payload):
    """The topology of the family, sent once; structure frames refer to it by group name."""

    kind: Literal["family"] = "family"
    groups: list[FamilyGroup]


class StructureFrame(_Payload):
    """Structure parameters at one step: per group a float array (edges x operations), base64 float32."""

    kind: Literal["structure"] = "structure"
    step: int
    groups: dict[str, str]


class CandidateBorn(_Payload):
    kind: Literal["candidate_born"] = "candidate_born"
    number: int
    parents: list[int]
    operator: str
    genome: dict[str, Any]
    genome_hash: str
    string: str
    fidelity: dict[str, Any] = {}


class TrialTold(_Payload):
    """A trial's result as the algorithm received it, in ask order."""

    kind: Literal["trial_told"] = "trial_told"
    number: int
    candidate: int
    status: Literal["completed", "failed", "cancelled"]
    reason: str = ""
    metrics: dict[str, float] = {}
    cost: Cost = Cost()
    reused_from: int | None = None
    simulated: bool = False
    charged_samples: float = Field(description="the run's charged samples after this tell")
    charged_trials: int


class Incumbent(_Payload):
    """A new best, by validation fitness, in tell order."""

    kind: Literal["incumbent"] = "incumbent"
    candidate: int | None = None
    step: int | None = None
    metric: str
    value: float
    genome: dict[str, Any]
    genome_hash: str
    string: str


class Metrics(_Payload):
    """Named numbers at one step: training and validation loss, learning rate, entropy, charged samples, ..."""

    kind: Literal["metrics"] = "metrics"
    step: int
    samples: float = Field(description="samples charged so far by this source")
    values: dict[str, float]


class DerivedGenome(_Payload):
    """The genome that would be derived now; sent when it changes."""

    kind: Literal["derived"] = "derived"
    step: int
    genome: dict[str, Any]
    genome_hash: str
    string: str
    changed_edges: int


class Notice(_Payload):
    """A shared habit fired (skip counter, warm-up end, early stop): name, plain-language message, numbers."""

    kind: Literal["notice"] = "notice"
    name: str
    message: str
    step: int | None = None
    values: dict[str, float] = {}


class PopulationBlock(_Payload):
    """One generation of a population that lives in memory, compressed (base64 of zlib of JSON columns)."""

    kind: Literal["population"] = "population"
    generation: int
    size: int
    block: str
    best: float
    mean: float


class Champion(_Payload):
    """The best individual of a growing population, with what changed against the champion before."""

    kind: Literal["champion"] = "champion"
    generation: int
    value: float
    metric: str
    genome: dict[str, Any]
    genome_hash: str
    graph: GraphData
    added_nodes: list[str] = []
    added_edges: list[tuple[str, str]] = []
    removed_edges: list[tuple[str, str]] = []
    changed_nodes: list[str] = []


class SearchStopped(_Payload):
    kind: Literal["search_stopped"] = "search_stopped"
    reason: str = Field(description="budget, horizon, exhausted or failures")
    message: str
    charged_samples: float
    charged_trials: int
    overshoot: float = 0.0


class FinalistChosen(_Payload):
    kind: Literal["finalist"] = "finalist"
    index: int
    role: Literal["finalist", "baseline"]
    title: str
    genome: dict[str, Any]
    genome_hash: str
    string: str
    graph: dict[str, GraphData] = Field(default={}, description="drawable graphs by name (normal, reduction, network, ...)")
    finish: Literal["retrain", "as_is", "none"]


class ModelScored(_Payload):
    """The end of a finalist: its one visit to the test split."""

    kind: Literal["model"] = "model"
    index: int
    role: Literal["finalist", "baseline"]
    genome_hash: str
    metrics: dict[str, float]
    parameters: int | None = None
    flops: float | None = None
    bundle: bool = Field(description="whether a downloadable model exists")
    reason: str = Field(default="", description="why there is no model")


class RunCompleted(_Payload):
    kind: Literal["run_completed"] = "run_completed"
    reason: str
    message: str


# ---------------------------------------------------------------- ops


class Ops(_Payload):
    """What happened to the machinery."""

    kind: Literal["ops"] = "ops"
    what: Literal[
        "queued",
        "started",
        "slice",
        "pausing",
        "paused",
        "resumed",
        "cancelled",
        "failed",
        "completed",
        "waiting",
        "lease_lost",
        "recovered",
        "diverged",
        "disk_full",
        "timing",
    ]
    message: str
    values: dict[str, Any] = {}


Payload = (
    PhaseStarted
    | FamilyDeclared
    | StructureFrame
    | CandidateBorn
    | TrialTold
    | Incumbent
    | Metrics
    | DerivedGenome
    | Notice
    | PopulationBlock
    | Champion
    | SearchStopped
    | FinalistChosen
    | ModelScored
    | RunCompleted
    | Ops
)
_ADAPTER: TypeAdapter[Payload] = TypeAdapter(Annotated[Payload, Field(discriminator="kind")])


class Event(BaseModel):
    """One fact of a run before it has its number: where it comes from and what it says.

    `source` is `run`, `trial:N`, `phase:I` or `final:I`; (source, step, kind, ordinal) is unique among a run's science events,
    so a slice repeated after a crash says nothing twice.
    """

    model_config = ConfigDict(frozen=True)

    source: str
    step: int
    ordinal: int = 0
    payload: Annotated[Payload, Field(discriminator="kind")]

    @property
    def kind(self) -> str:
        return self.payload.kind

    @property
    def science(self) -> bool:
        return not isinstance(self.payload, Ops)

    @property
    def key(self) -> tuple[str, int, str, int]:
        return (self.source, self.step, self.kind, self.ordinal)


class EventRecord(BaseModel):
    """An event as it is written down and sent: one line of events.jsonl, one element of a WebSocket frame."""

    seq: int
    time: float = Field(description="seconds since the epoch when it was committed; not science")
    science: bool
    source: str
    step: int
    ordinal: int
    kind: str
    data: Annotated[Payload, Field(discriminator="kind")]


class EventLog:
    """Collects the events of one source and gives each its ordinal within (step, kind)."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._pending: list[Event] = []
        self._counts: dict[tuple[int, str], int] = {}

    def add(self, payload: Payload, step: int) -> None:
        place = (step, payload.kind)
        ordinal = self._counts.get(place, 0)
        self._counts = {key: count for key, count in self._counts.items() if key[0] >= step - 1}
        self._counts[place] = ordinal + 1
        self._pending.append(Event(source=self.source, step=step, ordinal=ordinal, payload=payload))

    @property
    def pending(self) -> int:
        """How many events `drain` would give."""
        return len(self._pending)

    def drain(self) -> list[Event]:
        """The events since the last call, in order."""
        pending, self._pending = self._pending, []
        return pending

    def state_dict(self) -> dict[str, Any]:
        return {"counts": [[step, kind, count] for (step, kind), count in self._counts.items()]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._pending = []
        self._counts = {(step, kind): count for step, kind, count in state["counts"]}


def encode_floats(values: Iterable[float] | np.ndarray[Any, Any]) -> str:
    """Base64 of little-endian float32, row-major."""
    array = np.asarray(values if isinstance(values, np.ndarray) else list(values), dtype="<f4")
    return base64.b64encode(array.tobytes()).decode()


def decode_floats(text: str) -> np.ndarray[Any, Any]:
    """Undo `encode_floats`: a one-dimensional float32 array."""
    return np.frombuffer(base64.b64decode(text), dtype="<f4")


def parse_payload(data: dict[str, Any]) -> Payload:
    """A payload from its JSON. Raises pydantic.ValidationError."""
    return _ADAPTER.validate_python(data)


def json_schema() -> dict[str, Any]:
    """JSON schema of EventRecord, from which the browser's types are generated."""
    return EventRecord.model_json_schema(mode="serialization")
