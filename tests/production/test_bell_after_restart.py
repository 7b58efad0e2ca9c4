"""Rings are acknowledged late, so a restart of Redis meets a worker in the middle of one: that ring is lost, the next is heard."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.patience import PATIENCE
from tests.services import Redis

from .images import ROOT

pytestmark = [pytest.mark.services, pytest.mark.slow]

LISTENER = """
import time
from pathlib import Path

import django

django.setup()
from webapp.jobs import bell, tasks


def serve():
    (Path("heard") / str(len(list(Path("heard").iterdir())))).touch()
    while not Path("over").exists():
        time.sleep(0.01)


tasks.serve.run = serve
bell._ring(1, "cpu")
bell.listener("one", "cpu").start()
"""
RING = "import django; django.setup(); from webapp.jobs import bell; bell._ring(1, 'cpu')"


@pytest.mark.parametrize("seconds", [0.0, 5.0])
def test_a_worker_hears_again(seconds: float, tmp_path: Path) -> None:
    """Without the worker's own looking: Celery alone."""
    server, heard = Redis(), tmp_path / "heard"
    heard.mkdir()
    (tmp_path / "listener.py").write_text(LISTENER)
    environment = {**os.environ, "NASCOPE_HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "DJANGO_SETTINGS_MODULE": "webapp.settings",
                   "DATABASE_URL": "", "REDIS_URL": server.url}
    listener = subprocess.Popen([sys.executable, "listener.py"], cwd=tmp_path, env=environment)

    def wait(times: int) -> None:
        until = time.monotonic() + PATIENCE
        while len(list(heard.iterdir())) < times:
            assert time.monotonic() < until and listener.poll() is None, f"ring {times} is not heard"
            time.sleep(0.05)

    try:
        wait(1)
        server.stop()
        time.sleep(seconds)
        server.start()
        (tmp_path / "over").touch()
        for times in (2, 3):
            subprocess.run([sys.executable, "-c", RING], cwd=tmp_path, env=environment, check=True)
            wait(times)
    finally:
        listener.kill()
        listener.wait()
        server.remove()
