"""A database with many rows, made in bulk: runs as finished searches leave them, in seconds instead of weeks.

Rows are written as the web application's tables hold them, not through the event store; what they say is enough for every list, page and
snapshot, and the genomes are real ones of their space.
"""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.models import Field, Max, Model
from django.utils import timezone

from search_engine.catalogue import registry
from search_engine.events import CandidateBorn, Fidelity, Incumbent, Metrics, TrialTold
from search_engine.spaces.data_shape import DataShape
from search_engine.spaces.genomes import Genome as EngineGenome
from search_engine.spaces.genomes import canonical_json, digest
from webapp.api.experiment_body import plan
from webapp.core.bulk import JsonText
from webapp.core.models import (
    Candidate,
    Dataset,
    DatasetUse,
    Event,
    Experiment,
    Genome,
    Job,
    ModelArtefact,
    Run,
    RunCounter,
    TestVisit,
    Trial,
    Worker,
)
from webapp.core.plain import PLAIN

BODY: dict[str, Any] = {"algorithms": [{"id": "random"}], "space": "nb201", "datasets": ["digits"], "seeds": [0], "budget": {"trials": 5}}
MODELS = 3
"""Of each run."""
UNTOLD = 0.2
"""Share of the trials that have no value, and of those that have one how many share it with others: as in a table's search."""


@dataclass(frozen=True)
class Size:
    """How many of everything. The first run has `share` of the events and genomes."""

    runs: int = 1_000
    events: int = 1_000_000
    genomes: int = 100_000
    share: float = 0.1
    runs_of_experiment: int = 10
    workers: int = 8

    def of_run(self, place: int, total: int) -> int:
        """How many of `total` the run in this place has."""
        first = round(total * self.share) if self.runs > 1 else total
        return first if place == 0 else (total - first) // (self.runs - 1)


def build(owner: Any, size: Size, seed: int = 0) -> None:
    """Give `owner` these rows."""
    planned, problems = plan(BODY, None)
    assert planned is not None, problems
    rng = random.Random(seed)
    with transaction.atomic():
        workers = list(_workers(size.workers))
        _store(Worker, workers)
        experiments = list(_experiments(owner, size, planned.normalised()))
        _store(Experiment, experiments)
        _store(DatasetUse, _uses(owner, experiments, (DatasetUse.objects.aggregate(last=Max("pk"))["last"] or 0) + 1))
        _store(Dataset, _datasets(owner, len(experiments)))
        runs = list(_runs(owner, size, experiments, planned.runs[0].checked))
        _store(Run, runs)
        _store(RunCounter, (_counter(run, place, size) for place, run in enumerate(runs)))
        genomes = _genomes(size.genomes, rng)
        _store(Genome, (row for run, own in zip(runs, _shares(size, genomes), strict=True) for row in own(run)))
        first = {model: (model.objects.aggregate(last=Max("pk"))["last"] or 0) + 1 for model in (Candidate, Trial, TestVisit)}
        _store(Candidate, _candidates(runs, size, genomes, first[Candidate]))
        _store(Trial, _trials(runs, size, first[Trial], first[Candidate], random.Random(seed)))
        _store(Job, _jobs(owner, runs, size, workers))
        models = [row for run in runs for row in _models(owner, run, genomes[0])]
        _store(ModelArtefact, models)
        _store(TestVisit, _visits(owner, runs, models, first[TestVisit]))
        _store(Event, _events(runs, size, genomes))
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), [Candidate, DatasetUse, Trial, TestVisit]):
            cursor.execute(statement)
        if connection.vendor == "postgresql":
            # Its autovacuum would, a minute later; nobody does for SQLite.
            cursor.execute("ANALYZE")


