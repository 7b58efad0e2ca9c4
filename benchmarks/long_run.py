"""What it takes to open a long run, and to go back in it.

    python -m benchmarks.long_run [--events 100000] [--candidates 10000] [--times 15] [--databases sqlite postgresql]

Makes such a run (`tests/webapp/long_run.py`), serves the application by `manage.py serve`, and asks as a page does. *Unprepared*: the
first snapshot, before anybody has prepared a keyframe. *Snapshot*: each after one more event, so that none is an earlier one sent again;
*again*: where nothing happened since; *304*: to whoever has it. *Moment*: at random events. *At once*: so many clients ask for a
snapshot that nobody has made; how far the resident memory of the web process rises meanwhile. Milliseconds are medians with quartiles, and
beside them the mean CPU time of the web process, which a busy machine changes less. PostgreSQL as in `live_events`. All else lies in
temporary folders.
"""

from __future__ import annotations

import argparse
import http.client
import os
import platform
import random
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import psutil

from benchmarks.live_events import ROOT, command, migrated, web

PROGRAM = "benchmarks.long_run"
GATES = {"snapshot": 150.0, "moment": 150.0}
MOST_BYTES, MOST_GROWTH = 300_000, 100.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--candidates", type=int, default=10_000)
    parser.add_argument("--times", type=int, default=15, help="how often each question is asked (default: 15)")
    parser.add_argument("--clients", type=int, default=30, help="how many ask at once (default: 30)")
    parser.add_argument("--databases", nargs="+", choices=["sqlite", "postgresql"], default=["sqlite", "postgresql"])
    parser.add_argument("--tell", metavar="RUN", help=argparse.SUPPRESS)
    parser.add_argument("--enter", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.tell:
        tell(options.tell)
    elif options.enter:
        enter()
    else:
        print(f"{options.events:,} events, {options.candidates:,} candidates, {len(os.sched_getaffinity(0))} cores, "
              f"Python {platform.python_version()}")  # fmt: skip
        for database in options.databases:
            measure(database, options)


# ---------------------------------------------------------------- inside the installation


def enter() -> None:
    """Print the session cookie of the run's owner."""
    import django

    django.setup()
    from django.contrib.auth import get_user_model
    from django.test import Client

    client = Client()
    owner = get_user_model().objects.get(username="benchmark")
    client.force_login(owner, backend="django.contrib.auth.backends.ModelBackend")
    print(client.cookies["nascope_session"].value)


def tell(run_id: str) -> None:
    """Say one more event for every line that comes in, and answer when it is committed."""
    import django

    django.setup()
    from django.db import transaction

    from webapp.core.locks import lock_run
    from webapp.events.store import append, ops

    for _ in sys.stdin:
        with transaction.atomic():
            append(lock_run(run_id), [ops("waiting", "one more event")])  # type: ignore[arg-type]
        print(flush=True)


# ---------------------------------------------------------------- outside


class Page:
    """Somebody who looks at the run."""

    def __init__(self, port: int, run: str, cookie: str) -> None:
        self.port, self.run = port, run
        self.headers = {"Cookie": f"nascope_session={cookie}", "Accept-Encoding": "gzip"}

    def ask(self, what: str, tag: str = "") -> tuple[int, int, str]:
        """(status, bytes, ETag)"""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        link.request("GET", f"/api/v1/runs/{self.run}/{what}", headers=self.headers | ({"If-None-Match": tag} if tag else {}))
        answer = link.getresponse()
        size = len(answer.read())
        link.close()
        return answer.status, size, answer.getheader("ETag") or ""


Answers = tuple[list[float], float, int, int]
"""Milliseconds of each, the CPU milliseconds of one, and the last status and bytes."""


def measure(database: str, options: argparse.Namespace) -> None:
    with migrated(database) as environment:
        size = ("--events", str(options.events), "--candidates", str(options.candidates))
        run = command("-m", "tests.webapp.long_run", "benchmark", *size, environment=environment).split()[-1]
        cookie = command("-m", PROGRAM, "--enter", environment=environment).split()[-1]
        words = [sys.executable, "-m", PROGRAM, "--tell", run]
        teller = subprocess.Popen(words, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            with web(environment) as (port, _):
                report(database, Page(port, run, cookie), teller, options)
        finally:
            teller.communicate()


def report(database: str, page: Page, teller: subprocess.Popen[str], options: argparse.Namespace) -> None:
    def happen() -> None:
        assert teller.stdin is not None and teller.stdout is not None
        teller.stdin.write("\n")
        teller.stdin.flush()
        teller.stdout.readline()

    process = web_process()

    def timed(what: Callable[[], str], before: Callable[[], object] = lambda: None, tag: str = "") -> Answers:
        found, status, size, worked = [], 0, 0, cpu(process)
        for _ in range(options.times):
            before()
            path = what()
            started = time.perf_counter()
            status, size, _ = page.ask(path, tag)
            found.append((time.perf_counter() - started) * 1e3)
        return found, (cpu(process) - worked) * 1e3 / options.times, status, size

    print(f"\n{database}")
    page.ask("structure?group=normal&edge=0")  # what a process does once
    started = time.perf_counter()
    status, size, _ = page.ask("snapshot")
    print(f"  unprepared   {(time.perf_counter() - started) * 1e3:8.0f} ms   {size:>9,} bytes   status {status}")
    rng = random.Random(0)
    questions: dict[str, Answers] = {"snapshot": timed(lambda: "snapshot", happen), "again": timed(lambda: "snapshot")}
    _, _, tag = page.ask("snapshot")
    if tag:
        questions["304"] = timed(lambda: "snapshot", tag=tag)
    questions["moment"] = timed(lambda: f"moment?at={rng.randrange(1, options.events)}")
    for name, (found, worked, status, size) in questions.items():
        first, middle, last = statistics.quantiles(found, n=4)
        gate = f"   (at most {GATES[name]:.0f}: {'met' if middle <= GATES[name] else 'missed'})" if name in GATES else ""
        figures = f"{middle:8.1f} ms [{first:.1f}, {last:.1f}]   CPU {worked:5.1f} ms   {size:>9,} bytes"
        print(f"  {name:<12} {figures}   status {status}{gate}")
    size = questions["snapshot"][3]
    print(f"  bytes of a snapshot: {size:,} (at most {MOST_BYTES:,}: {'met' if size <= MOST_BYTES else 'missed'})")
    happen()
    before, peak, seconds = at_once(page, options.clients)
    grown = peak - before
    print(f"  {options.clients} at once: {seconds:.2f} s; the web process from {before:.0f} to {peak:.0f} MB "
          f"(at most {MOST_GROWTH:.0f} more: {'met' if grown <= MOST_GROWTH else 'missed'})", flush=True)  # fmt: skip


def web_process() -> psutil.Process:
    [found] = [child for child in psutil.Process().children() if "serve" in child.cmdline()]
    return found


def cpu(process: psutil.Process) -> float:
    """Seconds so far."""
    times = process.cpu_times()
    return float(times.user + times.system)


def at_once(page: Page, clients: int) -> tuple[float, float, float]:
    """(MB of the web process before, at most meanwhile, seconds until all have their snapshot)"""
    process = web_process()
    sizes, over = [process.memory_info().rss / 2**20], threading.Event()

    def watch() -> None:
        while not over.wait(0.005):
            sizes.append(process.memory_info().rss / 2**20)

    watcher = threading.Thread(target=watch)
    watcher.start()
    asking = [threading.Thread(target=page.ask, args=("snapshot",)) for _ in range(clients)]
    started = time.perf_counter()
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    seconds = time.perf_counter() - started
    over.set()
    watcher.join()
    return sizes[0], max(sizes), seconds


if __name__ == "__main__":
    main()
