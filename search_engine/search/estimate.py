"""What a run will cost, before it starts: a few real steps on this machine, extrapolated.

Needs torch and the data, so it runs in a worker, never in the web process. Nothing is kept.
"""

from __future__ import annotations

import math
import random
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ..algorithms.base import StepPhase
from ..base import checkpoint
from ..base.generators import derive_seed
from ..catalogue.advice import advice
from ..catalogue.config import CheckedRun
from ..datasets.base import Samples, Table
from .budget import Meter
from .coordinator import Coordinator
from .open_work import open_work
from .phase_work import PhaseWork
from .resources import Resources
from .trial_work import declared_cost, genome_training
from .work import Work, WorkSpec

TIMED_UNITS = 3
EXPORT_SECONDS = 11.0
"""Bundle, ONNX export, the check in a fresh process (together 7), and what can be removed (4); measured with `benchmarks.first_search`."""
INSTANT_SECONDS = 1.0
"""How long a search on a table or a formula is tried out."""


def estimate(checked: CheckedRun, data_dir: Path) -> dict[str, Any]:
    """Samples, trials, steps and seconds (of one worker, on this machine) of one run, with a note in plain words.

    Raises BadInput or MissingData like the run itself would. `samples` is the search's; the finale is in `finale_samples`.
    """
    resources = Resources(checked, data_dir)
    if not isinstance(resources.dataset, Samples):
        with TemporaryDirectory() as room:
            instant = _instant(checked, resources, data_dir, Path(room))
        return {**instant, "advice": advice(checked, instant["trials"])}
    with TemporaryDirectory() as folder:
        search = _phases(checked, data_dir, Path(folder)) if _has_steps(checked) else _trials(checked, resources, data_dir, Path(folder))
        finale = _finale(checked, resources, data_dir, Path(folder))
    return {
        **search,
        "advice": advice(checked, search["trials"] or None),
        "seconds": search["seconds"] + finale["seconds"],
        "finale_samples": finale["samples"],
        "finale_seconds": finale["seconds"],
    }


def _has_steps(checked: CheckedRun) -> bool:
    return any(isinstance(phase, StepPhase) for phase in checked.phases())


def _instant(checked: CheckedRun, resources: Resources, data_dir: Path, folder: Path) -> dict[str, Any]:
    """A search whose trials are answered at once: its first second, extrapolated. Most of it is the algorithm thinking between trials."""
    budget = checked.budget
    assert budget is not None and not isinstance(resources.dataset, Samples)
    per_trial = resources.dataset.declared_samples
    started = time.perf_counter()
    coordinator = Coordinator(checked, data_dir, folder)
    coordinator.advance(seconds=INSTANT_SECONDS)
    per_trial_seconds = (time.perf_counter() - started) / max(coordinator.meter.trials, 1)
    amount = {"trials": 1.0, "samples": float(max(per_trial, 1)), "seconds": per_trial_seconds}[budget.kind]
    trials = max(1, math.ceil(budget.limit / amount))
    simulated = "answered from a table: samples are charged as the benchmark trained them, nothing is trained here"
    return {
        "samples": trials * per_trial,
        "trials": trials,
        "steps": None,
        "seconds": trials * per_trial_seconds,
        "finale_samples": 0,
        "finale_seconds": 0.0,
        "note": simulated if isinstance(resources.dataset, Table) else "a formula scores each genome, nothing is trained",
    }


