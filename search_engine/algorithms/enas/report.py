"""What a search with a policy over paths tells the world: decisions, the policy's frames, the path of the step, metrics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from search_engine.events import Metrics, Notice, PolicyFrame, encode_floats
from search_engine.spaces.decisions import Choices
from search_engine.spaces.genomes import Genome

from ..base import Context
from ..derived_genomes import DerivedGenomes
from ..means import Means
from ..policy.report import declare_space, say_edges

if TYPE_CHECKING:
    from ..policy.network import Controller

Stage = Literal["warm_up", "weights", "controller", "ranking"]
STAGES: tuple[Stage, ...] = ("warm_up", "weights", "controller", "ranking")
"""Frames carry a stage's place in here as the value `stage`."""
NOTICES: dict[Stage, str] = {
    "weights": "Warm-up is over: paths now come from the controller, which learns from their validation accuracy.",
    "controller": "Warm-up is over: the controller now learns from the validation accuracy of the paths that it samples.",
    "ranking": "The search is over: samples of the policy, and as many random paths, are ranked on the validation part.",
}


class PathReport:
    """Says the science events of one step phase. Counted metrics are means over the steps since the last report."""

    def __init__(self, context: Context, controller: Controller) -> None:
        self._context, self._controller = context, controller
        self._space: Any = context.space
        self._tables: list[Any] | None = None
        """The policy's probabilities; None after it moved."""
        self._said: Stage = "warm_up"
        self._derived = DerivedGenomes(context, self._changed_choices, "choice")
        self._sampled: Choices = ()
        self._means = Means()
        self._now: dict[str, float] = {}
        self._policy: dict[str, float] = {}
        """The latest numbers of the controller, for every frame."""

    def declare(self) -> None:
        """Step 0: decisions and, where the decisions belong to its edges, the family; then the policy as it starts."""
        declare_space(self._context, self._probabilities())
        self._say_policy(0, "warm_up")

    def count(self, **values: float) -> None:
        """Numbers of one step, to be averaged until the next report."""
        self._means.count(**values)

    def now(self, sampled: Choices, **values: float) -> None:
        """The path of this step, and numbers that are reported as they are."""
        self._sampled = sampled
        self._now.update(values)

    def learned(self, sampled: Choices, **values: float) -> None:
        """The policy has moved; these are its numbers now, and the last of the paths that it learned from."""
        self._tables = None
        self.now(sampled, **values)
        self._policy = values

    def say(self, step: int, stage: Stage, samples: float, last: bool) -> None:
        """What the step did, where a report is due."""
        if stage != self._said and (stage == "ranking" or self._said == "warm_up"):
            self._context.emit(Notice(name=stage, message=NOTICES[stage], step=step), step)
        self._said = stage
        if not last and step % self._context.structure_every:
            return
        self._say_policy(step, stage)
        values = {**self._now, **self._means.take()}
        self._now = {}
        self._context.emit(Metrics(step=step, samples=samples, values=values), step)

    def _probabilities(self) -> list[Any]:
        if self._tables is None:
            self._tables = self._controller.probabilities()
        return self._tables

    def _say_policy(self, step: int, stage: Stage) -> None:
        tables = self._probabilities()
        frame = PolicyFrame(
            step=step, probabilities=encode_floats(np.concatenate(tables)), sampled=list(self._sampled),
            values={**self._policy, "stage": float(STAGES.index(stage))},
        )
        self._context.emit(frame, step)
        say_edges(self._context, tables, step)
        self._say_derived(step, tables)

    def _say_derived(self, step: int, tables: Sequence[Any]) -> None:
        """The most probable path, if it is another one than before."""
        choices: Choices = tuple(int(table.argmax()) if table.any() else None for table in tables)
        self._derived.say(step, self._space.genome_of(choices))

    def _changed_choices(self, genome: Genome, before: Genome | None) -> int:
        choices: Choices = self._space.choices_of(genome)
        others: Choices = (None,) * len(choices) if before is None else self._space.choices_of(before)
        return sum(new != old for new, old in zip(choices, others, strict=True))

    def state_dict(self) -> dict[str, Any]:
        return {
            "said": self._said,
            "derived": self._derived.state_dict(),
            "sampled": list(self._sampled),
            "means": self._means.state_dict(),
            "now": dict(self._now),
            "policy": dict(self._policy),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._tables = None
        self._said = state["said"]
        self._derived.load_state_dict(state["derived"])
        self._sampled = tuple(state["sampled"])
        self._means.load_state_dict(state["means"])
        self._now = dict(state["now"])
        self._policy = dict(state["policy"])
