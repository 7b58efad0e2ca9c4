"""From an event's commit to the browser: how long, and is any lost?

    python -m benchmarks.live_events [--rate 200] [--clients 10] [--seconds 8] [--databases sqlite postgresql] [--batch 10]

Writes events through the event store as a worker does (in batches, one transaction each), serves the application by `manage.py serve`, and
listens with real WebSocket clients on 127.0.0.1, each on a session of its own. A latency runs from the moment before an event's
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
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import psutil
from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.frames import Frame, Opcode
from websockets.typing import Origin
from websockets.uri import parse_uri

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
        print("database     events  deliveries     p50     p95     p99     max  (ms)   lost  written/s    web s  µs each")
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
    with migrated(database) as environment:
        made = json.loads(command("-m", PROGRAM, "--prepare", str(options.clients), environment=environment).splitlines()[-1])
        with web(environment) as (port, process):
            count = int(options.rate * options.seconds)
            before = psutil.Process(process).cpu_times()
            waits, heard, seconds = asyncio.run(listen(made, port, count, options, environment))
            after = psutil.Process(process).cpu_times()
    p50, p95, p99 = np.percentile(waits, [50, 95, 99]) * 1e3
    lost, rate = options.clients * count - heard, count / seconds
    times = "".join(f"{value:>8.1f}" for value in (p50, p95, p99, max(waits) * 1e3))
    cpu = after.user + after.system - before.user - before.system
    busy = 1e6 * cpu / max(heard, 1)
    print(f"{database:<12}{count:>7}{heard:>12}{times}{lost:>13}{rate:>11.0f}{cpu:>9.1f}{busy:>9.0f}", flush=True)


@contextmanager
def migrated(database: str, **more: str) -> Iterator[dict[str, str]]:
    """The environment of an application of its own, without Redis, in a temporary folder on an empty database of that kind; with `more`."""
    home = Path(tempfile.mkdtemp(prefix="nascope-benchmark-"))
    try:
        with server(database) as url:
            environment = {**os.environ, "NASCOPE_HOME": str(home), "DJANGO_SETTINGS_MODULE": "webapp.settings", **more}
            environment.pop("REDIS_URL", None)
            environment["DATABASE_URL"] = url or f"sqlite:///{home / 'db.sqlite3'}"
            command("manage.py", "migrate", "--skip-checks", "--verbosity", "0", environment=environment)
            yield environment
    finally:
        shutil.rmtree(home, ignore_errors=True)


def command(*words: str, environment: dict[str, str]) -> str:
    done = subprocess.run([sys.executable, *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout


@contextmanager
def web(environment: dict[str, str]) -> Iterator[tuple[int, int]]:
    """The web process as the supervisor starts it; yields its port and its process id."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    process = subprocess.Popen([sys.executable, "manage.py", "serve", "--port", str(port)], cwd=ROOT, env=environment)
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
        yield port, process.pid
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
    loop = asyncio.get_running_loop()
    ears = [Ear(made["run"], port, cookie, count) for cookie in made["cookies"]]
    for ear in ears:
        await loop.create_connection(lambda ear=ear: ear, "127.0.0.1", port)  # type: ignore[misc]
    for ear in ears:
        await ear.listens.wait()
    words = ["-m", PROGRAM, "--write", made["run"], str(count), str(options.batch), "--rate", str(options.rate)]
    writer = await asyncio.create_subprocess_exec(sys.executable, *words, cwd=ROOT, env=environment, stdout=subprocess.PIPE)
    output, _ = await writer.communicate()
    for ear in ears:
        while not ear.all_heard.is_set() and time.monotonic() - ear.last_heard < QUIET_SECONDS:
            await asyncio.wait([asyncio.create_task(ear.all_heard.wait())], timeout=QUIET_SECONDS)
    waits = [wait for ear in ears for wait in ear.waits.values()]
    return waits, len(waits), json.loads(output)


class Ear(asyncio.Protocol):
    """One client, as cheap as it can be: a browser would have a machine of its own, and what is measured is the server. Equal messages are
    unpacked once for all clients."""

    unpacked: ClassVar[dict[bytes, tuple[str, list[tuple[int, float]]]]] = {}
    """By compressed payload: the frame's type, and (number, moment of sending) of its metrics events."""

    def __init__(self, run: str, port: int, cookie: str, count: int) -> None:
        address = parse_uri(f"ws://127.0.0.1:{port}/ws/v1/runs/{run}/?after=0")
        # Each message on its own, or one client's could not be read with another's.
        deflate = ClientPerMessageDeflateFactory(server_no_context_takeover=True)
        self.opening = ClientProtocol(address, origin=Origin(f"http://127.0.0.1:{port}"), extensions=[deflate])
        self.cookie = cookie
        self.waits: dict[int, float] = {}
        self.count = count
        self.listens, self.all_heard = asyncio.Event(), asyncio.Event()
        self.last_heard = time.monotonic()
        self._open = False
        self._rest = b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        request = self.opening.connect()
        request.headers["Cookie"] = f"nascope_session={self.cookie}"
        self.opening.send_request(request)
        transport.write(b"".join(self.opening.data_to_send()))

    def data_received(self, data: bytes) -> None:
        now = time.time()
        self._rest += data
        if not self._open:
            head, end, rest = self._rest.partition(b"\r\n\r\n")
            if not end:
                return
            self.opening.receive_data(head + end)
            if self.opening.handshake_exc is not None:
                raise self.opening.handshake_exc
            self._open, self._rest = True, rest
        while (frame := self._frame()) is not None:
            opcode, payload = frame
            if opcode == Opcode.PING:
                self.transport.write(Frame(Opcode.PONG, payload).serialize(mask=True))
            elif opcode == Opcode.TEXT:
                self._take(payload, now)

    def _frame(self) -> tuple[int, bytes] | None:
        """The next whole frame; the server's are never masked."""
        rest = self._rest
        if len(rest) < 2:
            return None
        size, begin = rest[1], 2
        if size >= 126:
            begin = 4 if size == 126 else 10
            if len(rest) < begin:
                return None
            size = int.from_bytes(rest[2:begin], "big")
        if len(rest) < begin + size:
            return None
        self._rest = rest[begin + size :]
        return rest[0] & 15, rest[begin : begin + size]

    def _take(self, payload: bytes, now: float) -> None:
        self.last_heard = time.monotonic()
        if payload not in self.unpacked:
            frame = json.loads(zlib.decompressobj(wbits=-15).decompress(payload + b"\x00\x00\xff\xff"))
            metrics = [record for record in frame.get("events", []) if record["kind"] == "metrics"]
            self.unpacked[payload] = frame["type"], [(record["seq"], record["data"]["values"]["sent"]) for record in metrics]
        kind, heard = self.unpacked[payload]
        if kind != "hello":
            self.listens.set()
        for number, sent in heard:
            self.waits.setdefault(number, now - sent)
        if len(self.waits) >= self.count:
            self.all_heard.set()


if __name__ == "__main__":
    main()
