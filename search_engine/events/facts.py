"""Facts: candidates, trials, metrics, controls, the finale (science), and what happened to the machinery (ops).

>>> Metrics(step=10, samples=640, values={"val_accuracy": 0.8}).kind
'metrics'
>>> ControlScored(name="random", title="Random paths", message="as good as the search", values={"val_accuracy": 0.8}).kind
'control'
>>> grown = GrowthStep(
...     number=0, action="add", subject="a neuron", accepted=True, reason="the evidence rose",
...     objective="minus log evidence", before=9.0, after=7.5,
... )
>>> grown.after < grown.before
True
>>> Champion(
...     generation=3, value=0.9, metric="val_accuracy", fidelity=Fidelity(text="shared weights"), selected_from=12, genome={},
...     genome_hash="", graph=GraphData(nodes=[], edges=[]),
... ).added_nodes
[]
>>> PopulationBlock(generation=3, size=64, block="", best=0.9, mean=0.6).kind
'population'
>>> Report(name="noise", title="Noise", charts=[], message="it holds up to a tenth").kind
'report'
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from .charts import Chart
from .parts import Cost, GraphData, PayloadBase
from .scores import ClassScores, Fidelity, Score


class PhaseStarted(PayloadBase):
    kind: Literal["phase_started"] = "phase_started"
    phase: int
    name: str
    title: str
    language: Literal["trials", "steps"]
    horizon: int | None = Field(default=None, description="steps or trials that the config plans; a budget may cut it short")


class ControlScored(PayloadBase):
    """What a control or a baseline inside the search gave: for comparison, never a finalist."""

    kind: Literal["control"] = "control"
    name: str
    title: str
    message: str
    values: dict[str, float]


class CandidateBorn(PayloadBase):
    kind: Literal["candidate_born"] = "candidate_born"
    number: int
    parents: list[int]
    operator: str
    genome: dict[str, Any]
    genome_hash: str
    string: str
    fidelity: dict[str, Any] = Field(default={})
    inherited_from: int | None = Field(default=None, description="candidate whose weights its training starts from")
    inherited_parts: list[str] = Field(default=[], description="submodules that were taken over")
    architectures: int = Field(default=0, description="distinct architectures that the search has proposed, with this one")


class TrialTold(PayloadBase):
    """A trial's result as the algorithm received it, in ask order."""

    kind: Literal["trial_told"] = "trial_told"
    number: int
    candidate: int
    status: Literal["completed", "failed", "cancelled"]
    reason: str = ""
    metrics: dict[str, float] = Field(default={})
    cost: Cost = Cost()
    reused_from: int | None = None
    simulated: bool = False
    warnings: list[str] = Field(
        default=[], exclude_if=lambda sentences: not sentences, json_schema_extra={"x-left-out-when-empty": True},
        description="what makes its metrics say less than they seem to, in plain sentences; left out where there is nothing to say",
    )
    charged_samples: float = Field(description="the run's charged samples after this tell")
    charged_trials: int


class Incumbent(PayloadBase):
    """A new best, by validation fitness, in tell order."""

    kind: Literal["incumbent"] = "incumbent"
    candidate: int | None = None
    step: int | None = None
    metric: str
    value: float
    fidelity: Fidelity
    selected_from: int = Field(description="so many architectures had been compared by then")
    genome: dict[str, Any]
    genome_hash: str
    string: str


class Metrics(PayloadBase):
    """Named numbers at one step: training and validation loss, learning rate, entropy, charged samples, ..."""

    kind: Literal["metrics"] = "metrics"
    step: int
    samples: float = Field(description="samples charged so far by this source")
    values: dict[str, float]


class DerivedGenome(PayloadBase):
    """The genome that would be derived now; sent when it changes."""

    kind: Literal["derived"] = "derived"
    step: int
    genome: dict[str, Any]
    genome_hash: str
    string: str
    changed_edges: int = Field(description="how many of its parts are others than in the one before")
    unit: str = Field(default="edge", description="what such a part is, one of them: edge, weight, block, latent, module, choice")


