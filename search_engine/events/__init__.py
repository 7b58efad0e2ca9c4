"""Events: the typed facts of a run, the one definition of them.

The command line writes them to `events.jsonl`, the web application stores and streams them, the browser's TypeScript types are
generated from `json_schema()`. *Science* events are reproducible: equal seed and config give equal payloads under equal keys
(source, step, kind, ordinal). *Ops* events (started, paused, a lease lost) tell what happened to the machinery and are not.

Float arrays travel as base64 of little-endian float32 (`encode_floats`), so a frame is small and exact.
"""

from .facts import (
    CandidateBorn,
    Champion,
    ControlScored,
    DerivedGenome,
    FinalistChosen,
    Incumbent,
    Metrics,
    ModelScored,
    Notice,
    Ops,
    PhaseStarted,
    PopulationBlock,
    RunCompleted,
    SearchStopped,
    TrialTold,
)
from .floats import decode_floats, encode_floats
from .parts import Cost, FamilyGroup, GraphData, GraphEdge, GraphNode
from .pictures import (
    FRAME_KINDS,
    Ant,
    ColonyEdge,
    ColonyFrame,
    DecisionInfo,
    DecisionsDeclared,
    DomainPolicy,
    DomainsFrame,
    FamilyDeclared,
    MarginalsFrame,
    PathwaysFrame,
    PolicyFrame,
    StructureFrame,
    SurrogateFrame,
)
from .record import Event, EventLog, EventRecord, Payload, json_schema, parse_payload

__all__ = [
    "Ant",
    "CandidateBorn",
    "Champion",
    "ColonyEdge",
    "ColonyFrame",
    "ControlScored",
    "Cost",
    "DecisionInfo",
    "DecisionsDeclared",
    "DerivedGenome",
    "DomainPolicy",
    "DomainsFrame",
    "Event",
    "EventLog",
    "EventRecord",
    "FRAME_KINDS",
    "FamilyDeclared",
    "FamilyGroup",
    "FinalistChosen",
    "GraphData",
    "GraphEdge",
    "GraphNode",
    "Incumbent",
    "MarginalsFrame",
    "Metrics",
    "ModelScored",
    "Notice",
    "Ops",
    "PathwaysFrame",
    "Payload",
    "PhaseStarted",
    "PolicyFrame",
    "PopulationBlock",
    "RunCompleted",
    "SearchStopped",
    "StructureFrame",
    "SurrogateFrame",
    "TrialTold",
    "decode_floats",
    "encode_floats",
    "json_schema",
    "parse_payload",
]
