"""How far a run is, in words and numbers for people. Never science."""

from __future__ import annotations

from typing import Any

from django.db.models import F, JSONField, UUIDField

from search_engine.search.work import Progress, Work, WorkSpec

from ..core.checked import checked_run
from ..core.models import Job, Run, RunCounter
from ..core.statements import Given, Update


def of_job(work: Work) -> dict[str, Any]:
    """A job's own progress."""
    now = work.progress()
    return {"done": now.done, "total": now.total, "text": now.text}


def update_run(job: Job, counter: RunCounter) -> None:
    """The run's progress after a slice of `job` (whose `progress` and `served_seconds` are current)."""
    if job.kind == Job.Kind.PHASE:
        _write(counter, _of_phase(job, counter))
    elif job.kind == Job.Kind.FINAL:
        _write(counter, _of_finale(job))
    else:
        _REVISE.execute(run=counter.run_id)


def update_from_coordinator(counter: RunCounter, now: Progress) -> None:
    """The run's progress after a coordinator's step."""
    if now.total:
        fraction = min(1.0, now.done / now.total)
        _write(counter, {"fraction": fraction, "text": now.text, "eta_seconds": _left(counter.spent_seconds, fraction)})


def finish(counter: RunCounter, text: str) -> None:
    _write(counter, {"fraction": 1.0, "text": text, "eta_seconds": 0.0})


def _of_phase(job: Job, counter: RunCounter) -> dict[str, Any]:
    done, total = job.progress["done"], job.progress["total"]
    shares = [done / total] if total else []
    checked = checked_run(counter.run_id)
    budget = checked.budget
    control = checked.phases()[WorkSpec.model_validate(job.spec).index].control
    if budget is not None and budget.kind != "trials" and not control:
        # Whichever ends first, the plan or the budget.
        shares.append((counter.charged_samples if budget.kind == "samples" else counter.charged_seconds) / budget.limit)
    fraction = min(1.0, max(shares)) if shares else None
    text = job.progress["text"] + (f" of {total:,.0f}" if total else "")
    return {"fraction": fraction, "text": text, "eta_seconds": _left(job.served_seconds, fraction)}


def _of_finale(job: Job) -> dict[str, Any]:
    """All entrants of the finale together."""
    jobs = [job, *Job.objects.filter(run_id=job.its_run, kind=Job.Kind.FINAL).exclude(pk=job.pk)]
    ended = (Job.State.FINISHED, Job.State.TAKEN)
    shares = []
    for item in jobs:
        total = item.progress.get("total")
        shares.append(1.0 if item.state in ended else item.progress["done"] / total if total else 0.0)
    fraction = min(1.0, sum(shares) / len(shares))
    left = _left(sum(item.served_seconds for item in jobs), fraction)
    return {"fraction": fraction, "text": f"finale: {job.progress['text']}", "eta_seconds": left}


def _left(spent: float, fraction: float | None) -> float | None:
    """Seconds left at the pace so far, with one worker; None while too little is known."""
    return None if fraction is None or fraction < 0.01 else spent * (1 - fraction) / fraction


_REVISE = Update(lambda: (Run.objects.filter(pk=Given("run", UUIDField())), {"revision": F("revision") + 1}))
_WRITE = Update(
    lambda: (
        Run.objects.filter(pk=Given("run", UUIDField())), {"progress": Given("progress", JSONField()), "revision": F("revision") + 1}
    )
)


def _write(counter: RunCounter, value: dict[str, Any]) -> None:
    _WRITE.execute(run=counter.run_id, progress=value)
