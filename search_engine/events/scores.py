"""Scores that say what they are. Three kinds, which no table and no axis mixes:

- *search*: by which the search ranked an architecture, often after a cheap training, with shared weights, or from a table; the best of
  many is an optimistic figure, and `selected_from` says of how many;
- *validation*: of the finished network on the validation part, which chose its architecture;
- *test*: of the finished network on the test part, once; nothing was chosen by it.

>>> trained = Fidelity(text="trained for 2 epochs", epochs=2, samples=2022)
>>> score = Score(
...     kind="search", metric="val_accuracy", name="validation accuracy", unit="share of examples", direction="maximise",
...     value=0.97, fidelity=trained, selected_from=600,
... )
>>> score.kind, score.selected_from
('search', 600)
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .parts import PayloadBase


class Fidelity(PayloadBase):
    """What a network had been given when its score was taken. Scores of unlike `text` do not compare."""

    text: str = Field(description="in words: trained for 12 epochs; shared weights; the benchmark's 200 epochs")
    epochs: int | None = Field(default=None, description="of its own training; null where there was none, or where they are not known")
    samples: float | None = Field(default=None, description="training examples x passes that this training took; null where unknown")


class Score(PayloadBase):
    """One figure with all that it takes to read it. Two scores compare where kind, metric, unit and fidelity.text are equal."""

    kind: Literal["search", "validation", "test"]
    metric: str = Field(description="its name among the metrics, for example val_accuracy")
    name: str = Field(description="what it is, in words")
    unit: str
    direction: Literal["maximise", "minimise"]
    value: float
    fidelity: Fidelity
    selected_from: int = Field(ge=1, description="so many were compared to select what has this value; 1 = nothing was chosen by it")
    data_sets: int = Field(default=1, ge=1, description="the mean over so many")


class ClassScores(PayloadBase):
    """What an accuracy hides: how each class fares. Of a finished network, on one part of one data set."""

    split: Literal["val", "test"]
    domain: int = Field(default=0, description="place of the data set")
    classes: list[str]
    examples: list[int] = Field(description="of each class")
    recall: list[float | None] = Field(description="share of each class's examples that are answered right; null for a class without any")
    accuracy: float
    balanced_accuracy: float = Field(description="mean recall of the classes that occur")
    macro_f1: float = Field(description="mean over the classes of the harmonic mean of precision and recall")
    majority: str = Field(description="the class with the most examples")
    majority_share: float = Field(description="its share: the accuracy of always answering it")
