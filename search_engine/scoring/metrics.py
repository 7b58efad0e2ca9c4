"""The metrics: one table with name, task, range and words. The rules are in `scoring.rules`; title, unit and direction in `base.measures`.

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
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from ..base.measures import MEASURES, Measure
from ..spaces.tasks import TaskName

Objective = Literal["accuracy", "balanced_accuracy", "macro_f1", "auc", "log_loss", "r2", "rmse", "mae"]
"""The metrics by which a run may be ranked: all of the table."""
Ranking = Literal["default", Objective]
"""What a config may say: one of them, or what the data set is ranked by."""
OBJECTIVES: tuple[Objective, ...] = get_args(Objective)


@dataclass(frozen=True)
class Metric:
    """One row of the table."""

    name: Objective
    task: TaskName
    low: float | None
    """End of its range; None = no end."""
    high: float | None
    words: str

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
        Metric("accuracy", "classification", 0, 1, "share of the examples that are answered right"),
        Metric("balanced_accuracy", "classification", 0, 1, "mean over the classes of the share answered right"),
        Metric("macro_f1", "classification", 0, 1, "mean over the classes of the harmonic mean of precision and recall"),
        Metric("auc", "classification", 0, 1, "probability that an example of a class ranks above one of others; chance has 0.5"),
        Metric("log_loss", "classification", 0, None, "mean of minus the log of the probability given to the true class"),
        Metric("r2", "regression", None, 1, "share of the targets' variance that is explained; always answering the mean has 0"),
        Metric("rmse", "regression", 0, None, "root of the mean squared error"),
        Metric("mae", "regression", 0, None, "mean absolute error"),
    )
}


def of_task(task: str) -> list[Metric]:
    """The metrics of a task, in the order of the table; of rebuilt inputs there are none beside the task's own score.

    >>> [metric.name for metric in of_task("regression")]
    ['r2', 'rmse', 'mae']
    """
    return [metric for metric in METRICS.values() if metric.task == task]


def with_ranked(values: dict[str, float], objective: str) -> dict[str, float]:
    """The values, and beside them what a search with this objective ranks by, where that is another figure.

    >>> with_ranked({"rmse": 2.0}, "rmse")
    {'rmse': 2.0, 'neg_rmse': -2.0}
    """
    ranked = METRICS[objective].ranked
    return values if ranked in values or objective not in values else {**values, ranked: -values[objective]}
