"""The search that climbs a variational bound step by step: what relevance determination of weights and of latents share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from pydantic import Field

from search_engine.base.checkpoint import copied
from search_engine.base.lazy import lazy_module

from ..base import AlgorithmConfig, Context
from ..means import Means
from ..step_search import StepSearch

if TYPE_CHECKING:
    import torch

    from search_engine.training.batches import BatchOrder, DevicePart
else:
    torch = lazy_module("torch")

FRAMES = 100
"""About so many reports in a run."""


class BoundConfig(AlgorithmConfig):
    """What such a search asks its options for. What stands here without a default has one of each method's own."""

    epochs: int
    steps: int = Field(
        default=0, ge=0, le=10_000_000, title="Steps", description="The horizon in optimiser steps instead; 0 = use the epochs."
    )
    batch_size: int = Field(default=64, ge=1, le=65_536, title="Batch size", description="Examples of one optimiser step.")

    if TYPE_CHECKING:
        # For the types alone: fields of this class come first in the form, and these stand where the method explains them.
        gradient_clip: float
        kl_warmup: float


BoundOptionsT = TypeVar("BoundOptionsT", bound=BoundConfig)


class BoundSearch(StepSearch[BoundOptionsT]):
    """Minibatches of the training part, one optimiser, a divergence that is warmed up, means of what a step gives between two reports.

    A subclass builds `model` and `optimizer` after `super().begin`, and its `step` ends with `climb`. A control hands on how far it came
    and, given that of its search, goes no farther: on the same schedule, also where a budget cut the search.
    """

    model: Any
    optimizer: torch.optim.Optimizer
    train_part: DevicePart
    val_part: DevicePart
    order: BatchOrder

    state_version = 2
    order_name: ClassVar[str]
    """Seeds the order of the minibatches, beside the run's seed."""

    def begin(self, context: Context, handover: dict[str, Any] | None) -> None:
        """Data, their order and the counters. Raises TypeError without samples."""
        from search_engine.training.batches import BatchOrder

        super().begin(context, handover)
        data = self.samples
        self.limit: int | None = None if handover is None else handover["steps"]
        self.train_part, self.val_part = self.on_device(data.train, data.validation)
        self.order = BatchOrder(len(data.train), self.options.batch_size, self.order_name, context.seed)
        self.means = Means()
        """Of the figures of a step, until the next report."""

    # ---- where it stands

    @property
    def horizon(self) -> int:
        return self.planned_steps(self.order)

    @property
    def finished(self) -> bool:
        return self.done >= (self.horizon if self.limit is None else min(self.limit, self.horizon))

    def handover(self) -> dict[str, Any] | None:
        """For the control: how far a budget let the search come."""
        return {"steps": self.done}

    @property
    def warm(self) -> float:
        """Weight of the divergence that is warmed up."""
        steps = self.options.kl_warmup * self.horizon
        return min(1.0, self.done / steps) if steps else 1.0

    @property
    def every(self) -> int:
        """Steps between two reports."""
        return max(self.context.structure_every, -(-self.horizon // FRAMES))

    @property
    def due(self) -> bool:
        """Whether a report is due after the steps done."""
        return self.finished or self.done % self.every == 0

    # ---- one step

    def climb(self, objective: torch.Tensor, parameters: Sequence[torch.Tensor]) -> None:
        """Move along the gradients that `objective` has left on `parameters`. Raises TrialFailure where it is not a number."""
        self.require_finite("the bound", float(objective.detach()))
        if self.options.gradient_clip:
            torch.nn.utils.clip_grad_norm_(parameters, self.options.gradient_clip)
        self.optimizer.step()

    # ---- checkpoints

    def state_dict(self) -> dict[str, Any]:
        return {
            **super().state_dict(), "model": copied(self.model.state_dict()), "optimizer": copied(self.optimizer.state_dict()),
            "means": self.means.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.means.load_state_dict(state["means"])
