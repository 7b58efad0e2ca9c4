"""A step phase as work: one super-network, or one population in memory, moved step by step until its horizon or the budget."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..algorithms.base import Context, Finalist, Phase, StepPhase
from ..base import checkpoint
from ..base.generators import derive_seed, random_state, restore_random
from ..base.migrations import migrated
from ..catalogue.config import CheckedRun
from ..datasets.base import SearchData
from ..events import Cost, Metrics, Notice, Ops
from . import continuation
from .budget import Meter
from .doubts import of_a_search
from .resources import Resources
from .work import Progress, Work, WorkSpec


class PhaseWork(Work):
    """`spec.index` is the phase's index; arguments: `charged`, the meter's state when the phase starts; the artefact is the handover."""

    def __init__(self, spec: WorkSpec, checked: CheckedRun, data_dir: Path, run_dir: Path) -> None:
        pair = checked.phases()[spec.index].paired_with
        seed = derive_seed(checked.config.seed, "phase", spec.index if pair is None else pair)
        super().__init__(spec, seed)
        self.seed = seed
        self.resources = Resources(checked, data_dir, run_dir)
        self.run_dir = run_dir
        self.meter = Meter(checked.budget)
        self.meter.load_state_dict(spec.arguments["charged"])
        self._own = Cost()
        self.doubted = False
        """Whether it was said that its losses mean little: once, where that is first so."""
        self.ended = False
        """Whether its owner wants what it has found, now."""
        self._left: dict[str, Any] | None = None
        """The checkpoint from which a longer search goes on: before the last planned step, or where it was cut."""
        self.phase: StepPhase

    def _begin(self) -> None:
        from ..training import device

        checked = self.resources.checked
        phase = checked.phases()[self.spec.index]
        if not isinstance(phase, StepPhase):
            raise TypeError(f"phase {self.spec.index} of {checked.algorithm.id} is not a step phase")
        self.phase = phase
        handover = None
        if self.spec.artefact is not None:
            handover = checkpoint.read(self.run_dir / self.spec.artefact, self.spec.arguments.get("artefact_digest"))
        context = Context(
            space=self.resources.space,
            options=checked.options,
            seed=self.seed,
            rng=random.Random(derive_seed(self.seed, "decisions")),
            metric=checked.metric,
            log=self.log,
            data=self._weighed(self.resources.search_data),
            domains=[self._weighed(data) for data in self.resources.domains],
            device=device.resolve(checked.config.device),
            amp=checked.config.amp,
            structure_every=checked.config.structure_every,
            given=self.resources.given,
        )
        self.phase.begin(context, handover)

    def _weighed(self, data: SearchData) -> SearchData:
        how = self.resources.checked.config.training.class_weights
        return data if how == "none" else replace(data, class_weights=how)

    def _advance(self) -> None:
        if self._lengthened_by and not self.phase.preparing and self.phase.steps_done + 1 == self.phase.horizon:
            self._keep_for_longer()
        said = self.log.pending
        cost = self.phase.step()
        self._own = self._own.plus(cost)
        self.meter.charge(cost)
        if not self.doubted:
            self._doubt(said)

    def _doubt(self, said: int) -> None:
        """Tell of the first absurd loss among what the step said, whose events begin at place `said` of the log."""
        task, classes = self.resources.space.task, [shape.classes for shape in self.resources.shapes]
        variance = 0.0 if task == "classification" else float(self.resources.search_data.train.labels.var(axis=0).mean())
        for event in self.log.since(said):
            if isinstance(event.payload, Metrics):
                for sentence in of_a_search(task, event.payload.values, classes, variance)[:1]:
                    message = f"{self.phase.title}, step {event.step:,}: {sentence}"
                    self.log.add(Notice(name="doubt", message=message, step=event.step), event.step)
                    self.doubted = True
                    return

    def _done(self) -> bool:
        if self.control:
            # It repeats what the search did, at its own expense.
            return self.phase.finished
        # Building the phase may use up a few seconds; what has not moved once has nothing to hand over.
        return self.phase.finished or ((self._over or self.ended) and self.phase.steps_done > 0)

    @property
    def _over(self) -> bool:
        """Whether the budget is used up."""
        # `seconds` is kept by the slice runner; it is charged here so that a budget in seconds can end the phase.
        charged = self.meter.cost.model_copy(update={"seconds": self.meter.cost.seconds + self.seconds})
        budget = self.meter.budget
        return budget is not None and budget.kind != "trials" and self.meter.amount(charged, 0) >= budget.limit

    def end(self) -> None:
        """End it before its next step, if it has done one."""
        self.ended = True

    # ---------------------------------------------------------------- a longer search

    @property
    def _lengthened_by(self) -> str:
        """The option by which its plan gets longer while what it did so far stays what it was; empty where another phase follows, whose
        turn it is then."""
        phases = self.resources.checked.phases()
        follows = phases[self.spec.index + 1 : self.spec.index + 2]
        return "" if self.control or (follows and not follows[0].control) else self.phase.lengthened_by

    def _keep_for_longer(self) -> None:
        tree = {**self.state_dict(), "generators": self.generators.now()}
        self._left = checkpoint.unpack(checkpoint.pack(tree))
        self.log.add(Ops(what=continuation.TURNED, message="the last planned step: a longer search begins here"), self.phase.steps_done)

    def _turned(self) -> str | None:
        """The option by which a longer search goes on; empty where a larger budget does, None where nothing does. Takes the checkpoint of
        a phase that was cut, so it is asked before anything else of a finished one."""
        if self.control or self.failure is not None:
            return None
        if self.phase.finished:
            return self._lengthened_by if self._left is not None and self.phase.stop_reason == "horizon" else None
        if self._left is None:
            self._left = checkpoint.unpack(checkpoint.pack(self.state_dict()))
        return ""

    def place(self) -> None:
        if self.finished and self._turned() is not None:
            checkpoint.write(self.run_dir / continuation.PHASE, self._left, sealed=True)

    def take_up(self) -> None:
        """Go on where a shorter search left it, if it is to. Raises CheckpointMismatch."""
        name = self.spec.arguments.get("taken_up")
        if name is not None and not self._begun:
            self.load_state_dict(checkpoint.read(self.run_dir / name, sealed=True))

    @property
    def control(self) -> bool:
        """Whether it is a comparison after the search, whose cost is not charged."""
        return self.resources.checked.phases()[self.spec.index].control

    @property
    def cost(self) -> Cost:
        return self._own

    def outcome(self) -> dict[str, Any]:
        if self.failure is not None:
            return {"status": "failed", "reason": self.failure.reason, "cost": self._own.model_dump(), "seconds": self.seconds}
        turned = self._turned()
        return {
            **({} if turned is None else {"turned": turned}),
            "status": "completed",
            "reason": self.phase.stop_reason if self.phase.finished else "budget" if self._over else "ended",
            "steps": self.phase.steps_done,
            "cost": self._own.model_dump(),
            "seconds": self.seconds,
            "finalists": [finalist_tree(item) for item in self.phase.best()],
            "baselines": [finalist_tree(item) for item in self.phase.baselines()],
            "handover": self.phase.handover(),
        }

    def progress(self) -> Progress:
        if not self._begun or self.failure is not None:
            return Progress(0, None, "starting")
        kind = "control, step" if self.control else "step"
        return Progress(self.phase.steps_done, self.phase.horizon, f"{kind} {self.phase.steps_done}")

    def _state(self) -> dict[str, Any]:
        return {
            "version": self.phase.state_version,
            "phase": self.phase.state_dict(),
            "rng": random_state(self.phase.context.rng),
            "meter": self.meter.state_dict(),
            "own": self._own.model_dump(),
            # Only where it is so: a state from before figures were doubted has the same form.
            **({"doubted": True} if self.doubted else {}),
        }

    def _load(self, state: dict[str, Any]) -> None:
        self.phase.load_state_dict(migrated_phase(self.resources.checked, self.phase, state["phase"], state["version"]))
        restore_random(self.phase.context.rng, state["rng"])
        self.meter.load_state_dict(state["meter"])
        self._own = Cost.model_validate(state["own"])
        self.doubted = state.get("doubted", False)


def migrated_phase(checked: CheckedRun, phase: Phase[Any], state: dict[str, Any], found: Any) -> dict[str, Any]:
    """A phase's state of the version `found` as one of the present. Raises CheckpointOutdated where no migration leads there."""
    return migrated(phase_title(checked, phase), state, found, phase.state_version, phase.state_steps)


def phase_title(checked: CheckedRun, phase: Phase[Any]) -> str:
    """What a sentence about its state calls a phase."""
    title = checked.algorithm.title
    return title if phase.title in (title, "Search") else f"{title}, {phase.title}"


def finalist_tree(finalist: Finalist) -> dict[str, Any]:
    """A finalist as a checkpoint tree."""
    return {
        "genome": finalist.genome.to_json(),
        "finish": finalist.finish,
        "value": finalist.value,
        "init": finalist.init,
        "candidate": finalist.candidate,
        "domains": list(finalist.domains),
        "metric": finalist.metric,
        "selected_from": finalist.selected_from,
        "fidelity": {"text": finalist.fidelity} if finalist.fidelity else None,
        "title": finalist.title,
    }
