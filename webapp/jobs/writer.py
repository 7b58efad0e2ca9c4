"""Events on their way to the database while a slice is still computing: batched, in a thread of their own, under the fence.

What the crash of a slice leaves behind are events after the last checkpoint; the repeated slice says them again under the same keys
and the store drops them.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence

from django.db import Error, connection

from search_engine.events import Event

from ..core.models import Job
from ..events.store import StaleFence, append_fenced

log = logging.getLogger(__name__)

BATCH_EVENTS = 100
"""As many as one statement inserts: a batch does not wait once it is so large."""
BATCH_SECONDS = 0.05
"""A commit costs about 10 ms on PostgreSQL with fsync: one per event was not sustainable (77 a second), one per 50 ms is."""
FIRST_SECONDS = 0.5
"""How long a trial's first events wait. Most trials of a fast search end before that, and what they say goes with their commit: written out
as they went, batches were a third of what such a trial cost. A longer one is seen half a second later, once."""
_RETRY_SECONDS = 0.5


class EventWriter:
    """One thread per worker process. `begin`, `put` as often as needed, `finish` before the slice commits."""

    def __init__(self) -> None:
        self.lost = False
        self._error: Exception | None = None
        """What a batch failed with that trying again would not mend."""
        self._job: Job | None = None
        self._repeated = True
        self._pending: list[Event] = []
        self._due_at = 0.0
        """When (monotonic) the batch that is pending is written."""
        self._patient_until = 0.0
        """Until when (monotonic) a batch is only written if it is large."""
        self._not_before = 0.0
        """Until when (monotonic) none is written, however large: one has just failed."""
        self._busy = False
        self._ended = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def begin(self, job: Job, *, repeated: bool = True) -> None:
        """A slice of `job` starts; its fence guards every batch. `repeated`: see `webapp.events.store.add`."""
        with self._changed:
            self._job, self._repeated, self._pending, self.lost, self._error = job, repeated, [], False, None
            begins = job.kind == Job.Kind.TRIAL and not job.checkpoint_path
            self._patient_until, self._not_before = time.monotonic() + FIRST_SECONDS if begins else 0.0, 0.0
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="event-writer", daemon=True)
            self._thread.start()

    def put(self, events: Sequence[Event]) -> None:
        if not events:
            return
        with self._changed:
            first = not self._pending
            if first:
                self._due_at = max(time.monotonic() + BATCH_SECONDS, self._patient_until)
            self._pending.extend(events)
            # In between the thread has nothing to decide: waking it for every event cost as much as writing them.
            if first or len(self._pending) >= BATCH_EVENTS:
                self._changed.notify()

    def finish(self) -> list[Event]:
        """Wait for the batch under way; returns the events that were not written yet. Raises StaleFence if the lease was lost, or
        what a batch failed with."""
        with self._changed:
            while self._busy:
                self._changed.wait()
            rest, lost, error = self._pending, self.lost, self._error
            self._forget()
            if lost:
                raise StaleFence("the lease was lost")
            if error is not None:
                raise error
            return rest

    def discard(self) -> None:
        """The slice failed: wait for the batch under way and forget the rest (the repeated slice says it again)."""
        with self._changed:
            while self._busy:
                self._changed.wait()
            self._forget()

    def _forget(self) -> None:
        self._pending, self._job, self.lost, self._error = [], None, False, None

    def end(self) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._ended and not self._due():
                    wait = self._due_at - time.monotonic() if self._pending and not self._stopped else None
                    self._changed.wait(wait)
                if self._ended:
                    break
                batch, self._pending, job, self._busy = self._pending, [], self._job, True
            unwritten: list[Event] = []
            lost = False
            failed: Exception | None = None
            try:
                assert job is not None
                append_fenced(job, batch, repeated=self._repeated)
            except StaleFence:
                lost = True
            except Error as error:
                # They stay pending: the next batch, or the slice's own commit, carries them.
                log.warning("events could not be written yet: %s", error)
                connection.close()
                unwritten = batch
            except Exception as error:
                # A mistake in the events or in the program: the slice fails with it. This thread must live on.
                failed = error
            with self._changed:
                self._busy = False
                self.lost = self.lost or lost
                self._error = self._error or failed
                if unwritten:
                    self._pending = unwritten + self._pending
                    self._due_at = self._not_before = time.monotonic() + _RETRY_SECONDS
                self._changed.notify_all()
        connection.close()

    @property
    def _stopped(self) -> bool:
        return self.lost or self._error is not None

    def _due(self) -> bool:
        if self._job is None or not self._pending or self._stopped:
            return False
        now = time.monotonic()
        return now >= self._due_at or (len(self._pending) >= BATCH_EVENTS and now >= self._not_before)
