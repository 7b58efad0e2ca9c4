"""The Celery application. Its only task is the doorbell (webapp.jobs.tasks.ring)."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_shutting_down
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")

TRANSPORT_ALIASES["filesystem"] = "webapp.jobs.file_broker:Transport"

app = Celery("nascope")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["webapp.jobs"])


@worker_shutting_down.connect
def _drain(**_: Any) -> None:
    """SIGTERM: the slice under way ends at its next unit with a checkpoint, and nothing new is claimed."""
    from webapp.jobs import session

    session.current().stopping.set()
