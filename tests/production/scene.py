"""Searches and a visitor on a production stack of which things go away at moments of one's choice.

Every search that ends is started again, so that at every moment each kind of work is there; whatever happens, each says the science of an
undisturbed one. The visitor sends each kind of request in turn, all the time, so an outage begins before, during and after each.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg

from tests.patience import PATIENCE
from tests.services import Postgres, Redis, free_port
from webapp.jobs.states import BY_ITS_OWNER, NO_SPACE

from .cable import Cable
from .outages import DatabaseClock, Gone, NetworkTrouble, Outage, PostgresFull, PostgresGone, ProcessClock, RedisGone
from .person import TERMINAL, Person
from .searches import COLONY, COUNTING, GROWTH, TASKS, TINY, TRAINED, CommandLine, Science, assert_same, science_of
from .small_disk import SmallDisk
from .tended import TendedStack

SEARCHES: dict[str, dict[str, Any]] = {
    "darts": {
        "algorithm": "darts", "options": {"steps": 24, "batch_size": 16}, "space": "nb201", "space_options": {"cells": 1, "channels": 4},
        "datasets": ["digits"], "seed": 8, "finale": {"baselines": 1, "export": False, "redundancy": False, "training": TINY},
    },
    "random": {**TRAINED, "budget": {"trials": 6}, "training": {**TINY, "epochs": 3, "train_examples": 512}},
    "wann": {**GROWTH, "options": {"population": 32, "generations": 20, "batch_size": 200}},
    "deepswarm": COLONY,
    "pathnet": {**TASKS, "finale": {"export": False}},
}
"""By steps and by trials. Some of each are there at every moment."""
ASKED: dict[str, Any] = {**COUNTING, "budget": {"trials": 30}}
"""What the visitor starts, as often as he may."""
KINDS = ("advance", "trial", "phase", "final")
BEFORE = {"advance": "trial", "trial": "advance", "phase": "advance", "final": "phase"}
"""What is at work before each. With a worker to spare hardly anything waits long enough to be seen waiting."""
WHEN = ("before", "during", "after")
MOMENTS = [(when, kind) for kind in KINDS for when in WHEN]


def body_of(config: dict[str, Any]) -> dict[str, Any]:
    """The command line's config as the API takes it."""
    body = {name: value for name, value in config.items() if name not in ("algorithm", "options", "seed")}
    algorithm = {"id": config["algorithm"], "options": config.get("options", {})}
    return {"name": "outage", **body, "algorithms": [algorithm], "seeds": [config["seed"]]}


def undisturbed(folder: Path, names: Iterable[str] = SEARCHES) -> dict[str, Science]:
    """The same searches on the command line."""
    configs = {**{name: SEARCHES[name] for name in names}, "asked": ASKED}
    lines = {name: CommandLine(config, folder / name) for name, config in configs.items()}
    return {name: line.science() for name, line in lines.items()}


