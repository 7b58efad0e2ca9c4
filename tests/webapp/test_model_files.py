"""A model's files: put in place by who holds the lease, whole, whatever a worker that lost it still does, and left behind by nobody."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from search_engine.bundle import verify as verify_module
from search_engine.bundle.errors import BundleError
from tests.patience import PATIENCE
from webapp.core.models import Job, ModelArtefact, Run
from webapp.jobs import files, slices
from webapp.jobs.failures import give_back
from webapp.jobs.session import Session
from webapp.jobs.tasks import serve_one

from .builders import TINY, make_run

EXPORTED: dict[str, Any] = {**TINY, "budget": {"trials": 1}, "finale": {**TINY["finale"], "export": True, "onnx": False}}


def serve_all() -> None:
    session = Session("cpu")
    try:
        while serve_one(session):
            pass
    finally:
        session.end()


def assert_offered(run: Run) -> None:
    assert Run.objects.get(pk=run.pk).state == "completed"
    model = ModelArtefact.objects.get(run=run)
    folder = files.run_dir(run.pk) / "model"
    assert model.reason == "" and verify_module.read_manifest(folder)["files"]
    archive = folder.with_name("model.zip").read_bytes()
    assert (hashlib.sha256(archive).hexdigest(), len(archive)) == (model.bundle_sha256, model.bundle_size)
    assert {path.name for path in folder.parent.iterdir()} <= {"model", "model.zip", "artefacts"}


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_lost_its_lease_cannot_spoil_its_successor_s_model(monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(EXPORTED)
    real, calls = verify_module.verify, [0]

    def slow(folder: Path, data_dir: Path) -> float:
        calls[0] += 1
        if calls[0] > 1:
            return real(folder, data_dir)
        give_back(Job.objects.get(run=run, state="leased"), reason="its worker stopped answering")
        serve_all()
        assert_offered(run)
        raise BundleError("the stale worker's own trouble")

    monkeypatch.setattr(verify_module, "verify", slow)
    serve_all()
    assert calls[0] == 2
    assert_offered(run)


@pytest.mark.django_db(transaction=True)
def test_a_death_between_placing_a_model_and_its_commit_is_made_good(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.NASCOPE_SLICE_SECONDS, settings.NASCOPE_RESIDENT_JOBS = 0.0, 0
    run = make_run(EXPORTED)
    real, placed = slices._record, [False]

    def flaky(job: Job, work: Any, *rest: Any) -> None:
        if job.kind == "final" and work.finished and not placed[0]:
            placed[0] = (files.run_dir(run.pk) / "model" / "manifest.json").is_file()
            raise RuntimeError("the cable was pulled")
        real(job, work, *rest)

    monkeypatch.setattr(slices, "_record", flaky)
    serve_all()
    assert placed[0]
    assert_offered(run)


def fake_bundle(folder: Path) -> None:
    """Its evaluation says its process number and never ends."""
    folder.mkdir(parents=True)
    text = "import os, pathlib, time\npathlib.Path(os.environ['SAY']).write_text(str(os.getpid()))\ntime.sleep(86_400)\n"
    (folder / "evaluate.py").write_text(text)
    listed = {"evaluate.py": {"sha256": hashlib.sha256(text.encode()).hexdigest()}}
    (folder / "manifest.json").write_text(json.dumps({"files": listed, "evaluation": {"data_folder": None, "accuracy": 0.5}}))


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's death signal is Linux's")
def test_the_check_of_a_bundle_ends_with_its_worker_and_leaves_nothing_elsewhere(tmp_path: Path) -> None:
    folder, said, elsewhere = tmp_path / "run" / "model", tmp_path / "said", tmp_path / "tmp"
    fake_bundle(folder)
    elsewhere.mkdir()
    program = f"from pathlib import Path; from search_engine.bundle.verify import verify; verify(Path({str(folder)!r}))"
    environment = {**os.environ, "SAY": str(said), "TMPDIR": str(elsewhere)}
    worker = subprocess.Popen([sys.executable, "-c", program], env=environment)
    try:
        until = time.monotonic() + PATIENCE
        while not (said.exists() and said.read_text()) and time.monotonic() < until:
            time.sleep(0.05)
        child = psutil.Process(int(said.read_text()))
        worker.send_signal(signal.SIGKILL)
        worker.wait(PATIENCE)
        _, alive = psutil.wait_procs([child], timeout=PATIENCE)
        for process in alive:
            process.kill()
        assert not alive
    finally:
        worker.kill()
    assert list(elsewhere.iterdir()) == []
    assert len(list(folder.parent.glob(".verify-*"))) == 1, "it goes with the run's files"


def test_checking_a_bundle_ends_before_the_worker_counts_as_stuck(settings: Any) -> None:
    assert verify_module.TIMEOUT + 60 < settings.NASCOPE_PROGRESS_DEADLINE
