"""What the smallest pieces of a run need, before it starts: bytes of memory at their peak, and FLOPs.

A unit (`work.Work.advance`) is what nothing can interrupt: a stop, a pause and another person's search wait for its end, and its memory has
to be there at once. Both are counted on the run's own work, its first units, with the smallest batches; both go with the size of a batch
as a straight line, operation by operation, so the forecast for the batches of the config is exact although none of that size is computed.
A training is counted as if its epoch ended at once, so that the scoring of a batch is among its units; a later phase and an algorithm's own
end begin with what the phases before them leave after their first steps.
Whatever else is large is seen as it is, up to a limit, where counting stops: what is said then is "at least".

Needs torch and the data. Nothing is kept.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ..algorithms.base import Finalist, StepPhase, TrialPhase
from ..base import checkpoint
from ..base.generators import derive_seed
from ..catalogue.config import CheckedRun, check
from ..datasets.base import Samples
from .budget import Meter
from .final_work import FinalWork
from .fresh_given import with_fresh_weights
from .group_work import GroupWork
from .open_work import open_work
from .phase_work import PhaseWork, finalist_tree
from .resources import Resources
from .trial_work import TrialWork
from .work import Work, WorkSpec

PROCESS_BYTES = 350_000_000
"""A worker with torch and the application loaded, before its first job."""
UNITS = 2
"""So many units of each kind of work are counted, and what comes before them."""
STEPS = 200
"""So many steps a search is given to have something to finish."""
COPIES = 8
"""As often a model's weights are in memory while its download is written: the network, a copy, its state, the file's bytes, the network
that is built from the file, and, in processes that it starts, its ONNX graph, that as bytes, and the session that checks it."""
GENOMES = 2
"""So many random architectures: the neediest counts."""
SMALLEST, NEXT = 16, 32
"""Examples in the batches that are computed."""
OPERATIONS = 150_000


@dataclass(frozen=True)
class UnitNeed:
    """The neediest unit of one kind of work."""

    what: str
    """In words, after "one": "step of the search", "step of a trial", "step of the final training"."""
    memory: float
    """Bytes that a worker takes at the peak, all in all."""
    flops: float
    """2 x MACs."""
    at_least: bool = False
    """Whether counting stopped at a limit."""


@dataclass(frozen=True)
class Limits:
    """Where counting stops."""

    memory: float = math.inf
    flops: float = math.inf


def unit_needs(checked: CheckedRun, data_dir: Path, limits: Limits | None = None) -> list[UnitNeed]:
    """Of each kind of work that the run has; none where a table or a formula answers. Raises BadInput or MissingData as the run would.

    What cannot be computed in so small batches has no forecast here: it fails for itself in the run.
    """
    resources = Resources(checked, data_dir)
    if not isinstance(resources.dataset, Samples):
        return []
    return [need for kind in kinds(checked) if (need := need_of(kind, checked, data_dir, limits or Limits())) is not None]


@dataclass(frozen=True)
class Kind:
    """A kind of work, and how a config of it is made small."""

    what: str
    specs: Callable[[CheckedRun, Path, Path], list[WorkSpec]]
    """(config, data directory, a folder for what the work is opened with) -> those whose neediest counts."""
    batches: tuple[str, ...]
    """Dotted names of the fields that say how large its batches are."""
    training: str = ""
    """The field of the config that has its training; empty where the algorithm's options have it."""
    written: bool = False
    """Whether it is the writing of the download that counts, and not the work's first units."""


def kinds(checked: CheckedRun) -> list[Kind]:
    """Those of the run, in the order in which they come."""
    phases = checked.phases()
    found: list[Kind] = []
    for index, phase in enumerate(phases):
        if isinstance(phase, StepPhase):
            what = "step of the search" if not found else f"step of '{phase.title}'"
            found.append(Kind(what, partial(_of_phase, index), ("options.batch_size", "options.reward_batch_size")))
    if any(isinstance(phase, TrialPhase) for phase in phases):
        found.append(Kind("step of a trial", _of_trials, ("training.batch_size",), "training"))
    if checked.finishes:
        found.append(Kind("step of the final training", _of_finale, ("finale.training.batch_size",), "finale.training"))
        if checked.config.finale.export:
            found.append(Kind("download that is written", _of_finale, (), "finale.training", written=True))
    elif checked.algorithm.finisher:
        found.append(Kind("end of the search", _of_end, ()))
    return found


