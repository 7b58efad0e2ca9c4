"""The embedded installation as somebody runs it: `manage.py up` on a folder of its own, a browser's session, the database file."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.patience import PATIENCE

from .images import ROOT
from .searches import Science, science_of

TERMINAL = ("completed", "failed", "cancelled")


class Embedded:
    """`up` starts it (again), `down` ends it in good order; `more` are environment variables of all its processes."""

    def __init__(self, home: Path, workers: int, gpus: int = 0, **more: str) -> None:
        self.home = home
        self.workers = workers
        self.gpus = gpus
        self.more = more
        self.home.mkdir(parents=True, exist_ok=True)
        self.log = home.parent / f"{home.name}.log"
        self.process: subprocess.Popen[str] | None = None
        self.client = httpx.Client()

    # ---------------------------------------------------------------- processes

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE")}
        return {**kept, "NASCOPE_HOME": str(self.home), "OMP_NUM_THREADS": "1", **self.more}

    def up(self) -> None:
        """Start the supervisor, wait until it is ready, and log in with the link that it prints."""
        words = ["manage.py", "up", "--port", "0", "--workers", str(self.workers), "--gpus", str(self.gpus), "--no-browser"]
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, *words], cwd=ROOT, env=self.environment(), text=True, stdout=subprocess.PIPE, stderr=log
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        link = re.search(r"(http://127\.0\.0\.1:\d+)/login/[\w-]+/", line)
        assert link, f"{line!r}\n{self.said()}"
        self.client.close()
        self.client = httpx.Client(base_url=link.group(1), timeout=PATIENCE)
        assert self.client.get(link.group(0)).status_code in (302, 303)
        self.client.get("/")  # sets the CSRF cookie

    def said(self) -> str:
        """The last of what the processes wrote to stderr."""
        return self.log.read_text()[-6000:] if self.log.exists() else ""

    def family(self) -> list[psutil.Process]:
        """The supervisor's children, and theirs."""
        assert self.process is not None
        return psutil.Process(self.process.pid).children(recursive=True)

    def web(self) -> psutil.Process | None:
        """The web process, if it lives at this moment."""
        return next((child for child in self.family() if "webapp serve" in _command(child)), None)

    def kill_everything(self, *, children: bool) -> list[psutil.Process]:
        """kill -9 of the supervisor, and of each of its children where asked; returns those that are still there after that."""
        assert self.process is not None
        family = self.family()
        self.process.kill()
        for child in family if children else ():
            _kill(child)
        self.process.wait()
        _, left = psutil.wait_procs(family, timeout=PATIENCE)
        return [child for child in left if _lives(child)]

    def down(self) -> None:
        """Ctrl-C; what remains after that is killed."""
        self.client.close()
        if self.process is None or self.process.poll() is not None:
            return
        family = self.family()
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for child in family:
            _kill(child)

    # ---------------------------------------------------------------- REST

    def send(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """A request to the API. While the web process is away (it was killed) it is sent again."""
        headers = {
            "X-CSRFToken": self.client.cookies.get("csrftoken", ""), "Origin": str(self.client.base_url).rstrip("/"),
            "Idempotency-Key": str(uuid.uuid4()),
        }
        until = time.monotonic() + PATIENCE
        while True:
            try:
                return self.client.request(method, f"/api/v1/{path}", json=body, headers=headers)
            except httpx.TransportError:
                assert time.monotonic() < until, f"the web process did not come back\n{self.said()}"
                time.sleep(0.2)

    def get(self, path: str) -> Any:
        answer = self.send("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def start(self, config: dict[str, Any]) -> str:
        """Start one search, given as the command line's config; its run's id."""
        body = {name: value for name, value in config.items() if name not in ("algorithm", "options", "seed", "together")}
        algorithm = {"id": config["algorithm"], "options": config.get("options", {})}
        body |= {"name": "test", "algorithms": [algorithm], "seeds": [config["seed"]], "runtime": {"together": config.get("together", 1)}}
        answer = self.send("POST", "experiments", body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["runs"][0]["id"])

    def act(self, run: str, action: str) -> dict[str, Any]:
        answer = self.send("POST", f"runs/{run}/{action}")
        assert answer.status_code == 202, answer.text
        return answer.json()  # type: ignore[no-any-return]

    def events(self, run: str) -> list[dict[str, Any]]:
        """The whole log, page by page. Its numbers are 1, 2, 3, ... without a hole."""
        events: list[dict[str, Any]] = []
        while True:
            page = self.get(f"runs/{run}/events?after={len(events)}&limit=500")
            events += page["events"]
            assert [event["seq"] for event in events] == list(range(1, len(events) + 1)), "a hole in the log"
            if not page["has_more"]:
                return events

    def science(self, run: str) -> Science:
        return science_of(self.events(run))

    def ops(self, run: str) -> list[str]:
        """What happened to the run, in order."""
        return [event["data"]["what"] for event in self.events(run) if event["kind"] == "ops"]

    def finished(self, run: str) -> dict[str, Any]:
        """The run when it is over."""
        self.wait(lambda: self.get(f"runs/{run}")["state"] in TERMINAL, "the run does not end")
        return self.get(f"runs/{run}")  # type: ignore[no-any-return]

    def wait(self, ready: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
        """What `ready` answers as soon as that is true; fails after `seconds`."""
        until = time.monotonic() + seconds
        while not (answer := ready()):
            assert time.monotonic() < until, f"{what}\n{self.said()}"
            time.sleep(0.05)
        return answer

    # ---------------------------------------------------------------- the database

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Read the database file itself: what holds a lease, and which process."""
        database = sqlite3.connect(f"file:{self.home / 'db.sqlite3'}?mode=ro", uri=True, timeout=PATIENCE)
        try:
            return database.execute(query, [value.replace("-", "") if isinstance(value, str) else value for value in values]).fetchall()
        finally:
            database.close()

    def leases(self, run: str) -> int:
        return int(self.rows("SELECT count(*) FROM core_job WHERE run_id = ? AND state = 'leased'", run)[0][0])

    def holders(self, run: str, kind: str) -> list[int]:
        """Processes that hold a lease on the run's work of this kind."""
        query = (
            "SELECT w.pid FROM core_job j JOIN core_worker w ON w.id = j.worker_id "
            "WHERE j.run_id = ? AND j.kind = ? AND j.state = 'leased'"
        )
        return [row[0] for row in self.rows(query, run, kind)]


def clean_log(events: list[dict[str, Any]]) -> None:
    """No science key stands twice, and no repeated work gave another result."""
    keys = [(event["source"], event["step"], event["kind"], event["ordinal"]) for event in events if event["science"]]
    assert len(keys) == len(set(keys))
    assert not [json.dumps(event) for event in events if event["kind"] == "ops" and event["data"]["what"] == "diverged"]


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def _kill(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.NoSuchProcess:
        return


def _lives(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
