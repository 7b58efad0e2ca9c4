"""From a job's description to the work itself."""

from __future__ import annotations

from pathlib import Path

from ..catalogue.config import CheckedRun
from .compressed_work import CompressedWork
from .final_work import FinalWork
from .fold_work import FoldWork
from .group_work import GroupWork
from .grown_work import GrownWork
from .phase_work import PhaseWork
from .several_work import SeveralWork
from .trial_work import TrialWork
from .work import Work, WorkSpec


def open_work(checked: CheckedRun, spec: WorkSpec, data_dir: Path, run_dir: Path) -> Work:
    """The work that `spec` describes, not yet begun. Call `load_state_dict` on it to go on from a checkpoint."""
    if spec.kind == "trial" and "members" in spec.arguments:
        return GroupWork(spec, checked, data_dir, run_dir)
    if spec.kind == "trial":
        return _kind_of_trial(spec, checked)(spec, checked, data_dir, run_dir)
    if spec.kind == "phase":
        return PhaseWork(spec, checked, data_dir, run_dir)
    several = checked.config.finale.seeds > 1 and spec.arguments["role"] == "finalist" and spec.arguments["finish"] == "retrain"
    return (SeveralWork if several else FinalWork)(spec, checked, data_dir, run_dir)


def _kind_of_trial(spec: WorkSpec, checked: CheckedRun) -> type[TrialWork]:
    """No two of these together: the check refuses that."""
    if checked.config.folds > 1:
        return FoldWork
    if "compress" in spec.arguments:
        return CompressedWork
    return GrownWork if "morphs" in spec.arguments.get("inherit", {}) else TrialWork
