"""What a trial costs in the web application beyond its training, and how many instant trials a worker answers in a second.

    python -m benchmarks.web_trial [--trials 30] [--rounds 9] [--instant 2000] [--databases sqlite postgresql] [--profile]

Trained: a random search over small perceptrons on digits. Three contenders take turns trial by trial, on the same networks: the training
alone (the engine's own work, no files), the command line's run (events to a file, checkpoints with fsync) and a worker (claim, slice,
commit, the coordinator's step; events, projections and files). What comes beyond the training is the difference of the CPU times within a
round, in milliseconds a trial: median and quartiles over the rounds. Instant: searches on the NAS-Bench-201 table (NASCOPE_DATA) through a
worker, in trials a second of CPU time. All threads of the worker process count; PostgreSQL's own processes do not (their CPU time stands
apart). `--profile` prints where a worker's time goes. The finale is not measured. Asserts nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import cProfile
import os
import pstats
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil

from benchmarks.live_events import command, migrated
from benchmarks.paired import Quartiles, gate

PROGRAM = "benchmarks.web_trial"
TABLE = "nb201/nb201.npz"
TRAINED: dict[str, Any] = {
    "algorithm": "random", "space": "mlp", "datasets": ["digits"],
    "training": {"epochs": 2, "train_examples": 128},
    "finale": {"baselines": 0, "export": False, "training": {"epochs": 1, "train_examples": 128}},
}  # fmt: skip
"""Short trials: what comes beyond them is a difference, and the training's own spread would hide it."""
INSTANT: dict[str, Any] = {"space": "nb201", "datasets": ["nb201_cifar10"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=30, help="trained trials of one search")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--instant", type=int, default=2000, help="trials of one search on the table")
    parser.add_argument("--databases", nargs="+", choices=["sqlite", "postgresql"], default=["sqlite", "postgresql"])
    parser.add_argument("--profile", action="store_true", help="print where a worker's time goes")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        measure(options)
        return
    for database in options.databases:
        with migrated(database, CONN_MAX_AGE="600", LOG_LEVEL="ERROR") as environment:
            print(f"== {database}", flush=True)
            print(command("-m", PROGRAM, "--inside", *sys.argv[1:], environment=environment), end="", flush=True)


# ---------------------------------------------------------------- inside an installation


def measure(options: argparse.Namespace) -> None:
    import django

    django.setup()
    from webapp.jobs.session import Session

    session = Session("cpu")
    try:
        trained(session, options)
        if (Path(os.environ.get("NASCOPE_DATA", "var/data")) / TABLE).is_file():
            instant(session, options)
        else:
            print(f"instant trials: not measured, NASCOPE_DATA holds no {TABLE}")
    finally:
        session.end()


def trained(session: Any, options: argparse.Namespace) -> None:
    """Rounds of the three contenders on equal trials, another seed in each."""
    serve(session, {**TRAINED, "seed": 99, "budget": {"trials": 3}})  # imports and first allocations are start-up
    means: dict[str, list[float]] = {"training": [], "command line": [], "worker": []}
    servers = []
    for seed in range(options.rounds):
        config = {**TRAINED, "seed": seed, "budget": {"trials": options.trials}}
        before = database_seconds()
        for name, milliseconds in interleaved(session, config).items():
            means[name].append(milliseconds / options.trials)
        servers.append(1e3 * (database_seconds() - before) / options.trials)
    own = means.pop("training")
    beyond = {name: [total - training for total, training in zip(readings, own, strict=True)] for name, readings in means.items()}
    print(f"trained trials ({options.trials} a round, {options.rounds} rounds), CPU ms a trial: median [quartiles]")
    print(f"  training alone              {Quartiles.of(own)}")
    for name, readings in beyond.items():
        times = Quartiles.of([reading / training for reading, training in zip(readings, own, strict=True)])
        print(f"  {name + ', beyond it':<27} {Quartiles.of(readings)}   of the training: {times}")
    print(f"  the database's own          {Quartiles.of(servers)}")
    print(gate("a trained trial beyond its training", Quartiles.of(beyond["worker"]), at_most=10, unit="ms"), flush=True)
    if options.profile:
        profiled(lambda: serve(session, {**TRAINED, "seed": 77, "budget": {"trials": options.trials}}), options.trials)


def interleaved(session: Any, config: dict[str, Any]) -> dict[str, float]:
    """CPU milliseconds of each contender for one search. They take turns trial by trial: whatever else the machine does meets all three,
    and each trains the very networks that the others train."""
    from search_engine.catalogue.config import check
    from search_engine.search.local_run import Interrupted, LocalRun

    data = Path(os.environ.get("NASCOPE_DATA", "var/data"))
    spent = dict.fromkeys(("training", "command line", "worker"), 0.0)

    @contextlib.contextmanager
    def clocked(name: str) -> Iterator[None]:
        started = time.process_time()
        yield
        spent[name] += 1e3 * (time.process_time() - started)

    others = {"training": training(config, specs_of(config), lambda: clocked("training")),
              "worker": serving(session, config, lambda: clocked("worker"))}  # fmt: skip

    class Turns(LocalRun):
        """The command line's run, which lets the others do their next trial before each of its own."""

        def _work_to_the_end(self, report: Any, stop: Any) -> dict[str, dict[str, Any]]:
            spent["command line"] += 1e3 * (time.process_time() - self.resumed)
            if self.coordinator.finale.started:
                raise Interrupted
            for name in random.sample(list(others), len(others)):
                next(others[name])
            self.resumed = time.process_time()
            return super()._work_to_the_end(report, stop)

    with tempfile.TemporaryDirectory() as folder:
        run = Turns(check(config, data), data, Path(folder) / "run")
        run.resumed = time.process_time()
        with contextlib.suppress(Interrupted):
            run.run()
    for rest in others.values():
        for _ in rest:
            sys.exit("the contenders did not do equally many trials")
    return spent


def instant(session: Any, options: argparse.Namespace) -> None:
    """Searches that a table answers."""
    for algorithm in ("random", "regularized_evolution"):
        config = {**INSTANT, "algorithm": algorithm, "budget": {"trials": options.instant}}
        serve(session, {**config, "budget": {"trials": 10}, "seed": 99})
        rates, servers = [], []
        for seed in range(options.rounds):
            before = database_seconds()
            rates.append(options.instant / serve(session, {**config, "seed": seed}))
            servers.append(1e3 * (database_seconds() - before) / options.instant)
        print(f"{algorithm} on the table: the database's own, ms a trial: {Quartiles.of(servers)}")
        print(gate(f"{algorithm} on the table, trials a CPU second", Quartiles.of(rates), at_least=1000, unit="/s"), flush=True)
        if options.profile:
            profiled(lambda config=config: serve(session, {**config, "seed": 77}), options.instant)  # type: ignore[misc]


Clock = Callable[[], contextlib.AbstractContextManager[None]]
"""Inside such a block time counts."""


def serve(session: Any, config: dict[str, Any]) -> float:
    """CPU seconds of this process from the first claim until the search is over (its finale is done, but not counted)."""
    seconds = 0.0

    @contextlib.contextmanager
    def clock() -> Iterator[None]:
        nonlocal seconds
        started = time.process_time()
        yield
        seconds += time.process_time() - started

    for _ in serving(session, config, clock):
        pass
    return seconds


def serving(session: Any, config: dict[str, Any], clock: Clock) -> Iterator[None]:
    """A search through a worker; stops whenever a further trial has been told."""
    from webapp.core.models import Job
    from webapp.jobs.tasks import serve_one

    run = made(config)
    session.serve_until = float("inf")  # as while `serve` runs
    told, searching = 0, True
    while True:
        with clock() if searching else contextlib.nullcontext():
            worked = serve_one(session)
        if not worked:
            break
        run.counter.refresh_from_db()
        searching = searching and not Job.objects.filter(run=run, kind="final").exists()
        if run.counter.trials_told > told:
            told = run.counter.trials_told
            yield
    run.refresh_from_db()
    if run.state != "completed":
        sys.exit(f"the search ended as {run.state}: {run.reason}")


def specs_of(config: dict[str, Any]) -> list[Any]:
    """The trials that a search of `config` trains."""
    from search_engine.catalogue.config import check
    from search_engine.search.coordinator import Coordinator

    data = Path(os.environ.get("NASCOPE_DATA", "var/data"))
    with tempfile.TemporaryDirectory() as folder:
        coordinator = Coordinator(check(config, data), data, Path(folder))
        outcome = {"status": "completed", "reason": "", "metrics": {"val_accuracy": 0.5}, "cost": {}, "seconds": 0.0}
        specs: list[Any] = []
        outcomes: dict[str, Any] = {}
        while not coordinator.finale.started:
            opened = coordinator.advance(outcomes).opened
            trials = [spec for spec in opened if spec.kind == "trial"]
            specs += trials
            outcomes = {spec.source: outcome for spec in trials}
    return specs


def training(config: dict[str, Any], specs: list[Any], clock: Clock) -> Iterator[None]:
    """The trials' own work; stops after each."""
    from search_engine.catalogue.config import check
    from search_engine.search.open_work import open_work
    from search_engine.search.work import run_slice

    data = Path(os.environ.get("NASCOPE_DATA", "var/data"))
    checked = check(config, data)
    with tempfile.TemporaryDirectory() as folder:
        for spec in specs:
            with clock():
                work = open_work(checked, spec, data, Path(folder))
                run_slice(work, 3600.0)
                work.outcome()
            yield


def made(config: dict[str, Any]) -> Any:
    from django.contrib.auth import get_user_model

    from webapp.core.models import Experiment
    from webapp.jobs import states

    user, _ = get_user_model().objects.get_or_create(username="benchmark")
    return states.create_run(Experiment.objects.create(owner=user, name="benchmark", config={}, space=config["space"]), config)


def database_seconds() -> float:
    """CPU seconds that the PostgreSQL processes this worker talks to have used; 0 on SQLite, which computes in this process."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return 0.0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
        pids = [row[0] for row in cursor.fetchall()]
    total = 0.0
    for pid in pids:
        try:
            times = psutil.Process(pid).cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


def profiled(work: Callable[[], object], trials: int) -> None:
    """Where the main thread's time goes, by function, in milliseconds a trial. The profiler itself costs time: read proportions."""
    profile = cProfile.Profile(time.process_time)
    profile.runcall(work)
    rows: list[tuple[float, float, int, str]] = []
    for (path, line, name), (_, calls, own, cumulative, _) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        place = f"{'/'.join(path.split('/')[-3:])}:{line} {name}"
        rows.append((cumulative, own, calls, place))
    print(f"  {'ms':>8} {'own ms':>8} {'calls':>8}  a trial")
    for cumulative, own, calls, place in sorted(rows, reverse=True)[:90]:
        print(f"  {1e3 * cumulative / trials:8.2f} {1e3 * own / trials:8.2f} {calls / trials:8.2f}  {place}")


if __name__ == "__main__":
    main()
