"""The doorbell: tells workers that there may be something to do. It carries nothing. Losing a ring costs a second (the reaper), losing the
broker two (workers look by themselves, `webapp.jobs.patrol`)."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError

from ..celery import app
from ..core.helpers import Helper
from .idleness import idle_devices

TASK = "nascope.serve"
"""What a ring starts (webapp.jobs.tasks.serve). Sent by its name: the web process rings and never loads what serves."""
EXPIRES_SECONDS = 60
"""A ring that nobody heard for this long, by the listener's clock, is thrown away unread; the reaper has rung again by then."""
LIMIT_SECONDS = 1.0

helper = Helper("the broker", "workers look for work by themselves")


def queue(device: str) -> str:
    """The name of the bell that workers on such a device hear: a GPU's job must not wake a CPU worker only."""
    return f"{settings.CELERY_TASK_DEFAULT_QUEUE}.{device.partition(':')[0]}"


def ring(times: int = 1, device: str = "") -> None:
    """Ring after the transaction commits: on one kind of device, or on every kind, there no oftener than workers are idle (the others look
    for work anyway). A broker that is away is logged, not raised."""
    if times > 0:
        transaction.on_commit(lambda: _ring(times, device))


def _ring(times: int, device: str) -> None:
    if device:
        rings = {queue(device): times}
    else:
        idle = Counter(map(queue, idle_devices()))
        rings = {name: min(times, workers) for name, workers in idle.items()}
    if not any(rings.values()) or not helper.worth_asking():
        return
    try:
        for name, count in rings.items():
            for _ in range(count):
                app.send_task(TASK, queue=name, expires=EXPIRES_SECONDS, retry=False, ignore_result=True)
    except (OperationalError, OSError) as error:
        helper.failed(error)
    else:
        helper.answered()


def answers() -> bool:
    """Whether the broker can be reached now."""
    limits = {"socket_timeout": LIMIT_SECONDS, "socket_connect_timeout": LIMIT_SECONDS, "max_retries": 0}
    try:
        with app.connection_for_write(connect_timeout=LIMIT_SECONDS, transport_options=limits) as broker:
            broker.ensure_connection(max_retries=1, interval_start=0)
    except (OperationalError, OSError):
        return False
    return True


def listener(name: str, device: str) -> Any:
    """Celery's worker that hears the bell of such a device, to be started in the main thread. It serves one ring at a time, and has none
    beside it in reserve (CELERY_TASK_ACKS_LATE): what rings meanwhile is heard by an idle worker."""
    # Not by `worker_main`, whose command line imports a terminal's line editor and all other commands.
    return app.Worker(
        hostname=f"{name}@nascope", pool_cls="threads", concurrency=1, queues=[queue(device)], without_gossip=True, without_mingle=True,
        without_heartbeat=True, quiet=True, loglevel="DEBUG" if settings.DEBUG else "WARNING",
    )
