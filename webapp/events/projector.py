"""From events to rows, in the transaction that appends the events. What lists, tables and pictures read is never behind the log."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple
from uuid import UUID, uuid4, uuid5

from django.db.models import BigIntegerField, CharField, JSONField, UUIDField

from search_engine.events import Fidelity, decode_floats
from search_engine.search.finale import model_folder
from search_engine.search.scores import search_score
from search_engine.spaces.genomes import Genome as EngineGenome
from search_engine.spaces.genomes import digest

from ..core.bulk import insert_rows
from ..core.checked import described_run
from ..core.models import Candidate, Event, Genome, ModelArtefact, Run, RunCounter, StructureFrame, TestVisit, Trial
from ..core.statements import Given, Select, Update, padded


class NewEvent(NamedTuple):
    """An event that was just stored."""

    seq: int
    source: str
    step: int
    kind: str
    data: dict[str, Any]


def project(counter: RunCounter, rows: Sequence[NewEvent]) -> None:
    """Apply new events, in seq order, to the rows that show them. Changes `counter`'s counts; the caller saves it."""
    by_kind: dict[str, list[NewEvent]] = {}
    for row in rows:
        by_kind.setdefault(row.kind, []).append(row)
    # Births before results: a batch may hold both of one trial.
    for kind, handler in _HANDLERS.items():
        if kind in by_kind:
            handler(counter, by_kind[kind])


Wanted = Sequence[tuple[dict[str, Any], str, str]]
"""Genomes as events have them: the tree, its hash, its text."""


def _genomes(run_id: UUID, wanted: Wanted) -> list[UUID]:
    """Ids of the genomes' rows, in order; rows that are not there are made."""
    keys = _keys(wanted)
    new = _keep_genomes(run_id, wanted, keys)
    if new is not None:
        return [new[key] for key in keys]
    found = {(hash_, content): pk for hash_, content, pk in _stored(run_id, sorted({key[0] for key in keys}))}
    return [found[key] for key in keys]


def _keys(wanted: Wanted) -> list[tuple[str, str]]:
    return [(genome_hash, digest(EngineGenome.from_json(genome).key)) for genome, genome_hash, _ in wanted]


def _keep_genomes(run_id: UUID, wanted: Wanted, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], UUID] | None:
    """Make the rows that are not there. Most are new, so nobody asks first. Returns their ids if all were new, else None."""
    rows: dict[tuple[str, str], tuple[Any, ...]] = {}
    for key, (genome, _, string) in zip(keys, wanted, strict=True):
        if key not in rows:
            rows[key] = (uuid4(), run_id, *key, genome["space"], genome["content"], string)
    names = ("id", "run_id", "hash", "content_digest", "space", "content", "string")
    made = insert_rows(Genome, names, list(rows.values()), unique=("run_id", "hash", "content_digest"))
    return {key: row[0] for key, row in rows.items()} if made == len(rows) else None


_AT_ONCE = 256
"""Hashes of one question."""


def _stored(run_id: UUID, hashes: list[str]) -> Iterator[tuple[str, str, UUID]]:
    for first in range(0, len(hashes), _AT_ONCE):
        some = padded(hashes[first : first + _AT_ONCE])
        yield from _genomes_of(len(some)).rows(run=run_id, **{f"hash{place}": hash_ for place, hash_ in enumerate(some)})


@cache
def _genomes_of(places: int) -> Select[Genome]:
    return Select(
        lambda: Genome.objects.filter(
            run_id=Given("run", UUIDField()), hash__in=[Given(f"hash{place}", CharField()) for place in range(places)]
        ).values_list("hash", "content_digest", "pk")
    )


_CANDIDATES = Select(
    lambda: Candidate.objects.filter(
        run_id=Given("run", UUIDField()), number__gte=Given("first", BigIntegerField()), number__lte=Given("last", BigIntegerField())
    ).values_list("number", "pk")
)


def _births(counter: RunCounter, rows: list[NewEvent]) -> None:
    run, births = counter.run_id, [row.data for row in rows]
    genomes = _genomes(run, [(data["genome"], data["genome_hash"], data["string"]) for data in births])
    insert_rows(
        Candidate,
        ("run_id", "number", "genome_id", "parents", "operator", "born_seq"),
        [
            (run, row.data["number"], genome, row.data["parents"], row.data["operator"], row.seq)
            for row, genome in zip(rows, genomes, strict=True)
        ],
    )
    numbers = [data["number"] for data in births]
    candidates = dict(_CANDIDATES.rows(run=run, first=min(numbers), last=max(numbers)))
    insert_rows(
        Trial,
        ("run_id", "number", "candidate_id", "fidelity"),
        [(run, data["number"], candidates[data["number"]], data.get("fidelity", {})) for data in births],
    )
    counter.candidates += len(births)
    counter.architectures = max(counter.architectures, births[-1]["architectures"])


@lru_cache(maxsize=256)
def _metric(run_id: UUID) -> str:
    """The run's fitness; it never changes."""
    return Run.objects.values_list("metric", flat=True).get(pk=run_id)


_RESULT = ("state", "reason", "metrics", "cost", "reused_from", "simulated", "value")
_NOBODY = 0
"""No candidate's id."""


