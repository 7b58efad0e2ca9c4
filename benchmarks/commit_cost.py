"""What a commit costs a search of ever more distinct genomes: the coordinator's in a folder, and the web application's with its rows.

    python -m benchmarks.commit_cost [--told 100,1000,10000,100000] [--commits 40] [--rounds 7] [--algorithm random]

An instant objective over strings of 100 bits; each trial is committed by itself, as trials that train are. All sizes stand side by side in
one process and are measured in turn (`paired.py`). A trial is its ask, its tell and its commit, with its events. Bytes are those of the
state file and of what was appended per trial; the slowest commit is over all rounds. Recovery is a fresh start from the files. Asserts
nothing.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from search_engine.catalogue.config import check
from search_engine.search.local_run import STATE, LocalRun
from tests.search_engine import toys

from .paired import Quartiles, compare, gate


def config(algorithm: str, told: int) -> dict[str, Any]:
    return {"algorithm": algorithm, "space": "bits", "datasets": ["ones"], "budget": {"trials": told + 100_000}}


class InAFolder:
    """A run as the command line has it."""

    title = "folder"

    def __init__(self, algorithm: str, told: int, folder: Path) -> None:
        self.folder, self.checked = folder, check(config(algorithm, told))
        self.run = LocalRun(self.checked, folder, folder)
        while (left := told - self.run.coordinator.meter.trials) > 0:
            self._go(min(2 * left, 20_000))
            # The log as a search has it that committed now and then.
            self.run._commit()

    def _go(self, events: int) -> None:
        step = self.run.coordinator.advance(seconds=60, events=events)
        self.run._write(step.events)

    def step(self) -> None:
        """What comes before the commit: an ask and a tell."""
        self._go(2)

    def commit(self) -> None:
        self.run._commit()

    def written(self) -> int:
        return self.run.rows.length

    def state(self) -> int:
        return (self.folder / STATE).stat().st_size

    def recover(self) -> None:
        LocalRun(self.checked, self.folder, self.folder, resume=True)


class InRows:
    """A run of the web application on SQLite. A commit is the whole slice: claim, checkpoint, events, rows."""

    title = "rows"

    def __init__(self, algorithm: str, told: int, folder: Path) -> None:
        from django.contrib.auth import get_user_model

        from webapp.core.models import Experiment, Job, Run
        from webapp.jobs import advance, files, states
        from webapp.jobs.session import Session

        self.advance = advance
        owner = get_user_model().objects.get_or_create(username="ada")[0]
        Job.objects.update(runnable=False)
        experiment = Experiment.objects.create(owner=owner, name="benchmark", config={}, space="bits")
        self.run: Run = states.create_run(experiment, config(algorithm, told))
        self.jobs, self.session = Job.objects.filter(run=self.run), Session("cpu")
        self.folder = files.run_dir(self.run.pk)
        while (left := told - self._told()) > 0:
            self._serve(min(2 * left, 2_000))

    def _told(self) -> int:
        self.run.counter.refresh_from_db()
        return int(self.run.counter.trials_told)

    def _serve(self, events: int) -> None:
        from webapp.jobs.tasks import serve_one

        self.advance.EVENTS = events
        if not serve_one(self.session):
            raise RuntimeError("the run is not runnable")

    def step(self) -> None:
        """Its coordinator's turn: the other runs wait."""
        from webapp.core.models import Job

        Job.objects.exclude(run=self.run).filter(runnable=True).update(runnable=False)
        self.jobs.filter(kind="advance").update(runnable=True)

    def commit(self) -> None:
        self._serve(2)

    def written(self) -> int:
        [log] = self.folder.glob("checkpoints/*.rows")
        return log.stat().st_size

    def state(self) -> int:
        [state] = self.folder.glob("checkpoints/*.safetensors")
        return state.stat().st_size

    def recover(self) -> None:
        self.session.residents.clear()
        job = self.jobs.get(kind="advance")
        self.advance._open(job, None)


def cpu(work: Callable[[], None]) -> float:
    """Milliseconds of CPU."""
    started = time.process_time()
    work()
    return 1e3 * (time.process_time() - started)


def measure(kind: type[InAFolder] | type[InRows], sizes: list[int], options: argparse.Namespace, folder: Path) -> None:
    contenders = {told: kind(options.algorithm, told, folder / f"{kind.title}-{told}") for told in sizes}
    slowest, trials = dict.fromkeys(sizes, 0.0), dict.fromkeys(sizes, 0)
    before = {told: contender.written() for told, contender in contenders.items()}

    def work(told: int) -> None:
        for _ in range(options.commits):
            contenders[told].step()
            slowest[told] = max(slowest[told], cpu(contenders[told].commit))
            trials[told] += 1

    found = compare({f"{told:,}": lambda told=told: work(told) for told in sizes}, options.rounds)  # type: ignore[misc]
    print(f"{kind.title}: told      a trial, CPU ms           slowest commit    appended   state file   recovery, CPU s")
    recovery = 0.0
    for told, contender in contenders.items():
        each = Quartiles.of([1e3 * seconds / options.commits for seconds in found.seconds[f"{told:,}"]])
        appended = (contender.written() - before[told]) / trials[told]
        recovery = statistics.median(cpu(contender.recover) for _ in range(3)) / 1e3
        print(f"{told:>12,}   {each!s:<24}{slowest[told]:>16.1f}{appended:>12,.0f}{contender.state():>13,}{recovery:>12.2f}", flush=True)
    for told in sizes[1:]:
        ratio = found.ratio(f"{told:,}", f"{sizes[0]:,}")
        print(gate(f"{kind.title}, a trial at {told:,} against {sizes[0]:,} told", ratio, at_most=1.5))
    print(gate(f"{kind.title}, recovery at {sizes[-1]:,}", recovery, at_most=2, unit="s"), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--told", default="100,1000,10000,100000")
    parser.add_argument("--commits", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--algorithm", default="random")
    parser.add_argument("--only", choices=["folder", "rows"], help="default: both")
    options = parser.parse_args()
    sizes = [int(word) for word in options.told.split(",")]
    with tempfile.TemporaryDirectory() as name, toys.registered():
        if options.only != "rows":
            measure(InAFolder, sizes, options, Path(name))
        if options.only != "folder":
            os.environ |= {
                "DJANGO_SETTINGS_MODULE": "webapp.settings", "NASCOPE_HOME": name, "DATABASE_URL": f"sqlite:///{name}/db.sqlite3",
            }
            import django
            from django.core.management import call_command

            django.setup()
            call_command("migrate", verbosity=0)
            measure(InRows, sizes, options, Path(name))


if __name__ == "__main__":
    main()
