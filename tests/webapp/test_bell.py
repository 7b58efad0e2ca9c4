"""The doorbell: a ring is heard by its kind of device, and names a task that workers have."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from kombu.utils.json import loads

from tests.patience import PATIENCE
from webapp.celery import app
from webapp.core.models import Job
from webapp.jobs import bell
from webapp.jobs.clock import after

from .builders import make_job, make_run, make_worker

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def rung(settings: Any) -> Any:
    """What lies in the embedded broker: (queue, name of the task) of each ring, oldest first."""
    folder = Path(settings.BROKER_DIR) / "queue"

    def read() -> list[tuple[str, str]]:
        found = []
        for path in sorted(folder.iterdir()):
            found.append((path.name.partition(".")[2].removesuffix(".msg"), loads(path.read_text())["headers"]["task"]))
            path.unlink()
        return found

    read()
    return read


def test_a_ring_names_a_task_that_workers_have(rung: Any) -> None:
    bell.ring(device="cuda:1")
    assert rung() == [("doorbell.cuda", bell.TASK)]
    app.loader.import_default_modules()  # as a worker does at its start
    assert bell.TASK in app.tasks


def test_without_a_device_every_kind_hears_it_as_often_as_workers_of_it_are_idle(rung: Any) -> None:
    make_worker("cpu"), make_worker("cpu"), make_worker("cuda:0")
    gone = make_worker("tpu")
    gone.last_seen = after(-3600)
    gone.save()
    busy, job = make_worker("cuda:1"), make_job(make_run())
    rung()
    Job.objects.filter(pk=job.pk).update(state=Job.State.LEASED, worker=busy)
    bell.ring(2)
    assert sorted(rung()) == [("doorbell.cpu", bell.TASK)] * 2 + [("doorbell.cuda", bell.TASK)]
    bell.ring()
    assert sorted(rung()) == [("doorbell.cpu", bell.TASK), ("doorbell.cuda", bell.TASK)]


def test_what_is_rolled_back_rings_for_nobody(rung: Any) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        bell.ring(device="cpu")
        raise RuntimeError("rolled back")
    assert rung() == []


LISTENER = """
import sys, time
from pathlib import Path

import django

django.setup()
from webapp.jobs import bell, tasks

name = sys.argv[1]


def serve():
    Path("heard", name).touch()
    while not Path("over").exists():
        time.sleep(0.01)


tasks.serve.run = serve
if name == "busy":
    bell.ring(device="cpu"), bell.ring(device="cpu")
bell.listener(name, "cpu").start()
"""


def test_a_busy_worker_leaves_the_next_ring_to_an_idle_one(tmp_path: Path) -> None:
    heard = tmp_path / "heard"
    heard.mkdir()
    (tmp_path / "listener.py").write_text(LISTENER)
    environment = {**os.environ, "NASCOPE_HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "DJANGO_SETTINGS_MODULE": "webapp.settings",
                   "DATABASE_URL": "", "REDIS_URL": ""}
    listeners = []
    try:
        # The other one comes when the first is long at work: nobody else could have heard the second ring until then.
        for name in ("busy", "idle"):
            listeners.append(subprocess.Popen([sys.executable, "listener.py", name], cwd=tmp_path, env=environment))
            until = time.monotonic() + PATIENCE
            while not (heard / name).exists():
                assert time.monotonic() < until and listeners[-1].poll() is None, f"the {name} one hears nothing"
                time.sleep(0.01)
    finally:
        (tmp_path / "over").touch()
        for listener in listeners:
            listener.terminate()
            listener.wait(PATIENCE)