def _store(model: type[Model], rows: Iterable[dict[str, Any]]) -> None:
    """Insert rows given by column; what is left out takes its default. The database's own way for many rows."""
    fields = [field for field in model._meta.concrete_fields if getattr(field, "column", None)]
    names = [connection.ops.quote_name(field.column) for field in fields]
    table = connection.ops.quote_name(model._meta.db_table)

    # What Django asks of each value again took most of the time: a value that is written as it is, or was written before, is asked nothing.
    defaults = {field.attname: field.get_db_prep_save(field.get_default(), connection) for field in fields if not field.primary_key}
    written: dict[int, tuple[Any, Any]] = {}

    def prepared(field: Field[Any, Any], row: dict[str, Any]) -> Any:
        if field.attname not in row:
            return defaults[field.attname]
        value = row[field.attname]
        if isinstance(field, PLAIN) or isinstance(value, JsonText):
            return value
        if isinstance(value, dict | list | uuid.UUID):
            if id(value) not in written:
                written[id(value)] = (field.get_db_prep_save(value, connection), value)  # with the value, or its id would be another's
            return written[id(value)][0]
        return field.get_db_prep_save(value, connection)

    def values() -> Iterator[list[Any]]:
        for row in rows:
            yield [prepared(field, row) for field in fields]
            if len(written) > 100_000:
                written.clear()

    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({', '.join(names)}) FROM STDIN") as copy:
                for value in values():
                    copy.write_row(value)
        else:
            # Beneath Django's cursor, which would keep every statement where queries are recorded.
            marks = ", ".join("?" for _ in names)
            connection.connection.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", values())


def _uses(owner: Any, experiments: Sequence[dict[str, Any]], key: int) -> Iterator[dict[str, Any]]:
    for number, experiment in enumerate(experiments, start=key):
        of = {"owner_id": owner.pk, "experiment_id": experiment["id"], "created": experiment["created"]}
        yield {"id": number, "dataset": "digits", **of}


