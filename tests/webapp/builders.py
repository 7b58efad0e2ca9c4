"""Objects that tests start from."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model

from search_engine.events import CandidateBorn, Event, Fidelity, Incumbent, StructureFrame, TrialTold, encode_floats
from webapp.core.models import Experiment, Job, Run, Worker
from webapp.jobs import states

GENOME = {"space": "bits", "content": {"bits": [1, 0]}}

TINY: dict[str, Any] = {
    "algorithm": "random", "space": "nb201", "datasets": ["digits"], "seed": 3, "budget": {"trials": 2},
    "training": {"epochs": 1, "train_examples": 128, "channels": 4, "layers": 1},
    "finale": {
        "baselines": 0, "export": False, "redundancy": False,
        "training": {"epochs": 1, "train_examples": 128, "channels": 4, "layers": 1},
    },
}
"""A real search that takes a second: two networks trained on 128 digits each, one retrained."""


def make_owner(name: str = "ada") -> Any:
    return get_user_model().objects.get_or_create(username=name)[0]


def make_run(config: dict[str, Any] | None = None, owner: Any = None) -> Run:
    owner = owner or make_owner()
    experiment = Experiment.objects.create(owner=owner, name="test", config={}, space="nb201")
    return states.create_run(experiment, config or TINY)


def make_worker(device: str = "cpu") -> Worker:
    from django.utils import timezone

    now = timezone.now()
    return Worker.objects.create(name=device, host="test", pid=1, process_started=0, device=device, last_seen=now, progress_at=now)


def make_job(run: Run, kind: str = "trial", index: int = 0) -> Job:
    return Job.objects.create(owner_id=run.owner_id, run=run, kind=kind, source=f"{kind}:{index}", device="auto")


def born(number: int, bits: int = 0, architectures: int = 0) -> Event:
    genome = {"space": "bits", "content": {"bits": [bits]}}
    return Event(source="run", step=number, payload=CandidateBorn(
        number=number, parents=[number - 1] if number else [], operator="random", genome=genome, genome_hash=f"hash{bits}",
        string=str(bits), architectures=architectures,
    ))


def told(number: int, value: float, status: str = "completed") -> Event:
    return Event(source="run", step=number, payload=TrialTold(
        number=number, candidate=number, status=status, metrics={"val_accuracy": value} if status == "completed" else {},  # type: ignore[arg-type]
        reason="" if status == "completed" else "loss is not a number", charged_samples=number, charged_trials=number + 1,
    ))


def incumbent(number: int, value: float) -> Event:
    return Event(source="run", step=number, payload=Incumbent(
        candidate=number, metric="val_accuracy", value=value, fidelity=Fidelity(text="trained for 3 epochs", epochs=3),
        selected_from=number + 1, genome=GENOME, genome_hash="best", string="10",
    ))


def frame(step: int, values: list[float], source: str = "phase:0") -> Event:
    return Event(source=source, step=step, payload=StructureFrame(step=step, groups={"cell": encode_floats(values)}))
