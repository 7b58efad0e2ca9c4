"""Whole searches through workers in this process, and their science: payloads by key, without seq and times."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from search_engine.commands import main
from webapp.core.models import Event, Job, Run
from webapp.events.store import append_fenced
from webapp.jobs import slices
from webapp.jobs.session import Session
from webapp.jobs.tasks import serve_one

Science = list[tuple[Any, ...]]


def science(run: Run) -> Science:
    rows = Event.objects.filter(run=run, science=True).values_list("source", "step", "kind", "ordinal", "data")
    return sorted((*row[:4], json.dumps(row[4], sort_keys=True)) for row in rows)


def science_of_command_line(config: dict[str, Any], folder: Path) -> Science:
    """The same search by `python -m search_engine run`; its files lie in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "run.yaml").write_text(json.dumps(config))
    assert main(["run", str(folder / "run.yaml"), "--out", str(folder / "out")]) == 0
    rows = [json.loads(line) for line in (folder / "out" / "events.jsonl").read_text().splitlines()]
    return sorted(
        (row["source"], row["step"], row["kind"], row["ordinal"], json.dumps(row["data"], sort_keys=True)) for row in rows if row["science"]
    )


def serve_all(run: Run, workers: int = 1) -> int:
    """Let so many workers take turns, a slice each, until nothing is left to do. Returns the number of slices."""
    sessions = [Session("cpu", name=f"worker {number}") for number in range(workers)]
    served_slices = 0
    try:
        while served := sum(map(serve_one, sessions)):
            served_slices += served
    finally:
        end(sessions)
    run.refresh_from_db()
    return served_slices


def lose_every_other_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a kill does: every second slice is computed, its events are stored, and its commit never comes."""
    real, calls = slices.run_slice, [0]

    def flaky(work: Any, seconds: float, stop: Any, say: Any) -> Any:
        events = real(work, seconds, stop)
        calls[0] += 1
        if calls[0] % 2:
            append_fenced(Job.objects.get(state="leased"), events)
            raise RuntimeError("the cable was pulled")
        return events

    monkeypatch.setattr(slices, "run_slice", flaky)


def end(sessions: Sequence[Session]) -> None:
    for session in sessions:
        session.end()