def phase_spec(index: int, handover: dict[str, Any] | None, folder: Path) -> WorkSpec:
    """A phase that nothing was charged for yet, from what the one before it handed over, if anything: that lies in `folder` then."""
    arguments: dict[str, Any] = {"charged": Meter(None).state_dict()}
    if handover is None:
        return WorkSpec(kind="phase", index=index, arguments=arguments)
    name = f"handover-{index}.safetensors"
    arguments["artefact_digest"] = checkpoint.write(folder / name, handover)
    return WorkSpec(kind="phase", index=index, arguments=arguments, artefact=name)


def _begun(checked: CheckedRun, data_dir: Path, folder: Path) -> Iterator[tuple[int, PhaseWork]]:
    """The step phases that are no controls, each after its first step, from the handover of the one before. A work that fails is the
    last. How many live in a population changes nothing in what they leave, only how long that takes."""
    checked = _with_few(checked)
    handover = None
    for index, phase in enumerate(checked.phases()):
        if not isinstance(phase, StepPhase) or phase.control:
            continue
        work = open_work(checked, phase_spec(index, handover, folder), data_dir, folder)
        assert isinstance(work, PhaseWork)
        with work.generators.active():
            work.begin()
            while not work.finished and work.phase.steps_done < 1:
                work.advance()
        if work.failure is not None:
            return
        yield index, work
        handover = work.phase.handover()


def _with_few(checked: CheckedRun) -> CheckedRun:
    population = getattr(checked.options, "population", 0)
    usual = type(checked.options).model_fields["population"].default if population else 0
    return changed(checked, {"options.population": usual}) if population > usual else checked


def _of_phase(index: int, checked: CheckedRun, data_dir: Path, folder: Path) -> list[WorkSpec]:
    earlier = [phase for phase in checked.phases()[:index] if isinstance(phase, StepPhase) and not phase.control]
    if not earlier:
        return [phase_spec(index, None, folder)]
    before = [work for place, work in _begun(checked, data_dir, folder) if place < index]
    return [phase_spec(index, before[-1].phase.handover(), folder)] if len(before) == len(earlier) else []


def _of_end(checked: CheckedRun, data_dir: Path, folder: Path) -> list[WorkSpec]:
    """What the algorithm's own finisher is given, as far as the search has something after its first steps."""
    works = [work for _, work in _begun(checked, data_dir, folder)]
    found = [finalist for work in works[-1:] for finalist in _first_best(work) if finalist.finish == "as_is"]
    specs = []
    for finalist in found[:1]:
        entrant = finalist_tree(finalist)
        arguments = {name: entrant[name] for name in ("genome", "finish", "value", "domains")} | {"role": "finalist", "search": []}
        artefact = None
        if entrant["init"] is not None:
            artefact = "end.safetensors"
            arguments["artefact_digest"] = checkpoint.write(folder / artefact, entrant["init"])
        specs.append(WorkSpec(kind="final", index=0, arguments=arguments, artefact=artefact))
    return specs


def _genomes(checked: CheckedRun, data_dir: Path) -> Iterator[tuple[dict[str, Any], str]]:
    space = Resources(checked, data_dir).space
    rng = random.Random(derive_seed(checked.config.seed, "needs"))
    for _ in range(GENOMES):
        genome = space.sample(rng)
        yield genome.to_json(), space.hash(genome)


def _first_best(work: PhaseWork) -> list[Finalist]:
    """What a search that has just begun would hand over, some steps later where it has nothing yet."""
    with work.generators.active():
        for _ in range(STEPS):
            if work.finished or work.phase.best():
                break
            work.advance()
    return [] if work.failure is not None else work.phase.best()


def _of_trials(checked: CheckedRun, data_dir: Path, folder: Path) -> list[WorkSpec]:
    specs = [
        WorkSpec(kind="trial", index=number, arguments={"genome": genome, "hash": hash_, "fidelity": {}})
        for number, (genome, hash_) in enumerate(_genomes(checked, data_dir))
    ]
    compressions = checked.options.compressions
    if compressions is not None:
        # Training with the penalty, beside the training of the network as it is: nothing may go.
        compress = {"compress": compressions.how.to_json()}
        specs += [spec.model_copy(update={"arguments": {**spec.arguments, **compress}}) for spec in specs]
    # Those that are trained together are so many networks in one stack; equal ones share their shape.
    together = checked.config.together
    if together == 1:
        return specs
    return [WorkSpec(kind="trial", index=0, arguments={"members": [spec.model_dump() for spec in [specs[0]] * together]})]


