"""What is left of a run, by `search_engine.search.forecast`: its situation from the rows of its jobs, what this installation's finished
runs teach, the other runs that share the workers. Never science."""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Q, Sum

from search_engine.search.forecast import (
    Known,
    Left,
    Piece,
    Plan,
    Profile,
    Situation,
    TrialPlan,
    forecast,
    lefts,
    share,
    stages_json,
    work_left,
    worth_a_range,
)

from ..core.checked import checked_run
from ..core.models import Job, Run, RunCounter, Worker
from .clock import after

EVERY = 1.0
"""Seconds between two forecasts of a run in one process; between them the last one stands, less the time since."""
REMEMBERED = 60.0
"""Seconds for which a process keeps what earlier runs taught."""
NEWEST = 8
"""Finished runs that are looked at: of the same algorithm, and of all."""
OTHERS = 50
OVER = (Job.State.FINISHED, Job.State.TAKEN)
BEFORE = "before"
"""In the spec of a coordinator's job: what the search that it goes on with had taken (`webapp.jobs.continuing`)."""

_said: dict[UUID, tuple[float, dict[str, Any]]] = {}
_known: dict[UUID, tuple[float, Known]] = {}

NOTHING: dict[str, Any] = {"eta_seconds": None, "eta_low_seconds": None, "eta_high_seconds": None, "left": None, "work_done": None}


def of_run(counter: RunCounter) -> dict[str, Any]:
    """Fields of the run's `progress`: `eta_*` (seconds until it is over; low and high where one figure would say too much), `left` (the
    work of each stage, for the other runs' forecasts) and `work_done` (seconds). None where nothing is known yet."""
    now = time.monotonic()
    at, found = _said.get(counter.run_id, (-EVERY, NOTHING))
    since = now - at
    if since >= EVERY:
        found = _forecast(counter)
        _keep(_said, counter.run_id, (now, found))
        return found
    return {name: max(value - since, 0.0) if name.startswith("eta") and value is not None else value for name, value in found.items()}


def share_done(found: dict[str, Any]) -> float | None:
    """Of all work, in seconds; None where it is not known."""
    if found["left"] is None:
        return None
    return share(found["work_done"], sum(seconds for seconds, _ in found["left"]))


def _forecast(counter: RunCounter) -> dict[str, Any]:
    plan = Plan.of(checked_run(counter.run_id))
    now = situation(plan, counter)
    left = work_left(plan, now, known_for(counter.run_id, plan))
    done = now.done(plan)
    if left is None:
        return {**NOTHING, "work_done": done}
    found = forecast(left, _others(counter.run_id), _workers(counter.run_id))
    ranged = worth_a_range(found)
    return {
        "eta_seconds": round(found.seconds, 1), "eta_low_seconds": round(found.low, 1) if ranged else None,
        "eta_high_seconds": round(found.high, 1) if ranged else None, "left": stages_json(left), "work_done": round(done, 2),
    }


def situation(plan: Plan, counter: RunCounter) -> Situation:
    """How far the run is, by its jobs."""
    jobs = Job.objects.filter(run_id=counter.run_id)
    trials_over = Q(kind=Job.Kind.TRIAL, state__in=OVER)
    rows = jobs.exclude(trials_over).values_list("kind", "source", "state", "served_seconds", "progress", "spec")[:OTHERS]
    trials = jobs.filter(trials_over).aggregate(count=Count("pk"), seconds=Sum("served_seconds"))
    pieces, search_seconds, plan_of_trials, before = [], 0.0, None, {"trials": 0, "trials_seconds": 0.0, "search_seconds": 0.0}
    for kind, source, state, seconds, progress, spec in rows:
        if kind == Job.Kind.ADVANCE:
            search_seconds, own, before = seconds, (progress or {}).get("trials"), (spec or {}).get(BEFORE, before)
            plan_of_trials = None if own is None else TrialPlan(*own)
        else:
            pieces.append(_piece(source, state in OVER, seconds, progress or {}, spec))
    charged = float(getattr(counter, f"charged_{plan.budget[0] if plan.budget else 'trials'}"))
    # A group is one job for several trials.
    jobs_over = trials["count"] + before["trials"]
    over = max(jobs_over, counter.trials_told - counter.trials_repeated) if jobs_over else 0
    return Situation(
        pieces, search_seconds + before["search_seconds"], charged, counter.charged_samples, over,
        (trials["seconds"] or 0.0) + before["trials_seconds"],
        any(piece.kind == "final" for piece in pieces), trials=plan_of_trials,
    )


def _piece(source: str, over: bool, seconds: float, progress: dict[str, Any], spec: dict[str, Any]) -> Piece:
    first, given = progress.get("first", (0.0, 0.0)), spec.get("arguments", {})
    return Piece(
        source, over, seconds, progress.get("done", 0.0), progress.get("total"), (first[0], first[1]), progress.get("stage", ""),
        progress.get("spent", {}), given.get("role") != "baseline", progress.get("cpu", 0.0), len(given.get("members", ())) or 1,
    )


def known_for(run_id: UUID, plan: Plan) -> Known:
    """What the newest finished runs of this installation teach: those of the same algorithm, and some of any."""
    at, known = _known.get(run_id, (-REMEMBERED, None))
    now = time.monotonic()
    if known is None or now - at >= REMEMBERED:
        known = Known(plan, newest_profiles(plan.key[0]))
        _keep(_known, run_id, (now, known))
    return known


def newest_profiles(algorithm: str) -> list[Profile]:
    finished = Run.objects.filter(state=Run.State.COMPLETED).order_by("-finished").values_list("pk", flat=True)
    ids = dict.fromkeys([*finished.filter(algorithm=algorithm)[:NEWEST], *finished[:NEWEST]])
    return [profile for pk in ids if (profile := _profile(pk)) is not None]


@lru_cache(maxsize=256)
def _profile(run_id: UUID) -> Profile | None:
    """A finished run's; it never changes. None where the run is gone, or its config is of another version."""
    try:
        plan = Plan.of(checked_run(run_id))
        return Profile.of(plan, situation(plan, RunCounter.objects.get(run_id=run_id)))
    except (ValueError, LookupError, Run.DoesNotExist, RunCounter.DoesNotExist):
        return None


def _others(run_id: UUID) -> list[list[Left] | None]:
    """The work that is left in each of the runs that share the workers, as they said last."""
    others = Run.objects.filter(state__in=Run.ACTIVE, followed="").exclude(pk=run_id)
    rows: Iterable[Any] = others.values_list("progress", flat=True)[:OTHERS]
    return [None if progress.get("left") is None else lefts(progress["left"]) for progress in rows]


def _workers(run_id: UUID) -> int:
    """Those that could work on the run now."""
    alive = Worker.objects.filter(last_seen__gte=after(-settings.NASCOPE_LEASE_SECONDS))
    device = Run.objects.values_list("device", flat=True).get(pk=run_id)
    return max(1, alive.filter(device__startswith=device).count() if device else alive.count())


def _keep(kept: dict[UUID, Any], run_id: UUID, value: Any) -> None:
    if len(kept) > 200:
        kept.clear()
    kept[run_id] = value
