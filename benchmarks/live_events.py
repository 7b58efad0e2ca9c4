"""From an event's commit to the browser: how long, and is any lost?

    python -m benchmarks.live_events [--rate 200] [--clients 10] [--seconds 8] [--databases sqlite postgresql] [--batch 10]

Writes events through the event store as a worker does (in batches, one transaction each), serves the real ASGI application with uvicorn,
and listens with real WebSocket clients on 127.0.0.1, each on a session of its own. A latency runs from the moment before an event's
transaction to its arrival at a client, so the commit is inside. Prints milliseconds and what was lost; asserts nothing. PostgreSQL comes
from the machine's programs (with fsync) or, an empty database, from TEST_DATABASE_URL. All else lies in temporary folders.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = "benchmarks.live_events"
QUIET_SECONDS = 5.0
"""A client that hears nothing for so long after the writer ended has lost what is missing."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, default=200, help="events a second (default: 200)")
    parser.add_argument("--clients", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=8.0, help="how long events are written, per database")
    parser.add_argument("--batch", type=int, default=10, help="events of one transaction (default: 10, which is 50 ms at 200/s)")
    parser.add_argument("--databases", nargs="+", choices=["sqlite", "postgresql"], default=["sqlite", "postgresql"])
    parser.add_argument("--write", nargs=3, metavar=("RUN", "COUNT", "BATCH"), help=argparse.SUPPRESS)
    parser.add_argument("--prepare", type=int, metavar="CLIENTS", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.prepare:
        prepare(options.prepare)
    elif options.write:
        write(options.write[0], int(options.write[1]), options.rate, int(options.write[2]))
    else:
        print(f"{options.rate} events/s in batches of {options.batch}, {options.clients} clients, {options.seconds:g} s, "
              f"{len(os.sched_getaffinity(0))} cores, Python {platform.python_version()}")  # fmt: skip
        print("database     events  deliveries     p50     p95     p99     max  (ms)   lost  written/s")
        for database in options.databases:
            measure(database, options)


# ---------------------------------------------------------------- one installation


def prepare(clients: int) -> None:
    """Run inside the installation: a person with so many sessions, and a run that nobody works on. Prints them as JSON."""
    import django

    django.setup()
    from django.contrib.auth import get_user_model
    from django.test import Client

    from webapp.core.models import Experiment
    from webapp.jobs import states

    user = get_user_model().objects.create_user("benchmark")
    experiment = Experiment.objects.create(owner=user, name="benchmark", config={}, space="nb201")
    config = {"algorithm": "random", "space": "nb201", "datasets": ["digits"], "budget": {"trials": 1}}
    run = states.create_run(experiment, config)
    cookies = []
    for _ in range(clients):
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        cookies.append(client.cookies["nascope_session"].value)
    print(json.dumps({"run": str(run.pk), "cookies": cookies}))


def write(run_id: str, count: int, rate: int, batch: int) -> None:
    """Run inside the installation: append `count` metrics events at `rate`, `batch` a transaction. Prints the seconds it took."""
    import django

    django.setup()
    from django.db import transaction

    from search_engine.events import Event, Metrics
    from webapp.core.locks import lock_run
    from webapp.events.store import append

    started = time.monotonic()
    for first in range(0, count, batch):
        steps = range(first, min(first + batch, count))
        # The events of a batch came one after another; the batch is written when its last has come.
        time.sleep(max(0.0, started + steps[-1] / rate - time.monotonic()))
        sent = time.time()
        payloads = [Metrics(step=step, samples=64.0 * step, values={"train_loss": 1 / (step + 1), "sent": sent}) for step in steps]
        events = [Event(source="phase:0", step=payload.step, payload=payload) for payload in payloads]
        with transaction.atomic():
            append(lock_run(run_id), events)  # type: ignore[arg-type]
    print(json.dumps(time.monotonic() - started))


def measure(database: str, options: argparse.Namespace) -> None:
    home = Path(tempfile.mkdtemp(prefix="nascope-benchmark-"))
    try:
        with server(database) as url:
            environment = {**os.environ, "NASCOPE_HOME": str(home), "DJANGO_SETTINGS_MODULE": "webapp.settings"}
            environment.pop("REDIS_URL", None)
            environment["DATABASE_URL"] = url or f"sqlite:///{home / 'db.sqlite3'}"
            command("manage.py", "migrate", "--skip-checks", "--verbosity", "0", environment=environment)
            made = json.loads(command("-m", PROGRAM, "--prepare", str(options.clients), environment=environment).splitlines()[-1])
            with web(environment) as port:
                count = int(options.rate * options.seconds)
                waits, heard, seconds = asyncio.run(listen(made, port, count, options, environment))
    finally:
        shutil.rmtree(home, ignore_errors=True)
    p50, p95, p99 = np.percentile(waits, [50, 95, 99]) * 1e3
    lost, rate = options.clients * count - heard, count / seconds
    times = "".join(f"{value:>8.1f}" for value in (p50, p95, p99, max(waits) * 1e3))
    print(f"{database:<12}{count:>7}{heard:>12}{times}{lost:>13}{rate:>11.0f}", flush=True)


def command(*words: str, environment: dict[str, str]) -> str:
    done = subprocess.run([sys.executable, *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout


@contextmanager
def web(environment: dict[str, str]) -> Iterator[int]:
    """uvicorn as the supervisor starts it; yields its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    words = ["-m", "uvicorn", "webapp.asgi:application", "--port", str(port), "--ws", "websockets-sansio", "--log-level", "warning"]
    process = subprocess.Popen([sys.executable, *words, "--no-access-log"], cwd=ROOT, env=environment)
    try:
        until = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/health/ready", timeout=5).close()
                break
            except (urllib.error.URLError, OSError):
                if process.poll() is not None or time.monotonic() > until:
                    sys.exit("the web process did not start")
                time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def server(database: str) -> Iterator[str]:
    """URL of a database server for this measurement; empty for SQLite."""
    if database == "sqlite":
        yield ""
        return
    if given := os.environ.get("TEST_DATABASE_URL", ""):
        yield given
        return
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parts[-2]))
    if not programs:
        sys.exit("there is no PostgreSQL on this machine: install it, set TEST_DATABASE_URL, or give --databases sqlite")
    folder = Path(tempfile.mkdtemp(prefix="nascope-postgres-", dir="/tmp"))
    options: dict[str, Any] = {"cwd": "/", "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
        options |= {"user": "postgres", "group": "postgres", "extra_groups": []}
    subprocess.run([programs[-1] / "initdb", "-D", folder / "data", "-U", "postgres", "-A", "trust"], check=True, **options)
    process = subprocess.Popen([programs[-1] / "postgres", "-D", folder / "data", "-k", folder, "-c", "listen_addresses="], **options)
    try:
        while subprocess.run([programs[-1] / "pg_isready", "-q", "-h", folder], check=False).returncode:
            time.sleep(0.1)
        yield f"postgres://postgres@/postgres?host={folder}"
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


# ---------------------------------------------------------------- the clients


async def listen(
    made: dict[str, Any], port: int, count: int, options: argparse.Namespace, environment: dict[str, str]
) -> tuple[list[float], int, float]:
    """All clients at once while a writer process writes. Returns latencies in seconds, events heard, and the writer's seconds."""
    ready = asyncio.Semaphore(0)
    over = asyncio.Event()
    clients = [asyncio.create_task(hear(made["run"], port, cookie, count, ready, over)) for cookie in made["cookies"]]
    for _ in clients:
        await ready.acquire()
    words = ["-m", PROGRAM, "--write", made["run"], str(count), str(options.batch), "--rate", str(options.rate)]
    writer = await asyncio.create_subprocess_exec(sys.executable, *words, cwd=ROOT, env=environment, stdout=subprocess.PIPE)
    output, _ = await writer.communicate()
    over.set()
    waits = [wait for heard in await asyncio.gather(*clients) for wait in heard]
    return waits, len(waits), json.loads(output)


async def hear(run: str, port: int, cookie: str, count: int, ready: asyncio.Semaphore, over: asyncio.Event) -> list[float]:
    """Latencies of the metrics events that one client hears, in seconds; each event counts once."""
    import websockets

    waits: dict[int, float] = {}
    address = f"ws://127.0.0.1:{port}/ws/v1/runs/{run}/?after=0"
    headers = {"Cookie": f"nascope_session={cookie}"}
    async with websockets.connect(address, additional_headers=headers, origin=f"http://127.0.0.1:{port}", max_size=None) as link:  # type: ignore[arg-type]
        told = False
        while len(waits) < count:
            try:
                frame = json.loads(await asyncio.wait_for(link.recv(), QUIET_SECONDS))
            except TimeoutError:
                if over.is_set():
                    break
                continue
            now = time.time()
            if frame["type"] == "events":
                if not told:
                    told = True
                    ready.release()
                for record in frame["events"]:
                    if record["kind"] == "metrics":
                        waits.setdefault(record["seq"], now - record["data"]["values"]["sent"])
    return list(waits.values())


if __name__ == "__main__":
    main()
