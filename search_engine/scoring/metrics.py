"""The metrics: one table with name, tasks, range, words and rule. Title, unit and direction are those of `base.measures`.

| metric | task | from outputs and targets |
| --- | --- | --- |
| accuracy | classification | share of the examples whose largest output is their class |
| balanced_accuracy | classification | mean over the classes that occur of the share of their examples answered right |
| macro_f1 | classification | mean over the classes that occur or are answered of the harmonic mean of precision and recall |
| auc | classification | how probable it is that an example of a class is given more of it than one of others; the mean over all classes |
| log_loss | classification | mean of minus the log of the probability of the true class |
| r2 | regression | 1 - squared error / squared distance of the targets from their means, summed over all values |
| rmse | regression | root of the mean squared error over all values |
| mae | regression | mean absolute error over all values |

Definitions as in scikit-learn: `balanced_accuracy_score`, `f1_score(average="macro", zero_division=0)`, `roc_auc_score(multi_class="ovr",
average="macro")`, `log_loss` (without its clipping), `r2_score(multioutput="variance_weighted")`, `root_mean_squared_error`,
`mean_absolute_error`. What is not defined on some answers is absent, with its reason, and never 0.

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
from typing import Literal, get_args

import numpy as np

from ..base.measures import MEASURES, Measure
from ..datasets.base import Array
from ..spaces.tasks import TaskName

Objective = Literal["accuracy", "balanced_accuracy", "macro_f1", "auc", "log_loss", "r2", "rmse", "mae"]
"""The metrics by which a run may be ranked: all of the table."""
OBJECTIVES: tuple[Objective, ...] = get_args(Objective)


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


@dataclass(frozen=True)
class Metric:
    """One row of the table."""

    name: Objective
    task: TaskName
    low: float | None
    """End of its range; None = no end."""
    high: float | None
    words: str
    rule: Callable[[Answers], float]
    """Raises `Undefined` with the reason."""

    @property
    def measure(self) -> Measure:
        """Title, unit and direction."""
        return MEASURES[self.name]

    @property
    def ranked(self) -> str:
        """The figure by which a search ranks where this metric is the objective: higher is better, so what is to be small is negated.

        >>> METRICS["auc"].ranked, METRICS["rmse"].ranked
        ('auc', 'neg_rmse')
        """
        return self.name if self.measure.direction == "maximise" else f"neg_{self.name}"


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("accuracy", "classification", 0, 1, "share of the examples that are answered right", _accuracy),
        Metric("balanced_accuracy", "classification", 0, 1, "mean over the classes of the share answered right", _balanced_accuracy),
        Metric("macro_f1", "classification", 0, 1, "mean over the classes of the harmonic mean of precision and recall", _macro_f1),
        Metric("auc", "classification", 0, 1, "probability that an example of a class ranks above one of others; chance has 0.5", _auc),
        Metric("log_loss", "classification", 0, None, "mean of minus the log of the probability given to the true class", _log_loss),
        Metric("r2", "regression", None, 1, "share of the targets' variance that is explained; always answering the mean has 0", _r2),
        Metric("rmse", "regression", 0, None, "root of the mean squared error", _rmse),
        Metric("mae", "regression", 0, None, "mean absolute error", _mae),
    )
}


@dataclass(frozen=True)
class Measured:
    """What a part's answers measure, by the name of the metric."""

    values: dict[str, float] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    """Why a metric of the task is not among them."""


def of_task(task: str) -> list[Metric]:
    """The metrics of a task, in the order of the table; of rebuilt inputs there are none beside the task's own score.

    >>> [metric.name for metric in of_task("regression")]
    ['r2', 'rmse', 'mae']
    """
    return [metric for metric in METRICS.values() if metric.task == task]


def measure(task: str, outputs: Array, targets: Array, names: Sequence[str] = ()) -> Measured:
    """All metrics of `task`; arguments as of `Answers`."""
    found = Measured()
    if not len(targets):
        return Measured({}, {metric.name: "there is no example" for metric in of_task(task)})
    if np.isnan(outputs).any() or np.isposinf(outputs).any():
        return Measured({}, {metric.name: "some answers are not numbers" for metric in of_task(task)})
    answers = Answers(outputs, targets, names)
    for metric in of_task(task):
        try:
            with np.errstate(over="ignore", invalid="ignore"):
                value = metric.rule(answers)
        except Undefined as reason:
            found.absent[metric.name] = str(reason)
            continue
        if np.isfinite(value):
            found.values[metric.name] = value
        else:
            found.absent[metric.name] = "the answers are too large to be measured"
    return found


def with_ranked(values: dict[str, float], objective: str) -> dict[str, float]:
    """The values, and beside them what a search with this objective ranks by, where that is another figure.

    >>> with_ranked({"rmse": 2.0}, "rmse")
    {'rmse': 2.0, 'neg_rmse': -2.0}
    """
    ranked = METRICS[objective].ranked
    return values if ranked in values or objective not in values else {**values, ranked: -values[objective]}
