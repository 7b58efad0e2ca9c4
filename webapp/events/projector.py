"""From events to rows, in the transaction that appends the events. What lists, tables and pictures read is never behind the log."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from django.db.models import BigIntegerField, CharField, FloatField, UUIDField

from search_engine.events import decode_floats
from search_engine.search.finale import model_folder
from search_engine.spaces.genomes import Genome as EngineGenome
from search_engine.spaces.genomes import digest

from ..core.bulk import insert_rows
from ..core.checked import checked_run
from ..core.models import Candidate, Event, Genome, ModelArtefact, Run, RunCounter, StructureFrame, Trial
from ..core.statements import Given, Select, Update


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


def _genomes(run_id: UUID, wanted: Sequence[tuple[dict[str, Any], str, str]]) -> list[UUID]:
    """Ids of the genomes' rows, in order; rows that are not there are made."""
    keys = [(genome_hash, digest(EngineGenome.from_json(genome).key)) for genome, genome_hash, _ in wanted]
    found: dict[tuple[str, str], UUID] = {(hash_, content): pk for hash_, content, pk in _stored(run_id, sorted({key[0] for key in keys}))}
    new = []
    for key, (genome, genome_hash, string) in zip(keys, wanted, strict=True):
        if key not in found:
            found[key] = uuid4()
            new.append((found[key], run_id, genome_hash, key[1], genome["space"], genome["content"], string))
    insert_rows(Genome, ("id", "run_id", "hash", "content_digest", "space", "content", "string"), new)
    return [found[key] for key in keys]


_AT_ONCE = 256
"""Hashes of one question."""


def _stored(run_id: UUID, hashes: list[str]) -> Iterator[tuple[str, str, UUID]]:
    for first in range(0, len(hashes), _AT_ONCE):
        some = hashes[first : first + _AT_ONCE]
        # A statement for each power of two is few statements; the places that are left ask again for the last one.
        places = 1 << (len(some) - 1).bit_length()
        some += some[-1:] * (places - len(some))
        yield from _genomes_of(places).rows(run=run_id, **{f"hash{place}": hash_ for place, hash_ in enumerate(some)})


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
    counter.trials_told += len(told)
    counter.trials_failed += sum(data["status"] == "failed" for data in told)


def _incumbent(counter: RunCounter, rows: list[NewEvent]) -> None:
    data = rows[-1].data
    _genomes(counter.run_id, [(row.data["genome"], row.data["genome_hash"], row.data["string"]) for row in rows])
    _best(counter, data["value"], data["metric"], data["candidate"], data["genome_hash"])


def _champion(counter: RunCounter, rows: list[NewEvent]) -> None:
    data = rows[-1].data
    _genomes(counter.run_id, [(row.data["genome"], row.data["genome_hash"], "") for row in rows])
    _best(counter, data["value"], data["metric"], None, data["genome_hash"])


_BEST = Update(
    lambda: (
        Run.objects.filter(pk=Given("run", UUIDField())),
        {
            "best_value": Given("value", FloatField()), "best_metric": Given("metric", CharField()),
            "best_candidate": Given("candidate", BigIntegerField()), "best_genome_hash": Given("genome_hash", CharField()),
        },
    )
)


def _best(counter: RunCounter, value: float, metric: str, candidate: int | None, genome_hash: str) -> None:
    _BEST.execute(run=counter.run_id, value=value, metric=metric, candidate=candidate, genome_hash=genome_hash)


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
    _genomes(counter.run_id, [(row.data["genome"], row.data["genome_hash"], row.data["string"]) for row in rows])
    Run.objects.filter(pk=counter.run_id).update(phase="Finale")


def _models(counter: RunCounter, rows: list[NewEvent]) -> None:
    checked = checked_run(counter.run_id)
    finalists = {
        data["index"]: data
        for data in Event.objects.filter(run_id=counter.run_id, kind="finalist").order_by("seq").values_list("data", flat=True)
    }
    ModelArtefact.objects.bulk_create(
        ModelArtefact(
            run_id=counter.run_id, index=row.data["index"], role=row.data["role"],
            title=finalists[row.data["index"]]["title"], domains=finalists[row.data["index"]]["domains"],
            genome_hash=row.data["genome_hash"], metrics=row.data["metrics"], parameters=row.data["parameters"], flops=row.data["flops"],
            bundle_path=f"runs/{counter.run_id}/{model_folder(checked, row.data['index'])}" if row.data["bundle"] else "",
            reason=row.data["reason"],
        )
        for row in rows
    )
    for row in rows:
        value = row.data["metrics"].get(checked.metric)
        if row.data["role"] == "finalist" and row.data["index"] == 0 and value is not None:
            # A search on a super-network scores no genome of its own: then the first finalist, retrained, is its best.
            Run.objects.filter(pk=counter.run_id, best_value=None).update(
                best_value=value, best_metric=checked.metric, best_genome_hash=row.data["genome_hash"]
            )


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
