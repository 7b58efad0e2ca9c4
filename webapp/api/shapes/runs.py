"""Experiments, runs, models and estimates."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from search_engine.catalogue.config import BudgetKind
from search_engine.events import ClassScores, PartAssessment, Score

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
    kind: BudgetKind
    limit: float
    count_repeats: bool = Field(description="whether repeated trials, which cost nothing, count as trials of it")


class Charged(BaseModel):
    """What the budget was charged so far."""

    samples: float
    trials: int
    seconds: float
    flops: float


class RunProgress(BaseModel):
    """How far the run is, for people. `fraction` is of all work, the finale included, and null where nothing plans an end. `eta_seconds`:
    until it is over, with the share of the workers that it gets; `eta_low_seconds` and `eta_high_seconds` where one figure would say more
    than is known."""

    fraction: float | None
    text: str
    eta_seconds: float | None
    eta_low_seconds: float | None = None
    eta_high_seconds: float | None = None


class Best(BaseModel):
    """The architecture that the search prefers so far; its score is the run's `search_score`."""

    candidate: int | None
    genome_hash: str


class SearchMeasure(BaseModel):
    """What a search ranks by: what every `value` of its trials and candidates is."""

    kind: Literal["search"] = "search"
    metric: str
    name: str
    unit: str
    direction: Literal["maximise", "minimise"]


class Scores(BaseModel):
    """Three figures that are never mixed: no two of them share a column or an axis."""

    search_score: Score | None = Field(description="by which the search ranked it; null where the search scores no architecture of its own")
    validation_score: Score | None = Field(description="of the finished network on the validation part")
    test_score: Score | None = Field(description="of the finished network on the test part, taken once; not to choose by")


class PartVisits(BaseModel):
    """Visits to one test part."""

    part: str = Field(description="in words: the data set, and the options that decide what is opened: digits (labels 3, 8)")
    data: int = Field(description="finished networks of all your runs that were scored on it; deleted runs count")


class TestVisits(BaseModel):
    """How many finished networks were scored on the test part: the more of them were looked at, the less the best of them says."""

    __test__ = False
    """Not a test of pytest's."""

    run: int
    experiment: int = Field(description="of all runs of the experiment, so over seeds and clones; deleted ones count")
    data: int = Field(
        description="of all your runs that open the same test part as the run's (first) data set with its options; deleted ones count"
    )
    part: str = Field(description="that test part in words: the data set, and the options that decide what is opened: digits (labels 3, 8)")
    further: list[PartVisits] = Field(description="the same of each other test part that the run's further data sets open")


class RunWorker(BaseModel):
    """The worker that holds a lease of the run now."""

    name: str
    device: str
    threads: int


class Counts(BaseModel):
    candidates: int
    trials: int
    failed: int
    repeated: int = Field(description="trials that took the result of an earlier one")
    architectures: int = Field(description="distinct ones among the candidates, up to isomorphism")


class Bundle(BaseModel):
    """The download: size in bytes and SHA-256 of the zip, as recorded when it was put in place, and what was found of it since."""

    size: int
    sha256: str
    checked: datetime | None = Field(description="when its bytes were last held against that; they are, too, before each download")
    damage: str = Field(description="what was found then, in words; empty = it is whole. A damaged one is not sent")
    repair: str = Field(description="of a damaged one: what can be done, or is being done, in words")
    rebuild: Literal["no", "possible", "waiting"] = Field(description="whether POST models/{id}/rebuild would make it again, or does")


class Begins(BaseModel):
    """A search that can begin with a finished model."""

    algorithm: str
    title: str
    label: str = Field(description="what a button calls it")


class Model(Scores):
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
    metrics: dict[str, float] = Field(description="everything that was measured; the three scores say which of it is what")
    by_class: list[ClassScores] = Field(description="what each accuracy hides")
    warnings: list[str] = Field(description="what makes its scores say less than they seem to, in plain sentences")
    parameters: int | None
    flops: float | None
    bundle: Bundle | None
    begins: list[Begins] = Field(description="searches that can begin with it, where its download is there and whole")
    reason: str
    created: datetime


class ModelAssessment(BaseModel):
    """What stands beside the scores of a model: every metric beside those of simple models, which class is taken for which, the worst
    mistakes."""

    model_config = ConfigDict(extra="ignore")

    parts: list[PartAssessment] = []
    warnings: list[str] = Field(default=[], description="what the simple models say of the scores, in plain sentences")