def _phases(checked: CheckedRun, data_dir: Path, folder: Path) -> dict[str, Any]:
    """Every step phase, each from the handover of the one before after its few steps. Controls take time but charge nothing."""
    samples, seconds, steps = 0.0, 0.0, 0
    handover = None
    for index, phase in enumerate(checked.phases()):
        if not isinstance(phase, StepPhase):
            continue
        work = open_work(checked, _phase_spec(index, handover, folder), data_dir, folder)
        assert isinstance(work, PhaseWork)
        per_step = _seconds_per_unit(work)
        per_step_samples = work.cost.samples / work.phase.steps_done if work.phase.steps_done else 0.0
        horizon = work.progress().total
        whole = work.phase.planned_samples()
        if whole is not None and horizon and per_step_samples:
            # Time goes with the examples that pass through the network.
            per_step *= whole / horizon / per_step_samples
            per_step_samples = whole / horizon
        planned = int(horizon) if horizon is not None else _budget_steps(checked, per_step, per_step_samples)
        if not phase.control:
            handover = work.phase.handover()
            planned = min(planned, _budget_steps(checked, per_step, per_step_samples)) if checked.budget else planned
            steps, samples = steps + planned, samples + planned * per_step_samples
        seconds += planned * per_step
    return {"samples": samples, "trials": 0, "steps": steps, "seconds": seconds, "note": f"{steps:,} steps, timed on this machine just now"}


def _phase_spec(index: int, handover: dict[str, Any] | None, folder: Path) -> WorkSpec:
    arguments: dict[str, Any] = {"charged": Meter(None).state_dict()}
    if handover is None:
        return WorkSpec(kind="phase", index=index, arguments=arguments)
    name = f"handover-{index}.safetensors"
    arguments["artefact_digest"] = checkpoint.write(folder / name, handover)
    return WorkSpec(kind="phase", index=index, arguments=arguments, artefact=name)


def _budget_steps(checked: CheckedRun, seconds: float, samples: float) -> int:
    budget = checked.budget
    if budget is None:
        return 0
    per_step = seconds if budget.kind == "seconds" else samples
    return max(1, int(budget.limit / per_step)) if per_step else 1


def _trials(checked: CheckedRun, resources: Resources, data_dir: Path, folder: Path) -> dict[str, Any]:
    budget = checked.budget
    assert budget is not None
    data = resources.search_data
    genome = resources.space.sample(random.Random(derive_seed(checked.config.seed, "estimate")))
    training = genome_training(checked.config.training, resources.space, genome, {})
    declared = declared_cost(training, len(data.train), len(data.validation)).samples
    arguments = {"genome": genome.to_json(), "hash": resources.space.hash(genome), "fidelity": {}}
    work = open_work(checked, WorkSpec(kind="trial", index=0, arguments=arguments), data_dir, folder)
    per_trial = _seconds_per_unit(work) * (work.progress().total or 1)
    amount = {"trials": 1.0, "samples": declared, "seconds": per_trial}[budget.kind]
    trials = max(1, -int(-budget.limit // amount))
    return {
        "samples": trials * declared,
        "trials": trials,
        "steps": None,
        "seconds": trials * per_trial,
        "note": f"{trials:,} trials of about {per_trial:.1f} s, judged by one random architecture",
    }


def _finale(checked: CheckedRun, resources: Resources, data_dir: Path, folder: Path) -> dict[str, Any]:
    if checked.algorithm.finisher:
        return {"samples": 0.0, "seconds": EXPORT_SECONDS}
    genome = resources.space.sample(random.Random(derive_seed(checked.config.seed, "estimate")))
    training = genome_training(checked.config.finale.training, resources.space, genome, {})
    domains = list(range(len(checked.datasets)))
    arguments = {"genome": genome.to_json(), "finish": "retrain", "role": "finalist", "value": None, "domains": domains}
    work = open_work(checked, WorkSpec(kind="final", index=0, arguments=arguments), data_dir, folder)
    baseline = checked.config.finale.baseline and "gradients" in checked.algorithm.needs
    entrants = checked.config.finale.finalists + (1 if baseline else 0)
    seconds = entrants * _seconds_per_unit(work) * (work.progress().total or 1)
    samples = entrants * sum(declared_cost(training, len(data.train), len(data.validation)).samples for data in resources.domains)
    return {"samples": samples, "seconds": seconds + (EXPORT_SECONDS if checked.config.finale.export else 0.0)}


def _seconds_per_unit(work: Work) -> float:
    """Mean seconds of a unit after one for warming up."""
    with work.generators.active():
        work.begin()
        work.advance()
        started, units = time.perf_counter(), 0
        while units < TIMED_UNITS and not work.finished:
            work.advance()
            units += 1
        return (time.perf_counter() - started) / max(units, 1)