def _results(counter: RunCounter, rows: list[NewEvent]) -> None:
    metric = _metric(counter.run_id)
    told = [row.data for row in rows]
    # An upsert of rows that exist: bulk_update's CASE for each row and column took 2 s for a thousand trials. What is proposed beside the
    # result is never inserted; if a trial had no row, the database would refuse the candidate.
    insert_rows(
        Trial,
        ("run_id", "number", "candidate_id", *_RESULT),
        [
            (
                counter.run_id, data["number"], _NOBODY, data["status"], data["reason"], data["metrics"], data["cost"],
                data["reused_from"], data["simulated"], data["metrics"].get(metric) if data["status"] == "completed" else None,
            )
            for data in told
        ],
        unique=("run_id", "number"),
        update=_RESULT,
    )
    # What a budget in seconds cut was not tried.
    counter.trials_told += sum(data["status"] != "cancelled" for data in told)
    counter.trials_failed += sum(data["status"] == "failed" for data in told)
    counter.trials_repeated += sum(data["reused_from"] is not None for data in told)


def _keep(counter: RunCounter, wanted: Wanted) -> None:
    _keep_genomes(counter.run_id, wanted, _keys(wanted))


def _incumbent(counter: RunCounter, rows: list[NewEvent]) -> None:
    data = rows[-1].data
    _keep(counter, [(row.data["genome"], row.data["genome_hash"], row.data["string"]) for row in rows])
    _best(counter, data, data["candidate"])


def _champion(counter: RunCounter, rows: list[NewEvent]) -> None:
    data = rows[-1].data
    _keep(counter, [(row.data["genome"], row.data["genome_hash"], "") for row in rows])
    _best(counter, data, None)


_BEST = Update(
    lambda: (
        Run.objects.filter(pk=Given("run", UUIDField())),
        {
            "search_score": Given("score", JSONField()), "best_candidate": Given("candidate", BigIntegerField()),
            "best_genome_hash": Given("genome_hash", CharField()),
        },
    )
)


def _best(counter: RunCounter, data: dict[str, Any], candidate: int | None) -> None:
    """What the search prefers now. The finished network's scores are the models' and never stand here."""
    fidelity = Fidelity.model_validate(data["fidelity"])
    score = search_score(described_run(counter.run_id), data["value"], fidelity, max(1, data["selected_from"]), data["metric"])
    _BEST.execute(run=counter.run_id, score=score.model_dump(mode="json"), candidate=candidate, genome_hash=data["genome_hash"])


def _frames(counter: RunCounter, rows: list[NewEvent]) -> None:
    insert_rows(
        StructureFrame,
        ("run_id", "source", "step", "group", "values"),
        [
            (counter.run_id, row.source, row.step, group, decode_floats(text).tobytes())
            for row in rows
            for group, text in row.data["groups"].items()
        ],
    )


def _phase(counter: RunCounter, rows: list[NewEvent]) -> None:
    Run.objects.filter(pk=counter.run_id).update(phase=rows[-1].data["title"])


def _finalists(counter: RunCounter, rows: list[NewEvent]) -> None:
    _keep(counter, [(row.data["genome"], row.data["genome_hash"], row.data["string"]) for row in rows])
    Run.objects.filter(pk=counter.run_id).update(phase="Finale")


def _models(counter: RunCounter, rows: list[NewEvent]) -> None:
    checked = described_run(counter.run_id)
    finalists = {
        data["index"]: data
        for data in Event.objects.filter(run_id=counter.run_id, kind="finalist").order_by("seq").values_list("data", flat=True)
    }
    run = Run.objects.only("owner_id", "experiment_id").get(pk=counter.run_id)
    models = ModelArtefact.objects.bulk_create(
        ModelArtefact(
            run_id=run.pk, owner_id=run.owner_id, index=row.data["index"], role=row.data["role"],
            title=finalists[row.data["index"]]["title"], domains=finalists[row.data["index"]]["domains"],
            genome_hash=row.data["genome_hash"], metrics=row.data["metrics"],
            scores={score["kind"]: score for score in row.data["scores"]}, by_class=row.data["by_class"], warnings=row.data["warnings"],
            parameters=row.data["parameters"], flops=row.data["flops"],
            bundle_path=f"runs/{counter.run_id}/{model_folder(checked, row.data['index'])}" if row.data["bundle"] else "",
            reason=row.data["reason"],
        )
        for row in rows
    )
    # Of several trainings each network is one that was tested, though one model is kept of them.
    tested = [
        (network, domain)
        for model, row in zip(models, rows, strict=True)
        for network in _tested_networks(model.pk, row.data["visits"], len(model.domains))
        for domain in model.domains
    ]
    if tested:
        TestVisit.objects.bulk_create(
            TestVisit(
                owner_id=run.owner_id, experiment_id=run.experiment_id, run_id=run.pk, network=network, domain=domain,
                data=checked.datasets[domain].test_part(checked.dataset_options[domain]),
            )
            for network, domain in tested
        )


def _tested_networks(model: UUID, visits: int, parts: int) -> list[UUID]:
    """Ids under which the visits to test parts are counted that a model cost: its own, and one for each further network."""
    networks = -(-visits // max(parts, 1))
    return [model, *(uuid5(model, str(number)) for number in range(2, networks + 1))] if networks else []


_HANDLERS: dict[str, Callable[[RunCounter, list[NewEvent]], None]] = {
    "phase_started": _phase,
    "candidate_born": _births,
    "trial_told": _results,
    "champion": _champion,
    "incumbent": _incumbent,
    "structure": _frames,
    "finalist": _finalists,
    "model": _models,
}
