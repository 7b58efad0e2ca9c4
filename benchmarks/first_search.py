"""The first search of a newcomer, from the click to the download: where the seconds go.

    python -m benchmarks.first_search [--workers 2] [--steps 0] [--home FOLDER]

Starts `manage.py up` in a home of its own, follows the login link, posts the first ready-made search as its card does, and asks for the run
as its page does. Prints for each moment the seconds since the click, and the CPU seconds that the workers (with what they started, such as
the check of the download) used since the moment before; then each worker's CPU seconds by what it was doing. On a machine with other work
only CPU seconds can be compared. `--steps` shortens the search itself, for a look at what follows it. Asserts nothing.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import httpx

from .paired import gate

ROOT = Path(__file__).resolve().parents[1]
PRESET = "darts-digits"
WAIT = 0.1
"""Seconds between two questions: how exact the moments are."""
TICK = 1 / os.sysconf("SC_CLK_TCK")
OFFERED = "the download is offered"
DOWNLOAD_SECONDS, WHOLE_SECONDS = 90, 110
"""The aims, on two quiet cores."""
OVER = ("completed", "failed", "cancelled")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--steps", type=int, default=0, help="steps of the search (default: what the card starts)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="nascope-benchmark-") as home:
        server, link = start(Path(home), options.workers)
        try:
            measure(link, options.steps)
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(60)


def start(home: Path, workers: int) -> tuple[subprocess.Popen[bytes], str]:
    """The application in `home`, and the login link that it prints once it answers."""
    own = ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE")
    environment = {name: value for name, value in os.environ.items() if name not in own} | {"NASCOPE_HOME": str(home)}
    words = ["manage.py", "up", "--port", "0", "--workers", str(workers), "--gpus", "0", "--no-browser"]
    said = home / "said.txt"
    with said.open("wb") as file:
        process = subprocess.Popen([sys.executable, *words], cwd=ROOT, env=environment, stdout=file, stderr=file, start_new_session=True)
    while (found := re.search(r"http://\S+/login/\S+", said.read_text())) is None:
        if process.poll() is not None:
            sys.exit(said.read_text())
        time.sleep(0.05)
    return process, found[0]


def measure(link: str, steps: int) -> None:
    origin = "/".join(link.split("/")[:3])
    with httpx.Client(base_url=origin, follow_redirects=True, timeout=60) as client:
        client.get(link).raise_for_status()
        token = {"X-CSRFToken": client.cookies.get("csrftoken", ""), "Origin": origin}
        presets = client.get("/api/v1/presets").raise_for_status().json()
        body = next(preset["experiment"] for preset in presets if preset["id"] == PRESET)
        if steps:
            body = {**body, "algorithms": [{**body["algorithms"][0], "options": {"steps": steps}}]}
        watch = Watch(client)
        made = client.post("/api/v1/experiments", json=body, headers=token).raise_for_status().json()
        watch.follow(made["runs"][0]["id"])
    watch.report()


class Watch:
    """Moments of one run, and what its workers used between them. The clock starts here."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._clicked = time.perf_counter()
        self._used: dict[int, float] = {}
        """CPU seconds of each worker process so far."""
        self._since = 0.0
        self._doing: dict[tuple[int, str], float] = defaultdict(float)
        self._moments: dict[str, tuple[float, float]] = {}
        self._last_seq = 0
        self._sources: dict[str, str] = {}
        self._state = ""

    def follow(self, run: str) -> None:
        while self._state not in OVER:
            shown = self._get(f"runs/{run}")
            self._state = shown["state"]
            self._count(shown["progress"]["text"] if shown["progress"] else "")
            for event in self._get(f"runs/{run}/events?after={self._last_seq}&limit=500")["events"]:
                self._last_seq = event["seq"]
                self._notice(event)
            if any(model["bundle"] and model["bundle"]["sha256"] for model in shown["models"]):
                self._moment(OFFERED)
            time.sleep(WAIT)
        self._moment(f"the run is {self._state}")

    def _notice(self, event: dict[str, Any]) -> None:
        if event["kind"] == "structure":
            self._moment("first picture")
        elif event["kind"] == "search_stopped":
            self._moment("the search has ended")
        elif event["kind"] == "model":
            self._moment(f"the {event['data']['role']} is scored")
        elif event["kind"] == "report" and event["data"]["name"] == "redundancy":
            self._moment("what can be removed is measured")

    def _moment(self, name: str) -> None:
        if name not in self._moments:
            self._moments[name] = (time.perf_counter() - self._clicked, self._since)
            self._since = 0.0

    def _count(self, text: str) -> None:
        """Add what every worker used since the last question to what it does now."""
        for worker in self._get("workers"):
            used = cpu_seconds(worker["pid"])
            spent = used - self._used.get(worker["pid"], used)
            self._used[worker["pid"]] = used
            self._since += spent
            kind = worker["job"]["kind"] if worker["job"] else "no job"
            self._doing[worker["pid"], f"{kind}: {re.sub(r'[0-9,]+', '#', text)}"] += spent

    def _get(self, path: str) -> Any:
        return self._client.get(f"/api/v1/{path}").raise_for_status().json()

    def report(self) -> None:
        print(f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}")
        print(f"{'moment':<36}{'s since the click':>18}{'CPU s since the moment before':>32}")
        for name, (at, used) in self._moments.items():
            print(f"{name:<36}{at:>18.1f}{used:>32.1f}")
        print(f"\n{'worker':<10}{'CPU s':>8}  what it did while the run's page said so")
        for (pid, doing), used in self._doing.items():
            if used >= 0.1:
                print(f"{pid:<10}{used:>8.1f}  {doing}")
        print()
        seconds = {name: at for name, (at, _) in self._moments.items()}
        if OFFERED in seconds:
            print(gate("from the click to the download", seconds[OFFERED], at_most=DOWNLOAD_SECONDS, unit="s"))
        print(gate("from the click to the end", max(seconds.values()), at_most=WHOLE_SECONDS, unit="s"))


def cpu_seconds(pid: int) -> float:
    """User and system seconds of a process and of its children that have ended; those of the running ones too."""
    total = _times(pid, children=True)
    try:
        running = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return total
    return total + sum(_times(int(child), children=True) for child in running)


def _times(pid: int, *, children: bool) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(int(value) for value in fields[11 : 15 if children else 13]) * TICK


if __name__ == "__main__":
    main()
