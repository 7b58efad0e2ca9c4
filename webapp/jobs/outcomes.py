"""A finished job's outcome on its way to the coordinator: in the job's row, or, where it is long or holds arrays, in a file that the row
names. A trial's is a few numbers: a file for it, with its fsync, its listing and its removal, cost more than its whole commit."""

from __future__ import annotations

from typing import Any

from search_engine.base import checkpoint

from ..core.models import Job
from . import files

LONGEST = 16_000
"""Characters that a row takes."""

NONE = {"outcome": "", "outcome_path": "", "outcome_digest": ""}
"""The fields of a job without an outcome."""


def keep(job: Job, outcome: dict[str, Any]) -> dict[str, str]:
    """The job's fields that hold `outcome`, after its file is written where it needs one."""
    text = checkpoint.text(outcome)
    if text is not None and len(text) <= LONGEST:
        return {**NONE, "outcome": text}
    name = files.file_name(job, "outcomes")
    digest = checkpoint.write(files.run_dir(job.its_run) / name, outcome)
    return {**NONE, "outcome_path": name, "outcome_digest": digest}


def read(job: Job) -> dict[str, Any]:
    """What `keep` kept. Raises CheckpointMismatch if the file is not the one that was written."""
    tree = (
        checkpoint.from_text(job.outcome)
        if job.outcome
        else checkpoint.read(files.run_dir(job.its_run) / job.outcome_path, job.outcome_digest)
    )
    return tree  # type: ignore[no-any-return]
