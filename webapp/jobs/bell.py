"""The doorbell: tells workers that there may be something to do. It carries nothing, and losing it costs a second (the reaper)."""

from __future__ import annotations

import logging

from django.db import transaction
from kombu.exceptions import OperationalError

log = logging.getLogger(__name__)

EXPIRES_SECONDS = 60
"""A ring that nobody heard for this long is thrown away unread; the reaper has rung again by then."""


def ring(times: int = 1) -> None:
    """Ring after the transaction commits. A broker that is down is logged, not raised."""
    if times > 0:
        transaction.on_commit(lambda: _ring(times))


def _ring(times: int) -> None:
    from .tasks import serve

    try:
        for _ in range(times):
            serve.apply_async(expires=EXPIRES_SECONDS, retry=False)
    except (OperationalError, OSError) as error:
        log.warning("the doorbell could not be rung (%s); the reaper will ring", error)
