"""The listener that lets the habits look: they hold the structure still during a warm-up and see the search after every epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from search_engine.base.generators import derive_seed
from search_engine.base.lazy import lazy_module
from search_engine.events import Cost

from .curvature import ITERATIONS, largest_eigenvalue
from .habits import EigenvalueStop, EpochView, Habits
from .loop import BilevelLoop, Listener

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_module("torch")


class HabitsListener(Listener):
    """Has what the habits ask for: the derived operations and, where one of them watches it, the curvature."""

    name = "habits"

    def __init__(self, loop: BilevelLoop) -> None:
        super().__init__(loop)
        self.habits = Habits(loop.options)
        self.structures: dict[int, dict[str, Any]] = {}
        """The structure after each of the last epochs of the stage, as far back as a stop may return it."""
        self.eigenvalue: float | None = None
        """The largest eigenvalue of the Hessian of the structure's loss in alpha, as last measured."""

    def holds_structure(self) -> bool:
        return self.habits.hold_structure(self.loop.epoch)

    def after_step(self) -> Cost:
        loop, cost = self.loop, Cost()
        if not loop.epoch_ends:
            return cost
        if loop.options.eigenvalue_ratio:
            self._keep_structure()
            if not loop.held:
                cost = self._measure_curvature()
        weights = loop.alpha.numpy()
        view = EpochView(
            epoch=loop.epoch, step=loop.done, weights=weights,
            operations={group.name: group.operations for group in loop.report.family},
            # Before any limit of skip connections: what they are counted in must show a collapse.
            derived=loop.report.operations_of(loop.derive(weights)), eigenvalue=self.eigenvalue,
        )
        notices, stopped = self.habits.after_epoch(view)
        if self.habits.back_to is not None and not loop.stopped:
            loop.alpha.load_state_dict(self.structures[self.habits.back_to])
        # Whoever stopped the search before in this step gave the reason.
        loop.stopped = loop.stopped or stopped
        for notice in notices:
            loop.context.emit(notice, loop.done)
        return cost

    def _keep_structure(self) -> None:
        epoch, window = self.loop.epoch, self.loop.options.eigenvalue_window
        oldest = epoch - EigenvalueStop.reach_of(window)
        # Later epochs than this one are those of the stage before.
        kept = {at: state for at, state in self.structures.items() if oldest <= at < epoch}
        self.structures = kept | {epoch: self.loop.alpha.state_dict()}

    def _measure_curvature(self) -> Cost:
        """Set `eigenvalue` from the minibatch that moves the structure in the step to come."""
        loop = self.loop
        loss = loop.structure_loss("curvature")
        generator = torch.Generator().manual_seed(derive_seed(loop.context.seed, "curvature", loop.done))
        with loop.flops_once("curvature"):
            twice = loop.alpha.twice_differentiable
            self.eigenvalue = largest_eigenvalue(loss, loop.weights, loop.alpha.parameters, generator, twice=twice)
        loop.require_finite("curvature of the structure", self.eigenvalue)
        # A product with the Hessian is a backward pass through a forward and a backward one, or a difference of two passes.
        return Cost(forward_backward=(1 + ITERATIONS * (1 if twice else 2)) * loss.examples, flops=loop.flops["curvature"])

    def numbers(self) -> dict[str, float]:
        return {} if self.eigenvalue is None else {"hessian_eigenvalue": self.eigenvalue}

    def state_dict(self) -> dict[str, Any]:
        structures = {str(epoch): state for epoch, state in self.structures.items()}
        return {"habits": self.habits.state_dict(), "eigenvalue": self.eigenvalue, "structures": structures}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.habits.load_state_dict(state["habits"])
        self.eigenvalue = state["eigenvalue"]
        self.structures = {int(epoch): kept for epoch, kept in state["structures"].items()}
