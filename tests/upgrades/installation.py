"""What runs inside an installation of its own: leaving its searches at their moments, taking them up again, and what they are then."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .forms import form
from .searches import LEFT, LEFT_TABLE, LOCAL, Left

LOCAL_NAME = "the command line"
_WITHOUT_BITS = ("phase_started", "candidate_born", "trial_told", "finalist", "model", "search_stopped", "run_completed")
"""Kinds of events of which there are as many, with the same keys, on every machine."""
DATABASE = "database.sql.gz"


def begin(home: Path) -> None:
    """Make this process one of the installation in `home`; before anything of Django is imported."""
    os.environ.update(
        NASCOPE_HOME=str(home), DJANGO_SETTINGS_MODULE="webapp.settings", NASCOPE_SLICE_SECONDS="0", NASCOPE_RESIDENT_JOBS="0",
        NASCOPE_SCRUB_BYTES="0", OMP_NUM_THREADS="1", NASCOPE_NATIVE="0",
    )
    os.environ.pop("DATABASE_URL", None)
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", interactive=False, verbosity=0)


def left_of(folder: Path) -> dict[str, Left]:
    """The searches that are saved in the folder."""
    return LEFT_TABLE if folder.name.endswith("-table") else LEFT


def leave(searches: dict[str, Left]) -> None:
    """Begin every search and pause it at its moment."""
    from tests.webapp.builders import make_owner
    from webapp.core.models import Experiment, Job, Run
    from webapp.jobs import advance, states
    from webapp.jobs.session import Session
    from webapp.jobs.tasks import serve_one

    advance.EVENTS = 10
    session = Session("cpu")
    for name, search in searches.items():
        experiment = Experiment.objects.create(owner=make_owner(), name=name, config={}, space="")
        run = states.create_run(experiment, search.config)
        while not search.when(Job.objects.filter(run=run)):
            assert serve_one(session), f"{name}: {Run.objects.get(pk=run.pk).reason}"
        states.pause(run.pk)
    session.end()


def go_on() -> None:
    """Resume every run and serve until nothing is left."""
    from webapp.core.models import Run
    from webapp.jobs import states
    from webapp.jobs.session import Session
    from webapp.jobs.tasks import serve_one

    for run in Run.objects.filter(state="paused"):
        states.resume(run.pk)
    session = Session("cpu")
    while serve_one(session):
        pass
    session.end()


def ends() -> dict[str, Any]:
    """What became of every run, by its experiment's name."""
    from webapp.core.models import Event, Run

    found = {}
    for run in Run.objects.select_related("experiment"):
        rows = Event.objects.filter(run=run, science=True).values_list("source", "step", "kind", "ordinal", "data")
        found[run.experiment.name] = {
            "state": run.state, "reason": run.reason, "reproducible_note": run.reproducible_note, **_science(rows),
        }
    return found


def _science(rows: Iterable[tuple[Any, ...]]) -> dict[str, Any]:
    said = sorted((*row[:4], json.dumps(row[4], sort_keys=True)) for row in rows)
    keys = [row[:4] for row in said if row[2] in _WITHOUT_BITS]
    return {"keys": _digest(keys), "facts": len(keys), "science": _digest(said)}


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:16]


def forms() -> dict[str, Any]:
    """The form of every state that a run would go on from, after this version has read it, with its versions; of one that it cannot go on
    from, why."""
    from search_engine.base.errors import CheckpointOutdated
    from webapp.core.models import Job

    found: dict[str, Any] = {}
    for job in Job.objects.exclude(checkpoint_path="").filter(run__state="paused").select_related("run__experiment"):
        try:
            state, versions = _read(job)
            found[f"{job.run.experiment.name}, {job.source}"] = {"versions": versions, "form": form(state)}  # type: ignore[union-attr]
        except CheckpointOutdated as error:
            found[f"{job.run.experiment.name}, {job.source}"] = {"outdated": str(error)}  # type: ignore[union-attr]
    return found


def _read(job: Any) -> tuple[Any, list[Any]]:
    from django.conf import settings

    from search_engine.base import checkpoint
    from search_engine.search.coordinator import Coordinator
    from search_engine.search.open_work import open_work
    from search_engine.search.work import WorkSpec
    from webapp.core.checked import checked_run
    from webapp.jobs import files

    checked, folder = checked_run(job.run_id), files.run_dir(job.run_id)
    tree, _ = checkpoint.read_with_log(folder / job.checkpoint_path, job.checkpoint_digest)
    if job.kind == "advance":
        coordinator = Coordinator(checked, Path(settings.NASCOPE_DATA), folder)
        coordinator.load_state_dict(tree)
        state: Any = coordinator.state_dict()
        return state, [state["version"], state["phase_version"]]
    work = open_work(checked, WorkSpec.model_validate(job.spec), Path(settings.NASCOPE_DATA), folder)
    work.load_state_dict(tree)
    state = work.state_dict()
    return state, [state["version"], (state["state"] or {}).get("version")]


# ---- the command line's run


def leave_local(folder: Path) -> None:
    """Begin the command line's run in `folder` and interrupt it in the middle of a trial."""
    from search_engine.search.local_run import Interrupted

    run = _local(folder, resume=False)
    try:
        run.run(stop=lambda: run.work is not None and run.coordinator.meter.trials == 1 and run.work.progress().done >= 2)
    except Interrupted:
        return
    raise AssertionError("the run came to its end")


def local_form(folder: Path) -> dict[str, Any]:
    """The form of its state, as this version reads and writes it; where it cannot go on from it, why."""
    from search_engine.base import checkpoint
    from search_engine.base.errors import BadInput
    from search_engine.search.local_run import STATE, STATE_VERSION

    try:
        run = _local(folder, resume=True)
    except BadInput as refused:
        return {"outdated": str(refused)}
    run._commit()
    state = checkpoint.read(folder / STATE, sealed=True)
    return {"versions": [STATE_VERSION, state["coordinator"]["version"], state["work"]["version"]], "form": form(state)}


def end_local(folder: Path) -> dict[str, Any]:
    """Go on with it to its end."""
    from search_engine.base.errors import BadInput

    try:
        result = _local(folder, resume=True).run()
    except BadInput as refused:
        return {"state": "refused", "reason": str(refused), "reproducible_note": ""}
    rows = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    said = [(row["source"], row["step"], row["kind"], row["ordinal"], row["data"]) for row in rows if row["science"]]
    note = result["reproducible_note"]
    return {"state": result["status"], "reason": result["reason"], "reproducible_note": note, **_science(said)}


def _local(folder: Path, *, resume: bool) -> Any:
    from search_engine.catalogue.config import check
    from search_engine.search.local_run import LocalRun

    return LocalRun(check(LOCAL), folder.parent, folder, resume=resume, slice_seconds=0.0)


# ---- to and from the saved files


def save(home: Path, folder: Path) -> None:
    """The database of the installation as SQL, and its files."""
    database = sqlite3.connect(home / "db.sqlite3")
    text = "\n".join(database.iterdump())
    database.close()
    folder.mkdir(parents=True)
    with gzip.GzipFile(folder / DATABASE, "wb", mtime=0) as file:
        file.write(text.encode())
    for room in ("runs", "local"):
        if (home / room).exists():
            shutil.copytree(home / room, folder / "home" / room)


def restore(folder: Path, home: Path) -> None:
    """An installation as it was saved."""
    shutil.copytree(folder / "home", home)
    database = sqlite3.connect(home / "db.sqlite3")
    database.executescript(gzip.decompress((folder / DATABASE).read_bytes()).decode())
    database.close()
