"""Runs of this database as one file (search_engine.archives): a stream of bytes, made while it is read, of which a few thousand events are
in memory at a time."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from uuid import UUID

from search_engine.archives.form import MOST_RUNS, Amounts, Manifest, RunRecord, here
from search_engine.archives.writing import Writer, files_of, pieces_of
from search_engine.search.local_run import EVENTS

from ..core.models import Event, Experiment, ModelArtefact, Run
from . import files

CHUNK = 500
"""Events that are read at once."""


class NotPossible(Exception):
    """It cannot be exported; the text says why."""


def of_run(run: Run) -> Iterator[bytes]:
    """One run. Raises NotPossible at once where it has not ended."""
    return _stream("run", run.experiment, [run])


def of_experiment(experiment: Experiment) -> Iterator[bytes]:
    """All its runs. Raises NotPossible at once where one of them has not ended, or there are none."""
    return _stream("experiment", experiment, list(experiment.runs.select_related("counter").order_by("position", "pk")))


def file_name(name: str) -> str:
    """What a browser saves it as: letters, digits and dashes only."""
    words = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in name)
    return "-".join(part for part in words.split("-") if part)[:80].lower() or "run"


def _stream(kind: str, experiment: Experiment, runs: Sequence[Run]) -> Iterator[bytes]:
    still = [run for run in runs if run.state not in Run.TERMINAL]
    if still:
        words = "the run has" if kind == "run" else "1 of its runs has" if len(still) == 1 else f"{len(still)} of its runs have"
        raise NotPossible(f"{words} not ended: what is exported is finished; wait, or cancel first")
    if not 1 <= len(runs) <= MOST_RUNS:
        raise NotPossible("it has no runs" if not runs else f"it has {len(runs):,} runs; at most {MOST_RUNS:,} go into one file")
    return _pieces(kind, experiment, runs)


def _pieces(kind: str, experiment: Experiment, runs: Sequence[Run]) -> Iterator[bytes]:
    writer = Writer()
    records = []
    for place, run in enumerate(runs):
        folder = f"runs/{place}"
        count = _Count()
        yield from writer.add(f"{folder}/{EVENTS}", _lines(run.pk, count))
        for name, path in files_of(files.run_dir(run.pk)):
            yield from writer.add(f"{folder}/{name}", pieces_of(path))
        records.append(_record(experiment, run, folder, count.lines))
    manifest = {"kind": kind, "name": experiment.name, "made": time.time(), "runs": records, "files": writer.files, **here()}
    yield from writer.end(Manifest.model_validate(manifest))


class _Count:
    lines = 0


def _lines(run_id: UUID, count: _Count) -> Iterator[bytes]:
    """The run's events as a run of the command line writes them."""
    after = 0
    while chunk := list(Event.objects.filter(run_id=run_id, seq__gt=after).order_by("seq")[:CHUNK]):
        yield b"".join(json.dumps(row.record(), separators=(",", ":")).encode() + b"\n" for row in chunk)
        after = chunk[-1].seq
        count.lines += len(chunk)


def _record(experiment: Experiment, run: Run, folder: str, events: int) -> RunRecord:
    counter = run.counter
    inside = f"runs/{run.pk}/"
    models = ModelArtefact.objects.filter(run=run).exclude(bundle_sha256="")
    bundles = {path.removeprefix(inside): sha256 for path, sha256 in models.values_list("bundle_path", "bundle_sha256")}
    return RunRecord(
        folder=folder, config=run.config, state=run.state, reason=run.reason[:2000],  # type: ignore[arg-type] # one of those that end
        started=run.started.timestamp() if run.started else None, finished=run.finished.timestamp() if run.finished else None,
        device=run.device, arithmetic=run.arithmetic, versions=(experiment.imported or {}).get("versions", {}),  # type: ignore[arg-type]
        reproducible=run.reproducible, reproducible_note=run.reproducible_note[:2000],
        charged=Amounts(
            samples=counter.charged_samples, trials=counter.charged_trials, seconds=counter.charged_seconds, flops=counter.charged_flops
        ),
        spent_samples=counter.spent_samples, spent_seconds=counter.spent_seconds, events=events, bundles=bundles,
    )
