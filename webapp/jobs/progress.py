"""How far a run is, in words and numbers for people. Never science."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import F, JSONField, UUIDField

from search_engine.search.budget import counted
from search_engine.search.coordinator import Coordinator
from search_engine.search.final_work import FinalWork
from search_engine.search.work import Progress, Work, WorkSpec

from ..core.checked import checked_run
from ..core.models import Job, Run, RunCounter
from ..core.statements import Given, Update
from . import forecasts, trials

ENTRANTS = {"finalist": "best architecture", "baseline": "one for comparison"}
SHOWN = 2
"""How many entrants of a finale are told apart."""


def of_job(job: Job, work: Work, cpu: float) -> dict[str, Any]:
    """A job's own progress (`served_seconds` is current, `cpu` what this slice used): with seconds and units of its first commit, which
    loading lengthens; of a finalist also its stage, and what each stage took so far."""
    now = work.progress()
    shown: dict[str, Any] = {"done": now.done, "total": now.total, "text": now.text}
    shown["cpu"] = round(job.progress.get("cpu", 0.0) + cpu, 3)
    shown["first"] = job.progress.get("first", [round(job.served_seconds, 3), now.done])
    if isinstance(work, FinalWork):
        shown |= {"stage": work.stage, "spent": {name: round(seconds, 3) for name, seconds in work.spent.items()}}
    return shown


def of_coordinator(coordinator: Coordinator) -> dict[str, Any]:
    """The progress of a run's own job: what its search by trials plans, for the forecast."""
    found = coordinator.trial_plan
    return {} if found is None else {"trials": found.to_json()}


def update_run(job: Job, counter: RunCounter) -> None:
    """The run's progress after a slice of `job` (whose `progress` and `served_seconds` are current)."""
    if job.kind == Job.Kind.PHASE:
        _write(counter, _of_phase(job, counter))
    elif job.kind == Job.Kind.FINAL:
        update_from_finale(counter)
    elif trials.members(job):
        _write(counter, _forward(counter, _of_group(job, counter)))
    # Of a trial that is alone in its job the run shows nothing until its coordinator is told.


def update_from_coordinator(counter: RunCounter, now: Progress) -> None:
    """The run's progress after a coordinator's step."""
    if now.total:
        value = _told(counter, now.text, min(1.0, now.done / now.total))
        # Of groups more is done than is told.
        _write(counter, _forward(counter, value) if checked_run(counter.run_id).config.together > 1 else value)


def update_from_finale(counter: RunCounter) -> None:
    """The run's progress between the search and its end: every entrant that is still at work, in words."""
    _write(counter, _of_finale(counter, Job.objects.filter(run_id=counter.run_id, kind=Job.Kind.FINAL).order_by("created", "pk")))


def taking_over(counter: RunCounter, at: int, of: int, share: float) -> None:
    """The run's progress while it takes over events of the one whose search it goes on with. `share`: of the search, that one's."""
    _write(counter, {**forecasts.NOTHING, "fraction": share, "text": f"taking over {at:,} of {of:,} events"})


def finish(counter: RunCounter, text: str) -> None:
    _write(counter, {**forecasts.NOTHING, "fraction": 1.0, "text": text, "eta_seconds": 0.0})


def _of_phase(job: Job, counter: RunCounter) -> dict[str, Any]:
    done, total = job.progress["done"], job.progress["total"]
    shares = [done / total] if total else []
    checked = checked_run(counter.run_id)
    budget = checked.budget
    control = checked.phases()[WorkSpec.model_validate(job.spec).index].control
    if budget is not None and budget.kind != "trials" and not control:
        # Whichever ends first, the plan or the budget.
        shares.append(getattr(counter, f"charged_{budget.kind}") / budget.limit)
    fraction = min(1.0, max(shares)) if shares else None
    text = job.progress["text"] + (f" of {total:,.0f}" if total else "")
    return _told(counter, text, fraction)


def _of_group(job: Job, counter: RunCounter) -> dict[str, Any]:
    """Trials that are trained together end together: meanwhile it is said how far they are."""
    budget = checked_run(counter.run_id).budget
    if budget is None:
        # A search with a plan of its own: how far that is, its coordinator says with every group that is told.
        return _told(counter, job.progress["text"], 0.0)
    charged = {
        "trials": float(counter.charged_trials), "samples": counter.charged_samples, "flops": counter.charged_flops,
        "seconds": counter.charged_seconds,
    }  # fmt: skip
    told = charged[budget.kind]
    if budget.kind == "trials":
        done = told + _open_shares(counter)
    else:
        # What a group costs otherwise is known when it is told.
        done = max(told, counter.spent_samples) if budget.kind == "samples" else told
    fraction = min(1.0, done / budget.limit)
    text = f"{counted(told, budget)}; {job.progress['text']}"
    return _told(counter, text, fraction)


def _open_shares(counter: RunCounter) -> float:
    """The groups that are not told yet, in trials."""
    still_open = (Job.State.READY, Job.State.LEASED, Job.State.FINISHED)
    found = 0.0
    for job in Job.objects.filter(run_id=counter.run_id, kind=Job.Kind.TRIAL, state__in=still_open):
        total = job.progress.get("total")
        share = 1.0 if job.state == Job.State.FINISHED else job.progress["done"] / total if total else 0.0
        found += share * len(trials.members(job))
    return found


def _forward(counter: RunCounter, value: dict[str, Any]) -> dict[str, Any]:
    """`value` with at least the fraction that was shown already: what is done of a group counts before its trials are told one by one."""
    shown = Run.objects.values_list("progress", flat=True).get(pk=counter.run_id).get("fraction")
    return {**value, "fraction": max(value["fraction"] or 0.0, shown or 0.0)}


def _of_finale(counter: RunCounter, jobs: Iterable[Job]) -> dict[str, Any]:
    """All entrants of the finale together. Each is named by its part, as long as they are few."""
    ended = (Job.State.FINISHED, Job.State.TAKEN)
    shares, texts = [], []
    for job in jobs:
        total = job.progress.get("total")
        shares.append(1.0 if job.state in ended else job.progress["done"] / total if total else 0.0)
        if job.state not in ended:
            texts.append(f"{ENTRANTS[job.spec['arguments']['role']]}: {job.progress.get('text', 'waiting for a worker')}")
    more = [f"{len(texts) - SHOWN} more"] if len(texts) > SHOWN else []
    fraction = min(1.0, sum(shares) / len(shares)) if shares else 1.0
    return _told(counter, "; ".join(texts[:SHOWN] + more) or "finishing", fraction)


def _told(counter: RunCounter, text: str, of_stage: float | None) -> dict[str, Any]:
    """`fraction` is of all work of the run, the finale included; of the present stage alone (`of_stage`) where the whole is not known."""
    found = forecasts.of_run(counter)
    fraction = forecasts.share_done(found)
    return {"fraction": of_stage if fraction is None else fraction, "text": text, **found}


_WRITE = Update(
    lambda: (
        Run.objects.filter(pk=Given("run", UUIDField())), {"progress": Given("progress", JSONField()), "revision": F("revision") + 1}
    )
)


def _write(counter: RunCounter, value: dict[str, Any]) -> None:
    _WRITE.execute(run=counter.run_id, progress=value)
