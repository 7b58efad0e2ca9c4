"""A model's files: put in place by who holds the lease, whole, whatever a worker that lost it still does, and left behind by nobody."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from search_engine.bundle import verify as verify_module
from search_engine.bundle.errors import BundleError
from search_engine.redundancy.study import Study
from tests.patience import PATIENCE
from webapp.core.models import Event, Job, ModelArtefact, Run
from webapp.jobs import files, slices, states
from webapp.jobs.claim import claim
from webapp.jobs.failures import give_back
from webapp.jobs.session import Session
from webapp.jobs.tasks import serve_one

from .builders import TINY, make_run

EXPORTED: dict[str, Any] = {
    **TINY, "budget": {"trials": 1}, "finale": {**TINY["finale"], "export": True, "onnx": False, "redundancy": True},
}


def serve_all() -> None:
    session = Session("cpu")
    try:
        while serve_one(session):
            pass
    finally:
        session.end()


def assert_offered(run: Run) -> None:
    """Its download is there and is what the row says, and nothing else of its work is left."""
    assert Run.objects.get(pk=run.pk).state == "completed"
    assert_packed(run)
    assert {path.name for path in files.run_dir(run.pk).iterdir()} <= {"model", "model.latency.json", "bundles", "artefacts", "continue"}


def assert_packed(run: Run) -> None:
    model = ModelArtefact.objects.get(run=run)
    folder = files.run_dir(run.pk) / "model"
    assert model.reason == "" and verify_module.read_manifest(folder)["files"]
    [path] = folder.with_name("bundles").iterdir()
    archive = path.read_bytes()
    assert path.name == f"{model.bundle_sha256}.zip"
    assert (hashlib.sha256(archive).hexdigest(), len(archive)) == (model.bundle_sha256, model.bundle_size)


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_lost_its_lease_cannot_spoil_its_successor_s_model(monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(EXPORTED)
    real, calls = verify_module.verify_all, [0]

    def slow(folders: list[Path], data_dir: Path) -> list[float]:
        calls[0] += 1
        if calls[0] > 1:
            return real(folders, data_dir)
        give_back(Job.objects.get(run=run, state="leased"), reason="its worker stopped answering")
        serve_all()
        assert_offered(run)
        raise BundleError("the stale worker's own trouble")

    monkeypatch.setattr(verify_module, "verify_all", slow)
    serve_all()
    assert calls[0] == 2
    assert_offered(run)


@pytest.mark.django_db(transaction=True)
def test_a_death_between_placing_a_model_and_its_commit_is_made_good(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.NASCOPE_SLICE_SECONDS, settings.NASCOPE_RESIDENT_JOBS = 0.0, 0
    run = make_run(EXPORTED)
    real, placed = slices._offer, [False]

    def flaky(job: Job, work: Any, *rest: Any) -> None:
        if job.kind == "final" and work.stage == "redundancy" and not placed[0]:
            placed[0] = (files.run_dir(run.pk) / "model" / "manifest.json").is_file()
            settings.NASCOPE_SLICE_SECONDS = 60.0
            raise RuntimeError("the cable was pulled")
        real(job, work, *rest)

    monkeypatch.setattr(slices, "_offer", flaky)
    serve_all()
    assert placed[0]
    assert_offered(run)


# ---- offered as soon as it is verified; what can be removed is measured after that


def said(run: Run) -> list[str]:
    """Names of what the finalist's work said, in order: the model's score, the report or the notice about what can be removed."""
    rows = Event.objects.filter(run=run, source="final:0", kind__in=("model", "report", "notice")).order_by("seq")
    return [row.kind for row in rows]


def offer(session: Session) -> Run:
    """A run up to the moment when its model is offered, in slices of one unit, every one of them loaded from its checkpoint."""
    run = make_run(EXPORTED)
    while not ModelArtefact.objects.filter(run=run).exclude(bundle_sha256="").exists():
        assert serve_one(session), "the run ended before its model was offered"
    return run


@pytest.fixture
def session(settings: Any) -> Iterator[Session]:
    settings.NASCOPE_SLICE_SECONDS, settings.NASCOPE_RESIDENT_JOBS = 0.0, 0
    session = Session("cpu")
    yield session
    session.end()


@pytest.mark.django_db(transaction=True)
def test_a_model_is_offered_before_what_can_be_removed_is_measured(
    session: Session, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, started = subprocess.run, []
    monkeypatch.setattr(subprocess, "run", lambda *args, **options: started.append(args) or real(*args, **options))
    run = offer(session)
    assert_packed(run)
    shown = Run.objects.get(pk=run.pk)
    assert (shown.state, said(run)) == ("running", ["model"])
    assert shown.progress["text"] == "best architecture: the download is ready; measuring what can be removed"
    assert 0.5 < shown.progress["fraction"] < 1
    assert list((files.run_dir(run.pk) / "staging").iterdir()) == []
    offered = ModelArtefact.objects.values().get(run=run)
    settings.NASCOPE_SLICE_SECONDS = 60.0
    while serve_one(session):
        pass
    assert_offered(run)
    assert said(run) == ["model", "report"]
    assert ModelArtefact.objects.values().get(run=run) == offered, "what is offered does not change silently"
    assert len(started) == 1, "one process has checked it"


@pytest.mark.django_db(transaction=True)
def test_a_model_that_is_offered_stays_when_the_run_is_cancelled(session: Session) -> None:
    run = offer(session)
    assert serve_one(session)
    states.cancel(run.pk)
    assert not serve_one(session)
    assert_packed(run)
    assert (Run.objects.get(pk=run.pk).state, said(run)) == ("cancelled", ["model"])
    assert {path.name for path in files.run_dir(run.pk).iterdir()} <= {"model", "model.latency.json", "bundles", "artefacts", "continue"}


@pytest.mark.django_db(transaction=True)
def test_a_model_that_is_offered_stays_when_its_study_fails(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    run = offer(session)
    monkeypatch.setattr(Study, "advance", lambda _self: {}["nothing"])
    while serve_one(session):
        pass
    assert_offered(run)
    assert said(run) == ["model", "notice"]
    notice = Event.objects.get(run=run, source="final:0", kind="notice")
    assert notice.data["message"] == "what can be removed could not be measured: 'nothing'"


@pytest.mark.django_db(transaction=True)
def test_a_model_that_is_offered_stays_when_its_study_kills_every_worker(session: Session) -> None:
    run = offer(session)
    assert serve_one(session)
    metrics = ModelArtefact.objects.get(run=run).metrics
    for _ in range(3):
        job = claim(session.worker)
        assert job is not None and job.kind == "final"
        assert give_back(job, reason="its worker was killed")
    while serve_one(session):
        pass
    assert_offered(run)
    ended = Run.objects.get(pk=run.pk)
    assert not ended.reproducible and "entrant 1 of the finale failed because of the machine" in ended.reproducible_note
    assert said(run) == ["model"]
    assert ModelArtefact.objects.get(run=run).metrics == metrics and metrics["test_accuracy"] > 0
    assert Job.objects.get(run=run, kind="final").state == "taken"


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
