"""What a user asked for."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models


class Experiment(models.Model):
    """Runs compared under one space, one data set and one budget."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="experiments")
    name = models.CharField(max_length=200)
    config = models.JSONField(help_text="the body of the POST that made it, normalised")
    space = models.CharField(max_length=100)
    datasets = models.JSONField(default=list)
    budget = models.JSONField(null=True)
    objectives = models.JSONField(default=list, help_text="[{metric, direction, split, domain}]")
    created = models.DateTimeField(auto_now_add=True)
    imported = models.JSONField(null=True, help_text="where its runs came from (webapp.jobs.run_imports.Origin); null = made here")

    class Meta:
        indexes = [models.Index(fields=["owner", "-created", "-id"], name="experiment_list")]


class Estimate(models.Model):
    """What an experiment would cost, worked out by a worker (it needs torch)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="estimates")
    config_digest = models.CharField(max_length=64, db_index=True)
    configs = models.JSONField(help_text="list of run configs")
    state = models.CharField(max_length=10, choices=[(s, s) for s in ("queued", "running", "done", "failed")], default="queued")
    reason = models.TextField(default="", blank=True)
    result = models.JSONField(null=True)
    created = models.DateTimeField(auto_now_add=True)
