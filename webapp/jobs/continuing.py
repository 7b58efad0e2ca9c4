"""More budget for a run that is over: a new run of its experiment goes on with its search (`search_engine.search.continuation`).

    runs/<run id>/taken/    what the first run kept, under the names that it has there; gone once the search is taken up

Asking for it makes the new run, with links to those files: nothing of any length happens there. Its first slices take the rest over
(`taking_over`).
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Sum

from search_engine.base.errors import BadInput
from search_engine.search import continuation
from search_engine.search.continuation import Possible
from search_engine.search.forecast import Plan
from search_engine.search.stop_reasons import ENDED

from ..core.checked import checked_run
from ..core.locks import lock_run
from ..core.models import Job, Run, RunCounter
from ..events.store import append, ops
from . import files, forecasts, states

SPEC = "takes_over"
"""What stands in the spec of the coordinator's job: which run, and how far it is taken over."""
CUT_SHORT = "it ended before its search was over: begin a new one"


# ---------------------------------------------------------------- what can be asked for


def possible(run: Run) -> Possible:
    """Of what more can be asked for, by the run's row alone."""
    if run.state not in Run.TERMINAL:
        return Possible(why_not="it is not over: what more it may use is asked for when it is")
    if run.more is not None:
        return Possible(**run.more)
    return Possible(why_not=continuation.OLD if run.state == Run.State.COMPLETED else CUT_SHORT)


def took(run: Run) -> tuple[float, float]:
    """Seconds of workers that a run's search took, with those of what it went on with, and its finale."""
    own, final, before = 0.0, 0.0, 0.0
    for spec in Job.objects.filter(run=run, kind=Job.Kind.ADVANCE).values_list("spec", flat=True):
        earlier = spec.get(forecasts.BEFORE, {"trials_seconds": 0.0, "search_seconds": 0.0})
        # Of phases it stands in the rows of those that go on.
        before = earlier["trials_seconds"] + earlier["search_seconds"]
    for kind, seconds in Job.objects.filter(run=run).order_by().values_list("kind").annotate(Sum("served_seconds")):
        final += seconds if kind == Job.Kind.FINAL else 0.0
        own += seconds if kind in (Job.Kind.ADVANCE, Job.Kind.TRIAL, Job.Kind.PHASE) else 0.0
    return own + before, final


def amount(unit: str, have: float) -> str:
    """"20 trials", "12 epochs"."""
    return f"{have:,.0f} {unit}"


# ---------------------------------------------------------------- asking for it


def go_on(run_id: UUID, unit: str, more: float) -> Run:
    """Make the run that goes on with the search of that one, with `more` of `unit`. Raises StateConflict where that one is not over,
    BadInput (fields "more" and "unit") where it cannot go on so, RunCounter.DoesNotExist where it was deleted."""
    with transaction.atomic():
        counter = lock_run(run_id)
        run = Run.objects.select_related("experiment").get(pk=run_id)
        states.refuse_elsewhere(run, "given more budget")
        if run.state not in Run.TERMINAL:
            raise states.StateConflict("given more budget", run.state)
        there = possible(run)
        config = continuation.longer(checked_run(run.pk).config, there, unit, more)
        made = states.create_run(run.experiment, config, position=states.next_position(run.experiment_id))
        share = there.have / (there.have + more)
        takes = {"run": str(run.pk), "of": counter.last_seq, "at": 0, "turned": False, "read": False, "horizon": None, "share": share}
        Job.objects.filter(run=made, kind=Job.Kind.ADVANCE).update(spec={SPEC: takes, forecasts.BEFORE: _before(counter)})
        entry = {"run": str(run.pk), "unit": there.unit, "have": there.have}
        Run.objects.filter(pk=made.pk).update(
            continues=run, lineage=[*run.lineage, entry], device=run.device, arithmetic=run.arithmetic,
            progress={**made.progress, "fraction": share}, **_mark_of(run),
        )
        of_new = lock_run(made.pk)
        for name in ("trials", "samples", "seconds", "flops"):
            setattr(of_new, f"charged_{name}", getattr(counter, f"charged_{name}"))
        where = f"goes on where the search of another run was cut, at {amount(there.unit, there.have)}"
        append(of_new, [ops("continues", where, run=str(run.pk), unit=there.unit, have=there.have, more=more)])
        _put_files(run.pk, made.pk)
    return Run.objects.get(pk=made.pk)


def _mark_of(run: Run) -> dict[str, Any]:
    """What made the first search one that another run would not repeat holds for all that comes of it. Its end on request does not: a
    longer search goes on from a point that it passes anyway."""
    if run.reproducible or run.reproducible_note == ENDED or run.reproducible_note.startswith("a final training"):
        return {}
    return {"reproducible": False, "reproducible_note": f"in the run that it goes on with: {run.reproducible_note}"[:2000]}


def _before(counter: RunCounter) -> dict[str, Any]:
    """What the search has taken so far, for the forecast."""
    now = forecasts.situation(Plan.of(checked_run(counter.run_id)), counter)
    phases = Job.objects.filter(run_id=counter.run_id, kind=Job.Kind.PHASE).values_list("source", "served_seconds", "progress")
    return {
        "trials": now.trials_over, "trials_seconds": now.trials_seconds, "search_seconds": now.search_seconds,
        "phases": {source: {"served_seconds": seconds, "progress": shown} for source, seconds, shown in phases},
    }


def _put_files(old: UUID, new: UUID) -> None:
    """Links to what the first run kept, so that it may be deleted. None of these files is ever changed in place."""
    home = files.run_dir(new) / files.TAKEN
    try:
        for name in (continuation.SEARCH, continuation.OUTCOMES, continuation.PHASE, *continuation.OF_THE_START):
            source, place = files.run_dir(old) / name, home / name
            if source.is_file():
                place.parent.mkdir(parents=True, exist_ok=True)
                _link(source, place)
        if not (home / continuation.SEARCH).is_file():
            raise BadInput("more", f"this search cannot go on: {continuation.OLD}")
    except BaseException:
        files.remove_run_files(new)
        raise


def _link(source: Path, place: Path) -> None:
    try:
        os.link(source, place)
    except OSError:
        # Another disk, or one that knows no links.
        shutil.copyfile(source, place)
