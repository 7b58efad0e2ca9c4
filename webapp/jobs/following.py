"""A search of another process of this machine, shown here while it runs (`run --live`): its folder is read as far as it is said for good.

    follow(owner, folder, lines, shown)

The run gets the ids that it will have when it is opened (`run_imports`), so its page stays where it is: at the end the folder is opened as
any other is, over the rows that are there. Only what was committed is read, and a kill takes none of that back; so what is here is always
the beginning of what the folder says, and a search that goes on from its checkpoint goes on with the same run.

What the folder holds is checked and bounded as where it is opened. A run that is followed has no job: nothing of it is computed here, and
what would move its search is refused (`states`).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce, Now
from pydantic import ValidationError

from search_engine.archives.form import RunRecord
from search_engine.archives.reading import as_manifest
from search_engine.archives.recorded_events import CHUNK, Lines
from search_engine.base.errors import BadInput
from search_engine.commands.live import LINE, Begun, Committed
from search_engine.events import EventRecord
from search_engine.search.local_run import EVENTS, RESULT, versions

from ..core.locks import lock_run
from ..core.models import ModelArtefact, Run, RunCounter
from ..events import wake
from ..events.store import add_recorded, write_counter
from . import opening, run_imports
from .clock import after

BEATS_SECONDS = 5.0
"""So often a follower says that it lives."""
SILENT_SECONDS = 30.0
"""After so long without that it does not."""
GOING_ON = "--resume --live (in Python resume=True, live=True)"
INTERRUPTED = f"interrupted: go on with it where it was started, with {GOING_ON}"
NOT_WHOLE = "not all of it could be brought here: "
LATER = "its download is here when the run has ended"


class Deleted(Exception):
    """Somebody deleted the run here meanwhile."""


def follow(owner: Any, folder: Path, lines: IO[bytes], shown: Callable[[Run], None]) -> str:
    """Show the search in `folder` for `owner` until `lines` end (`search_engine.commands.live`). `shown` is called once its run is there.
    Returns what became of it, in words. Raises BadInput where it cannot be shown, or not to its end."""
    begun = _first(lines)
    row_id = _row_id(owner, folder, begun)
    run = _there(row_id, owner, folder, begun)
    try:
        shown(run)
        _Reading(run, folder).all_of(_Latest(lines))
        if not (folder / RESULT).is_file():
            interrupt(run.pk)
            return f"the search was stopped: in the browser it stands as interrupted, and goes on with {GOING_ON}"
        opening.open_here(owner, folder, lambda done, words: beat(run.pk), row_id)
    except (Deleted, RunCounter.DoesNotExist):
        return "the run was deleted in the browser; its folder is whole"
    except BadInput as error:
        interrupt(run.pk, f"{NOT_WHOLE}{error}")
        raise
    except BaseException:
        interrupt(run.pk)
        raise
    return "the whole run is in the browser, downloads included"


def interrupt(run_id: UUID, reason: str = INTERRUPTED) -> None:
    """Nobody follows the run any more, and it is not over."""
    with transaction.atomic():
        followed = Run.objects.filter(pk=run_id, state=Run.State.RUNNING).exclude(followed="")
        if followed.update(state=Run.State.PAUSED, reason=reason[:500], revision=F("revision") + 1):
            wake.announce(run_id)


def interrupt_silent() -> None:
    """Runs whose followers ended without a word, as with the machine that they were on."""
    silent = Run.objects.filter(state=Run.State.RUNNING, followed_seen__lt=after(-SILENT_SECONDS)).exclude(followed="")
    for run_id in silent.values_list("pk", flat=True):
        interrupt(run_id)


# ---------------------------------------------------------------- the run's rows


def _first(lines: IO[bytes]) -> Begun:
    try:
        return Begun.model_validate_json(lines.readline(LINE))
    except ValidationError:
        raise BadInput("follow", "a search calls this command for itself: use `run --live`, or live=True") from None


def _row_id(owner: Any, folder: Path, begun: Begun) -> UUID:
    """As which row the run is opened at its end: as that before, where a run goes on that is still here."""
    # One that seems to run: it and its follower were killed just now.
    known = opening.shown_as(owner, folder, Run.State.PAUSED, Run.State.RUNNING)
    if known is not None and _is_of(Run.objects.select_related("counter").get(pk=run_imports.run_id(known)), begun):
        return known
    made = uuid4()
    (folder / opening.SHOWN_AS).write_text(json.dumps({"id": str(made)}))
    return made


def _is_of(run: Run, begun: Begun) -> bool:
    """Whether the search goes on with that run, and is not another one in its folder."""
    return run.config == begun.config and run.counter.last_seq <= begun.events


def _there(row_id: UUID, owner: Any, folder: Path, begun: Begun) -> Run:
    """The run, made where it is not there yet. Raises BadInput."""
    run_id = run_imports.run_id(row_id)
    with transaction.atomic():
        if not Run.objects.filter(pk=run_id).exists():
            record = RunRecord(folder="runs/0", config=begun.config, state="completed", versions=versions())
            incoming = run_imports.Incoming(run_id, record, run_imports.checked_record(record, opening.knows), folder, [])
            manifest = as_manifest(record, {EVENTS: folder / EVENTS})
            run_imports.make_rows(opening.row_of(owner, folder, row_id), manifest, "folder", [incoming])
        Run.objects.filter(pk=run_id).update(
            state=Run.State.RUNNING, reason="", started=Coalesce("started", Now()), followed=str(folder), followed_seen=Now(),
            progress={"fraction": None, "text": "starting", "eta_seconds": None}, revision=F("revision") + 1,
        )  # fmt: skip
        wake.announce(run_id)
    return Run.objects.get(pk=run_id)


def beat(run_id: UUID) -> None:
    """It is followed: also where that looked otherwise, as after the machine slept. Raises Deleted."""
    if not Run.objects.filter(pk=run_id).update(followed_seen=Now()):
        raise Deleted
    with transaction.atomic():
        silent = Run.objects.filter(pk=run_id, state=Run.State.PAUSED).exclude(followed="")
        if silent.update(state=Run.State.RUNNING, reason="", revision=F("revision") + 1):
            wake.announce(run_id)


# ---------------------------------------------------------------- reading


class _Latest:
    """The newest of the lines that came, read in a thread of its own: the search must never find the pipe full."""

    def __init__(self, lines: IO[bytes]) -> None:
        self._changed = threading.Condition()
        self._newest: Committed | None = None
        self._over = False
        self._thread = threading.Thread(target=self._read, args=(lines,), name="committed", daemon=True)
        self._thread.start()

    def _read(self, lines: IO[bytes]) -> None:
        while line := lines.readline(LINE):
            try:
                found = Committed.model_validate_json(line)
            except ValidationError:
                # Cut where the search was killed.
                continue
            with self._changed:
                self._newest = found
                self._changed.notify()
        with self._changed:
            self._over = True
            self._changed.notify()

    def __iter__(self) -> Iterator[Committed | None]:
        """Each newest line; None where there was none for a while."""
        while True:
            with self._changed:
                if self._newest is None and not self._over:
                    self._changed.wait(BEATS_SECONDS)
                found, self._newest, over = self._newest, None, self._over
            if found is None and over:
                return
            yield found


class _Reading:
    """The events of a folder on their way into the run."""

    def __init__(self, run: Run, folder: Path) -> None:
        self._run, self._path = run, folder / EVENTS
        self._lines = Lines(EVENTS, bounds=run_imports.limits())
        self._place = 0
        """Bytes of the file that were read."""

    def all_of(self, latest: _Latest) -> None:
        """Raises Deleted, and BadInput where the events are not those of a run."""
        for now in latest:
            if now is None:
                beat(self._run.pk)
            else:
                self._up_to(now)

    def _up_to(self, now: Committed) -> None:
        if self._path.is_symlink():
            raise BadInput(EVENTS, "it is a link: only files are read", code="unsafe")
        with self._path.open("rb") as file:
            file.seek(self._place)
            while True:
                records: list[EventRecord] = []
                while file.tell() < now.size and len(records) < CHUNK and (record := self._lines.read(file)) is not None:
                    records.append(record)
                self._place = file.tell()
                self._write(records, now)
                if len(records) < CHUNK:
                    return

    def _write(self, records: list[EventRecord], now: Committed) -> None:
        with transaction.atomic():
            counter = lock_run(self._run.pk)
            # What a search before this one was followed to is here already.
            fresh = [record for record in records if record.seq > counter.last_seq]
            if fresh:
                add_recorded(counter, fresh)
                self._without_downloads([record.data.index for record in fresh if record.data.kind == "model"])
            charged = now.charged
            counter.charged_samples, counter.charged_trials = charged["samples"], int(charged["trials"])
            counter.charged_seconds, counter.charged_flops = charged["seconds"], charged["flops"]
            write_counter(counter)
            Run.objects.filter(pk=self._run.pk).update(
                revision=F("revision") + 1,
                progress={"fraction": now.fraction, "text": now.text, "eta_seconds": now.eta_seconds},
            )
            beat(self._run.pk)

    def _without_downloads(self, indexes: list[int]) -> None:
        """Their files are the search's until it has ended."""
        if indexes:
            having = ModelArtefact.objects.filter(run=self._run, index__in=indexes).exclude(bundle_path="")
            having.update(bundle_path="", reason=LATER)
