"""How a run's work hears that its owner wants what the search has found so far (`states.finish`).

The coordinator is told it as it is told of finished work: by a job that is done when it is made. So its step asks for nothing more than it
does anyway, and is woken, whether its job is leased at this moment or not. A phase finds it in its own spec when its next slice begins.
"""

from __future__ import annotations

from typing import Any

from search_engine.base import checkpoint

from ..core.models import Job, Run

SOURCE = "ending"
"""Of the job that tells the coordinator."""
_MARK = "ending"
"""Among the arguments of a phase."""


def tell(run: Run) -> None:
    """Call with the run locked, once."""
    outcome = checkpoint.text({"reason": ""})
    assert outcome is not None
    Job.objects.create(
        owner_id=run.owner_id, run=run, kind=Job.Kind.ENDING, source=SOURCE, state=Job.State.FINISHED, runnable=False, outcome=outcome
    )
    for job in Job.objects.filter(run=run, kind=Job.Kind.PHASE, state__in=(Job.State.READY, Job.State.LEASED)):
        job.spec = marked(job.spec)
        job.save(update_fields=["spec"])
    Job.objects.filter(run=run, kind=Job.Kind.ADVANCE).update(runnable=True)


def marked(spec: dict[str, Any]) -> dict[str, Any]:
    """The spec of a phase that is to end before its next step."""
    return {**spec, "arguments": {**spec.get("arguments", {}), _MARK: True}}


def is_marked(job: Job) -> bool:
    """Whether a job is to end before its next step."""
    return _MARK in job.spec.get("arguments", {})
