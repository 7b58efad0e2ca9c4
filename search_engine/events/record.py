"""Events as they are numbered, written down and sent."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from .assessment import Assessment
from .facts import (
    CandidateBorn,
    Champion,
    ControlScored,
    DerivedGenome,
    FinalistChosen,
    GrowthStep,
    Incumbent,
    Metrics,
    ModelScored,
    Notice,
    Ops,
    PhaseStarted,
    PopulationBlock,
    Report,
    RunCompleted,
    SearchStopped,
    TrialTold,
)
from .pictures import (
    ChartsFrame,
    CoevolutionFrame,
    ColonyFrame,
    DecisionsDeclared,
    DecodedFrame,
    DomainsFrame,
    FamilyDeclared,
    MarginalsFrame,
    MaskFrame,
    MorphismsFrame,
    MotifsFrame,
    PathwaysFrame,
    PlaneFrame,
    PolicyFrame,
    SchemataFrame,
    StructureFrame,
    SurrogateFrame,
)

Payload = (
    PhaseStarted
    | FamilyDeclared
    | StructureFrame
    | DecisionsDeclared
    | PolicyFrame
    | MarginalsFrame
    | PlaneFrame
    | ColonyFrame
    | PathwaysFrame
    | DomainsFrame
    | SurrogateFrame
    | ChartsFrame
    | MaskFrame
    | DecodedFrame
    | MorphismsFrame
    | MotifsFrame
    | SchemataFrame
    | CoevolutionFrame
    | ControlScored
    | GrowthStep
    | Report
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
    | Assessment
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
        return not isinstance(self.payload, Ops | Assessment)

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
    """Collects the events of one source and gives each its ordinal within (step, kind).

    >>> from search_engine.events import Notice
    >>> log = EventLog("phase:0")
    >>> log.add(Notice(name="warm_up", message="the warm-up is over"), step=3)
    >>> [event.key for event in log.drain()]
    [('phase:0', 3, 'notice', 0)]
    """

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

    def since(self, place: int) -> list[Event]:
        """What `drain` would give, from a place on."""
        return self._pending[place:]

    def drain(self) -> list[Event]:
        """The events since the last call, in order."""
        pending, self._pending = self._pending, []
        return pending

    def state_dict(self) -> dict[str, Any]:
        return {"counts": [[step, kind, count] for (step, kind), count in self._counts.items()]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._pending = []
        self._counts = {(step, kind): count for step, kind, count in state["counts"]}


def parse_payload(data: dict[str, Any]) -> Payload:
    """A payload from its JSON. Raises pydantic.ValidationError."""
    return _ADAPTER.validate_python(data)


def json_schema() -> dict[str, Any]:
    """JSON schema of EventRecord, from which the browser's types are generated."""
    return EventRecord.model_json_schema(mode="serialization")
