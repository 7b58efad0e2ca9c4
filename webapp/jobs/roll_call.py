"""Workers that live and claim nothing although there is work that they could take: whatever it was that they lost, they are called.

A worker that is called (`Worker.called_at`) looks at once, and the call ends with its next claim. One that does not answer is replaced by
its supervisor, or ends itself where there is none (`webapp.jobs.session`).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from typing import TypeVar
from uuid import UUID

from django.conf import settings
from django.db.models.functions import Now

from ..core.models import Worker
from .bell import ring
from .claim import claimable, device_kind
from .idleness import idle_workers

log = logging.getLogger(__name__)

Key = TypeVar("Key")

_FIRST = 64
"""So many jobs of those that wait are kept in mind: the first in the queue, which an idle worker would have taken."""

_LEAST_SECONDS = 5.0
"""However fast hearts beat: a look every two seconds, on a busy machine, must find the work first."""


def call_seconds() -> float:
    """For how long one job must have waited beside one idle worker: 10 s by the defaults."""
    return float(max(_LEAST_SECONDS, 2.0 * settings.NASCOPE_HEARTBEAT_SECONDS))


def answer_seconds() -> float:
    """After so long a call was not heard: a heartbeat hears it, and a look follows."""
    return float(max(_LEAST_SECONDS, 3.0 * settings.NASCOPE_HEARTBEAT_SECONDS))


class RollCall:
    """Call `look` about once a second."""

    def __init__(self) -> None:
        self._idle: dict[UUID, float] = {}
        self._waiting: dict[str, dict[tuple[UUID, int], float]] = {}

    def forget(self) -> None:
        """What was seen before means nothing any more: this process stood still, or the database was away."""
        self._idle, self._waiting = {}, {}

    def look(self) -> list[UUID]:
        """Call whom it concerns. Returns who is newly called."""
        now = time.monotonic()
        workers = idle_workers()
        self._idle = _since(self._idle, (worker for worker, _, _ in workers), now)
        kinds = {device_kind(device) for _, device, _ in workers}
        self._waiting = {kind: _since(self._waiting.get(kind, {}), _first(kind), now) for kind in kinds}
        called = []
        for worker, device, is_called in workers:
            waiting = self._waiting[device_kind(device)]
            patience = now - call_seconds()
            if is_called and not waiting:
                Worker.objects.filter(pk=worker).update(called_at=None)
            elif not is_called and self._idle[worker] <= patience and any(since <= patience for since in waiting.values()):
                Worker.objects.filter(pk=worker, called_at=None).update(called_at=Now())
                log.warning("worker %s lives and claims nothing although there is work: it is called", worker)
                ring(device=device)
                called.append(worker)
        return called


def _first(kind: str) -> Iterable[tuple[UUID, int]]:
    return claimable(kind).values_list("pk", "fence")[:_FIRST]


def _since(before: dict[Key, float], seen: Iterable[Key], now: float) -> dict[Key, float]:
    """Since when each of those that are seen now was seen without a break."""
    return {key: before.get(key, now) for key in seen}
