"""What a run will cost, before it starts: a few real steps on this machine, extrapolated.

Needs torch and the data, so it runs in a worker, never in the web process. Nothing is kept.
"""

from __future__ import annotations

import math
import random
import statistics
import time
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ..algorithms.base import StepPhase, TrialPhase
from ..base.generators import derive_seed
from ..base.training_config import TrainingConfig
from ..catalogue.advice import advice
from ..catalogue.config import CheckedRun
from ..datasets.base import Samples, SearchData, Table
from ..events import Cost
from .bounds import Bounds, long_units, refuse_too_large
from .compressed_work import CompressedWork
from .coordinator import Coordinator
from .declared_flops import DeclaredFlops
from .final_work import FinalWork
from .fold_work import declared_trial_cost
from .forecast import Known, Plan, Profile, after_training
from .fresh_given import with_fresh_weights
from .group_work import GroupWork
from .open_work import open_work
from .phase_work import PhaseWork
from .resources import Resources
from .trial_work import declared_cost, genome_training
from .unit_needs import UnitNeed, changed, phase_spec
from .work import Work, WorkSpec

TIMED_UNITS = 3
TIMED_WORKS = 4
"""Where trials are trained together: of so many pieces of work a few units are timed."""
INSTANT_SECONDS = 1.0
"""How long a search on a table or a formula is tried out."""


def estimate(
    checked: CheckedRun, data_dir: Path, profiles: Iterable[Profile] = (), bounds: Bounds | None = None
) -> dict[str, Any]:
    """Samples, trials, steps and seconds (of one worker, on this machine) of one run, with a note in plain words. `profiles`: what earlier
    runs of this machine teach about the stages after the training.

    Raises BadInput or MissingData like the run itself would, and BadInput where one unit of it needs more than `bounds` allow (those of
    this process). `unit` is what the neediest one takes: bytes of `memory`, `flops`, in words `what`. `samples` is the search's; the
    finale is in `finale_samples`.
    """
    if checked.config.population is not None:
        # Whose individuals they are changes nothing here, and they are not at hand.
        checked = changed(checked, {"population": None})
    resources = Resources(checked, data_dir)
    if not isinstance(resources.dataset, Samples):
        with TemporaryDirectory() as room:
            instant = _instant(checked, resources, data_dir, Path(room))
        return {**instant, "unit": None, "advice": advice(checked, instant["trials"])}
    needs = refuse_too_large(checked, data_dir, bounds or Bounds.of_this_process(checked))
    with TemporaryDirectory() as folder:
        checked = with_fresh_weights(checked, data_dir, Path(folder))
        search = _phases(checked, data_dir, Path(folder)) if _has_steps(checked) else _trials(checked, resources, data_dir, Path(folder))
        finale = _finale(checked, resources, data_dir, Path(folder), Known(Plan.of(checked), profiles))
    return {
        **search,
        "unit": neediest(needs),
        "advice": [
            *advice(checked, search["trials"] or None), *search.get("advice", []),
            *long_units(max(search.get("unit_seconds", 0.0), finale.get("unit_seconds", 0.0))),
        ],
        "seconds": search["seconds"] + finale["seconds"],
        "finale_samples": finale["samples"],
        "finale_seconds": finale["seconds"],
    }


def neediest(needs: list[UnitNeed]) -> dict[str, Any] | None:
    """The unit that needs most memory, and the FLOPs of the dearest; None where nothing was counted."""
    if not needs:
        return None
    most = max(needs, key=lambda need: need.memory)
    return {"what": most.what, "memory": most.memory, "flops": max(need.flops for need in needs)}


def _has_steps(checked: CheckedRun) -> bool:
    return any(isinstance(phase, StepPhase) for phase in checked.phases())


