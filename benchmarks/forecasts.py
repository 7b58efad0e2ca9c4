"""Whether what is told of the time left is so.

    python -m benchmarks.forecasts                                the gate, on the recordings in benchmarks/recordings/
    python -m benchmarks.forecasts record KIND:SEED:SCALE ...     record runs on this machine (three to twenty seconds of CPU each)

A recording is one real run: the CPU seconds of every slice of its work and how far each left it. CPU seconds, so that other work on the
machine does not enter. The gate plays every recording alone and three at once on two workers (`benchmarks.forecast_replay`), and asks the
forecast at every moment from a fifth of the run on: without a history of the machine; with one of other kinds only; with one that also has
another run of its kind (another seed, another length). A run never learns from itself. The kinds `random`, `evidence` and `darts` gave the
rough rules of `search_engine.search.forecast.left`, so they do not count.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from search_engine.catalogue.config import check_new
from search_engine.search.arithmetic import Arithmetic
from search_engine.search.coordinator import Coordinator
from search_engine.search.forecast import Profile
from search_engine.search.work import Work, WorkSpec, run_slice

from .forecast_replay import FOLDER, Recording, Said, play, recordings, said
from .paired import gate

GAVE_THE_RULES = frozenset({"random", "evidence", "darts"})
WORKERS = 2
FROM = 0.2
"""Share of the run from which on the forecast counts."""
NEAR = 0.5
"""Seconds before the end from which on a share of what is left says nothing."""
SLICE = 1.0
WITHOUT, WITH = 0.5, 0.25
RISE, MORE, SHARE = 1.2, 5.0, 0.1
"""The whole time that is said may rise by a fifth, in a short run by `MORE` seconds: of a stage of three seconds nobody plans his day. With
more than `MORE` seconds to go it must not say less than a tenth of that."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", nargs="?", choices=["gate", "record"], default="gate")
    parser.add_argument("runs", nargs="*", metavar="KIND:SEED:SCALE")
    options = parser.parse_args()
    if options.command == "record":
        record(options.runs)
    else:
        report(measured())


# ---- the gate


@dataclass(frozen=True)
class Row:
    """One recording, played."""

    history: str
    at_once: int
    kind: str
    error: float
    """The median of |said - left| / left after a fifth of the run."""
    rise: float
    """The largest whole time that was said, by the smallest that was said before it."""
    seconds: float
    """By how many seconds it rose at most."""
    too_soon: int
    """How often it said that next to nothing was left, and it was not so."""


HISTORIES: dict[str, Callable[[Recording, Recording], bool]] = {
    "none": lambda run, other: False,
    "other kinds": lambda run, other: other.name != run.name,
    "its kind too": lambda run, other: other.file != run.file,
}


def measured(folder: Path = FOLDER) -> list[Row]:
    """Every recording alone, and every one with two others."""
    runs = recordings(folder)
    profiles = {run.file: run.profile() for run in runs}
    counted = [run for run in runs if run.name not in GAVE_THE_RULES]
    groups = [[run] for run in counted]
    groups += [[run, counted[(place + 5) % len(counted)], counted[(place + 9) % len(counted)]] for place, run in enumerate(counted)]
    rows = []
    for history, learns in HISTORIES.items():
        for group in groups:
            known = {
                place: [profiles[other.file] for other in runs if learns(run, other) and other.file != run.file]
                for place, run in enumerate(group)
            }
            rows += _rows(history, group, known)
    return rows


def _rows(history: str, group: Sequence[Recording], known: dict[int, list[Profile]]) -> list[Row]:
    played = play(group, WORKERS)
    return [
        _row(history, len(group), run.recording.name, sayings)
        for run, sayings in zip(played, said(played, WORKERS, known), strict=True)
    ]


