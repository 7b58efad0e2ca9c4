"""The application as somebody runs it, for benchmarks: `manage.py up` on a home of its own, a person logged in by the link."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil

ROOT = Path(__file__).resolve().parents[1]
OVER = ("completed", "failed", "cancelled")
LINK = re.compile(r"(http://127\.0\.0\.1:\d+)/login/[\w-]+/")


class Installation:
    """A running application. `ready_seconds`: from the start of the command until it printed its link."""

    def __init__(self, process: subprocess.Popen[str], link: re.Match[str], ready_seconds: float) -> None:
        self.process = process
        self.ready_seconds = ready_seconds
        self.origin = link[1]
        self.client = httpx.Client(base_url=self.origin, timeout=120, follow_redirects=True)
        self.client.get(link[0]).raise_for_status()
        self.client.get("/").raise_for_status()  # sets the cookie against forged requests

    def post(self, path: str, body: Any = None) -> Any:
        headers = {"X-CSRFToken": self.client.cookies.get("csrftoken", ""), "Origin": self.origin}
        return self.client.post(f"/api/v1/{path}", json=body, headers=headers).raise_for_status().json()

    def get(self, path: str) -> Any:
        return self.client.get(f"/api/v1/{path}").raise_for_status().json()

    def start(self, body: dict[str, Any]) -> str:
        """Start an experiment of one run; the run's id."""
        return str(self.post("experiments", body)["runs"][0]["id"])

    def finished(self, run: str) -> dict[str, Any]:
        """The run once it is over."""
        while True:
            shown: dict[str, Any] = self.get(f"runs/{run}")
            if shown["state"] in OVER:
                return shown
            time.sleep(0.1)

    def children(self) -> dict[str, psutil.Process]:
        """The web process and the workers by what they are called."""
        named = {}
        for child in psutil.Process(self.process.pid).children(recursive=True):
            words = child.cmdline()
            named["web" if "serve" in words else words[-1]] = child
        return named


@contextmanager
def installation(home: Path, workers: int, **more: str) -> Iterator[Installation]:
    """The application in `home`; `more` are environment variables of all its processes."""
    own = ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE", "NASCOPE_PARENT_PID")
    environment = {name: value for name, value in os.environ.items() if name not in own}
    words = ["manage.py", "up", "--port", "0", "--workers", str(workers), "--gpus", "0", "--no-browser"]
    with (home / "said.txt").open("ab") as said:
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, *words], cwd=ROOT, env={**environment, "NASCOPE_HOME": str(home), "OMP_NUM_THREADS": "1", **more}, text=True,
            stdout=subprocess.PIPE, stderr=said, start_new_session=True,
        )  # fmt: skip
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        seconds = time.perf_counter() - started
        link = LINK.search(line)
        if link is None:
            sys.exit((home / "said.txt").read_text()[-4000:])
        yield Installation(process, link, seconds)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def cpu_seconds(process: psutil.Process) -> float:
    """Processor seconds that a process has used, in user and system mode."""
    times = process.cpu_times()
    return float(times.user + times.system)
