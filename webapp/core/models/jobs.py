"""Work to be done, and who does it."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models


class Worker(models.Model):
    """A worker process. `last_seen` is renewed by its heartbeat; `progress_at` only when its work moves. What it does now is the job under
    lease that names it (`webapp.jobs.idleness`)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100)
    host = models.CharField(max_length=200)
    pid = models.BigIntegerField()
    process_started = models.FloatField(help_text="the operating system's start time of the process: a pid alone may be reused")
    device = models.CharField(max_length=20)
    threads = models.PositiveIntegerField(default=1)
    started = models.DateTimeField(auto_now_add=True)
    last_seen = models.DateTimeField()
    progress_at = models.DateTimeField()
    called_at = models.DateTimeField(
        null=True, help_text="since when it is called: it lives and claims nothing although there is work; null = it is not"
    )


class Job(models.Model):
    """A piece of work in slices, under a lease.

    Claiming raises `fence`; whoever holds an older fence may not write. `failures` counts leases lost (or slices that raised) since
    the last checkpoint. A run has one `advance` job for its whole life, `runnable` when there is something to tell or ask. Trials that are
    trained together are one job of kind `trial`, whose `source` is group:N, N being the first of them. A job of kind `ending` is done when
    it is made: its outcome tells the coordinator that its owner wants the run finished.
    """

    class Kind(models.TextChoices):
        ADVANCE = "advance"
        TRIAL = "trial"
        PHASE = "phase"
        FINAL = "final"
        ESTIMATE = "estimate"
        REBUILD = "rebuild"
        IMPORT = "import"
        LOOK = "look"
        ENDING = "ending"
        PREDICT = "predict"

    class State(models.TextChoices):
        READY = "ready"
        LEASED = "leased"
        FINISHED = "finished", "finished: its outcome waits for the coordinator"
        TAKEN = "taken", "taken: the coordinator has the outcome"
        FAILED = "failed"
        CANCELLED = "cancelled"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    run = models.ForeignKey("core.Run", on_delete=models.CASCADE, null=True, related_name="jobs")
    estimate = models.ForeignKey("core.Estimate", on_delete=models.CASCADE, null=True, related_name="jobs")
    dataset = models.ForeignKey("core.Dataset", on_delete=models.CASCADE, null=True, related_name="jobs")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    source = models.CharField(max_length=40, help_text="source of its events: run, trial:N, phase:I, final:I")
    spec = models.JSONField(default=dict, help_text="search_engine.search.work.WorkSpec")
    device = models.CharField(max_length=10, default="any", help_text="any, auto, or cuda: which workers may take it")
    state = models.CharField(max_length=10, choices=State.choices, default=State.READY)
    runnable = models.BooleanField(default=True)
    fence = models.BigIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    worker = models.ForeignKey(Worker, on_delete=models.SET_NULL, null=True, related_name="jobs")
    checkpoint_path = models.CharField(max_length=300, default="", blank=True, help_text="under the run's folder")
    checkpoint_digest = models.CharField(max_length=64, default="", blank=True)
    outcome = models.TextField(default="", blank=True, help_text="what the coordinator is told (webapp.jobs.outcomes), if it is short")
    outcome_path = models.CharField(max_length=300, default="", blank=True)
    outcome_digest = models.CharField(max_length=64, default="", blank=True)
    failures = models.PositiveIntegerField(default=0)
    reason = models.TextField(default="", blank=True)
    served_seconds = models.FloatField(default=0.0)
    progress = models.JSONField(default=dict, help_text="{done, total, text}")
    created = models.DateTimeField(auto_now_add=True)

    @property
    def its_run(self) -> uuid.UUID:
        """Id of the run that the work is for. Raises LookupError where there is none: of an estimate, a rebuilt download, data, ..."""
        if self.run_id is None:
            raise LookupError(f"job {self.pk} ({self.kind}) belongs to no run")
        return self.run_id

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "source"], name="job_source_once", condition=models.Q(run__isnull=False)),
        ]
        indexes = [
            models.Index(fields=["state", "runnable"], name="job_claimable"),
            models.Index(fields=["run", "state"], name="job_of_run"),
        ]


class OwnerService(models.Model):
    """How much service an owner has had: weighted seconds, for fair sharing among owners."""

    owner = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+")
    weight = models.FloatField(default=1.0)
    service = models.FloatField(default=0.0)