class CurvePoint(BaseModel):
    """What was measured after an epoch."""

    model_config = ConfigDict(extra="ignore")

    step: int = Field(description="the epoch")
    values: dict[str, float]


class ModelCurves(BaseModel):
    """The final training of a model, epoch by epoch."""

    points: list[CurvePoint]


class BundlePart(BaseModel):
    """One file of a download that can be had alone."""

    part: Literal["onnx", "program", "card"] = Field(description="what to ask for: models/{id}/download?part=onnx")
    file: str
    size: int = Field(description="in bytes")


class CalibrationBin(BaseModel):
    """The answers whose probability lies between two bounds."""

    low: float
    high: float
    examples: int
    confidence: float = Field(description="the mean probability of the answers")
    accuracy: float = Field(description="the share of them that is right")


class Calibration(BaseModel):
    """Whether the probabilities of a classifier mean what they say, on the test part at its one visit."""

    error: float = Field(description="expected calibration error")
    examples: int
    bins: list[CalibrationBin]


class Passes(BaseModel):
    """Repeated forward passes."""

    seconds: float = Field(description="the median")
    low: float | None = Field(None, description="the lower quartile; null where an earlier version measured")
    high: float | None = Field(None, description="the upper quartile")
    repeats: int
    examples: int = 1


class Latency(BaseModel):
    """How fast a model answered on the machine that made it: no science."""

    one: Passes
    many: Passes
    threads: int
    processor: str
    torch: str


class ModelContents(BaseModel):
    """What of a model's download can be had alone, and what was measured beside its scores; null where it was not."""

    parts: list[BundlePart]
    calibration: Calibration | None
    latency: Latency | None


class More(BaseModel):
    """Whether another run can go on with the search (POST runs/{id}/more), and with what."""

    unit: str = Field(
        description="of what more can be asked for: a kind of budget, or an option of the algorithm (epochs, steps); empty = of nothing"
    )
    have: float = Field(description="how much of it the search had")
    why_not: str = Field(description="where the unit is empty: why, in words")


class Continues(BaseModel):
    """The search that a run goes on with."""

    run: UUID | None = Field(description="the run whose search it was; null where it was deleted since")
    unit: str
    have: float = Field(description="how far it was then, in that unit")


class Run(Scores):
    """One algorithm with its options and one seed. Its validation and test score are those of what it found: of its first finalist, or the
    mean over data sets where each has a finalist of its own."""

    id: UUID
    experiment: ExperimentName
    algorithm: AlgorithmName
    options: dict[str, Any]
    seed: int
    space: str
    datasets: list[str]
    state: RunState
    reason: str
    ending: bool = Field(description="its owner wants what it has found: its search ends, or has ended so, and its finale follows")
    elsewhere: str = Field(
        description="folder on the server's machine where another process (command line, Python) searches it: it is only shown here until "
        "it has ended; empty = it is computed here"
    )
    resumes_itself: bool = Field(description="it waits for space on the disk and then goes on by itself; pause it, and it stays paused")
    budget: BudgetInfo | None
    charged: Charged
    progress: RunProgress
    phase: str
    best: Best | None
    search_measure: SearchMeasure
    test_visits: TestVisits
    last_seq: int
    created: datetime
    started: datetime | None
    finished: datetime | None
    reproducible: bool
    reproducible_note: str
    worker: RunWorker | None
    counts: Counts
    more: More
    continues: Continues | None
    no_best: str = Field(description="why the best so far is not trained as an architecture (POST runs/{id}/best); empty = it can be")
    models: list[Model] = Field(description="its trained networks; in a list of experiments empty")


class RecipeField(BaseModel):
    """A field of finale.training in which a run differs from the algorithm's own recipe."""

    own: Any = Field(description="the recipe's value; null where it says nothing beside the others")
    used: Any = Field(description="the run's value; null where it says nothing beside the others")


class OtherRecipe(BaseModel):
    """A finale that a person has train otherwise than by the algorithm's own recipe."""

    fields: dict[str, RecipeField]
    meaning: str = Field(description="what that means for the comparison, in words")


class Finish(BaseModel):
    """How the networks of a run's finale are trained."""

    sentences: list[str] = Field(description="what the finale does and why, by which recipe, and what another recipe means")
    other_recipe: OtherRecipe | None = Field(description="as in result.json; null where the recipe is the algorithm's own")


class Ancestor(Continues):
    """A run whose search another one went on with, and its visits to the test part."""

    test_visits: int = Field(description="its finished networks that were scored on the test part; a deleted run's count")


