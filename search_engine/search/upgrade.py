"""What a search that another version left off comes to under this one: whether its checkpoints can be gone on with, without doing so."""

from __future__ import annotations

from typing import Any

from ..base.migrations import gap
from ..catalogue.config import CheckedRun
from .coordinator import STATE_STEPS, STATE_VERSION
from .phase_work import PhaseWork, phase_title


def why_it_ends(checked: CheckedRun, source: str, outline: dict[str, Any]) -> str:
    """Why the run cannot go on from the checkpoint of its coordinator (`source` "run") or of a phase ("phase:I"), as a sentence; "" where
    it can. `outline`: the checkpoint's tree without its arrays (`base.checkpoint.outline`). Trials and the finale's work begin again where
    their state is of another version, so they end nothing."""
    if source == "run":
        reason = gap("the run", outline.get("version"), STATE_VERSION, STATE_STEPS)
        if reason or outline.get("phase_version") is None:
            return reason
        return _of_phase(checked, outline["phase_index"], outline["phase_version"])
    reason = gap(f"the work of {source}", outline.get("version"), PhaseWork.state_version, PhaseWork.state_steps)
    if reason or outline.get("state") is None:
        return reason
    return _of_phase(checked, int(source.partition(":")[2]), outline["state"].get("version"))


def _of_phase(checked: CheckedRun, index: int, found: Any) -> str:
    phases = checked.phases()
    if index >= len(phases):
        return f"{checked.algorithm.title} has {len(phases)} phases in this version, and the run is in number {index + 1}"
    phase = phases[index]
    return gap(phase_title(checked, phase), found, phase.state_version, phase.state_steps)
