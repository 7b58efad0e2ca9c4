"""The doorbell: a ring is heard by its kind of device, and names a task that workers have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from kombu.utils.json import loads

from webapp.celery import app
from webapp.jobs import bell
from webapp.jobs.clock import after

from .builders import make_job, make_run, make_worker

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
    busy = make_worker("cuda:1")
    busy.job = make_job(make_run())
    busy.save()
    rung()
    bell.ring(2)
    assert sorted(rung()) == [("doorbell.cpu", bell.TASK)] * 2 + [("doorbell.cuda", bell.TASK)]
    bell.ring()
    assert sorted(rung()) == [("doorbell.cpu", bell.TASK), ("doorbell.cuda", bell.TASK)]


def test_what_is_rolled_back_rings_for_nobody(rung: Any) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        bell.ring(device="cpu")
        raise RuntimeError("rolled back")
    assert rung() == []