def _datasets(owner: Any, count: int) -> Iterator[dict[str, Any]]:
    """Uploads that nobody has examined, so many of each purpose."""
    now = timezone.now()
    for number in range(count):
        moment = now - timedelta(seconds=number // 2)
        for purpose in Dataset.Purpose.values:
            names = {"title": f"{purpose} {number}", "file_name": f"{purpose}{number}.zip", "purpose": purpose}
            yield {"id": uuid.uuid4(), "owner_id": owner.pk, "size": 1_000, "created": moment, "touched": moment, **names}


def _workers(count: int) -> Iterator[dict[str, Any]]:
    now = timezone.now()
    for number in range(count):
        yield {
            "id": uuid.uuid4(), "name": f"worker {number}", "host": "host", "pid": number, "process_started": 0.0, "device": "cpu",
            "started": now, "last_seen": now, "progress_at": now,
        }


def _experiments(owner: Any, size: Size, config: dict[str, Any]) -> Iterator[dict[str, Any]]:
    now = timezone.now()
    for number in range(-(-size.runs // size.runs_of_experiment)):
        yield {
            "id": uuid.uuid4(), "owner_id": owner.pk, "name": f"experiment {number}", "config": config, "space": "nb201",
            "datasets": ["digits"], "budget": {"trials": 5}, "created": now - timedelta(minutes=number),
        }


def _runs(owner: Any, size: Size, experiments: Sequence[dict[str, Any]], checked: Any) -> Iterator[dict[str, Any]]:
    now = timezone.now()
    for place in range(size.runs):
        of = place // size.runs_of_experiment
        yield {
            "id": uuid.uuid4(), "experiment_id": experiments[of]["id"], "owner_id": owner.pk, "position": place % size.runs_of_experiment,
            "algorithm": checked.algorithm.id, "options": checked.options.model_dump(mode="json"), "space": checked.space.id,
            "datasets": ["digits"], "data": checked.dataset.test_part(checked.dataset_options[0]), "seed": place,
            "config": checked.config.model_copy(update={"seed": place}).model_dump(mode="json"), "metric": checked.metric,
            "state": "completed", "created": now - timedelta(minutes=of), "started": now, "finished": now,
            "progress": {"fraction": 1.0, "text": "done", "eta_seconds": 0.0, "left": []},
        }


def _counter(run: dict[str, Any], place: int, size: Size) -> dict[str, Any]:
    genomes = size.of_run(place, size.genomes)
    return {
        "run_id": run["id"], "last_seq": size.of_run(place, size.events), "charged_trials": genomes, "candidates": genomes,
        "trials_told": round(genomes * (1 - UNTOLD)), "architectures": genomes,
    }


def _genomes(count: int, rng: random.Random) -> list[dict[str, Any]]:
    """Different ones as long as the space has any; `content_digest` is unique anyway."""
    entry = registry.space("nb201")
    space = entry.space(entry.config(), DataShape((1, 8, 8), 10))
    known: list[tuple[EngineGenome, str, str]] = []
    for _ in range(min(count, 2_000)):
        genome = space.sample(rng)
        known.append((genome, space.hash(genome), space.to_string(genome)))
    found = []
    for number in range(count):
        genome, name, string = known[number % len(known)]
        content = genome.to_json()["content"]
        found.append({
            "id": uuid.uuid4(), "hash": name, "content_digest": digest(canonical_json([number, content])),
            "space": "nb201", "content": content, "string": string,
        })  # fmt: skip
    return found


def _shares(size: Size, genomes: Sequence[dict[str, Any]]) -> Iterator[Any]:
    """For each run what gives its genomes."""
    for first, last in _spans(size):
        yield lambda run, first=first, last=last: ({**row, "run_id": run["id"]} for row in genomes[first:last])


def _spans(size: Size) -> Iterator[tuple[int, int]]:
    """Where each run's genomes lie among all."""
    first = 0
    for place in range(size.runs):
        last = first + size.of_run(place, size.genomes)
        yield first, last
        first = last


def _candidates(runs: Sequence[dict[str, Any]], size: Size, genomes: Sequence[dict[str, Any]], key: int) -> Iterator[dict[str, Any]]:
    for run, (first, last) in zip(runs, _spans(size), strict=True):
        for number, genome in enumerate(genomes[first:last]):
            yield {
                "id": key + first + number, "run_id": run["id"], "number": number, "genome_id": genome["id"],
                "parents": [number - 1] if number else [], "operator": "random", "born_seq": 2 * number + 1,
            }


def _trials(runs: Sequence[dict[str, Any]], size: Size, key: int, candidate: int, rng: random.Random) -> Iterator[dict[str, Any]]:
    for run, (first, last) in zip(runs, _spans(size), strict=True):
        for number in range(last - first):
            value = None if rng.random() < UNTOLD else round(rng.random(), 2)
            yield {
                "id": key + first + number, "run_id": run["id"], "number": number, "candidate_id": candidate + first + number,
                "state": "queued" if value is None else "completed", "metrics": {} if value is None else {"val_accuracy": value},
                "fidelity": {"text": "trained for 3 epochs", "epochs": 3}, "value": value,
            }


def _jobs(
    owner: Any, runs: Sequence[dict[str, Any]], size: Size, workers: Sequence[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """The coordinator's of every run, under lease where a worker is left for it, and one of each trial."""
    now = timezone.now()
    common = {"owner_id": owner.pk, "created": now, "runnable": False}
    for place, (run, (first, last)) in enumerate(zip(runs, _spans(size), strict=True)):
        held = {"state": "leased", "worker_id": workers[place]["id"], "lease_until": now} if place < len(workers) else {"state": "taken"}
        yield {**common, "id": uuid.uuid4(), "run_id": run["id"], "kind": "advance", "source": "run", **held}
        for number in range(last - first):
            yield {
                **common, "id": uuid.uuid4(), "run_id": run["id"], "kind": "trial", "source": f"trial:{number}", "state": "taken",
                "served_seconds": 1.5,
            }


def _models(owner: Any, run: dict[str, Any], genome: dict[str, Any]) -> Iterator[dict[str, Any]]:
    share = {"unit": "share of examples", "direction": "maximise", "metric": "val_accuracy", "name": "validation accuracy"}
    score = {"value": 0.9, "selected_from": 1, "fidelity": {"text": "trained for 3 epochs", "epochs": 3}, "data_sets": 1, **share}
    by_class = {
        "split": "test", "classes": [str(digit) for digit in range(10)], "examples": [10] * 10, "recall": [0.9] * 10, "accuracy": 0.9,
        "balanced_accuracy": 0.9, "macro_f1": 0.9, "majority": "0", "majority_share": 0.1,
    }
    for index in range(MODELS):
        yield {
            "id": uuid.uuid4(), "run_id": run["id"], "owner_id": owner.pk, "index": index, "role": "finalist" if index == 0 else "baseline",
            "title": f"network {index}", "domains": [0], "genome_hash": genome["hash"], "metrics": {"val_accuracy": 0.9},
            "scores": {kind: {"kind": kind, **score} for kind in ("search", "validation", "test")}, "by_class": [by_class],
            "parameters": 10_000, "flops": 1e6, "created": run["created"],
        }


def _visits(owner: Any, runs: Sequence[dict[str, Any]], models: Sequence[dict[str, Any]], key: int) -> Iterator[dict[str, Any]]:
    of = {run["id"]: run for run in runs}
    for number, model in enumerate(models, start=key):
        run = of[model["run_id"]]
        yield {
            "id": number, "owner_id": owner.pk, "experiment_id": run["experiment_id"], "run_id": run["id"], "network": model["id"],
            "domain": 0, "data": run["data"],
        }


def _events(runs: Sequence[dict[str, Any]], size: Size, genomes: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Births and results of the run's candidates, its best, and metrics for the rest."""
    for place, (run, (first, last)) in enumerate(zip(runs, _spans(size), strict=True)):
        payloads = _payloads(size.of_run(place, size.events), genomes[first:last])
        for seq, (number, payload) in enumerate(payloads, start=1):
            source = "phase:0" if payload["kind"] == "metrics" else "run"
            yield {
                "run_id": run["id"], "seq": seq, "time": 1.7e9 + seq, "science": True, "source": source, "step": number, "ordinal": 0,
                "kind": payload["kind"], "data": JsonText(json.dumps(payload)),
            }


def _payloads(count: int, genomes: Sequence[dict[str, Any]]) -> Iterator[tuple[int, dict[str, Any]]]:
    """(step, payload as JSON): of each kind one is built as the model has it, and the others differ from it in what is filled in here."""
    said = 0
    fidelity = Fidelity(text="trained for 3 epochs", epochs=3)
    whole = {"genome": {"space": "nb201", "content": {}}, "genome_hash": "", "string": ""}
    birth = CandidateBorn(number=0, parents=[], operator="random", **whole).model_dump(mode="json")
    result = TrialTold(
        number=0, candidate=0, status="completed", reason="", metrics={"val_accuracy": 0.5}, charged_samples=1.0, charged_trials=1
    ).model_dump(mode="json")
    best = Incumbent(candidate=0, metric="val_accuracy", value=0.5, fidelity=fidelity, selected_from=1, **whole).model_dump(mode="json")
    metrics = Metrics(step=0, samples=0.0, values={}).model_dump(mode="json")
    for number, row in enumerate(genomes):
        if said + 3 > count:
            break
        names = {"genome": {"space": row["space"], "content": row["content"]}, "genome_hash": row["hash"], "string": row["string"]}
        yield number, {**birth, "number": number, "parents": [number - 1] if number else [], **names}
        yield number, {**result, "number": number, "candidate": number, "charged_trials": number + 1}
        said += 2
        if number == 0:
            yield number, {**best, **names}
            said += 1
    for step in range(count - said):
        yield step, {**metrics, "step": step, "samples": 64.0 * step, "values": {"train_loss": 1 / (step + 1)}}
