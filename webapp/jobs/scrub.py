"""Reading everything that has a recorded digest through it from time to time, so that damage is known before somebody needs what is
damaged: downloads, checkpoints, outcomes, and what phases and finalists begin with.

A disk that returns other bytes than were written says nothing by itself. The reaper reads a bounded number of bytes with each of its ticks;
a large file is read over several of them. When a download was looked at stands in its row; the files of work come and go, so when those
were looked at is only remembered, and a reaper that starts anew looks at them anew.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial

from django.conf import settings
from django.db import Error
from django.db.models import F, Q

from ..core.models import ModelArtefact, Run
from . import downloads, work_files
from .clock import after
from .recorded import Damaged, Reading

LEAST = 64_000
"""Bytes that any file counts as: of many that are empty or gone only so many are looked at in one tick."""
REST_SECONDS = 60.0
"""How long nothing is looked for after nothing was due."""


class Scrub:
    """Call `tick` about once a second. Any number of processes may do so: what they store is the same."""

    def __init__(self) -> None:
        self._reading: Reading | None = None
        self._settle: Callable[[str], None] = lambda damage: None
        """Stores what was found of the file that is being read."""
        self._rest_until = 0.0
        self._work: Iterator[work_files.WorkFile] | None = None
        """The files of work that are still to be looked at."""
        self._work_due = 0.0
        """When (monotonic) they are looked at anew."""

    def tick(self) -> None:
        """Read up to NASCOPE_SCRUB_BYTES (0: none) of what was not read for NASCOPE_SCRUB_DAYS, and store what was found."""
        left = settings.NASCOPE_SCRUB_BYTES
        try:
            while left > 0 and time.monotonic() >= self._rest_until:
                left -= self._some(left)
        except (Error, OSError):
            # A full disk, for one: the same file is looked at again, but not with every tick.
            self._reading = None
            self._rest_until = time.monotonic() + REST_SECONDS
            raise

    def _some(self, most: int) -> int:
        """Go on with one file, or begin the next. Returns the bytes that it took."""
        if self._reading is None:
            following = self._next()
            if following is None:
                self._rest_until = time.monotonic() + REST_SECONDS
                return 0
            begin, self._settle = following
            try:
                self._reading = begin()
            except Damaged as damaged:
                self._settle(str(damaged))
            return LEAST
        reading = self._reading
        try:
            count = reading.read(most)
        except Damaged as damaged:
            self._reading = None
            self._settle(str(damaged))
            return LEAST
        if not count:
            reading.file.close()
            self._reading = None
            self._settle("")
        return max(count, 1)

    def _next(self) -> tuple[Callable[[], Reading], Callable[[str], None]] | None:
        """How the file that is due is opened, and where what was found is stored."""
        model = _due()
        if model is not None:
            return partial(downloads.reading, model), partial(downloads.settle, model)
        now = time.monotonic()
        if self._work is None and now >= self._work_due:
            self._work, self._work_due = work_files.recorded(), now + 86_400.0 * settings.NASCOPE_SCRUB_DAYS
        file = next(self._work, None) if self._work is not None else None
        if file is None:
            self._work = None
            return None
        return partial(Reading, file.path, file.sha256), partial(work_files.settle, file)


def _due() -> ModelArtefact | None:
    """The download that was not looked at for the longest time, where that is too long. One that its worker is about to put in place is
    none."""
    since = after(-86_400.0 * settings.NASCOPE_SCRUB_DAYS)
    placed = ~Q(bundle_sha256="") | Q(run__state__in=Run.TERMINAL)
    due = ModelArtefact.objects.filter(placed, Q(bundle_checked=None) | Q(bundle_checked__lt=since)).exclude(bundle_path="")
    return due.order_by(F("bundle_checked").asc(nulls_first=True), "pk").first()
