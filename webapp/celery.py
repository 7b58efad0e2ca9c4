"""The Celery application. Its only task is the doorbell's: `serve` (webapp.jobs.tasks), which webapp.jobs.bell sends by its name."""

import os

from celery import Celery
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")

TRANSPORT_ALIASES["filesystem"] = "webapp.file_broker:Transport"

app = Celery("nascope")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["webapp.jobs"])
