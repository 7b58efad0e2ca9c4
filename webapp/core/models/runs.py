"""A run, its counters and its facts."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models


class Run(models.Model):
    """One algorithm with its hyper-parameters and one seed, inside an experiment.

    `state` changes only by guarded UPDATE (webapp.jobs.states). The row `RunCounter` is the run's mutex: every transaction that
    changes the run's state, jobs or events locks it first, so locks are always taken in one order.
    """

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        PAUSING = "pausing"
        PAUSED = "paused"
        COMPLETED = "completed"
        FAILED = "failed"
        CANCELLED = "cancelled"

    ACTIVE = (State.QUEUED, State.RUNNING)
    """States in which jobs may be claimed."""
    TERMINAL = (State.COMPLETED, State.FAILED, State.CANCELLED)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    experiment = models.ForeignKey("core.Experiment", on_delete=models.CASCADE, related_name="runs")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="runs")
    position = models.PositiveIntegerField(default=0, help_text="order within the experiment")
    algorithm = models.CharField(max_length=100)
    options = models.JSONField(default=dict, help_text="validated, defaults filled in")
    space = models.CharField(max_length=100)
    datasets = models.JSONField(default=list)
    seed = models.BigIntegerField()
    config = models.JSONField(help_text="dump of search_engine.catalogue.config.RunConfig")
    metric = models.CharField(max_length=100, help_text="name of the fitness in a trial's metrics; higher is better")
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    reason = models.TextField(default="", blank=True, help_text="why it is in this state, in plain language")
    created = models.DateTimeField(auto_now_add=True)
    started = models.DateTimeField(null=True)
    finished = models.DateTimeField(null=True)
    keep_until = models.DateTimeField(null=True, help_text="after this time a finished run is deleted; null = kept")
    best_value = models.FloatField(null=True)
    best_metric = models.CharField(max_length=100, default="", blank=True)
    best_candidate = models.BigIntegerField(null=True, help_text="candidate number")
    best_genome_hash = models.CharField(max_length=64, default="", blank=True)
    reproducible = models.BooleanField(default=True)
    reproducible_note = models.TextField(default="", blank=True)
    device = models.CharField(max_length=10, default="", blank=True, help_text="cpu or cuda, set by the first worker that took a job")
    phase = models.CharField(max_length=200, default="", blank=True, help_text="title of the present phase")
    progress = models.JSONField(default=dict, help_text="{fraction: 0..1 | null, text, eta_seconds | null}")
    revision = models.BigIntegerField(default=0, help_text="rises with every visible change of this row")

    class Meta:
        indexes = [
            models.Index(fields=["owner", "-created", "-id"], name="run_list"),
            models.Index(fields=["state"], name="run_state"),
        ]


class RunCounter(models.Model):
    """The run's small hot row: its last event number, what it was charged, counts. Also the run's mutex."""

    run = models.OneToOneField(Run, on_delete=models.CASCADE, primary_key=True, related_name="counter")
    last_seq = models.BigIntegerField(default=0)
    charged_samples = models.FloatField(default=0.0)
    charged_trials = models.BigIntegerField(default=0)
    charged_seconds = models.FloatField(default=0.0)
    charged_flops = models.FloatField(default=0.0)
    spent_samples = models.FloatField(default=0.0, help_text="with work since the last tell and repeated work; only shown")
    spent_seconds = models.FloatField(default=0.0)
    candidates = models.BigIntegerField(default=0)
    trials_told = models.BigIntegerField(default=0)
    trials_failed = models.BigIntegerField(default=0)
    service = models.FloatField(default=0.0, help_text="weighted seconds of service, for fair sharing among an owner's runs")


class DeletedRun(models.Model):
    """A run that this database deleted: its folder is garbage. A folder that the database does not know may belong to another one that
    uses the same NASCOPE_HOME, and stays."""

    id = models.UUIDField(primary_key=True, editable=False, help_text="of the run that was")
    deleted = models.DateTimeField(auto_now_add=True)


class Event(models.Model):
    """One fact, append-only. `seq` is allocated under the counter row, so commit order is seq order and there is no hole."""

    pk = models.CompositePrimaryKey("run_id", "seq")
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="events", db_index=False)
    seq = models.BigIntegerField()
    time = models.FloatField(help_text="seconds since the epoch; not science")
    science = models.BooleanField()
    source = models.CharField(max_length=40)
    step = models.BigIntegerField()
    kind = models.CharField(max_length=20)
    ordinal = models.IntegerField()
    data = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run", "source", "step", "kind", "ordinal"], condition=models.Q(science=True), name="event_science_once"
            ),
        ]
        indexes = [models.Index(fields=["run", "kind", "seq"], name="event_kind")]

    def record(self) -> dict[str, object]:
        """The JSON form of `search_engine.events.EventRecord`."""
        return {
            "seq": self.seq, "time": self.time, "science": self.science, "source": self.source,
            "step": self.step, "ordinal": self.ordinal, "kind": self.kind, "data": self.data,
        }
