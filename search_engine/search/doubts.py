"""What makes a network's figures say less than they seem to, in plain sentences: said beside them wherever they are shown."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..datasets.review import percent
from ..events import ClassScores, JudgedModel, PartAssessment

ABSURD = 5.0
"""A loss so many times that of knowing nothing is absurd: such a network is sure of what is wrong."""
PARTS = {"val": "validation", "test": "test", "train": "training"}
FINISHED = ("val", "test")


def doubts(task: str, metrics: dict[str, float], by_class: Sequence[ClassScores]) -> list[str]:
    """Sentences about figures no better than chance, classes that are never recognised, and losses that are finite and absurd.

    >>> doubts("regression", {"test_loss": 99.0, "test_r2": -9.0}, [])
    ['Test loss 99 is absurd: 10 times that of always answering the mean.']
    """
    classes = [len(item.classes) for item in by_class if item.split == by_class[0].split]
    return [*absurd_losses(task, metrics, classes), *_classes(by_class)]


def absurd_losses(task: str, metrics: dict[str, float], classes: Sequence[int], parts: Sequence[str] = FINISHED) -> list[str]:
    """Sentences about losses that are finite and absurd, of a trial as of a finished network. `classes`: of each data set how many (of a
    regression anything); where there are several data sets each one's own loss is looked at (`val_loss_2`).

    >>> absurd_losses("classification", {"val_loss": 115_875.0, "val_accuracy": 0.1}, [10])[0]
    'Validation loss 115,875 nats is absurd: giving all classes the same probability has 2.30. The network is sure of wrong answers; ...
    """
    several = len(classes) > 1
    found = []
    for prefix in parts:
        for place, count in enumerate(classes or [0], start=1):
            ending, where = (f"_{place}", f" on data set {place}") if several else ("", "")
            loss = metrics.get(f"{prefix}_loss{ending}")
            if loss is not None:
                name = f"{PARTS[prefix].capitalize()} loss{where}"
                found += _absurd(task, name, loss, metrics.get(f"{prefix}_r2{ending}"), count)
    return found


def of_a_search(task: str, metrics: dict[str, float], classes: Sequence[int], variance: float = 0.0) -> list[str]:
    """The same of what a super-network, or networks that a search holds itself, report while they are trained: their validation loss, and
    the training loss of those that report no other. A loss without a number is that of one of the data sets, whichever. `variance`: of a
    regression's targets, the loss of always answering the mean, for those that report no r2.

    >>> of_a_search("classification", {"train_loss": 60.0}, [10])[0][:60]
    'Training loss 60 nats is absurd: giving all classes the same'
    >>> of_a_search("classification", {"train_loss": 60.0, "val_loss": 0.5}, [10])
    []
    """
    parts = ("val",) if any(name.startswith("val_loss") for name in metrics) else ("train",)
    if variance > 0:
        explained = {f"{part}_r2": 1 - metrics[f"{part}_loss"] / variance for part in parts if f"{part}_loss" in metrics}
        metrics = {**explained, **metrics}
    numbered = any(f"{part}_loss_{place}" in metrics for part in parts for place in range(1, len(classes) + 1))
    return absurd_losses(task, metrics, classes if numbered else [max(classes, default=0)], parts)


def _absurd(task: str, name: str, loss: float, explained: float | None, classes: int) -> list[str]:
    """`explained`: the share of the variance, of a regression."""
    if task == "classification":
        if classes > 1 and loss > ABSURD * math.log(classes):
            return [
                f"{name} {loss:,.6g} nats is absurd: giving all classes the same probability has {math.log(classes):.2f}. The network is "
                "sure of wrong answers; its probabilities mean nothing."
            ]
    elif explained is not None and explained < 1 - ABSURD:
        return [f"{name} {loss:,.6g} is absurd: {1 - explained:,.3g} times that of always answering the mean."]
    return []


def _classes(by_class: Sequence[ClassScores]) -> list[str]:
    found = []
    for item in by_class:
        part = PARTS[item.split]
        counts = [count for count in item.examples if count]
        absent = [name for name, count in zip(item.classes, item.examples, strict=True) if not count]
        if absent:
            found.append(f"The {part} part has no example of {_named(absent)}: how well that is recognised is not known.")
        if len(counts) == 1:
            found.append(f"The {part} part has one class only, '{item.majority}': an accuracy there says nothing.")
            continue
        never = [
            name for name, recall, count in zip(item.classes, item.recall, item.examples, strict=True) if count and recall == 0
        ]
        if item.accuracy <= item.majority_share:
            found.append(
                f"The {part} accuracy {item.accuracy:.4f} does not exceed that of always answering '{item.majority}' "
                f"({item.majority_share:.4f}); the balanced accuracy is {item.balanced_accuracy:.4f}."
            )
        if never:
            found.append(f"In the {part} part {_named(never)} {'is' if len(never) == 1 else 'are'} never recognised.")
    return found


COMMON = 0.75
"""A class with so large a share of a part makes an accuracy say little, also one that exceeds the share."""


def beside_simple_models(parts: Sequence[PartAssessment]) -> list[str]:
    """Sentences about scores that are the largest class's, and about networks that a linear model equals."""
    several = len({part.domain for part in parts}) > 1
    found = []
    for part in parts:
        where = f"{PARTS[part.split]} part" + (f" of data set {part.domain + 1}" if several else "")
        found += [*_of_the_majority(part, where), *_no_better(part, where)]
    return found


def _of_the_majority(part: PartAssessment, where: str) -> list[str]:
    """What does not exceed the majority is said by `_classes`; this is for what exceeds a large one."""
    if not part.classes or not part.examples:
        return []
    largest = max(part.classes, key=lambda own: own.examples)
    share, values = largest.examples / part.examples, _values(part.models[0])
    if share < COMMON or len([own for own in part.classes if own.examples]) < 2 or "accuracy" not in values or values["accuracy"] <= share:
        return []
    return [
        f"{percent(share)} of the {where} are '{largest.name}': of the accuracy {values['accuracy']:.4f} always answering that has "
        f"{share:.4f} already. Read the balanced accuracy, {values['balanced_accuracy']:.4f}, and the recall of each class."
    ]


def _no_better(part: PartAssessment, where: str) -> list[str]:
    """By the task's own score, and of classes by the balanced accuracy too."""
    own = _values(part.models[0])
    for model in part.models[1:]:
        if model.name not in ("logistic", "ridge"):
            continue
        theirs = _values(model)
        words = {figure.metric: figure.name for figure in model.figures}
        lost = [name for name in ("accuracy", "balanced_accuracy", "r2") if name in own and name in theirs and theirs[name] >= own[name]]
        if lost:
            said = " and ".join(f"{words[name]} {theirs[name]:.4f} where the network has {own[name]:.4f}" for name in lost)
            return [f"On the {where} a {model.title} has {said}: on this nothing there speaks for the network."]
    return []


def _values(model: JudgedModel) -> dict[str, float]:
    return {figure.metric: figure.value for figure in model.figures if figure.value is not None}


def _named(names: Sequence[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:5])
    return f"{'class' if len(names) == 1 else 'classes'} {shown}" + (f" and {len(names) - 5} more" if len(names) > 5 else "")
