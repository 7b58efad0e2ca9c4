"""From events to rows, in the transaction that appends the events. What lists, tables and pictures read is never behind the log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from search_engine.events import decode_floats
from search_engine.search.finale import model_folder
from search_engine.spaces.genomes import Genome as EngineGenome
from search_engine.spaces.genomes import digest

from ..core.checked import checked_run
from ..core.models import Candidate, Event, Genome, ModelArtefact, Run, RunCounter, StructureFrame, Trial


def project(counter: RunCounter, rows: Sequence[Event]) -> None:
    """Apply new events, in seq order, to the rows that show them. Changes `counter`'s counts; the caller saves it."""
    by_kind: dict[str, list[Event]] = {}
    for row in rows:
        by_kind.setdefault(row.kind, []).append(row)
    # Births before results: a batch may hold both of one trial.
    for kind, handler in _HANDLERS.items():
        if kind in by_kind:
            handler(counter, by_kind[kind])


def materialise_genome(run_id: UUID, genome: dict[str, Any], genome_hash: str, string: str = "") -> Genome:
    """The row of a genome (`{"space", "content"}`), made if it is not there: for champions and for genomes that somebody opens."""
    return _genomes(run_id, [(genome, genome_hash, string)])[0]


def _genomes(run_id: UUID, wanted: Sequence[tuple[dict[str, Any], str, str]]) -> list[Genome]:
    keys = [(genome_hash, digest(EngineGenome.from_json(genome).key)) for genome, genome_hash, _ in wanted]
    stored = Genome.objects.filter(run_id=run_id, hash__in={genome_hash for genome_hash, _ in keys})
    found = {(row.hash, row.content_digest): row for row in stored}
    new = []
    for key, (genome, genome_hash, string) in zip(keys, wanted, strict=True):
        if key not in found:
            found[key] = Genome(
                run_id=run_id, hash=genome_hash, content_digest=key[1], space=genome["space"], content=genome["content"], string=string
            )
            new.append(found[key])
    Genome.objects.bulk_create(new, batch_size=200)
    return [found[key] for key in keys]


def _births(counter: RunCounter, rows: list[Event]) -> None:
    genomes = _genomes(counter.run_id, [(row.data["genome"], row.data["genome_hash"], row.data["string"]) for row in rows])
    candidates = [
        Candidate(
            run_id=counter.run_id, number=row.data["number"], genome=genome, parents=row.data["parents"], operator=row.data["operator"],
            born_seq=row.seq,
        )
        for row, genome in zip(rows, genomes, strict=True)
    ]
    Candidate.objects.bulk_create(candidates, batch_size=200)
    trials = [
        Trial(run_id=counter.run_id, number=candidate.number, candidate=candidate, fidelity=row.data.get("fidelity", {}))
        for row, candidate in zip(rows, candidates, strict=True)
    ]
    Trial.objects.bulk_create(trials, batch_size=200)
    counter.candidates += len(candidates)


def _results(counter: RunCounter, rows: list[Event]) -> None:
    metric = Run.objects.values_list("metric", flat=True).get(pk=counter.run_id)
    trials = {trial.number: trial for trial in Trial.objects.filter(run_id=counter.run_id, number__in=[row.data["number"] for row in rows])}
    for row in rows:
        data = row.data
        trial = trials[data["number"]]
        trial.state = data["status"]
        trial.reason = data["reason"]
        trial.metrics = data["metrics"]
        trial.cost = data["cost"]
        trial.reused_from = data["reused_from"]
        trial.simulated = data["simulated"]
        trial.value = data["metrics"].get(metric) if data["status"] == "completed" else None
        counter.trials_told += 1
        counter.trials_failed += data["status"] == "failed"
    fields = ["state", "reason", "metrics", "cost", "reused_from", "simulated", "value"]
    # An upsert of rows that exist: bulk_update's CASE for each row and column took 2 s for a thousand trials, this a tenth of that.
    Trial.objects.bulk_create(trials.values(), batch_size=200, update_conflicts=True, unique_fields=["id"], update_fields=fields)


def _incumbent(counter: RunCounter, rows: list[Event]) -> None:
    data = rows[-1].data
    _genomes(counter.run_id, [(row.data["genome"], row.data["genome_hash"], row.data["string"]) for row in rows])
    _best(counter, data["value"], data["metric"], data["candidate"], data["genome_hash"])


def _champion(counter: RunCounter, rows: list[Event]) -> None:
    data = rows[-1].data
    _genomes(counter.run_id, [(row.data["genome"], row.data["genome_hash"], "") for row in rows])
    _best(counter, data["value"], data["metric"], None, data["genome_hash"])


def _best(counter: RunCounter, value: float, metric: str, candidate: int | None, genome_hash: str) -> None:
    Run.objects.filter(pk=counter.run_id).update(
        best_value=value, best_metric=metric, best_candidate=candidate, best_genome_hash=genome_hash
    )


def _frames(counter: RunCounter, rows: list[Event]) -> None:
    StructureFrame.objects.bulk_create(
        [
            StructureFrame(run_id=counter.run_id, source=row.source, step=row.step, group=group, values=decode_floats(text).tobytes())
            for row in rows
            for group, text in row.data["groups"].items()
        ],
        batch_size=200,
    )


def _phase(counter: RunCounter, rows: list[Event]) -> None:
    Run.objects.filter(pk=counter.run_id).update(phase=rows[-1].data["title"])


def _finalists(counter: RunCounter, rows: list[Event]) -> None:
    _genomes(counter.run_id, [(row.data["genome"], row.data["genome_hash"], row.data["string"]) for row in rows])
    Run.objects.filter(pk=counter.run_id).update(phase="Finale")


def _models(counter: RunCounter, rows: list[Event]) -> None:
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


_HANDLERS: dict[str, Callable[[RunCounter, list[Event]], None]] = {
    "phase_started": _phase,
    "candidate_born": _births,
    "trial_told": _results,
    "champion": _champion,
    "incumbent": _incumbent,
    "structure": _frames,
    "finalist": _finalists,
    "model": _models,
}
