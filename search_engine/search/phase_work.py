"""A step phase as work: one super-network, or one population in memory, moved step by step until its horizon or the budget."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from ..algorithms.base import Context, Finalist, StepPhase
from ..base import checkpoint
from ..base.errors import CheckpointMismatch
from ..base.generators import derive_seed, random_state, restore_random
from ..catalogue.config import CheckedRun
from ..events import Cost
from .budget import Meter
from .resources import Resources
from .work import Progress, Work, WorkSpec


class PhaseWork(Work):
    """`spec.index` is the phase's index; arguments: `charged`, the meter's state when the phase starts; the artefact is the handover."""

    def __init__(self, spec: WorkSpec, checked: CheckedRun, data_dir: Path, run_dir: Path) -> None:
        pair = checked.phases()[spec.index].paired_with
        seed = derive_seed(checked.config.seed, "phase", spec.index if pair is None else pair)
        super().__init__(spec, seed)
        self.seed = seed
        self.resources = Resources(checked, data_dir)
        self.run_dir = run_dir
        self.meter = Meter(checked.budget)
        self.meter.load_state_dict(spec.arguments["charged"])
        self._own = Cost()
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
            data=self.resources.search_data,
            domains=self.resources.domains,
            device=device.resolve(checked.config.device),
            amp=checked.config.amp,
            structure_every=checked.config.structure_every,
        )
        self.phase.begin(context, handover)

    def _advance(self) -> None:
        cost = self.phase.step()
        self._own = self._own.plus(cost)
        self.meter.charge(cost)

    def _done(self) -> bool:
        if self.control:
            # It repeats what the search did, at its own expense.
            return self.phase.finished
        # `seconds` is kept by the slice runner; it is charged here so that a budget in seconds can end the phase.
        charged = self.meter.cost.model_copy(update={"seconds": self.meter.cost.seconds + self.seconds})
        budget = self.meter.budget
        over = budget is not None and budget.kind != "trials" and self.meter.amount(charged, 0) >= budget.limit
        # Building the phase may use up a few seconds; what has not moved once has nothing to hand over.
        return self.phase.finished or (over and self.phase.steps_done > 0)

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
        return {
            "status": "completed",
            "reason": self.phase.stop_reason if self.phase.finished else "budget",
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
        }

    def _load(self, state: dict[str, Any]) -> None:
        if state["version"] != self.phase.state_version:
            raise CheckpointMismatch(
                f"the checkpoint of this phase has state version {state['version']}, this program needs {self.phase.state_version}"
            )
        self.phase.load_state_dict(state["phase"])
        restore_random(self.phase.context.rng, state["rng"])
        self.meter.load_state_dict(state["meter"])
        self._own = Cost.model_validate(state["own"])


def finalist_tree(finalist: Finalist) -> dict[str, Any]:
    """A finalist as a checkpoint tree."""
    return {
        "genome": finalist.genome.to_json(),
        "finish": finalist.finish,
        "value": finalist.value,
        "init": finalist.init,
        "candidate": finalist.candidate,
        "domains": list(finalist.domains),
        "title": finalist.title,
    }
