"""What stands beside the scores of a finished network: every metric beside those of simple models, which class is taken for which, and
its worst mistakes.

Not science: it follows from the finished network and its data, and says them again in other figures.

>>> found = JudgedFigure(metric="auc", name="AUC", unit="probability", direction="maximise", value=None, reason="'no' has no example")
>>> JudgedModel(name="network", title="the network", figures=[found]).figures[0].value is None
True
>>> Mistake(index=3, true="7", answered="1", error=4.2, picture=Thumbnail(height=1, width=2, channels=1, pixels="AP8=")).picture.width
2
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .parts import PayloadBase


class JudgedFigure(PayloadBase):
    """One metric of one model on one part."""

    metric: str = Field(description="its name without the part, for example balanced_accuracy")
    name: str
    unit: str
    direction: Literal["maximise", "minimise"]
    value: float | None = Field(description="null where it is not defined on this part")
    reason: str = Field(default="", description="why there is no value")


class JudgedModel(PayloadBase):
    """The network, or a simple model fitted on the same training part."""

    name: Literal["network", "majority", "mean", "logistic", "ridge"]
    title: str
    note: str = Field(default="", description="how it was fitted, and on how much")
    figures: list[JudgedFigure]


class ClassFigures(PayloadBase):
    """How one class fares."""

    name: str
    examples: int = Field(description="of this class")
    answers: int = Field(description="how often it was answered")
    precision: float | None = Field(description="share of these answers that are right; null where it was never answered")
    recall: float | None = Field(description="share of its examples that are answered right; null where it has none")
    f1: float | None = Field(description="harmonic mean of both; null where it neither occurs nor is answered")


class ConfusionTable(PayloadBase):
    """Which class is taken for which."""

    classes: list[str] = Field(description="of rows (true) and columns (answered), in this order")
    counts: list[list[int]]
    left_out: int = Field(default=0, description="classes that are not shown, where there are many: those with the fewest mistakes")


class Thumbnail(PayloadBase):
    """A small picture, row by row from the top left, the channels of a pixel together."""

    height: int
    width: int
    channels: Literal[1, 3]
    pixels: str = Field(description="base64 of bytes")


class Feature(PayloadBase):
    """One input of a row of a table."""

    name: str
    value: float


class Mistake(PayloadBase):
    """An example that the network got badly wrong."""

    index: int = Field(description="of the example in its source")
    true: str = Field(description="the class, or the value")
    answered: str
    confidence: float | None = Field(default=None, description="the probability that the network gave its answer; null for values")
    error: float = Field(description="by which they are ordered: the example's log loss in nats, or its absolute error")
    picture: Thumbnail | None = None
    row: list[Feature] = Field(default=[], description="its inputs, where they are no picture: the first of them")
    more: int = Field(default=0, description="inputs that are not shown")


class PartAssessment(PayloadBase):
    """Of one part of one data set."""

    split: Literal["val", "test"]
    domain: int = Field(default=0, description="place of the data set")
    examples: int
    models: list[JudgedModel] = Field(description="the network first, then the simple models")
    confusion: ConfusionTable | None = None
    classes: list[ClassFigures] = Field(default=[])
    mistakes: list[Mistake] = Field(default=[], description="the worst, worst first")
    wrong: int | None = Field(default=None, description="how many answers are wrong; null where there are no classes")


class Assessment(PayloadBase):
    kind: Literal["assessment"] = "assessment"
    index: int
    role: Literal["finalist", "baseline"]
    parts: list[PartAssessment]
    warnings: list[str] = Field(default=[], description="what the simple models say of the scores, in plain sentences")