def _of_finale(checked: CheckedRun, data_dir: Path, folder: Path) -> list[WorkSpec]:
    domains = list(range(len(checked.datasets)))
    common = {"finish": "retrain", "role": "finalist", "value": None, "search": [], "domains": domains}
    return [
        WorkSpec(kind="final", index=number, arguments={"genome": genome, **common})
        for number, (genome, _) in enumerate(_genomes(checked, data_dir))
    ]


# ---------------------------------------------------------------- one kind


def need_of(kind: Kind, checked: CheckedRun, data_dir: Path, limits: Limits) -> UnitNeed | None:
    """The neediest of the units of one kind, at the batches of the config; None where they cannot be computed."""
    counted = Counted.of(kind, checked, data_dir, limits)
    return None if counted is None else counted.at(counted.wanted)


@dataclass(frozen=True)
class Counted:
    """What was counted of one kind of work with small batches, from which follows what it needs with larger ones."""

    what: str
    wanted: dict[str, int]
    """The config's own size of every kind of batch, by the dotted name of its field."""
    held: float
    """Bytes of the process and of the data."""
    base: list[list[_Part]]
    """Of each of the kind's specs that could be computed: building and its first units, part by part."""
    lines: dict[str, tuple[int, int, list[list[_Part]]]]
    """Of each field that makes larger batches than the smallest: examples in the small one, in a larger one, and its count."""
    examples: dict[str, Callable[[int], int]]
    """Of each of these fields: a size -> examples in the largest batch that it makes."""

    @classmethod
    def of(cls, kind: Kind, checked: CheckedRun, data_dir: Path, limits: Limits) -> Counted | None:
        """None where nothing could be computed."""
        sizes = {name: found for name in kind.batches if (found := _batches(checked, data_dir, name)) is not None}

        def made_small(chosen: dict[str, int]) -> CheckedRun:
            # An epoch of a few batches: its end, where the validation part is scored, is among the units.
            short = {f"{kind.training}.train_examples": UNITS * sizes[name][1](size) for name, size in chosen.items() if kind.training}
            return changed(checked, {**chosen, **short})

        smallest = {name: min(value, SMALLEST) for name, (value, _) in sizes.items()}
        small = made_small(smallest)
        base = _count(kind, small, data_dir, limits)
        if not base:
            return None
        lines = {}
        for name, (value, examples) in sizes.items():
            first, second = examples(min(value, SMALLEST)), examples(min(value, NEXT))
            if second > first:
                lines[name] = (first, second, _count(kind, made_small({**smallest, name: min(value, NEXT)}), data_dir, limits))
        resources = Resources(checked, data_dir)
        parts = [part for domain in resources.domains for part in (domain.train, domain.validation)]
        opened = [resources.dataset_of(place) for place in range(len(checked.datasets))]
        # A fold is another copy of what the parts hold.
        copies = 2 if checked.config.folds > 1 else 1
        held = PROCESS_BYTES + copies * sum(part.inputs.nbytes + part.labels.nbytes for part in parts)
        # Two domains on one data set keep it once.
        held += sum({id(item): item.kept_bytes for item in opened if isinstance(item, Samples)}.values())
        return cls(
            kind.what, {name: value for name, (value, _) in sizes.items()}, held, base, lines,
            {name: examples for name, (_, examples) in sizes.items()},
        )

    def at(self, sizes: dict[str, int]) -> UnitNeed:
        """What the neediest unit needs with batches of so many."""
        times = {name: (self.examples[name](sizes[name]) - first) / (second - first) for name, (first, second, _) in self.lines.items()}
        parts = [
            _along(part, [(times[name], other[work][place]) for name, (_, _, other) in self.lines.items() if _has(other, work, place)])
            for work, own in enumerate(self.base)
            for place, part in enumerate(own)
        ]
        counted = [self.base, *(others for *_, others in self.lines.values())]
        cut = any(part.cut for works in counted for own in works for part in own)
        # The one that needs most memory need not be the one that takes most FLOPs.
        return UnitNeed(self.what, self.held + max(memory for memory, _ in parts), max(flops for _, flops in parts), cut)


