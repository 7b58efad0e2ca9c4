"""The listener that shrinks: where a stage begins it takes the weakest operations out of structure and computation (see `stages`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from search_engine.base.lazy import lazy_module
from search_engine.events import Notice

from .loop import BilevelLoop, Listener
from .stages import everything, shrink

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_module("torch")


class Shrinking(Listener):
    """Moves `loop.stage` on. In every stage that starts afresh the loop creates network and structure anew, perhaps deeper."""

    name = "shrinking"

    def __init__(self, loop: BilevelLoop) -> None:
        super().__init__(loop)
        self.kept = everything(loop.report.family)

    def network_changes(self) -> dict[str, Any]:
        cells = self.loop.stages.cells(self.loop.stage)
        return {"cells": cells} if cells else {}

    def created(self) -> None:
        """Take the dropped operations out of the structure and out of the computation."""
        from search_engine.supernets.mixing import evaluate_in

        loop = self.loop
        if loop.stage == 0:
            return
        loop.alpha.restrict(self.kept)
        # A one-hot draw has zeros of its own: whether those are computed is the method's choice.
        if loop.choice.constraint != "simplex_vertices":
            evaluate_in(loop.network, "chosen")

    def before_step(self) -> None:
        """At the first step of a stage: drop the weakest operations and begin it."""
        loop = self.loop
        if loop.stage + 1 >= loop.stages.count or loop.done != loop.stages.start(loop.stage + 1):
            return
        loop.stage += 1
        options = loop.options
        self.kept = shrink(loop.alpha.numpy(), loop.report.family, self.kept, loop.stage, options.shrink_keeps_none)
        self._begin_stage(loop.stage - 1)
        loop.flops = {}
        counts = [int(mask.sum(axis=1).max()) for mask in self.kept.values()]
        message = f"Stage {loop.stage + 1} of {loop.stages.count}: every edge keeps its {max(counts)} strongest operations"
        message += ", and weights and structure begin anew." if options.shrink_restart else "; weights and structure go on."
        if self._widens(loop.stage - 1):
            message += f" Operations widen to 1/{loop.stages.partial_channels(loop.stage)} of the channels."
        values = {"stage": loop.stage + 1.0, "operations": float(max(counts))}
        if cells := loop.stages.cells(loop.stage):
            values["cells"] = float(cells)
        loop.context.emit(Notice(name="shrinking", message=message, step=loop.done, values=values), loop.done)

    def _widens(self, before: int) -> bool:
        """Whether the present stage goes on with more channels than stage `before`."""
        stages = self.loop.stages
        return not self.loop.options.shrink_restart and stages.partial_channels(self.loop.stage) != stages.partial_channels(before)

    def _begin_stage(self, before: int) -> None:
        """From the network of stage `before`."""
        if self.loop.options.shrink_restart:
            self.loop.create()
        elif self._widens(before):
            self.loop.widen()
        else:
            self.created()

    def numbers(self) -> dict[str, float]:
        return {"stage": self.loop.stage + 1.0} if self.loop.stages.count > 1 else {}

    def state_dict(self) -> dict[str, Any]:
        return {"kept": {group: mask.tolist() for group, mask in self.kept.items()}}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.kept = {group: np.array(mask, dtype=bool) for group, mask in state["kept"].items()}
        if self.loop.stage:
            # The fresh weights are overwritten: they must not move anybody's generator.
            with torch.random.fork_rng():
                self._begin_stage(0)