@dataclass
class Visitor:
    """Sends every kind of request again and again, in a thread of its own; writes down what it was answered."""

    person: Person
    chance: random.Random
    disk: SmallDisk
    allowed: tuple[int, ...] = ()
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._visit, name="visitor", daemon=True)
        self._rare = 0.0
        self._space_was_short = False

    def start(self) -> None:
        self._thread.start()

    def leave(self) -> None:
        self._over.set()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "a request is not answered"

    def _visit(self) -> None:
        while not self._over.is_set():
            for request in self._round():
                request()
                if self._over.wait(0.05):
                    return

    def _round(self) -> list[Callable[[], Any]]:
        read = ["me", "runs", "workers", "experiments", "models", "health/ready", "algorithms", *(f"runs/{run}" for run in self.runs[-1:])]
        read += [f"runs/{run}/events" for run in self.runs[-1:]]
        requests: list[Callable[[], Any]] = [lambda path=path: self._send("GET", path, (200,)) for path in read]  # type: ignore[misc]
        requests += [
            lambda: self._send("POST", "experiments/validate", (200,), body_of(ASKED)),
            lambda: self._send("POST", "ws-tickets", (201, 429)),
            *(lambda action=action: self._act(action) for action in ("pause", "resume")),  # type: ignore[misc]
        ]
        if time.monotonic() - self._rare > 6.0:
            # Oftener is not allowed.
            self._rare = time.monotonic()
            requests += [self._begin, self._log_in, self._estimate, self._clone_and_delete]
        self.chance.shuffle(requests)
        return requests

    def _send(self, method: str, path: str, expected: tuple[int, ...], body: Any = None) -> httpx.Response | None:
        # Taken before: an outage that is over when the answer comes may have begun it.
        allowed, full = self.allowed, self.disk.full_since
        try:
            answer = self.person.send(method, path, body)
        except httpx.HTTPError as error:
            self.answers[f"{method}", 0] += 1
            if 0 not in allowed + self.allowed:
                self.wrong.append(f"{method} {path}: {error!r}")
            return None
        allowed += self.allowed
        if method == "GET" and answer.status_code == 200:
            self._judge(path, answer.json(), full=full > 0 and full == self.disk.full_since)
        kind = path.split("/")[0] if method == "GET" else path.rsplit("/", 1)[-1] if "/" in path else path
        self.answers[f"{method} {kind}", answer.status_code] += 1
        if answer.status_code not in (*expected, *allowed):
            self.wrong.append(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        return answer

    def _judge(self, path: str, shown: dict[str, Any], *, full: bool) -> None:
        """What is said of a run is true: it stands still for the reason that there is, it fails for none. `full`: the disk was, all the
        while."""
        if path == "health/ready" and full and not shown["checks"]["work"].startswith("the disk is full"):
            self.wrong.append(f"the disk is full, and ready says {shown['checks']}")
        if path.removeprefix("runs/") not in self.runs or shown["state"] == "completed":
            return
        said = (shown["state"], shown["reason"])
        possible = [("paused", NO_SPACE), ("paused", BY_ITS_OWNER)]
        if not full:
            possible += [("pausing", NO_SPACE), ("pausing", BY_ITS_OWNER), ("queued", ""), ("running", "")]
        self._space_was_short |= 507 in self.allowed
        if said not in possible or (said[1] == NO_SPACE and not self._space_was_short):
            self.wrong.append(f"a run is shown as {said} (disk full: {full})")

    def _begin(self) -> None:
        answer = self._send("POST", "experiments", (201,), body_of(ASKED))
        if answer is not None and answer.status_code == 201:
            self.runs.append(answer.json()["runs"][0]["id"])

    def _act(self, action: str) -> None:
        for run in self.runs[-1:]:
            self._send("POST", f"runs/{run}/{action}", (202, 409))

    def _estimate(self) -> None:
        self._send("POST", "estimates", (202,), body_of(ASKED))

    def _clone_and_delete(self) -> None:
        for run in self.runs[-1:]:
            answer = self._send("POST", f"runs/{run}/clone", (201,), {"seed": 1})
            if answer is not None and answer.status_code == 201:
                self._send("POST", f"runs/{answer.json()['id']}/cancel", (202, 409))
                self._send("DELETE", f"runs/{answer.json()['id']}", (204,))

    def _log_in(self) -> None:
        """Another browser of the same person."""
        first, self.person.client = self.person.client, httpx.Client(base_url=self.person.stack.origin, timeout=PATIENCE)
        try:
            self.person.client.get("/")
            body = self.person.words
            self._send("POST", "auth/login", (200, 429), body)
        except httpx.HTTPError as error:
            if 0 not in self.allowed:
                self.wrong.append(f"log in: {error!r}")
        finally:
            self.person.client.close()
            self.person.client = first


PROCESSES = {"web": "web", "reaper": "reaper", "worker-0": "worker-cpu", "worker-1": "worker-cpu"}
"""Names, and what compose calls them."""


@dataclass(frozen=True)
class Strike:
    """What goes away together, for how long, and at which moment."""

    outages: Sequence[Outage]
    seconds: float
    when: str
    kind: str

    def __str__(self) -> str:
        return f"{' + '.join(map(str, self.outages))} {self.seconds:.0f} s {self.when} {self.kind}"


class Scene:
    """The stack with its servers; `strike` lets something go away, `over` looks at what became of everything."""

    def __init__(self, folder: Path, seed: int, names: Iterable[str], to_close: ExitStack) -> None:
        self.chance = random.Random(seed)
        self.disk, self.database_disk = SmallDisk(300), SmallDisk(400)
        for disk in (self.disk, self.database_disk):
            to_close.callback(disk.remove)
        self.redis = Redis()
        to_close.callback(self.redis.remove)
        self.postgres = Postgres(self.database_disk.folder, free_port())
        to_close.callback(self.postgres.remove)
        ports = {"Redis": self.redis.port, "PostgreSQL": self.postgres.port}
        self.cables = {name: {server: Cable(("127.0.0.1", port)) for server, port in ports.items()} for name in PROCESSES}
        for cable in self._cables():
            to_close.callback(cable.remove)
        more = {
            "NASCOPE_MIN_FREE_BYTES": "20000000", "NASCOPE_LEASE_SECONDS": "3", "NASCOPE_HEARTBEAT_SECONDS": "0.5",
            "NASCOPE_SLICE_SECONDS": "0.3", "NASCOPE_NATIVE": "0",
            # Things go away oftener here than anywhere. That a job fails at three is shown by test_kill.
            "NASCOPE_MAX_JOB_FAILURES": "50",
        }
        self.stack = TendedStack(self.disk.folder / "home", self.postgres.url, self.redis.url, more)
        self.stack.clocks = folder / "clocks"
        self.stack.clocks.mkdir()
        for name, cables in self.cables.items():
            self.stack.servers[name] = {
                "DATABASE_URL": f"postgres://postgres@127.0.0.1:{cables['PostgreSQL'].port}/postgres",
                "REDIS_URL": f"redis://127.0.0.1:{cables['Redis'].port}/0",
            }
        to_close.callback(self._kill)
        self.configs = {name: SEARCHES[name] for name in names}
        self.runs: dict[str, list[str]] = {name: [] for name in self.configs}
        self.struck: list[str] = []

    def _cables(self) -> list[Cable]:
        return [cable for cables in self.cables.values() for cable in cables.values()]

    def open(self) -> None:
        self.stack.migrate()
        self.database_clock = DatabaseClock(self.postgres)
        self.database_clock.prepare()
        self.stack.serve()
        for name, service in PROCESSES.items():
            if name != "web":
                self.stack.start(service, name)
        self.person = Person(self.stack, "ada")
        self.visitor = Visitor(self.person, random.Random(self.chance.random()), self.disk)
        self.watcher = Person(self.stack, "grace")
        self.visitor.start()

    def _kill(self) -> None:
        for process in self.stack.processes.values():
            if process.poll() is None:
                process.kill()
                process.wait()

    # ---------------------------------------------------------------- moments

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Read the database, past the network that is cut."""
        with psycopg.connect(self.postgres.url.replace("postgres://", "postgresql://"), autocommit=True) as session:
            return session.execute(query, values).fetchall()  # type: ignore[arg-type]

    def keep_busy(self) -> None:
        """Every search has a run that is not over."""
        self.stack.tend()
        for name, config in self.configs.items():
            runs = self.runs[name]
            shown = self.watcher.get(f"runs/{runs[-1]}") if runs else None
            if shown is not None and shown["state"] in TERMINAL:
                self._judge(name, shown)
            if shown is None or shown["state"] in TERMINAL:
                runs.append(self.watcher.start(**body_of(config)))

    def calm(self) -> bool:
        """No work of a search lost a lease since its last checkpoint: one that loses three is given up. (What the visitor paused waits.)"""
        self.keep_busy()
        lost = "SELECT 1 FROM core_job j JOIN core_run r ON r.id = j.run_id WHERE j.state IN ('ready', 'leased') AND j.failures > 0"
        return not self.rows(f"{lost} AND r.state IN ('queued', 'running')")

    def wait(self, ready: Callable[[], Any], what: str) -> Any:
        until = time.monotonic() + PATIENCE
        while not (answer := ready()):
            assert time.monotonic() < until, what
            time.sleep(0.02)
        return answer

    def moment(self, when: str, kind: str) -> None:
        """Wait until a slice of that kind is about to begin (it waits for a worker, or what is asked before it is under way), is under way
        itself, or has just ended."""

        def at(state: str, of: str = kind) -> set[tuple[Any, ...]]:
            self.keep_busy()
            runnable = " AND runnable" if state == "ready" else ""
            return set(self.rows(f"SELECT id, fence FROM core_job WHERE state = %s AND kind = %s{runnable}", state, of))

        self.wait(self.calm, f"no calm after {self.struck}")
        if when == "before":
            self.wait(lambda: at("ready") or at("leased", BEFORE[kind]), f"no {kind} is about to begin")
            return
        found = self.wait(lambda: at("leased"), f"no {kind} is there")
        if when == "after":
            self.wait(lambda: found - at("leased"), f"no {kind} ends")

    def strike(self, strike: Strike) -> None:
        """All of it goes away within a second, and comes back in any order."""
        self.moment(strike.when, strike.kind)
        print(time.strftime("%H:%M:%S"), strike, flush=True)
        self.struck.append(str(strike))
        self.visitor.allowed = tuple(code for outage in strike.outages for code in outage.allowed)
        away: list[Outage] = []
        try:
            for outage in strike.outages:
                self._pass_by(self.chance.random() if away else 0.0)
                away.append(outage)
                outage.begin(self.chance)
            self._pass_by(strike.seconds)
        finally:
            self.chance.shuffle(away)
            for outage in away:
                outage.end()
        # What was lost in it may still be answered so: a connection that is dead, a disk that was full a moment ago.
        self.wait(self.answered, f"requests are not answered after {self.struck[-1]}")
        self.visitor.allowed = ()

    def _pass_by(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.stack.tend()
            time.sleep(0.1)

    def answered(self) -> bool:
        """Whether the stack does all that it did before."""
        self.stack.tend()
        try:
            checks = self.watcher.send("GET", "health/ready").json()["checks"]
        except httpx.HTTPError:
            time.sleep(0.1)
            return False
        wanted = {"database": "ok", "broker": "ok", "redis": "ok"}
        return wanted.items() <= checks.items() and "disk is full" not in checks.get("work", "disk is full")

    # ---------------------------------------------------------------- the end

    def over(self, expected: dict[str, Science]) -> None:
        """Every run ends with the science of an undisturbed one, and no request was answered as it should not be."""
        self.visitor.leave()
        for run in self.visitor.runs:
            # The visitor may have left one paused.
            self.visitor._send("POST", f"runs/{run}/resume", (202, 409))
        for name, runs in {**self.runs, "asked": self.visitor.runs}.items():
            person = self.visitor.person if name == "asked" else self.watcher
            for run in runs:
                shown = self.wait(lambda run=run, person=person: self._ended(person, run), f"{name} {run} does not end")
                self._judge(name, shown)
                events = person.all_events(run)
                assert [event["seq"] for event in events] == list(range(1, len(events) + 1)), "a hole in the log"
                assert_same(science_of(events), expected[name], name)
        assert not self.visitor.wrong, "\n".join(self.visitor.wrong[:20])
        assert all(self.runs.values()) and self.visitor.runs
        counts = {name: len(runs) for name, runs in {**self.runs, "asked": self.visitor.runs}.items()}
        print(f"{len(self.struck)} outages, runs {counts}, started again {Counter(self.stack.restarts)}")
        print("answers", dict(sorted(self.visitor.answers.items())))

    def _judge(self, name: str, shown: dict[str, Any]) -> None:
        """Of a run that is over; said as soon as it is, with what went away before."""
        what = (name, shown["reason"], shown["reproducible_note"], self.struck[-3:])
        assert (shown["state"], shown["reproducible"]) == ("completed", True), what

    def _ended(self, person: Person, run: str) -> Any:
        self.stack.tend()
        time.sleep(0.2)
        shown = person.get(f"runs/{run}")
        return shown if shown["state"] in TERMINAL else None

    # ---------------------------------------------------------------- what can go away

    def resources(self) -> list[Outage]:
        return [
            RedisGone(self.redis), PostgresGone(self.postgres), self.disk, Gone(self.stack, "worker-0", "worker-1"),
            Gone(self.stack, "reaper"),
        ]

    def others(self) -> list[Outage]:
        """Everything else: the page's own process, the disk of the database, clocks."""
        return [
            Gone(self.stack, "web"), PostgresFull(self.postgres, self.database_disk), self.database_clock,
            ProcessClock(self.stack, "worker-0", "worker-1", "reaper"), ProcessClock(self.stack, "web"),
        ]

    def networks(self) -> list[NetworkTrouble]:
        """Each way of each process to each server, in trouble of each kind, and everybody's way to a server."""
        found = []
        for server, allowed in (("Redis", ()), ("PostgreSQL", (503,))):
            for way in ("cut", "lose", "mute"):
                for name in PROCESSES:
                    found.append(NetworkTrouble(name, server, way, [self.cables[name][server]], allowed if name == "web" else ()))
                found.append(NetworkTrouble("all", server, way, self._all_to(server), allowed))
        return found

    def everybody_lost(self) -> Outage:
        """For a minute: long enough that everybody gives his connections to the database up."""
        return NetworkTrouble("all", "PostgreSQL", "lose", self._all_to("PostgreSQL"), (503,))

    def _all_to(self, server: str) -> list[Cable]:
        return [cables[server] for cables in self.cables.values()]


@contextmanager
def opened(folder: Path, seed: int, names: Iterable[str]) -> Iterator[Scene]:
    """A scene with its visitor and the searches of these names; everything is taken down at the end."""
    print(f"NASCOPE_TEST_SEED={seed}", flush=True)
    with ExitStack() as to_close:
        scene = Scene(folder, seed, names, to_close)
        scene.open()
        yield scene