def _row(history: str, at_once: int, kind: str, sayings: Sequence[Said]) -> Row:
    after = [one for one in sayings if one.at >= FROM * one.end and one.left >= NEAR]
    whole = [one.at + one.found.seconds for one in after]
    before = [min(whole[: place + 1]) for place in range(len(whole))]
    rises = [later / earlier for later, earlier in zip(whole, before, strict=True)]
    seconds = max((later - earlier for later, earlier in zip(whole, before, strict=True)), default=0.0)
    too_soon = sum(one.left > MORE and one.found.seconds < SHARE * one.left for one in sayings)
    return Row(history, at_once, kind, median([one.error for one in after] or [0.0]), max(rises, default=1.0), seconds, too_soon)


def report(rows: Sequence[Row]) -> None:
    kinds = sorted({row.kind for row in rows})
    print(f"{len(kinds)} kinds: {', '.join(kinds)}\n")
    print(f"{'history':<14}{'at once':>8}{'median error':>14}{'worst run':>11}{'worst kind':>18}{'runs within 20 %':>18}{'too soon':>10}")
    for history in HISTORIES:
        for at_once in (1, 3):
            own = [row for row in rows if (row.history, row.at_once) == (history, at_once)]
            worst = max(own, key=lambda row: row.error)
            steady = sum(row.rise <= RISE for row in own)
            print(f"{history:<14}{at_once:>8}{middle(own):>13.1%} {worst.error:>10.1%}{worst.kind:>18}{f'{steady} of {len(own)}':>18}"
                  f"{sum(row.too_soon for row in own):>10}")
    print()
    for history in HISTORIES:
        limit = WITHOUT if history == "none" else WITH
        for at_once in (1, 3):
            own = [row for row in rows if (row.history, row.at_once) == (history, at_once)]
            print(gate(f"history: {history}, {at_once} at once, median error", 100 * middle(own), at_most=100 * limit, unit="%"))
    for what, steady in (
        ("runs whose whole time, as it was said, rose by a fifth at most", [row.rise <= RISE for row in rows]),
        (f"the same, or by {MORE:.0f} s at most", [row.rise <= RISE or row.seconds <= MORE for row in rows]),
    ):
        print(gate(what, 100 * sum(steady) / len(rows), at_least=100, unit="%"))
    print(gate("said too soon that it is over", float(sum(row.too_soon for row in rows)), at_most=0, unit="times"))


def middle(rows: Sequence[Row]) -> float:
    """The median of the runs' median errors."""
    return median([row.error for row in rows])


# ---- recording


