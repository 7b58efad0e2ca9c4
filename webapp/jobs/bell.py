"""The doorbell: tells workers that there may be something to do. It carries nothing, and losing it costs a second (the reaper)."""

from __future__ import annotations

import logging

from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError

from ..celery import app
from ..core.models import Worker
from .clock import after

log = logging.getLogger(__name__)

TASK = "nascope.serve"
"""What a ring starts (webapp.jobs.tasks.serve). Sent by its name: the web process rings and never loads what serves."""
EXPIRES_SECONDS = 60
"""A ring that nobody heard for this long is thrown away unread; the reaper has rung again by then."""


def queue(device: str) -> str:
    """The name of the bell that workers on such a device hear: a GPU's job must not wake a CPU worker only."""
    return f"{settings.CELERY_TASK_DEFAULT_QUEUE}.{device.partition(':')[0]}"


def ring(times: int = 1, device: str = "") -> None:
    """Ring after the transaction commits: on one kind of device, or on every kind that has a living worker. A broker that is down is
    logged, not raised."""
    if times > 0:
        transaction.on_commit(lambda: _ring(times, device))


def _ring(times: int, device: str) -> None:
    living = Worker.objects.filter(last_seen__gte=after(-3 * settings.NASCOPE_HEARTBEAT_SECONDS)).values_list("device", flat=True)
    queues = {queue(name) for name in ([device] if device else living)}
    try:
        for name in queues:
            for _ in range(times):
                app.send_task(TASK, queue=name, expires=EXPIRES_SECONDS, retry=False, ignore_result=True)
    except (OperationalError, OSError) as error:
        log.warning("the doorbell could not be rung (%s); the reaper will ring", error)
