"""A run, its counters and its facts."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models as orm  # in a Run's body `models` are its trained networks, to a type checker too


class Run(orm.Model):
    """One algorithm with its hyper-parameters and one seed, inside an experiment.

    `state` changes only by guarded UPDATE (webapp.jobs.states). The row `RunCounter` is the run's mutex: every transaction that
    changes the run's state, jobs or events locks it first, so locks are always taken in one order.
    """

    class State(orm.TextChoices):
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

    id = orm.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    experiment = orm.ForeignKey("core.Experiment", on_delete=orm.CASCADE, related_name="runs")
    owner = orm.ForeignKey(settings.AUTH_USER_MODEL, on_delete=orm.CASCADE, related_name="runs")
    position = orm.PositiveIntegerField(default=0, help_text="order within the experiment")
    algorithm = orm.CharField(max_length=100)
    options = orm.JSONField(default=dict, help_text="validated, defaults filled in")
    space = orm.CharField(max_length=100)
    datasets = orm.JSONField(default=list)
    data = orm.CharField(
        max_length=100, default="", help_text="the test part of the first of `datasets`, by its options: by it visits to it are counted"
    )
    seed = orm.BigIntegerField()
    config = orm.JSONField(help_text="dump of search_engine.catalogue.config.RunConfig")
    metric = orm.CharField(max_length=100, help_text="name of the fitness in a trial's metrics; higher is better")
    state = orm.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    reason = orm.TextField(default="", blank=True, help_text="why it is in this state, in plain language")
    created = orm.DateTimeField(auto_now_add=True)
    started = orm.DateTimeField(null=True)
    finished = orm.DateTimeField(null=True)
    keep_until = orm.DateTimeField(null=True, help_text="after this time a finished run is deleted; null = kept")
    search_score = orm.JSONField(
        null=True, help_text="search_engine.events.Score of what the search prefers; null where it scores no architecture of its own"
    )
    best_candidate = orm.BigIntegerField(null=True, help_text="candidate number")
    best_genome_hash = orm.CharField(max_length=64, default="", blank=True)
    reproducible = orm.BooleanField(default=True)
    reproducible_note = orm.TextField(default="", blank=True)
    arithmetic = orm.JSONField(default=dict, help_text="what computed it first, see search_engine.search.arithmetic")
    device = orm.CharField(max_length=10, default="", blank=True, help_text="cpu or cuda, set by the first worker that took a job")
    phase = orm.CharField(max_length=200, default="", blank=True, help_text="title of the present phase")
    progress = orm.JSONField(default=dict, help_text="{fraction: 0..1 | null, text, eta_seconds | null}")
    followed = orm.CharField(
        max_length=4000, default="", blank=True, help_text="folder in which another process searches it, as long as it has not ended "
        "(webapp.jobs.following); empty = it is computed here",
    )  # fmt: skip
    followed_seen = orm.DateTimeField(null=True, help_text="when that process last said that it lives")
    revision = orm.BigIntegerField(default=0, help_text="rises with every visible change of this row")
    more = orm.JSONField(
        null=True, help_text="with what its search could go on, {unit, have} or {why_not}: said when the search is over; null = not said"
    )
    continues = orm.ForeignKey(
        "self", on_delete=orm.SET_NULL, null=True, related_name="continued_by", help_text="the run whose search it goes on with"
    )
    lineage = orm.JSONField(
        default=list, help_text="that run and those before it, the first in front: [{run, unit, have}], have being how far each came"
    )
    ending = orm.BooleanField(default=False, help_text="its owner wants what it has found: the search ends, the finale follows")
    best_of = orm.ForeignKey(
        "self", on_delete=orm.SET_NULL, null=True, related_name="+", help_text="the run whose best so far it finishes"
    )

    class Meta:
        indexes = [
            orm.Index(fields=["owner", "-created", "-id"], name="run_list"),
            orm.Index(fields=["owner", "experiment", "-created", "-id"], name="run_list_of_experiment"),
            orm.Index(fields=["state"], name="run_state"),
        ]


class RunCounter(orm.Model):
    """The run's small hot row: its last event number, what it was charged, counts. Also the run's mutex."""

    run = orm.OneToOneField(Run, on_delete=orm.CASCADE, primary_key=True, related_name="counter")
    last_seq = orm.BigIntegerField(default=0)
    charged_samples = orm.FloatField(default=0.0)
    charged_trials = orm.BigIntegerField(default=0)
    charged_seconds = orm.FloatField(default=0.0)
    charged_flops = orm.FloatField(default=0.0)
    spent_samples = orm.FloatField(default=0.0, help_text="with work since the last tell and repeated work; only shown")
    spent_seconds = orm.FloatField(default=0.0)
    candidates = orm.BigIntegerField(default=0)
    trials_told = orm.BigIntegerField(default=0)
    trials_failed = orm.BigIntegerField(default=0)
    trials_repeated = orm.BigIntegerField(default=0, help_text="told trials that took the result of an earlier one")
    architectures = orm.BigIntegerField(default=0, help_text="distinct ones among the candidates, up to isomorphism")
    service = orm.FloatField(default=0.0, help_text="weighted seconds of service, for fair sharing among an owner's runs")


class DeletedRun(orm.Model):
    """A run that this database deleted: its folder is garbage. A folder that the database does not know may belong to another one that
    uses the same NASCOPE_HOME, and stays."""

    id = orm.UUIDField(primary_key=True, editable=False, help_text="of the run that was")
    deleted = orm.DateTimeField(auto_now_add=True)


class Event(orm.Model):
    """One fact, append-only. `seq` is allocated under the counter row, so commit order is seq order and there is no hole."""

    pk = orm.CompositePrimaryKey("run_id", "seq")
    run = orm.ForeignKey(Run, on_delete=orm.CASCADE, related_name="events", db_index=False)
    seq = orm.BigIntegerField()
    time = orm.FloatField(help_text="seconds since the epoch; not science")
    science = orm.BooleanField()
    source = orm.CharField(max_length=40)
    step = orm.BigIntegerField()
    kind = orm.CharField(max_length=20)
    ordinal = orm.IntegerField()
    data = orm.JSONField()

    class Meta:
        constraints = [
            orm.UniqueConstraint(
                fields=["run", "source", "step", "kind", "ordinal"], condition=orm.Q(science=True), name="event_science_once"
            ),
        ]
        indexes = [orm.Index(fields=["run", "kind", "seq"], name="event_kind")]

    def record(self) -> dict[str, object]:
        """The JSON form of `search_engine.events.EventRecord`."""
        return {
            "seq": self.seq, "time": self.time, "science": self.science, "source": self.source,
            "step": self.step, "ordinal": self.ordinal, "kind": self.kind, "data": self.data,
        }


class Keyframe(orm.Model):
    """What the run's events up to `seq` add up to, prepared so that nobody who opens a long run waits for all of them to be read. The
    events are the truth: a keyframe that is missing, old or of another version is made anew from them."""

    run = orm.OneToOneField(Run, on_delete=orm.CASCADE, primary_key=True, related_name="keyframe")
    version = orm.PositiveIntegerField(help_text="webapp.events.past.fold.VERSION under which it was made")
    seq = orm.BigIntegerField(help_text="of the newest event in it")
    body = orm.BinaryField(help_text="webapp.events.past.fold.Past.written")
