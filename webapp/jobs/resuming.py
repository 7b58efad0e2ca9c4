"""Runs that were paused for want of space go on by themselves once there is room, unless their owner did something else meanwhile."""

from __future__ import annotations

import time
from uuid import UUID

from ..core import room
from ..core.models import Run, RunCounter
from . import states

FIRST_SECONDS = 5.0
LONGEST_SECONDS = 60.0


class Resuming:
    """Call `look` about once a second. A run that is soon paused again (by a quota, say, which the free space does not show) waits twice
    as long each time."""

    def __init__(self) -> None:
        self._last: dict[UUID, tuple[float, float]] = {}
        """When (monotonic) a run went on, and how long it waits if it is paused again."""

    def look(self) -> int:
        """Returns how many went on."""
        if not room.enough():
            return 0
        waiting = Run.objects.filter(state=Run.State.PAUSED, reason=states.NO_SPACE).values_list("pk", flat=True)
        return sum(self._resume(run_id) for run_id in waiting)

    def _resume(self, run_id: UUID) -> bool:
        now = time.monotonic()
        when, wait = self._last.get(run_id, (float("-inf"), FIRST_SECONDS))
        if now - when < wait:
            return False
        try:
            resumed = states.resume_for_space(run_id)
        except RunCounter.DoesNotExist:
            return False
        soon = now - when < 4 * wait
        self._last = {run: seen for run, seen in self._last.items() if now - seen[0] < 4 * LONGEST_SECONDS}
        self._last[run_id] = (now, min(LONGEST_SECONDS, 2 * wait) if soon else FIRST_SECONDS)
        return resumed
