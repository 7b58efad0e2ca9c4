"""Whether a run can be ranked by a metric that its config names, and why not.

Ranked are trials, by what each measured on the validation part; so it takes candidates that are trained one by one, or a search that
compares none and leaves the comparing to the finale (`AlgorithmEntry.objectives`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.errors import BadInput
from ..base.measures import title_of
from ..scoring.metrics import METRICS, of_task

if TYPE_CHECKING:
    from ..algorithms.base import AlgorithmEntry
    from ..datasets.base import DatasetEntry
    from .checked import Checked


def refusal(algorithm: AlgorithmEntry, dataset: DatasetEntry) -> str:
    """Why a run of this algorithm on this data set is ranked as it is and by no metric of one's own choice; empty where it can be.

    >>> from .registry import algorithm, dataset
    >>> refusal(algorithm("random"), dataset("digits"))
    ''
    >>> refusal(algorithm("evidence"), dataset("digits"))
    'it ranks by the log evidence, which its method defines'
    """
    if dataset.provides != "samples":
        return "a table or a formula answers, with the figures that it has"
    if not of_task(dataset.task):
        return "a network that rebuilds its inputs has the share of their variance as its one score"
    if algorithm.metric:
        return f"it ranks by the {title_of(algorithm.metric, algorithm.metric_unit)}, which its method defines"
    if algorithm.objectives == "none" or (not algorithm.objectives and "trials" not in algorithm.needs):
        return "its steps compare structures by the score that its method defines, within shared weights or a network that it holds itself"
    return ""


def check_objective(checked: Checked) -> None:
    """Raises BadInput(field "objective") where the config's metric cannot rank the run."""
    name, algorithm, dataset = checked.config.objective, checked.algorithm, checked.dataset
    why = refusal(algorithm, dataset)
    if why:
        raise BadInput("objective", f"{algorithm.title} on '{dataset.id}' cannot be ranked by {name}: {why}; leave it at default",
                       code="incompatible")
    if len(checked.datasets) > 1:
        raise BadInput("objective", "a run on several data sets is ranked by the mean of their own scores; leave it at default",
                       code="incompatible")
    able = [metric.name for metric in of_task(dataset.task)]
    if name not in able:
        raise BadInput("objective", f"{name} is no metric of a {dataset.task}, which '{dataset.id}' is; use {', '.join(able)}",
                       code="incompatible")
    if algorithm.objectives == "shares" and METRICS[name].ranked != name:
        raise BadInput(
            "objective",
            f"{algorithm.title} takes its score as a reward of which 0 is the least, and {name} is ranked by its negative; use "
            f"{', '.join(metric for metric in able if METRICS[metric].ranked == metric)}", code="incompatible",
        )
