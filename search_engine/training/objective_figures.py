"""All metrics of a trained network on its validation part, where a run is ranked by one of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..base.errors import TrialFailure
from ..datasets.base import Array
from ..scoring.metrics import METRICS, with_ranked
from ..scoring.rules import measure
from .collected import Collected


def validation_figures(
    task: str, answers: Collected, names: Sequence[str], objective: str, units: Callable[[Array], Array], where: str = ""
) -> dict[str, float]:
    """`val_<metric>` for every metric of the task that is defined, and what is ranked by (`val_neg_log_loss`); of values, in what
    `units` makes of them (`SearchData.in_own_units`). Raises TrialFailure with the reason where the objective is not."""
    found = measure(task, units(answers.outputs), units(answers.targets), names)
    if objective not in found.values:
        reason = found.absent.get(objective, f"it is no metric of a {task}")
        raise TrialFailure(f"the {METRICS[objective].measure.name} on the validation part{where} is not defined: {reason}")
    return {f"val_{name}": value for name, value in with_ranked(found.values, objective).items()}
