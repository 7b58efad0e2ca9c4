"""The doorbell: tells workers that there may be something to do. It carries nothing, and losing it costs a second (the reaper)."""

from __future__ import annotations

import logging
from collections import Counter
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import DurationField
from kombu.exceptions import OperationalError

from ..celery import app
from ..core.models import Worker
from ..core.statements import Given, Select
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
    """Ring after the transaction commits: on one kind of device, or on every kind, there no oftener than workers are idle (the others look
    for work anyway). A broker that is down is logged, not raised."""
    if times > 0:
        transaction.on_commit(lambda: _ring(times, device))


_IDLE = Select(
    lambda: Worker.objects.filter(job=None, last_seen__gte=after(Given("seen", DurationField()))).values_list("device")
)


def _ring(times: int, device: str) -> None:
    if device:
        rings = {queue(device): times}
    else:
        idle = Counter(queue(name) for (name,) in _IDLE.rows(seen=timedelta(seconds=-3 * settings.NASCOPE_HEARTBEAT_SECONDS)))
        rings = {name: min(times, workers) for name, workers in idle.items()}
    try:
        for name, count in rings.items():
            for _ in range(count):
                app.send_task(TASK, queue=name, expires=EXPIRES_SECONDS, retry=False, ignore_result=True)
    except (OperationalError, OSError) as error:
        log.warning("the doorbell could not be rung (%s); the reaper will ring", error)
