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


class DecisionInfo(_Payload):
    """One decision of a space, as the browser draws it: a strip of its choices, or a cell of a matrix."""

    key: str
    title: str
    kind: str
    choices: list[str]
    row: int | None = Field(default=None, description="place in a matrix of layers x earlier layers, where it has one")
    column: int | None = None
    group: str | None = Field(default=None, description="family group, edge and operations that the decision stands for, where it does")
    edge: int | None = None


class DecisionsDeclared(_Payload):
    """The space's decisions, sent once; policy and marginals frames refer to them by order."""

    kind: Literal["decisions"] = "decisions"
    decisions: list[DecisionInfo]


class PolicyFrame(_Payload):
    """What a controller believes: per decision a probability vector, given the greedy choices before it.

    `probabilities` is base64 float32: all decisions' vectors one behind the other (an inactive decision's is all zeros).
    """

    kind: Literal["policy"] = "policy"
    step: int
    domain: int | None = Field(default=None, description="whose controller, where every data set has its own")
    probabilities: str
    sampled: list[int | None] = Field(default=[], description="choices of the latest sample")
    parent: list[int | None] = Field(default=[], description="choices of its parent, where it has one (Evo-NAS)")
    resampled: list[int] = Field(default=[], description="places that were drawn anew rather than copied from the parent")
    values: dict[str, float] = Field(default={}, description="entropy, entropy_share, baseline, reward, ...")


class MarginalsFrame(_Payload):
    """What was tried so far, per decision and choice: how often, and with which mean score. Base64 float32 in the decisions' order."""

    kind: Literal["marginals"] = "marginals"
    step: int
    counts: str
    means: str = Field(description="0 where a choice was never scored")


class ColonyEdge(_Payload):
    depth: int
    source: str
    target: str
    pheromone: float
    heuristic: float
    probability: float = Field(description="pheromone x heuristic, normalised over the source's edges")


class Ant(_Payload):
    number: int | None = Field(description="its candidate")
    path: list[str] = Field(description="node types by depth, the input first")
    inherited: int = Field(default=0, description="layers whose weights came from an earlier ant")


class ColonyFrame(_Payload):
    """The pheromone graph at one moment: a column of nodes per depth, edges between neighbouring columns, the ants of the generation."""

    kind: Literal["colony"] = "colony"
    step: int
    depth: int
    edges: list[ColonyEdge]
    attributes: dict[str, dict[str, float]] = Field(
        default={}, description="'depth/node/attribute' -> share of each value (pheromone, normalised)"
    )
    ants: list[Ant]
    best: list[str] = Field(default=[], description="the best path so far")
    values: dict[str, float] = {}


class PathwaysFrame(_Payload):
    """A population of paths through columns of modules (PathNet). A path is, per layer, the list of its modules."""

    kind: Literal["pathways"] = "pathways"
    step: int
    task: int
    layers: int
    modules: int
    population: list[list[list[int]]]
    fitness: list[float | None]
    frozen: list[list[int]] = Field(default=[], description="per layer the modules that earlier tasks froze")
    earlier: list[list[list[int]]] = Field(default=[], description="the path that each earlier task kept")
    best: list[list[int]] = []
    tournament: list[int] = Field(default=[], description="winner and loser of the latest tournament, as places in the population")
    values: dict[str, float] = {}


class DomainPolicy(_Payload):
    name: str
    probabilities: str = Field(description="base64 float32 (layers x modules)")
    path: list[int] = Field(description="the most probable module of each layer")
    values: dict[str, float] = {}


class DomainsFrame(_Payload):
    """One super-network searched for several data sets: each one's probabilities and path (multi-path NAS)."""

    kind: Literal["domains"] = "domains"
    step: int
    layers: int
    modules: list[str]
    domains: list[DomainPolicy]
    values: dict[str, float] = {}


class SurrogateFrame(_Payload):
    """What a surrogate predicts. Base64 float32 throughout; `chosen` are places among the candidates."""

    kind: Literal["surrogate"] = "surrogate"
    step: int
    means: str
    deviations: str
    chosen: list[int]
    observed: str = Field(default="", description="scores of evaluated genomes")
    predicted: str = Field(default="", description="what a surrogate that did not see them predicted for the same genomes")
    values: dict[str, float] = {}


class ControlScored(_Payload):
    """What a control or a baseline inside the search gave: for comparison, never a finalist."""

    kind: Literal["control"] = "control"
    name: str
    title: str
    message: str
    values: dict[str, float]


class CandidateBorn(_Payload):
    kind: Literal["candidate_born"] = "candidate_born"
    number: int
    parents: list[int]
    operator: str
    genome: dict[str, Any]
    genome_hash: str
    string: str
    fidelity: dict[str, Any] = {}
    inherited_from: int | None = Field(default=None, description="candidate whose weights its training starts from")
    inherited_parts: list[str] = Field(default=[], description="submodules that were taken over")


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
    domains: list[int] = Field(default=[0], description="places of the data sets that it is finished and tested on")


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
    | DecisionsDeclared
    | PolicyFrame
    | MarginalsFrame
    | ColonyFrame
    | PathwaysFrame
    | DomainsFrame
    | SurrogateFrame
    | ControlScored
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
FRAME_KINDS = frozenset({"structure", "policy", "marginals", "colony", "pathways", "domains", "surrogate"})
"""Pictures of a moment: of several only the latest matters to somebody who watches, so a live view may leave out older ones."""
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
