"""What the API tests stand on: two people, and a run of the first with every kind of record, written through the event store."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
from asgiref.sync import async_to_sync
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.test import Client

from search_engine import events as say
from search_engine.catalogue import registry
from search_engine.events import Event, encode_floats
from search_engine.spaces.data_shape import DataShape
from search_engine.spaces.genomes import Genome
from webapp.api.experiment_body import plan
from webapp.core.locks import lock_run
from webapp.core.models import Experiment, ModelArtefact, Run
from webapp.events.store import append
from webapp.jobs import files, states

API = "/api/v1/"
PASSWORD = "a long enough password"
GROUP = "cell"

BODY: dict[str, Any] = {
    "name": "Random search on digits",
    "algorithms": [{"id": "random", "options": {}}],
    "space": "nb201",
    "space_options": {},
    "datasets": ["digits"],
    "dataset_options": [{}],
    "seeds": [1],
    "budget": {"trials": 5},
    "training": {},
    "finale": {},
    "runtime": {},
}


def make_user(name: str) -> Any:
    return get_user_model().objects.create_user(name, password=PASSWORD)


def browser(user: Any | None = None, *, csrf: bool = False) -> Client:
    """A client, logged in as `user`."""
    client = Client(enforce_csrf_checks=csrf)
    if user is not None:
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def send(client: Client, method: str, path: str, body: Any = None, **headers: str) -> Any:
    """A JSON request to the API."""
    return client.generic(
        method, API + path, b"" if body is None else json.dumps(body).encode(), content_type="application/json", headers=headers or None
    )


def streamed(response: Any) -> bytes:
    """The body of a response that is streamed to an ASGI server."""

    async def collect() -> bytes:
        return b"".join([part async for part in response.streaming_content])

    return async_to_sync(collect)()


def make_experiment(owner: Any, **changes: Any) -> Experiment:
    """An experiment with its runs, made from BODY as the API makes it (without HTTP)."""
    planned, problems = plan({**BODY, **changes}, None)
    assert planned is not None, problems
    experiment = Experiment.objects.create(
        owner=owner,
        name=planned.name,
        config=planned.normalised(),
        space=planned.runs[0].checked.space.id,
        datasets=["digits"],
        budget=planned.body.budget and planned.body.budget.model_dump(exclude_none=True),
    )
    for position, item in enumerate(planned.runs):
        states.create_run(experiment, item.checked.config, position)
    return experiment


def space() -> Any:
    entry = registry.space("nb201")
    return entry.space(entry.config(), DataShape((1, 8, 8), 10))


def tell(run: Run, source: str, payloads: list[tuple[int, Any]]) -> None:
    """Append science events (step, payload) of one source; equal (step, kind) count up as ordinals."""
    counts: dict[tuple[int, str], int] = {}
    events = []
    for step, payload in payloads:
        place = (step, payload.kind)
        events.append(Event(source=source, step=step, ordinal=counts.get(place, 0), payload=payload))
        counts[place] = counts.get(place, 0) + 1
    with transaction.atomic():
        append(lock_run(run.pk), events)


def births(count: int, first: int = 0, seed: int = 0) -> list[tuple[int, say.CandidateBorn]]:
    """Candidates `first`.. with real genomes of the space."""
    rng, cells = random.Random(seed), space()
    told = []
    for number in range(first, first + count):
        genome: Genome = cells.sample(rng)
        birth = say.CandidateBorn(
            number=number,
            parents=[number - 1] if number else [],
            operator="random",
            genome=genome.to_json(),
            genome_hash=cells.hash(genome),
            string=cells.to_string(genome),
        )
        told.append((number, birth))
    return told


def results(count: int, first: int = 0) -> list[tuple[int, say.TrialTold]]:
    return [
        (
            number,
            say.TrialTold(
                number=number,
                candidate=number,
                status="completed" if number % 5 else "failed",
                reason="" if number % 5 else "loss is not a number",
                metrics={"val_accuracy": 0.5 + number / 100_000} if number % 5 else {},
                charged_samples=100.0 * number,
                charged_trials=number + 1,
            ),
        )
        for number in range(first, first + count)
    ]


def frame(step: int, edges: int, operations: int) -> say.StructureFrame:
    """Weights that tell their place: edge * 100 + operation + step / 1000."""
    values = np.arange(edges)[:, None] * 100 + np.arange(operations)[None, :] + step / 1000
    return say.StructureFrame(step=step, groups={GROUP: encode_floats(values)})


def fill(run: Run, steps: int = 20, candidates: int = 6) -> None:
    """Everything that a run can record, a bundle on the disk included."""
    cells = space()
    genome = cells.sample(random.Random(7))
    same = {"genome": genome.to_json(), "genome_hash": cells.hash(genome)}
    groups = cells.family()
    edges, operations = len(groups[0].edges), len(groups[0].operations)
    tell(run, "run", [(0, say.PhaseStarted(phase=0, name="search", title="Search", language="trials"))])
    tell(run, "phase:0", [(0, say.FamilyDeclared(groups=groups))])
    tell(run, "phase:0", [(step, frame(step, edges, operations)) for step in range(steps)])
    losses = [say.Metrics(step=step, samples=64.0 * step, values={"train_loss": 1 / (step + 1)}) for step in range(steps)]
    tell(run, "phase:0", [(loss.step, loss) for loss in losses])
    tell(run, "phase:0", [(3, say.Notice(name="warm_up", message="the structure begins to move", step=3))])
    tell(run, "phase:0", [(steps, say.DerivedGenome(step=steps, string=cells.to_string(genome), changed_edges=2, **same))])
    tell(run, "run", births(candidates))
    tell(run, "run", results(candidates))
    trained = say.Fidelity(text="trained for 3 epochs", epochs=3)
    best = say.Incumbent(
        candidate=candidates - 1, metric="val_accuracy", value=0.9, fidelity=trained, selected_from=candidates,
        string=cells.to_string(genome), **same,
    )
    tell(run, "run", [(candidates, best)])
    finalist = say.FinalistChosen(index=0, role="finalist", title="Best", string=cells.to_string(genome), finish="retrain", **same)
    tell(run, "run", [(0, finalist)])
    share = {"unit": "share of examples", "direction": "maximise"}
    longer = say.Fidelity(text="trained for 12 epochs", epochs=12)
    scores = [
        say.Score(kind="search", metric="val_accuracy", name="validation accuracy", value=0.9, fidelity=trained, selected_from=6, **share),
        say.Score(
            kind="validation", metric="val_accuracy", name="validation accuracy", value=0.95, fidelity=longer, selected_from=1, **share
        ),
        say.Score(kind="test", metric="test_accuracy", name="test accuracy", value=0.97, fidelity=longer, selected_from=1, **share),
    ]
    by_class = say.ClassScores(
        split="test", classes=["a", "b"], examples=[98, 2], recall=[0.99, 0.0], accuracy=0.97, balanced_accuracy=0.495, macro_f1=0.49,
        majority="a", majority_share=0.98,
    )
    scored = {
        "genome_hash": same["genome_hash"], "metrics": {"val_accuracy": 0.95, "test_accuracy": 0.97}, "scores": scores,
        "by_class": [by_class], "warnings": ["The classes are unequal."], "visits": 1, "parameters": 10, "flops": 5.0, "bundle": True,
    }
    tell(run, "final:0", [(0, say.ModelScored(index=0, role="finalist", **scored))])
    accuracy = say.JudgedFigure(metric="accuracy", name="accuracy", unit="share of examples", direction="maximise", value=0.97)
    part = say.PartAssessment(
        split="test", examples=100, models=[say.JudgedModel(name="network", title="the network", figures=[accuracy])],
        confusion=say.ConfusionTable(classes=["a", "b"], counts=[[97, 1], [2, 0]]), wrong=3,
        mistakes=[say.Mistake(index=7, true="b", answered="a", confidence=0.9, error=2.3, row=[say.Feature(name="age", value=4.0)])],
    )
    tell(run, "final:0", [(0, say.Assessment(index=0, role="finalist", parts=[part], warnings=["It is the majority's."]))])
    model = ModelArtefact.objects.get(run=run)
    folder = Path(settings.NASCOPE_HOME) / model.bundle_path
    folder.mkdir(parents=True)
    (folder / "model.py").write_text("print('a model')\n")
    (folder / "manifest.json").write_text("{}")
    path, model.bundle_sha256 = files.pack_bundle(run.pk, folder)
    model.bundle_size = path.stat().st_size
    model.save()
