"""What somebody asks a finished model."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models


class Prediction(models.Model):
    """A question to a model's download, and for a while its answer. A person has one at a time. What was given lies in a file under the
    row's id (webapp.jobs.asked) and goes when it is answered."""

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    model = models.ForeignKey("core.ModelArtefact", on_delete=models.CASCADE, related_name="+")
    job = models.OneToOneField("core.Job", on_delete=models.CASCADE, related_name="prediction")
    file = models.CharField(max_length=20, default="", blank=True, help_text="what was given, under the row's id; empty = the sample")
    invert = models.BooleanField(default=False, help_text="of a picture: it is dark on light")
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    reason = models.TextField(default="", blank=True, help_text="why it failed")
    result = models.JSONField(null=True, help_text="search_engine.bundle.answers.Answered")
    created = models.DateTimeField(auto_now_add=True)
