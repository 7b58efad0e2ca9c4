"""From a job's description to the work itself."""

from __future__ import annotations

from pathlib import Path

from ..catalogue.config import CheckedRun
from .final_work import FinalWork
from .fold_work import FoldWork
from .group_work import GroupWork
from .phase_work import PhaseWork
from .trial_work import TrialWork
from .work import Work, WorkSpec


def open_work(checked: CheckedRun, spec: WorkSpec, data_dir: Path, run_dir: Path) -> Work:
    """The work that `spec` describes, not yet begun. Call `load_state_dict` on it to go on from a checkpoint."""
    if spec.kind == "trial" and "members" in spec.arguments:
        return GroupWork(spec, checked, data_dir, run_dir)
    if spec.kind == "trial" and checked.config.folds > 1:
        return FoldWork(spec, checked, data_dir, run_dir)
    if spec.kind == "trial":
        return TrialWork(spec, checked, data_dir, run_dir)
    if spec.kind == "phase":
        return PhaseWork(spec, checked, data_dir, run_dir)
    return FinalWork(spec, checked, data_dir, run_dir)