def _has(works: list[list[_Part]], work: int, place: int) -> bool:
    return work < len(works) and place < len(works[work])


@dataclass(frozen=True)
class _Part:
    """What was counted of building the work, or of one unit."""

    course: Any
    """Bytes held after each operation."""
    flops: float
    cut: bool


def _along(base: _Part, lines: list[tuple[float, _Part]]) -> tuple[float, float]:
    """(bytes, FLOPs) of that part, so many times as far from it as each of the others is."""
    import numpy as np

    own = np.asarray(base.course, dtype=np.float64)
    course, flops = own, base.flops
    for times, other in lines:
        flops += (other.flops - base.flops) * times
        further = np.asarray(other.course, dtype=np.float64)
        # Where the two did not do the same operations, their peaks are all that can be compared.
        course = course + ((further - own) if len(further) == len(own) else (further.max() - own.max())) * times
    return float(course.max()), flops


def _count(kind: Kind, checked: CheckedRun, data_dir: Path, limits: Limits) -> list[list[_Part]]:
    """Building and the first units of each of the kind's specs, part by part; of those that fail nothing."""
    found: list[list[_Part]] = []
    with TemporaryDirectory() as folder:
        checked = with_fresh_weights(checked, data_dir, Path(folder))
        for spec in kind.specs(checked, data_dir, Path(folder)):
            work = open_work(checked, spec, data_dir, Path(folder))
            parts = _written(work) if kind.written else _first_units(work, limits)
            if work.failure is None and parts:
                found.append(parts)
    return found


def _first_units(work: Work, limits: Limits) -> list[_Part]:
    from ..training.needs import counting
    from ..training.prepared_batches import one_at_a_time

    parts: list[_Part] = []
    with work.generators.active(), one_at_a_time(), counting(limits.memory, limits.flops, OPERATIONS) as needs:
        action, units = work.begin, 0
        while units <= UNITS and not (work.finished and parts):
            needs.part()
            action()
            parts.append(_Part(needs.course, needs.flops, False))
            units += not _prepares(work)
            action = work.advance
    if needs.cut:
        parts.append(_Part(needs.course, needs.flops, True))
    return parts


def _prepares(work: Work) -> bool:
    """Whether what comes next is before its first step: networks or a population that are made, or the space's own initialisation."""
    if isinstance(work, PhaseWork):
        return work.failure is None and work.phase.preparing
    if isinstance(work, GroupWork):
        return work.trainer is None
    return isinstance(work, TrialWork | FinalWork) and not work.initialised


def _written(work: Work) -> list[_Part]:
    """Writing the download, which computes next to nothing."""
    with work.generators.active():
        work.begin()
    network = work.network if isinstance(work, FinalWork) else None
    if network is None:
        return []
    weights = sum(item.numel() * item.element_size() for item in network.state_dict().values())
    finale = work.checked.config.finale if isinstance(work, FinalWork) else None
    # Of several trainings all are kept, and as an ensemble they are written in one.
    seeds = 1 if finale is None else finale.seeds
    written = seeds if finale is not None and finale.ensemble else 1
    return [_Part([(COPIES * written + seeds - 1) * weights], 0.0, False)]


def _batches(checked: CheckedRun, data_dir: Path, name: str) -> tuple[int, Callable[[int], int]] | None:
    """The size that the field gives to a batch, and how many examples the largest batch of a size has: no more than there are, and batches
    are as equal as can be. None where the run has no such field."""
    place, _, field = name.rpartition(".")
    owner: Any = {"options": checked.options, "training": checked.config.training, "finale.training": _finale_training(checked)}[place]
    value: int | None = getattr(owner, field, None)
    if value is None:
        return None
    there = len(Resources(checked, data_dir).search_data.train)
    if place != "options" and owner.train_examples:
        there = min(there, owner.train_examples)
    return value, lambda size: -(-there // -(-there // size))


def _finale_training(checked: CheckedRun) -> Any:
    return checked.finale_training if checked.finishes else None


def changed(checked: CheckedRun, changes: dict[str, Any]) -> CheckedRun:
    """The config with those fields changed. Raises BadInput where they do not fit."""
    values = checked.config.model_dump()
    for name, value in changes.items():
        *places, field = name.split(".")
        target = values
        for place in places:
            target = target[place]
        target[field] = value
    return check(values)