class Took(BaseModel):
    """What a run's work took, in seconds of workers."""

    search: float = Field(description="of the search, with what it went on with")
    finale: float


class RunDetail(Run):
    """A run with its whole config."""

    config: dict[str, Any]
    finish: Finish
    lineage: list[Ancestor] = Field(description="the searches that this one goes on with, the first in front")
    continued_by: list[UUID] = Field(description="runs that go on with its search, in the order of their beginning")
    took: Took
    best_of: UUID | None = Field(description="the run whose best so far it trains; null also where that was deleted since")


class RunPage(BaseModel):
    results: list[Run]
    next: str | None = Field(description="cursor of the next page")


class Imported(BaseModel):
    """Where an experiment came from that was not made here."""

    at: datetime
    file: str
    origin: Literal["archive", "folder", "zipped folder"]
    version: str = Field(description="of the NAScope that computed it; empty where that is not known")
    versions: dict[str, str]
    machine: str = Field(description="where it was computed, as far as that was recorded")
    made: datetime | None = Field(description="when it was exported; null for a folder")
    digest: str = Field(description="over all that was exported, found right when it was opened; empty for a folder. It is no signature")


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
    test_visits: int = Field(description="finished networks of its runs that were scored on the test part; deleted runs count")
    runs: list[Run]
    imported: Imported | None = Field(default=None, description="where its runs came from; null = they were made here")
    unused: list[str] = Field(default=[], description="shared settings that some of its algorithms do not use, in words; in a list empty")


class ExperimentPage(BaseModel):
    results: list[Experiment]
    next: str | None = Field(description="cursor of the next page")


class TrainingLength(BaseModel):
    """How long a training is."""

    unit: Literal["epochs", "steps"]
    count: int


class Retraining(BaseModel):
    """What it takes to train a model's architecture again. `finale` of the body says how: `training.epochs` or `training.steps` (longer),
    `train_on`, `seeds`, `ensemble`."""

    body: dict[str, Any] | None = Field(
        default=None, description="of the experiment that trains it once as it was trained, for POST experiments and POST estimates; null "
        "where it cannot be",
    )
    reason: str = Field(default="", description="why it cannot be, in words; else empty")
    length: TrainingLength | None = Field(default=None, description="of that training; null where it cannot be changed")
    length_note: str = Field(default="", description="why not; else empty")
    weights_note: str = Field(default="", description="what becomes of the weights that it has")
    visits: PartVisits | None = Field(default=None, description="to the test part so far: every training adds one")


class CloneBody(BaseModel):
    """POST runs/{id}/clone: the seed of the copy; null = a new one."""

    model_config = {"extra": "forbid"}

    seed: int | None = Field(default=None, ge=0, lt=2**31)


class MoreBody(BaseModel):
    """POST runs/{id}/more: how much more of what its search may use."""

    model_config = {"extra": "forbid", "allow_inf_nan": False}

    unit: str = Field(max_length=40, description="the run's `more.unit`")
    more: float = Field(gt=0, description="how much further than it came")


class Validation(BaseModel):
    """Whether a body could be started, and everything that speaks against it."""

    valid: bool
    problems: list[FieldProblem]
    advice: list[str] = Field(default=[], description="what to know before the start although nothing is wrong, for example a cut grid")
    finish: list[str] = Field(default=[], description="how the networks of each algorithm's finale are trained, in words")




class UnitInfo(BaseModel):
    """The neediest unit of a run: nothing can interrupt it."""

    what: str = Field(description='after "one": "step of the search", "step of a trial", "step of the final training"')
    memory: float = Field(description="bytes that the whole worker takes at its peak")
    flops: float = Field(description="2 x multiply-accumulates of the dearest unit")


class RunEstimate(BaseModel):
    algorithm: str
    seed: int
    samples: float | None
    seconds: float | None
    steps: int | None
    trials: int | None
    note: str
    advice: list[str] = []
    unit: UnitInfo | None = Field(default=None, description="what the neediest piece between two checks for a stop takes")
    problem: FieldProblem | None = Field(default=None, description="why it would be refused: one unit needs more than a worker may take")


class EstimateResult(BaseModel):
    runs: list[RunEstimate]
    data: list[str] = Field(
        default=[],
        description="what to know of the data before a score on them is believed, in sentences; training and validation part as the first "
        "run's seed divides them",
    )
    total_seconds: float | None


class EstimateInfo(BaseModel):
    """A cost estimate, made by a worker because it needs torch."""

    id: UUID
    state: Literal["queued", "running", "done", "failed"]
    result: EstimateResult | None
    reason: str
