"""The rules of the metrics: from a model's outputs and what would have been right to a number. NumPy alone: a download carries this file.

Definitions as in scikit-learn, which `scoring.metrics` names. What is not defined on some answers is absent, with its reason, and never 0.

>>> found = measure("classification", np.array([[2.0, 0.0], [0.0, 1.0], [3.0, 0.0]]), np.array([0, 1, 1]))
>>> round(found.values["accuracy"], 4), round(found.values["balanced_accuracy"], 4), found.values["auc"]
(0.6667, 0.75, 0.5)
>>> measure("classification", np.array([[2.0, 0.0]]), np.array([0])).absent["auc"]
'class 2 of 2 has no example'
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


class Undefined(Exception):
    """A metric that these answers do not define; the text says why."""


class Answers:
    """What a model gave for a part, and what would have been right."""

    def __init__(self, outputs: Array, targets: Array, names: Sequence[str] = ()) -> None:
        """`outputs` (n, outputs): of classes logits, of which there may be more than classes; `targets` (n,) class numbers or (n, values).
        `names` of the classes, for reasons."""
        self.outputs = outputs.reshape(len(outputs), -1).astype(np.float64)
        self.targets = targets if targets.ndim == 1 and targets.dtype.kind != "f" else targets.reshape(len(targets), -1).astype(np.float64)
        self.names = tuple(names)

    @cached_property
    def log_probabilities(self) -> Array:
        """Log of the softmax of the outputs, (n, outputs). A logit of minus infinity has probability 0."""
        shifted = self.outputs - self.outputs.max(axis=1, keepdims=True)
        found: Array = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        return found

    @cached_property
    def answered(self) -> Array:
        """The class of the largest output, of equals the first."""
        found: Array = self.outputs.argmax(axis=1)
        return found

    @cached_property
    def counts(self) -> Array:
        """(outputs, outputs) examples by their class (rows) and the answer."""
        size = max(self.outputs.shape[1], len(self.names), int(self.targets.max()) + 1)
        return np.bincount(self.targets * size + self.answered, minlength=size * size).reshape(size, size)

    def name(self, place: int) -> str:
        return f"'{self.names[place]}'" if place < len(self.names) else f"class {place + 1} of {self.classes}"

    @property
    def classes(self) -> int:
        return len(self.names) or self.outputs.shape[1]


def _accuracy(answers: Answers) -> float:
    return float((answers.answered == answers.targets).mean())


def _balanced_accuracy(answers: Answers) -> float:
    examples = answers.counts.sum(1)
    occurring = examples > 0
    return float((answers.counts.diagonal()[occurring] / examples[occurring]).mean())


def _macro_f1(answers: Answers) -> float:
    counts = answers.counts[: answers.classes, : answers.classes]
    examples, answered = answers.counts.sum(1)[: answers.classes], answers.counts.sum(0)[: answers.classes]
    met = examples + answered > 0
    return float((2 * counts.diagonal()[met] / (examples + answered)[met]).mean())


def _auc(answers: Answers) -> float:
    present = np.bincount(answers.targets, minlength=answers.classes) > 0
    absent = np.flatnonzero(~present[: answers.classes])
    if len(absent):
        more = f" and {len(absent) - 1} more have" if len(absent) > 1 else " has"
        raise Undefined(f"{answers.name(int(absent[0]))}{more} no example")
    if answers.classes < 2:
        raise Undefined("there is one class only")
    # What differs in the last bit of a logarithm only was given the same.
    given = np.round(answers.log_probabilities, 12)
    wanted = [1] if answers.classes == 2 else range(answers.classes)
    return float(np.mean([_above(given[:, place], answers.targets == place) for place in wanted]))


def _above(given: Array, own: Array) -> float:
    """Probability that one of `own` is given more than one of the others, of equals one half (Mann and Whitney's U over its largest)."""
    _, place, repeats = np.unique(given, return_inverse=True, return_counts=True)
    middle = np.cumsum(repeats) - (repeats - 1) / 2
    here = int(own.sum())
    others = len(own) - here
    return float((middle[place][own].sum() - here * (here + 1) / 2) / (here * others))


def _log_loss(answers: Answers) -> float:
    found = -answers.log_probabilities[np.arange(len(answers.targets)), answers.targets].mean()
    if not np.isfinite(found):
        raise Undefined("what occurs was given probability 0")
    return float(found)


def _r2(answers: Answers) -> float:
    spread = float(np.square(answers.targets - answers.targets.mean(axis=0)).sum())
    if spread <= 0:
        raise Undefined("the targets are all the same")
    return 1 - float(np.square(answers.outputs - answers.targets).sum()) / spread


def _rmse(answers: Answers) -> float:
    return float(np.sqrt(np.square(answers.outputs - answers.targets).mean()))


def _mae(answers: Answers) -> float:
    return float(np.abs(answers.outputs - answers.targets).mean())


Rule = Callable[[Answers], float]
RULES: dict[str, dict[str, Rule]] = {
    "classification": {
        "accuracy": _accuracy, "balanced_accuracy": _balanced_accuracy, "macro_f1": _macro_f1, "auc": _auc, "log_loss": _log_loss,
    },
    "regression": {"r2": _r2, "rmse": _rmse, "mae": _mae},
}
"""By task; each raises `Undefined` with the reason. Of rebuilt inputs there are none beside the task's own score."""


@dataclass(frozen=True)
class Measured:
    """What a part's answers measure, by the name of the metric."""

    values: dict[str, float] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    """Why a metric of the task is not among them."""


def measure(task: str, outputs: Array, targets: Array, names: Sequence[str] = ()) -> Measured:
    """All metrics of `task`; arguments as of `Answers`."""
    rules = RULES.get(task, {})
    if not len(targets):
        return Measured({}, dict.fromkeys(rules, "there is no example"))
    if np.isnan(outputs).any() or np.isposinf(outputs).any():
        return Measured({}, dict.fromkeys(rules, "some answers are not numbers"))
    found, answers = Measured(), Answers(outputs, targets, names)
    for name, rule in rules.items():
        try:
            with np.errstate(over="ignore", invalid="ignore"):
                value = rule(answers)
        except Undefined as reason:
            found.absent[name] = str(reason)
            continue
        if np.isfinite(value):
            found.values[name] = value
        else:
            found.absent[name] = "the answers are too large to be measured"
    return found
