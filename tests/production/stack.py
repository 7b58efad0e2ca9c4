"""The production stack without containers: the very commands of docker/compose.yaml, started by hand on real servers.

`python` becomes this interpreter, the web process listens on a free port of 127.0.0.1, and files lie in a temporary folder. As in the
web image, the packages that it leaves out (torch first of all) cannot be imported by what runs from it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from search_engine.base.children import ends_with_parent
from tests.patience import PATIENCE
from tests.services import free_port

from .images import ROOT, compose, without_packages

MODULES = {"scikit-learn": "sklearn"}
"""Import names of packages that have another."""


@dataclass
class Stack:
    """Processes by name; `stop` ends all of them."""

    home: Path
    database_url: str
    redis_url: str
    more: dict[str, str] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    port: int = 0

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        absent = self.home / "absent"
        for name in without_packages():
            package = absent / MODULES.get(name, name)
            package.mkdir(parents=True)
            (package / "__init__.py").write_text(f"raise ModuleNotFoundError('the web image has no {name}', name='{name}')\n")
        self.port = free_port()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def environment(self, image: str) -> dict[str, str]:
        """What a container of this image would have, with the servers of this test."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "NASCOPE_DATA") if name in os.environ}
        given = {
            "SECRET_KEY": "of-this-test-only", "DATABASE_URL": self.database_url, "REDIS_URL": self.redis_url,
            "NASCOPE_HOME": str(self.home), "ALLOWED_HOSTS": "nascope.test,127.0.0.1", "OMP_NUM_THREADS": "1",
            "DJANGO_SETTINGS_MODULE": "webapp.settings", **self.more,
        }
        if image.startswith("nascope-web"):
            given["PYTHONPATH"] = str(self.home / "absent")
        return {**kept, **given}

    def command(self, service: str) -> list[str]:
        words = list(compose()["services"][service]["command"])
        assert words[0] == "python"
        words[0] = sys.executable
        if "--port" in words:
            words[words.index("--host") + 1] = "127.0.0.1"
            words[words.index("--port") + 1] = str(self.port)
        return words

    def start(self, service: str, name: str = "") -> subprocess.Popen[bytes]:
        """Start what compose starts for `service`."""
        image = compose()["services"][service]["image"]
        return self.run(name or service, self.command(service), self.environment(image))

    def run(self, name: str, words: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
        """Start this command as the process `name`. A test that is killed leaves none behind."""
        process = subprocess.Popen(ends_with_parent(words), cwd=ROOT, env=environment, start_new_session=True)
        self.processes[name] = process
        return process

    def migrate(self) -> None:
        assert self.start("migrate").wait(PATIENCE) == 0

    def serve(self) -> None:
        """Start the web process and wait for its container's own health check."""
        web = self.start("web")
        self.wait_for(self.healthy, "the web process is not healthy", lambda: web.poll() is None)

    def staff(self, workers: int) -> None:
        """Start the reaper and so many CPU workers. A short lease, so that the death of a worker is noticed soon."""
        self.more |= {"NASCOPE_LEASE_SECONDS": "3", "NASCOPE_HEARTBEAT_SECONDS": "0.5", "NASCOPE_SLICE_SECONDS": "0.3"}
        self.start("reaper")
        for number in range(workers):
            self.start("worker-cpu", f"worker-{number}")

    def healthy(self) -> bool:
        check = [sys.executable, "docker/healthcheck.py", f"{self.origin}/api/v1/health/ready"]
        return subprocess.run(check, cwd=ROOT, env=self.environment("nascope-web"), capture_output=True, check=False).returncode == 0

    def manage(self, *arguments: str, **environment: str) -> str:
        """A command in the web container (`docker compose exec web ...`)."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments], cwd=ROOT, env={**self.environment("nascope-web"), **environment},
            capture_output=True, text=True, timeout=PATIENCE, check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def program(self, module: str, *arguments: str) -> subprocess.Popen[str]:
        """A program of the tests in this installation; it prints JSON on its last line."""
        environment = {**self.environment("tests"), "PYTHONPATH": str(ROOT)}
        return subprocess.Popen(
            [sys.executable, "-m", module, *arguments], cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def wait_for(self, ready: Callable[[], Any], what: str, alive: Callable[[], bool] = lambda: True) -> Any:
        until = time.monotonic() + PATIENCE
        while not (answer := ready()):
            assert alive(), f"{what}: the process ended"
            assert time.monotonic() < until, f"{what} after {PATIENCE:.0f} s"
            time.sleep(0.1)
        return answer

    def stop(self) -> dict[str, int]:
        """SIGTERM to all, as `docker compose stop` does. Returns their exit statuses."""
        for process in self.processes.values():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        statuses = {}
        for name, process in self.processes.items():
            try:
                statuses[name] = process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                statuses[name] = process.wait()
        return statuses


def answer(process: subprocess.Popen[str], seconds: float = PATIENCE) -> Any:
    """Wait for a program of the tests; what it printed last, as JSON."""
    output, errors = process.communicate(timeout=seconds)
    assert process.returncode == 0, errors
    return json.loads(output.strip().splitlines()[-1])
