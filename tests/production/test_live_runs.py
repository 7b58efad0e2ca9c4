"""Searches end to end on PostgreSQL and Redis, through REST and WebSocket, by the commands of the images."""

from __future__ import annotations

import hashlib
import io
import re
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.patience import PATIENCE

from .person import TERMINAL, Person, wait_until_over
from .stack import Stack

pytestmark = [pytest.mark.services, pytest.mark.slow]

SMALL = {"epochs": 1, "train_examples": 128, "channels": 4, "layers": 1}
DARTS: dict[str, Any] = {
    "algorithms": [{"id": "darts", "options": {"steps": 4, "batch_size": 8}}], "space": "cell",
    "space_options": {"nodes": 1, "search_cells": 1, "search_channels": 2}, "datasets": ["digits"], "seeds": [5],
    "finale": {"baselines": 1, "onnx": False, "training": SMALL}, "runtime": {"structure_every": 1},
}


@pytest.fixture(scope="module", autouse=True)
def crew(stack: Stack) -> Iterator[Stack]:
    stack.staff(workers=2)
    yield stack


def workers_alive(person: Person) -> list[dict[str, Any]]:
    return [worker for worker in person.get("workers") if worker["alive"]]


def test_a_search_by_gradients_and_its_download(ada: Person, tmp_path: Path) -> None:
    run = ada.start(**DARTS)
    watch = ada.watch(run)
    watch.to_the_end()
    stored = watch.same_as_stored()
    shown = ada.get(f"runs/{run}")
    assert (shown["state"], shown["reproducible"]) == ("completed", True), shown["reason"]
    kinds = [event["kind"] for event in stored]
    assert {event["step"] for event in stored if event["kind"] == "structure"} >= {1, 2, 3, 4}
    assert kinds.index("family") < kinds.index("structure") < kinds.index("finalist") < kinds.index("model")
    assert "structure" in {event["kind"] for event in watch.events}, "the last picture reaches the socket"
    final = next(model for model in shown["models"] if model["role"] == "finalist")
    packed = ada.send("GET", f"models/{final['id']}/download")
    assert packed.status_code == 200
    described = next(model for model in ada.get("models")["results"] if model["id"] == final["id"])["bundle"]
    assert (len(packed.content), hashlib.sha256(packed.content).hexdigest()) == (described["size"], described["sha256"])
    with zipfile.ZipFile(io.BytesIO(packed.content)) as archive:
        archive.extractall(tmp_path)
    script = next(tmp_path.rglob("evaluate.py"))
    done = subprocess.run(
        [sys.executable, "-I", script.name], cwd=script.parent, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stderr
    numbers = [float(number) for number in re.findall(r"\d+\.\d+", done.stdout)]
    assert any(abs(number - final["metrics"]["test_accuracy"]) < 1e-3 for number in numbers), done.stdout


def test_a_killed_worker_is_replaced_by_the_other(ada: Person, crew: Stack) -> None:
    """Nobody but the reaper notices: there is no supervisor here."""
    crew.wait_for(lambda: len(workers_alive(ada)) == 2, "two workers are not alive")
    pids = {process.pid: name for name, process in crew.processes.items() if name.startswith("worker-")}

    def holder(run: str) -> list[int] | None:
        """The worker that computes the run's phase, once it has said something; nobody once the run has ended."""
        if ada.get(f"runs/{run}")["state"] in TERMINAL:
            return [0]
        at_work = [worker for worker in ada.get("workers") if worker["job"] and worker["job"]["kind"] == "phase" and worker["pid"] in pids]
        said = any(event["kind"] == "structure" for event in ada.all_events(run))
        return [worker["pid"] for worker in at_work] or None if said else None

    # A fast machine may be through with the phase between two looks: a longer search follows.
    for steps in (60, 240, 960):
        run = ada.start(**{**DARTS, "algorithms": [{"id": "darts", "options": {"steps": steps, "batch_size": 16}}]})
        pid = crew.wait_for(lambda run=run: holder(run), "no worker took the phase")[0]
        if pid:
            crew.processes[pids[pid]].send_signal(signal.SIGKILL)
        shown = wait_until_over(ada, run)
        if pid:
            break
    assert (shown["state"], shown["reproducible"]) == ("completed", True), shown["reason"]
    stored = ada.all_events(run)
    assert "lease_lost" in [event["data"]["what"] for event in stored if event["kind"] == "ops"]
    keys = [(event["source"], event["step"], event["kind"], event["ordinal"]) for event in stored if event["science"]]
    assert len(keys) == len(set(keys)), "nothing is said twice"
    assert {event["step"] for event in stored if event["kind"] == "structure"} >= set(range(1, steps + 1))
    del crew.processes[pids[pid]]


def test_strangers_find_nothing(ada: Person, grace: Person, crew: Stack) -> None:
    if not ada.get("runs")["results"]:
        wait_until_over(ada, ada.start(**DARTS))
    run = ada.get("runs")["results"][0]["id"]
    model = next((model["id"] for model in ada.get("models")["results"]), None)
    before = ada.get(f"runs/{run}")
    calls = [("GET", f"runs/{run}{tail}") for tail in ("", "/events", "/snapshot", "/structure?group=normal&edge=0")]
    calls += [("POST", f"runs/{run}/{action}") for action in ("pause", "resume", "cancel", "clone")]
    experiment = f"experiments/{before['experiment']['id']}"
    calls += [("DELETE", f"runs/{run}"), ("GET", experiment), ("DELETE", experiment)]
    calls += [("GET", f"{kind}?run={run}") for kind in ("trials", "candidates", "genomes")]
    calls += [("GET", f"models/{model}{tail}") for tail in ("", "/download")] if model else []
    for method, path in calls:
        answer = grace.send(method, path)
        assert answer.status_code == 404, (method, path, answer.text)
        assert answer.json()["code"] == "not_found" or answer.json()["status"] == 404
    assert grace.get("runs")["results"] == grace.get("models")["results"] == grace.get("experiments")["results"] == []
    assert ada.get(f"runs/{run}") == before


def catches(pid: int, number: int) -> bool:
    """Whether the process has a handler of its own for that signal."""
    (line,) = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("SigCgt:")]
    return bool(int(line.split()[1], 16) >> (number - 1) & 1)


def test_stopping_ends_everything_in_good_order(crew: Stack) -> None:
    """SIGTERM, as `docker compose stop` sends it; uvicorn ends by the signal itself once its connections are closed. A process that still
    begins has nothing to bring in order, and simply dies."""
    running = [process for process in crew.processes.values() if process.poll() is None]
    crew.wait_for(lambda: all(catches(process.pid, signal.SIGTERM) for process in running), "not all processes have begun")
    statuses = crew.stop()
    assert statuses.pop("web") in (0, -signal.SIGTERM)
    assert set(statuses.values()) == {0}, statuses
