"""Rows that the projector makes from events, in the same transaction: what lists, tables and pictures read."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models


class Genome(models.Model):
    """One architecture as it was proposed in a run. `hash` is the space's canonical hash, equal for isomorphic genomes;
    `content_digest` tells apart differently written ones."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run = models.ForeignKey("core.Run", on_delete=models.CASCADE, related_name="genomes", db_index=False)
    hash = models.CharField(max_length=64)
    content_digest = models.CharField(max_length=64)
    space = models.CharField(max_length=100)
    content = models.JSONField()
    string = models.TextField(default="", blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "hash", "content_digest"], name="genome_once")]
        indexes = [models.Index(fields=["run", "id"], name="genome_list")]


class Candidate(models.Model):
    """One birth in a run."""

    run = models.ForeignKey("core.Run", on_delete=models.CASCADE, related_name="candidates")
    number = models.BigIntegerField()
    genome = models.ForeignKey(Genome, on_delete=models.CASCADE, related_name="candidates")
    parents = models.JSONField(default=list, help_text="numbers of the parent candidates")
    operator = models.CharField(max_length=100)
    born_seq = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="candidate_number")]


class Trial(models.Model):
    """The evaluation of one candidate at a fidelity."""

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        COMPLETED = "completed"
        FAILED = "failed"
        CANCELLED = "cancelled"

    run = models.ForeignKey("core.Run", on_delete=models.CASCADE, related_name="trials")
    number = models.BigIntegerField()
    candidate = models.ForeignKey(Candidate, on_delete=models.CASCADE, related_name="trials")
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    reason = models.TextField(default="", blank=True)
    metrics = models.JSONField(default=dict)
    cost = models.JSONField(default=dict, help_text="search_engine.events.Cost")
    fidelity = models.JSONField(default=dict)
    reused_from = models.BigIntegerField(null=True, help_text="number of the trial whose result was reused")
    simulated = models.BooleanField(default=False)
    value = models.FloatField(null=True, help_text="the run's fitness metric")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="trial_number")]
        indexes = [models.Index(fields=["run", "-value", "number"], name="trial_value")]


class StructureFrame(models.Model):
    """Structure parameters at one step: float32 little-endian, row-major (edges, operations) of the group."""

    run = models.ForeignKey("core.Run", on_delete=models.CASCADE, related_name="frames")
    source = models.CharField(max_length=40)
    step = models.BigIntegerField()
    group = models.CharField(max_length=100)
    values = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "group", "source", "step"], name="frame_once")]


class ModelArtefact(models.Model):
    """A trained network with its metrics, and its download bundle if there is one. What is recorded of the zip (size and digest) is written
    once, when it is put in place, and nothing that repairs it changes that."""

    class Rebuild(models.TextChoices):
        """What became of the wish to make a damaged download again from the record."""

        NONE = "", "not asked for, or done"
        WAITING = "waiting"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run = models.ForeignKey("core.Run", on_delete=models.CASCADE, related_name="models", db_index=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False,
        help_text="the run's: here too, so that an index holds a person's models in the order of their list",
    )
    index = models.PositiveIntegerField()
    role = models.CharField(max_length=20)
    title = models.CharField(max_length=200, default="", blank=True)
    domains = models.JSONField(default=list, help_text="places of the run's data sets that it is for")
    genome_hash = models.CharField(max_length=64)
    metrics = models.JSONField(default=dict)
    scores = models.JSONField(default=dict, help_text="{search, validation, test: search_engine.events.Score | null}")
    by_class = models.JSONField(default=list, help_text="list of search_engine.events.ClassScores")
    warnings = models.JSONField(default=list, help_text="what makes its scores say less than they seem to")
    parameters = models.BigIntegerField(null=True)
    flops = models.FloatField(null=True)
    bundle_path = models.CharField(max_length=300, default="", blank=True, help_text="folder under NASCOPE_HOME; empty = no bundle")
    bundle_size = models.BigIntegerField(null=True, help_text="bytes of the zip")
    bundle_sha256 = models.CharField(max_length=64, default="", blank=True, help_text="of the zip")
    bundle_checked = models.DateTimeField(null=True, help_text="when the zip was last held against what is recorded")
    bundle_damage = models.TextField(default="", blank=True, help_text="what was found then; empty = it is whole")
    rebuild = models.CharField(max_length=10, choices=Rebuild.choices, default=Rebuild.NONE, blank=True)
    rebuild_reason = models.TextField(default="", blank=True, help_text="why a rebuild of the zip failed")
    reason = models.TextField(default="", blank=True, help_text="why there is no bundle")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "index"], name="model_index")]
        indexes = [
            models.Index(fields=["owner", "-created", "-id"], name="model_list"),
            models.Index(fields=["owner", "run", "-created", "-id"], name="model_list_of_run"),
        ]


class TestVisit(models.Model):
    """One finished network was scored on the test part of one data set. Such a score is honest once; the more of them somebody has looked
    at, the less the best of them says. So visits are counted over seeds and clones, and stay when their run is deleted. Two subsets of the
    classes of one data set are two test parts; a run that an earlier version made has the data set's id alone."""

    __test__ = False
    """Not a test of pytest's."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    experiment_id = models.UUIDField()
    run_id = models.UUIDField()
    network = models.UUIDField(help_text="id of the model")
    domain = models.PositiveIntegerField(help_text="place of the data set in the run")
    data = models.CharField(
        max_length=100, help_text="the data set's test part that was opened: search_engine.datasets.base.DatasetEntry.test_part"
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["network", "domain"], name="test_visit_once")]
        indexes = [
            models.Index(fields=["run_id", "network"], name="test_visit_run"),
            models.Index(fields=["experiment_id", "network"], name="test_visit_experiment"),
            models.Index(fields=["owner", "data", "network"], name="test_visit_data"),
        ]
