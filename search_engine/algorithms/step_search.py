"""The search by steps that counts them: how far it is, what it has used, where its samples come from, and that much of its checkpoint.

Most step phases repeat this whatever their rule is: an optimiser step of a super-network, a round of pruning, a tournament. A search of
this kind says what one step does and what it found; beside that it says its `horizon`, and what it keeps beyond the counters.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..base.errors import TrialFailure
from ..datasets.base import Part, SearchData
from ..events import Cost
from .base import Context, OptionsT, StepPhase

if TYPE_CHECKING:
    from ..training.batches import BatchOrder, DevicePart


class StepSearch(StepPhase[OptionsT]):
    """A step phase with a counter of steps and of cost. `begin` and both halves of the checkpoint are extended, not replaced:

    >>> import random
    >>> from search_engine.algorithms.base import AlgorithmConfig, Context
    >>> from search_engine.events import Cost, EventLog
    >>> class Descent(StepSearch[AlgorithmConfig]):
    ...     horizon = 3
    ...     def begin(self, context, handover):
    ...         super().begin(context, handover)
    ...         self.x = 1.0
    ...     def step(self):
    ...         self.require_finite("x", self.x)
    ...         self.x /= 2
    ...         self.done += 1
    ...         return self.spend(Cost(forward_backward=8))
    ...     def best(self):
    ...         return []
    ...     def state_dict(self):
    ...         return {**super().state_dict(), "x": self.x}
    ...     def load_state_dict(self, state):
    ...         super().load_state_dict(state)
    ...         self.x = state["x"]
    >>> search = Descent()
    >>> search.begin(Context(None, AlgorithmConfig(), 0, random.Random(0), "val_accuracy", EventLog("phase:0")), None)
    >>> while not search.finished:
    ...     cost = search.step()
    >>> search.steps_done, search.x, search.cost.samples
    (3, 0.125, 24.0)
    """

    done: int
    """Steps done. A step counts itself, before it reports."""
    cost: Cost
    """What the search has used so far."""
    flops: dict[str, float]
    """FLOPs of the parts of a step, see `flops_once`."""

    def begin(self, context: Context, handover: dict[str, Any] | None) -> None:
        """Set the counters to nothing."""
        super().begin(context, handover)
        self.done = 0
        self.cost = Cost()
        self.flops = {}

    # ---- samples

    @property
    def samples(self) -> SearchData:
        """Train and validation samples of the first data set. Raises TypeError where it gives none."""
        if self.context.data is None:
            raise TypeError(f"{self.title} trains on samples; this data set gives none")
        return self.context.data

    @property
    def samples_of_all(self) -> list[SearchData]:
        """Those of every data set, in order. Raises TypeError where they give none."""
        if not self.context.domains:
            raise TypeError(f"{self.title} trains on samples; these data sets give none")
        return self.context.domains

    def on_device(self, *parts: Part) -> list[DevicePart]:
        """Those parts of the first data set as a network takes them."""
        from ..training.batches import DevicePart

        return [DevicePart(part, self.samples.preprocessing, self.context.device) for part in parts]

    @property
    def length_option(self) -> str:
        """The option by which `planned_steps` gets longer."""
        options: Any = self.options
        return "steps" if options.steps else "epochs"

    # ---- where it stands

    def planned_steps(self, order: BatchOrder) -> int:
        """`steps` of the options; where that is 0, the batches of `epochs` passes in that order."""
        options: Any = self.options
        steps: int = options.steps or options.epochs * order.per_epoch
        return steps

    @property
    def steps_done(self) -> int:
        return self.done

    @property
    def finished(self) -> bool:
        """Whether the horizon is reached. A stop rule of the algorithm comes on top."""
        return self.horizon is not None and self.done >= self.horizon

    @property
    def where(self) -> str:
        """The step that is under way, for a message: "at step 3 of 100"."""
        return f"at step {self.done + 1}" + ("" if self.horizon is None else f" of {self.horizon}")

    # ---- one step

    def require_finite(self, what: str, value: float, remedy: str = "a smaller learning rate") -> None:
        """Raise TrialFailure where a figure of the step under way is not finite."""
        if not math.isfinite(value):
            raise TrialFailure(f"{what} is not a number {self.where}; try {remedy}")

    def spend(self, cost: Cost) -> Cost:
        """Count what has been used, and give it back."""
        self.cost = self.cost.plus(cost)
        return cost

    def spent_since(self, before: Cost) -> Cost:
        """What has been used since `cost` was `before`."""
        return Cost(
            forward_backward=self.cost.forward_backward - before.forward_backward, forward=self.cost.forward - before.forward,
            flops=self.cost.flops - before.flops,
        )

    @contextmanager
    def flops_once(self, part: str) -> Iterator[None]:
        """Count the FLOPs (2 x MACs) of the block into `flops[part]` the first time that part of a step runs; later on just run it."""
        if part in self.flops:
            yield
            return
        from ..training.flops import FlopCounter

        with FlopCounter() as counter:
            yield
        self.flops[part] = float(counter.total)

    # ---- checkpoints

    def state_dict(self) -> dict[str, Any]:
        """The counters; what the search has beside them is put to them."""
        return {"done": self.done, "cost": self.cost.model_dump(), "flops": dict(self.flops)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.done = state["done"]
        self.cost = Cost.model_validate(state["cost"])
        self.flops = dict(state["flops"])
