"""All metrics of a trained network on its validation part, where a run is ranked by one of them."""

from __future__ import annotations

from collections.abc import Sequence

from ..base.errors import TrialFailure
from ..scoring.metrics import METRICS, measure, with_ranked
from .collected import Collected


def validation_figures(task: str, answers: Collected, names: Sequence[str], objective: str, where: str = "") -> dict[str, float]:
    """`val_<metric>` for every metric of the task that is defined, and what is ranked by (`val_neg_log_loss`). Raises TrialFailure with the
    reason where the objective is not."""
    found = measure(task, answers.outputs, answers.targets, names)
    if objective not in found.values:
        reason = found.absent.get(objective, f"it is no metric of a {task}")
        raise TrialFailure(f"the {METRICS[objective].measure.name} on the validation part{where} is not defined: {reason}")
    return {f"val_{name}": value for name, value in with_ranked(found.values, objective).items()}