def _instant(checked: CheckedRun, resources: Resources, data_dir: Path, folder: Path) -> dict[str, Any]:
    """A search whose trials are answered at once: its first second, extrapolated. Most of it is the algorithm thinking between trials."""
    assert not isinstance(resources.dataset, Samples)
    per_trial = resources.dataset.declared_samples
    started = time.perf_counter()
    coordinator = Coordinator(checked, data_dir, folder)
    planned = _planned(coordinator)
    coordinator.advance(seconds=INSTANT_SECONDS)
    per_trial_seconds = (time.perf_counter() - started) / max(coordinator.meter.trials, 1)
    flops = resources.dataset.declared_flops if isinstance(resources.dataset, Table) else 0.0
    costs = {"samples": float(max(per_trial, 1)), "flops": max(flops, 1.0), "seconds": per_trial_seconds}
    trials = _allowed(checked, planned, costs)
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
    samples, seconds, steps, longest = 0.0, 0.0, 0, 0.0
    handover = None
    for index, phase in enumerate(checked.phases()):
        if not isinstance(phase, StepPhase):
            continue
        work = open_work(checked, phase_spec(index, handover, folder), data_dir, folder)
        assert isinstance(work, PhaseWork)
        per_step, per_unit = _seconds_per_step(work)
        longest = max(longest, per_unit)
        per_step_samples = work.cost.samples / work.phase.steps_done if work.phase.steps_done else 0.0
        per_step_flops = work.cost.flops / work.phase.steps_done if work.phase.steps_done else 0.0
        horizon = work.progress().total
        whole = work.phase.planned_samples()
        if whole is not None and horizon and per_step_samples:
            # Time goes with the examples that pass through the network.
            per_step *= whole / horizon / per_step_samples
            per_step_flops *= whole / horizon / per_step_samples
            per_step_samples = whole / horizon
        used = {"seconds": per_step, "samples": per_step_samples, "flops": per_step_flops}
        planned = int(horizon) if horizon is not None else _budget_steps(checked, used)
        if not phase.control:
            handover = work.phase.handover()
            planned = min(planned, _budget_steps(checked, used)) if checked.budget else planned
            steps, samples = steps + planned, samples + planned * per_step_samples
        seconds += planned * per_step
    note = f"{steps:,} steps, timed on this machine just now"
    return {"samples": samples, "trials": 0, "steps": steps, "seconds": seconds, "unit_seconds": longest, "note": note}


def _budget_steps(checked: CheckedRun, used: dict[str, float]) -> int:
    """How many steps the budget allows, of which each uses so much of every kind."""
    budget = checked.budget
    if budget is None:
        return 0
    per_step = used[budget.kind]
    return max(1, int(budget.limit / per_step)) if per_step else 1


def _trials(checked: CheckedRun, resources: Resources, data_dir: Path, folder: Path) -> dict[str, Any]:
    data = resources.search_data
    genome = resources.space.sample(random.Random(derive_seed(checked.config.seed, "estimate")))
    fidelity = checked.options.trial_fidelity
    training = genome_training(checked.config.training, resources.space, genome, fidelity)
    whole, compressed, share = _passes(checked, training, data)
    declared = (1 - share) * whole.samples + share * compressed.samples
    apart = 0.0
    if checked.config.together > 1:
        per_trial, judged, alone = _together(checked, data_dir, folder)
    else:
        arguments = {"genome": genome.to_json(), "hash": resources.space.hash(genome), "fidelity": fidelity}
        apart = _work_seconds(open_work(checked, WorkSpec(kind="trial", index=0, arguments=arguments), data_dir, folder))
        per_trial = apart + share * _phase_seconds(checked, arguments, data_dir, folder)
        judged, alone = "judged by one random architecture", []
        if share:
            judged += ", whose training after the compression takes as long as without"
    costs = {"samples": declared, "seconds": per_trial}
    if checked.budget is not None and checked.budget.kind == "flops":
        counted = DeclaredFlops(checked, resources)
        flops = [counted.of(genome, resources.space.hash(genome), training, passes) for passes in (whole, compressed)]
        costs["flops"] = max((1 - share) * flops[0] + share * flops[1], 1.0)
    trials = _allowed(checked, _planned(Coordinator(checked, data_dir, folder)), costs)
    compressions = checked.options.compressions
    beside = 0 if compressions is None else min(compressions.beside, trials)
    return {
        "samples": trials * declared,
        "trials": trials,
        "steps": None,
        "seconds": trials * per_trial + beside * apart,
        "note": f"{trials:,} trials of about {per_trial:.1f} s, {judged}",
        "advice": alone,
    }


def _passes(checked: CheckedRun, training: TrainingConfig, data: SearchData) -> tuple[Cost, Cost, float]:
    """What a trial uses as it is, what one uses whose network is compressed before, and the share of these among the trials."""
    whole = declared_trial_cost(training, data, checked.config.folds)
    compressions = checked.options.compressions
    if compressions is None:
        return whole, whole, 0.0
    return whole, declared_trial_cost(training, data, checked.config.folds, compressions.how), compressions.share


def _phase_seconds(checked: CheckedRun, arguments: dict[str, Any], data_dir: Path, folder: Path) -> float:
    """Seconds of the compression of a trial's network, from its first few steps; 0 where none is compressed."""
    compressions = checked.options.compressions
    if compressions is None:
        return 0.0
    spec = WorkSpec(kind="trial", index=0, arguments={**arguments, "compress": compressions.how.to_json()})
    work = open_work(checked, spec, data_dir, folder)
    assert isinstance(work, CompressedWork)
    with work.generators.active():
        work.begin()
    steps = work.compressing.steps_total if work.compressing is not None else 0
    return _seconds_per_unit(work) * steps if steps else 0.0


