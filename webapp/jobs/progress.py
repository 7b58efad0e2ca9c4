"""How far a run is, in words and numbers for people. Never science."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import F, JSONField, UUIDField

from search_engine.search.work import Progress, Work, WorkSpec

from ..core.checked import checked_run
from ..core.models import Job, Run, RunCounter
from ..core.statements import Given, Update

ENTRANTS = {"finalist": "best architecture", "baseline": "random architecture"}
SHOWN = 2
"""How many entrants of a finale are told apart."""


def of_job(work: Work) -> dict[str, Any]:
    """A job's own progress."""
    now = work.progress()
    return {"done": now.done, "total": now.total, "text": now.text}


def update_run(job: Job, counter: RunCounter) -> None:
    """The run's progress after a slice of `job` (whose `progress` and `served_seconds` are current)."""
    if job.kind == Job.Kind.PHASE:
        _write(counter, _of_phase(job, counter))
    elif job.kind == Job.Kind.FINAL:
        update_from_finale(counter)
    else:
        _REVISE.execute(run=counter.run_id)


def update_from_coordinator(counter: RunCounter, now: Progress) -> None:
    """The run's progress after a coordinator's step."""
    if now.total:
        fraction = min(1.0, now.done / now.total)
        _write(counter, {"fraction": fraction, "text": now.text, "eta_seconds": _left(counter.spent_seconds, fraction)})


def update_from_finale(counter: RunCounter) -> None:
    """The run's progress between the search and its end: every entrant that is still at work, in words."""
    _write(counter, _of_finale(Job.objects.filter(run_id=counter.run_id, kind=Job.Kind.FINAL).order_by("created", "pk")))


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


def _of_finale(jobs: Iterable[Job]) -> dict[str, Any]:
    """All entrants of the finale together. Each is named by its part, as long as they are few."""
    ended = (Job.State.FINISHED, Job.State.TAKEN)
    shares, texts, spent = [], [], 0.0
    for job in jobs:
        spent += job.served_seconds
        total = job.progress.get("total")
        shares.append(1.0 if job.state in ended else job.progress["done"] / total if total else 0.0)
        if job.state not in ended:
            texts.append(f"{ENTRANTS[job.spec['arguments']['role']]}: {job.progress.get('text', 'waiting for a worker')}")
    more = [f"{len(texts) - SHOWN} more"] if len(texts) > SHOWN else []
    fraction = min(1.0, sum(shares) / len(shares)) if shares else 1.0
    return {"fraction": fraction, "text": "; ".join(texts[:SHOWN] + more) or "finishing", "eta_seconds": _left(spent, fraction)}


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
