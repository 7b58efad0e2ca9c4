"""A person's own data, what uses data, and what there is to see of it."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models


class Dataset(models.Model):
    """A person's own data set, from the first byte of its upload to what searches use. Built-in ones live in the registry and need no row.
    A run that is brought from elsewhere takes the same way (`purpose`): uploaded, read by a worker, and ready when its experiment is there.

    `state` changes by guarded UPDATE only. The file that was uploaded lies under the row's id (webapp.jobs.own_files) until the set is
    kept; what is kept lies under the digest of its content, choices and split, which equal sets share.
    """

    class Purpose(models.TextChoices):
        DATA = "data", "data to search on"
        RUN = "run", "a run, or an experiment, to be opened"

    class State(models.TextChoices):
        UPLOADING = "uploading", "uploading: bytes are missing"
        UPLOADED = "uploaded", "uploaded: waits for a worker"
        EXAMINING = "examining", "examining: a worker looks at what is in it"
        EXAMINED = "examined", "examined: waits for its owner, who looks at the preview and keeps it"
        KEEPING = "keeping", "keeping: a worker stores it, or is about to"
        READY = "ready", "ready: searches can use it"
        FAILED = "failed"

    AT_WORK = (State.UPLOADED, State.EXAMINING, State.KEEPING)
    """A worker has it, or will."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, db_index=False, related_name="datasets")
    purpose = models.CharField(max_length=10, choices=Purpose.choices, default=Purpose.DATA)
    experiment = models.ForeignKey(
        "core.Experiment", on_delete=models.CASCADE, null=True, related_name="+", help_text="what a run that was opened became"
    )
    title = models.CharField(max_length=200)
    file_name = models.CharField(max_length=200, help_text="as its owner's machine calls it: shown, and never a path here")
    size = models.BigIntegerField(help_text="bytes of the upload, as said at its beginning")
    received = models.BigIntegerField(default=0, help_text="bytes at the end of the last request; the file itself is the truth")
    state = models.CharField(max_length=10, choices=State.choices, default=State.UPLOADING)
    reason = models.TextField(default="", blank=True, help_text="why it failed, or what the last try met, in plain language")
    choices = models.JSONField(default=dict, help_text="search_engine.datasets.own Choices: what its owner chose; the rest is inferred")
    findings = models.JSONField(null=True, help_text="search_engine.datasets.own Findings, under these choices")
    progress = models.JSONField(default=dict, help_text="{done: 0..1, text} of the work under way")
    registry_id = models.SlugField(max_length=100, default="", blank=True, db_index=False, help_text="what experiments call it, once kept")
    digest = models.CharField(max_length=64, default="", blank=True, db_index=True, help_text="of content, choices and split")
    stored = models.BigIntegerField(default=0, help_text="bytes of what is kept")
    version = models.PositiveIntegerField(default=1)
    previous = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="later", help_text="the version before it")
    created = models.DateTimeField(auto_now_add=True)
    touched = models.DateTimeField(help_text="when its owner last did something with it; what is left alone is removed after a while")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "registry_id"], name="own_dataset_once", condition=~models.Q(registry_id="")),
        ]
        indexes = [models.Index(fields=["owner", "purpose", "-created", "-id"], name="dataset_list")]


class DatasetUse(models.Model):
    """An experiment uses a data set, built-in or a person's own: by it lists and deletions find what depends on the set."""

    id = models.BigAutoField(primary_key=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, db_index=False, related_name="+")
    dataset = models.CharField(max_length=100, help_text="its id in the registry")
    experiment = models.ForeignKey("core.Experiment", on_delete=models.CASCADE, related_name="uses")
    created = models.DateTimeField(help_text="the experiment's")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["experiment", "dataset"], name="dataset_use_once")]
        indexes = [models.Index(fields=["owner", "dataset", "-created", "-id"], name="dataset_use_list")]


class DatasetLook(models.Model):
    """What there is to see of a data set (samples, statistics), worked out by a worker once and kept as long as its files are what they
    were. The same for everybody who may see the set."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dataset = models.CharField(max_length=100, help_text="its id in the registry")
    key = models.CharField(max_length=64, unique=True, help_text="digest of all that the answer hangs on")
    state = models.CharField(max_length=10, choices=[(s, s) for s in ("queued", "running", "done", "failed")], default="queued")
    reason = models.TextField(default="", blank=True)
    result = models.JSONField(null=True, help_text="search_engine.datasets.look.Look")
    created = models.DateTimeField(auto_now_add=True)