def configs(seed: int, scale: float) -> dict[str, dict[str, Any]]:
    """Runs of every kind, `scale` times as long as the first."""

    def one(algorithm: str, space: str, dataset: str, options: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {"algorithm": algorithm, "space": space, "datasets": [dataset], "options": options, "seed": seed, **more}

    finale, brief = {"training": {"epochs": 4}}, {"epochs": 2}
    toy = {"steps": int(1000 * scale), "batch_size": 1000, "samples": 3, "init_log_sigma": 0.0, "structure_learning_rate": 0.01}
    return {
        "darts": one("darts", "cell", "digits", {"steps": int(60 * scale)}, finale=finale),
        "random": one("random", "mlp", "digits", {}, budget={"trials": int(24 * scale)}, training={"epochs": 40}),
        "evidence": one("evidence", "basis_expansion", "polynomial", {}),
        "evolution-table": one("regularized_evolution", "nb201", "nb201_cifar10", {}, budget={"trials": int(40_000 * scale)}),
        "evo-nas": one("evo_nas", "sequence", "learn_to_count", {}, space_options={"n": 20}, budget={"trials": int(5000 * scale)}),
        "lottery": one("lottery_ticket", "plain", "digits", {"steps": int(200 * scale)}),
        "variational": one("variational", "primitives_sum", "thesis_toy", toy, structure_every=10),
        "vae": one("vae_ard", "autoencoder", "digits", {"steps": int(1200 * scale)}),
        "enas": one("enas", "macro", "digits", {"epochs": max(2, int(4 * scale)), "warm_up_epochs": 1}, finale=finale),
        "wann": one("wann", "neuron_graph", "digits", {"generations": int(60 * scale), "population": 48}),
        "deepswarm": one("deepswarm", "node_chain", "digits", {}, budget={"trials": int(10 * scale)}, training=brief, finale=finale),
        "supermask": one("supermask", "plain", "digits", {"steps": int(600 * scale)}),
        "gumbel": one("gumbel_softmax", "nb201", "digits", {}, budget={"samples": 4000 * scale}, finale=finale),
    }


def record(runs: Sequence[str]) -> None:
    data_dir = Path(os.environ.get("NASCOPE_DATA") or "var/data")
    FOLDER.mkdir(exist_ok=True)
    for run in runs:
        kind, seed, scale = run.split(":")
        config = configs(int(seed), float(scale)).get(kind)
        if config is None:
            sys.exit(f"there is no kind {kind!r}; choose of: {', '.join(configs(0, 1.0))}")
        with tempfile.TemporaryDirectory() as folder:
            recording = {"name": kind, **recorded(config, data_dir, Path(folder))}
        path = FOLDER / f"{run.replace(':', '_')}.json"
        path.write_text(json.dumps(recording, separators=(",", ":")) + "\n")
        print(path, f"{cpu_seconds():.1f} CPU seconds so far", flush=True)


def cpu_seconds() -> float:
    """Of this process and of its children that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def recorded(config: dict[str, Any], data_dir: Path, folder: Path) -> dict[str, Any]:
    """One run, piece by piece, as workers would do it."""
    checked = check_new(config, data_dir)
    coordinator = Coordinator(checked, data_dir, folder)
    steps: list[dict[str, Any]] = []
    works: dict[str, dict[str, Any]] = {}
    queue: list[WorkSpec] = []
    outcomes: dict[str, dict[str, Any]] = {}
    while True:
        before = cpu_seconds()
        step = coordinator.advance(outcomes, seconds=0.5)
        needs, outcomes = next(iter(outcomes), None), {}
        steps.append({
            "needs": needs, "cpu": round(cpu_seconds() - before, 3), "opened": [spec.source for spec in step.opened],
            "trials": coordinator.meter.trials, "samples": coordinator.meter.cost.samples,
        })
        queue += step.opened
        if step.status != "running":
            break
        if not step.more:
            spec = queue.pop(0)
            with Arithmetic({}, checked.config.device).active():
                works[spec.source], outcomes[spec.source] = _worked(spec, checked, data_dir, folder)
    return {"config": checked.config.model_dump(mode="json"), "steps": steps, "works": works}


def _worked(spec: WorkSpec, checked: Any, data_dir: Path, folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    from search_engine.search.open_work import open_work

    before = cpu_seconds()
    work = open_work(checked, spec, data_dir, folder)
    slices: list[list[Any]] = []
    stages: dict[str, float] = {}
    while not work.finished:
        run_slice(work, SLICE)
        now = cpu_seconds()
        slices.append(_slice(work, now - before, stages))
        before = now
        if work.to_place:
            work.place()
    work.place()
    return {"kind": spec.kind, "role": spec.arguments.get("role"), "slices": slices}, work.outcome()


def _slice(work: Work, seconds: float, stages: dict[str, float]) -> list[Any]:
    """[CPU seconds, done, total], of an entrant also its stage and the CPU seconds of each so far (`stages`, changed here: shared out as
    the clock's seconds of the slice), of a phase the samples that were charged."""
    from search_engine.search.final_work import FinalWork
    from search_engine.search.phase_work import PhaseWork

    now = work.progress()
    row: list[Any] = [round(seconds, 3), now.done, now.total]
    if isinstance(work, FinalWork):
        clock = {name: value - _CLOCK.get((id(work), name), 0.0) for name, value in work.spent.items()}
        _CLOCK.update({(id(work), name): value for name, value in work.spent.items()})
        whole = sum(clock.values()) or 1.0
        for name, value in clock.items():
            stages[name] = stages.get(name, 0.0) + seconds * value / whole
        row += [work.stage, {name: round(value, 3) for name, value in stages.items()}]
    elif isinstance(work, PhaseWork):
        row.append(round(work.meter.totals()["samples"], 1))
    return row


_CLOCK: dict[tuple[int, str], float] = {}
"""(work, stage) -> the clock's seconds at the end of its last slice."""


if __name__ == "__main__":
    main()