class Notice(PayloadBase):
    """A shared habit fired (skip counter, warm-up end, early stop): name, plain-language message, numbers."""

    kind: Literal["notice"] = "notice"
    name: str
    message: str
    step: int | None = None
    values: dict[str, float] = Field(default={})


class GrowthStep(PayloadBase):
    """A structure that grows and shrinks considered one change: what, whether it was accepted, and why."""

    kind: Literal["growth_step"] = "growth_step"
    number: int = Field(description="counts from 0")
    action: str = Field(description="add, delete, deepen, widen, ...: the operator")
    subject: str = Field(description="what was added or removed, in words")
    accepted: bool
    reason: str = Field(description="one plain sentence")
    objective: str = Field(description="name of what is compared, lower is better")
    before: float | None = Field(default=None, description="None where nothing stood before")
    after: float
    values: dict[str, float] = Field(default={}, description="parts of the objective, sizes")


class Report(PayloadBase):
    """Charts that stand at the end of something (a finalist's redundancy, a comparison of controls): said once, never thinned."""

    kind: Literal["report"] = "report"
    name: str
    title: str
    charts: list[Chart]
    values: dict[str, float] = Field(default={})
    message: str = ""


class PopulationBlock(PayloadBase):
    """One generation of a population that lives in memory, compressed (base64 of zlib of JSON columns)."""

    kind: Literal["population"] = "population"
    generation: int
    size: int
    block: str
    best: float
    mean: float
    metric: str = Field(default="", description="what it ranks by, of which `best` and `mean` are; empty in logs from before it was said")
    direction: Literal["maximise", "minimise"] = Field(default="maximise", description="of `metric`: which end is better")


class Champion(PayloadBase):
    """The best individual of a growing population, with what changed against the champion before."""

    kind: Literal["champion"] = "champion"
    generation: int
    value: float
    metric: str
    fidelity: Fidelity
    selected_from: int = Field(description="so many architectures had been compared by then")
    genome: dict[str, Any]
    genome_hash: str
    graph: GraphData
    added_nodes: list[str] = Field(default=[])
    added_edges: list[tuple[str, str]] = Field(default=[])
    removed_edges: list[tuple[str, str]] = Field(default=[])
    changed_nodes: list[str] = Field(default=[])


class SearchStopped(PayloadBase):
    kind: Literal["search_stopped"] = "search_stopped"
    reason: str = Field(description="budget, horizon, exhausted, repeated, collapsed, settled, stopped or ended")
    message: str = Field(description="the same in words, with the figures that it rests on")
    charged_samples: float
    charged_trials: int
    charged_flops: float = Field(default=0.0, description="2 x multiply-accumulates")
    architectures: int | None = Field(default=None, description="distinct ones that were tried, of a search by trials")
    repeated: int | None = Field(default=None, description="trials that took the result of an earlier one")
    overshoot: float = 0.0


class FinalistChosen(PayloadBase):
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


class ModelScored(PayloadBase):
    """The end of a finalist: its one visit to the test split."""

    kind: Literal["model"] = "model"
    index: int
    role: Literal["finalist", "baseline"]
    genome_hash: str
    metrics: dict[str, float] = Field(description="everything that was measured; `scores` says which of it is what")
    scores: list[Score] = Field(default=[], description="at most one of each kind")
    by_class: list[ClassScores] = Field(default=[], description="beside each accuracy, of each part and data set")
    warnings: list[str] = Field(default=[], description="what makes its scores say less than they seem to, in plain sentences")
    visits: int = Field(
        default=0,
        description="test parts that were opened for it: one for each data set and each of its trainings; 0 where there is no test score",
    )
    parameters: int | None = None
    flops: float | None = None
    bundle: bool = Field(description="whether a downloadable model exists")
    reason: str = Field(default="", description="why there is no model")


class RunCompleted(PayloadBase):
    kind: Literal["run_completed"] = "run_completed"
    reason: str
    message: str


class Ops(PayloadBase):
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
        "damaged",
        "whole",
        "begun_again",
        "timing",
        "turned",
        "continues",
        "finishing",
    ]
    message: str
    values: dict[str, Any] = Field(default={})