def _together(checked: CheckedRun, data_dir: Path, folder: Path) -> tuple[float, str, list[str]]:
    """Seconds of a trial where those of equal shape are trained together, how it was judged, and what to know before the start. Judged by
    the search's own first trials, some of the pieces of work that they make."""
    coordinator = Coordinator(checked, data_dir, folder)
    step = coordinator.advance(seconds=INSTANT_SECONDS)
    while step.more and not step.opened:
        step = coordinator.advance(seconds=INSTANT_SECONDS)
    sizes = {spec.source: len(spec.arguments.get("members", [spec])) for spec in step.opened}
    some = random.Random(derive_seed(checked.config.seed, "estimate")).sample(step.opened, min(TIMED_WORKS, len(step.opened)))
    seconds = sum(_work_seconds(open_work(checked, spec, data_dir, folder)) for spec in some)
    first, grouped = sum(sizes.values()), sum(size for size in sizes.values() if size > 1)
    nothing = [f"No two of the first {first} architectures have the same shape, so none would be trained together."]
    judged = f"judged by the first {first}, of which {grouped or 'none'} share their shape with others"
    return seconds / max(sum(sizes[spec.source] for spec in some), 1), judged, [] if grouped else nothing


def _work_seconds(work: Work) -> float:
    """Seconds of a trial, or of a group of trials, from its first few units."""
    if not isinstance(work, GroupWork):
        return _seconds_per_unit(work) * (work.progress().total or 1)
    with work.generators.active():
        work.begin()
        started = time.perf_counter()
        while work.trainer is None and not work.finished:
            work.advance()
        making = time.perf_counter() - started
    if work.trainer is None:
        return making
    # Who is done leaves the stack, and its time goes with it.
    return making + _seconds_per_unit(work) * statistics.fmean(member.steps_total for member in work.trainer.members)


def _planned(coordinator: Coordinator) -> int | None:
    """How many trials the search plans, where a plan ends it. The coordinator is fresh; its first phase is begun."""
    coordinator.advance(seconds=0)
    phase = coordinator.phase
    return phase.planned if isinstance(phase, TrialPhase) and phase.finite else None


def _allowed(checked: CheckedRun, planned: int | None, costs: dict[str, float]) -> int:
    """How many trials a search makes each of which takes so much, by kind of budget: what the budget allows of what it plans."""
    budget = checked.budget
    if budget is None:
        return planned or 1
    allowed = max(1, math.ceil(budget.limit / {"trials": 1.0, **costs}[budget.kind]))
    return allowed if planned is None else min(allowed, planned)


def _finale(checked: CheckedRun, resources: Resources, data_dir: Path, folder: Path, known: Known) -> dict[str, Any]:
    plan = Plan.of(checked)
    if checked.algorithm.finisher:
        return {"samples": 0.0, "seconds": after_training(plan, 0.0, known)}
    genome = resources.space.sample(random.Random(derive_seed(checked.config.seed, "estimate")))
    training = genome_training(checked.finale_training, resources.space, genome, {})
    domains = list(range(len(checked.datasets)))
    arguments = {"genome": genome.to_json(), "finish": "retrain", "role": "finalist", "value": None, "search": [], "domains": domains}
    work = open_work(checked, WorkSpec(kind="final", index=0, arguments=arguments), data_dir, folder)
    finale = checked.config.finale
    trainings = finale.finalists * finale.seeds + finale.baselines
    per_step = _seconds_per_unit(work)
    # A unit before the end of the training is one of its steps; `progress` counts the later stages too.
    assert isinstance(work, FinalWork) and work.trainer is not None
    training_seconds = min(per_step * work.trainer.steps_total, plan.finish_bound)
    exported = training_seconds * (finale.seeds if finale.ensemble else 1)
    seconds = trainings * training_seconds + plan.finalists * after_training(plan, exported, known)
    both = finale.train_on == "train_and_validation"
    sizes = [(len(data.train) + both * len(data.validation), (not both) * len(data.validation)) for data in resources.domains]
    samples = trainings * sum(declared_cost(training, *size).samples for size in sizes)
    return {"samples": samples, "seconds": seconds, "unit_seconds": per_step}


def _seconds_per_step(work: PhaseWork) -> tuple[float, float]:
    """Mean seconds of a step after one for warming up, and of a unit: a step of a large population has several."""
    with work.generators.active():
        work.begin()
        work.advance()
        while not work.finished and work.phase.steps_done < 1:
            work.advance()
        started, units, before = time.perf_counter(), 0, work.phase.steps_done
        while not work.finished and (units < TIMED_UNITS or work.phase.steps_done == before):
            work.advance()
            units += 1
        seconds = time.perf_counter() - started
        return seconds / max(work.phase.steps_done - before, 1), seconds / max(units, 1)


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
