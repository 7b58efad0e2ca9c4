"""A network's answers on the parts of one data set made into what stands beside its scores (`events.PartAssessment`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ..datasets.base import Array, Part, SearchData
from ..events import JudgedFigure, JudgedModel, PartAssessment
from .class_table import class_figures, confusion_table
from .metrics import of_task
from .mistakes import worst
from .rules import measure
from .simple_models import Simple

Split = Literal["val", "test"]


@dataclass(frozen=True)
class Given:
    """What a network answered on one part."""

    part: Part
    outputs: Array
    """(n, outputs), in the order of the part."""
    counts: Array | None
    """Its answers by class (`training.by_class.Confusion.counts`); None where there are none."""


def assess(
    data: SearchData, given: Mapping[Split, Given], simple: Sequence[Simple], domain: int = 0, *, shown: bool = True
) -> list[PartAssessment]:
    """One for each part that is given. `shown` off: without mistakes, of a network that is there for comparison."""
    return [_assess(data, split, own, simple, domain, shown) for split, own in given.items()]


def _assess(data: SearchData, split: Split, given: Given, simple: Sequence[Simple], domain: int, shown: bool) -> PartAssessment:
    task, names, units = data.shape.task, data.class_names, data.in_own_units
    part, outputs = replace(given.part, labels=units(given.part.labels)), units(given.outputs)
    models = [judged("network", "the network", "", task, outputs, part.labels, names)]
    models += [judged(model.name, model.title, model.note, task, units(model.answers(part.inputs)), part.labels, names) for model in simple]
    counts = given.counts
    finite = models[0].figures and any(figure.value is not None for figure in models[0].figures)
    return PartAssessment(
        split=split,
        domain=domain,
        examples=len(part),
        models=models,
        confusion=None if counts is None else confusion_table(counts, names),
        classes=[] if counts is None else class_figures(counts, names),
        mistakes=worst(task, outputs, part, names, data.feature_names, data.preprocessing.scale) if shown and finite else [],
        wrong=None if counts is None else int(counts.sum() - counts.diagonal().sum()),
    )


def judged(
    name: Literal["network", "majority", "mean", "logistic", "ridge"], title: str, note: str, task: str, outputs: Array, targets: Array,
    names: Sequence[str],
) -> JudgedModel:
    """All metrics of one model's answers."""
    found = measure(task, outputs, targets, names)
    figures = [
        JudgedFigure(
            metric=metric.name, name=metric.measure.name, unit=metric.measure.unit, direction=metric.measure.direction,
            value=found.values.get(metric.name), reason=found.absent.get(metric.name, ""),
        )
        for metric in of_task(task)
    ]
    return JudgedModel(name=name, title=title, note=note, figures=figures)
