"""DARTS: Differentiable Architecture Search (H. Liu, K. Simonyan, Y. Yang, ICLR 2019, arXiv 1806.09055).

Every edge of a cell carries all operations at once, mixed by gamma = softmax(alpha):

    f_v = sum over edges e into v of  sum over operations l of  gamma_{e,l} g_{e,l}(f_source(e))

The weights w of all operations fit one half of the training data, the alphas the other half. One step is (Algorithm 1 of the paper):

    1. alpha moves along an estimate of  d/d alpha  L_val(w - xi d/dw L_train(w, alpha), alpha)      (Adam)
    2. w     moves along                 d/dw       L_train(w, alpha)                                 (SGD with momentum)

At the end each node of a cell keeps its two strongest edges and each edge its strongest operation, `none` excluded.

Where it departs from the paper: the cosine schedule moves at every step instead of every epoch, and the defaults of the learning rate
of alpha and of the horizon suit small data sets (the paper's are named in the descriptions).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from ..checkpoint import copied
from ..errors import TrialFailure
from ..events import Cost
from ..generators import derive_seed
from ..lazy import lazy_module
from ..simplex.bilevel import ESTIMATORS, EstimatorName, VirtualStep
from ..simplex.habits import EpochView, Habits, SimplexHabitsConfig
from ..simplex.relaxation import BatchLoss, flops_once, two_levels
from ..simplex.structure_report import StructureReport
from ..structures import SoftmaxStructure
from ..structures.distribution import shapes_of
from .base import AlgorithmEntry, Context, Finalist, Phase, StepPhase

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_module("torch")


class DartsConfig(SimplexHabitsConfig):
    """Hyper-parameters of DARTS."""

    # ---- how long
    epochs: int = Field(
        default=9, ge=1, le=10_000, title="Epochs",
        description="Passes over the half of the data that fits the weights. With `steps` = 0 this is the horizon of the search and of its "
        "learning rate schedule. Paper: 50.",
    )
    steps: int = Field(
        default=0, ge=0, le=10_000_000, title="Steps",
        description="The horizon in steps instead (one step = one move of the structure and one of the weights); 0 = use the epochs.",
    )
    batch_size: int = Field(default=64, ge=2, le=65_536, title="Batch size", description="Examples in each of a step's two minibatches.")

    # ---- the structure
    estimator: EstimatorName = Field(
        default="first", title="Architecture gradient",
        description="first: the weights count as optimal (fastest, what most people run). finite_difference: looks one weight step ahead, "
        "as the paper's second order; about three times the cost. exact: the same by automatic differentiation, for small networks.",
    )
    xi: float = Field(
        default=1.0, ge=0, le=1000, title="Look-ahead step ξ",
        description="Length of the virtual weight step, as a multiple of the current learning rate of the weights; 0 = first order. "
        "Used by the second-order estimators. Paper: 1.",
    )
    structure_learning_rate: float = Field(
        default=0.03, gt=0, le=10, title="Learning rate of the structure",
        description="Adam's learning rate for alpha. 0.03 lets a search of a hundred steps decide; the paper uses 0.0003 over tens of "
        "thousands of steps.",
    )
    structure_beta1: float = Field(default=0.5, ge=0, lt=1, title="Adam β₁", description="Adam's first moment decay for alpha. Paper: 0.5.")
    structure_beta2: float = Field(
        default=0.999, ge=0, lt=1, title="Adam β₂", description="Adam's second moment decay for alpha. Paper: 0.999.",
    )
    structure_weight_decay: float = Field(
        default=1e-3, ge=0, le=1, title="Weight decay of the structure",
        description="L2 penalty on alpha: pulls towards equal weights. Paper: 0.001.",
    )

    # ---- the weights
    learning_rate: float = Field(
        default=0.025, gt=0, le=10, title="Learning rate", description="SGD's learning rate at the start. Paper: 0.025.",
    )
    final_learning_rate: float = Field(
        default=0.001, ge=0, le=10, title="Final learning rate", description="At the last step; a cosine lies between. Paper: 0.001.",
    )
    momentum: float = Field(default=0.9, ge=0, lt=1, title="Momentum", description="SGD's momentum. Paper: 0.9.")
    weight_decay: float = Field(default=3e-4, ge=0, le=1, title="Weight decay", description="L2 penalty on the weights. Paper: 0.0003.")
    gradient_clip: float = Field(
        default=5.0, ge=0, le=1000, title="Gradient clip", description="Largest norm of the weights' gradient; 0 = no limit. Paper: 5.",
    )

    # ---- the data
    structure_data: Literal["train_split", "validation"] = Field(
        default="train_split", title="Data that move the structure",
        description="train_split: a part of the training data (the validation data stay unseen and can rank what was found). "
        "validation: the validation data, while all training data fit the weights.",
    )
    train_portion: float = Field(
        default=0.5, gt=0, lt=1, title="Share of the weights",
        description="With train_split: the share of the training data that fits the weights; the rest moves the structure. Paper: 0.5.",
    )


class DartsSearch(StepPhase):
    """One super-network, its weights w and its structure alpha, moved in turn."""

    title = "DARTS"

    def begin(self, context: Context, handover: dict[str, Any] | None) -> None:
        """Build super-network, structure and both optimisers. Raises TypeError without samples."""
        from ..supernets.opening import open_supernet
        from ..training.batches import BatchOrder, DevicePart
        from ..training.precision import Precision

        super().begin(context, handover)
        if context.data is None:
            raise TypeError("DARTS trains on samples; this data set gives none")
        options: DartsConfig = context.options
        self.options = options
        seed, device = context.seed, context.device
        fit, move = two_levels(context.data, options.structure_data, options.train_portion, seed)
        self.train_part = DevicePart(fit, context.data.preprocessing, device)
        self.val_part = DevicePart(move, context.data.preprocessing, device)
        # Two endless orders of their own: the halves may differ in size, each cycles at its own pace.
        self.train_order = BatchOrder(len(fit), options.batch_size, "weights", seed)
        self.val_order = BatchOrder(len(move), options.batch_size, "structure", seed)

        self.network = open_supernet(context.space, "supernet").to(device).train()
        self.weights = list(self.network.parameters())
        self.weight_optimizer = torch.optim.SGD(
            self.weights, lr=options.learning_rate, momentum=options.momentum, weight_decay=options.weight_decay
        )
        self.report = StructureReport(context)
        generator = torch.Generator().manual_seed(derive_seed(seed, "alpha"))
        # The alphas are leaves of their own, in no module: the weight optimiser cannot reach them.
        self.alpha = SoftmaxStructure(shapes_of(self.report.family), generator, device)
        self.alpha_optimizer = torch.optim.Adam(
            self.alpha.parameters, lr=options.structure_learning_rate,
            betas=(options.structure_beta1, options.structure_beta2), weight_decay=options.structure_weight_decay,
        )
        self.precision = Precision(device, context.amp)
        self.habits = Habits(options)
        self.done = 0
        self.stopped = ""
        self.cost = Cost()
        self.flops: dict[str, float] = {}
        # Said here rather than in the first step, so that the picture stands while that step runs; a resume discards it.
        self.report.declare()
        self.report.say(0, self.alpha.numpy(), 0.0, entropy=self.alpha.normalised_entropy())

    @property
    def horizon(self) -> int:
        return self.options.steps or self.options.epochs * self.train_order.per_epoch

    @property
    def steps_done(self) -> int:
        return self.done

    @property
    def finished(self) -> bool:
        return bool(self.stopped) or self.done >= self.horizon

    # ---- one step

    def step(self) -> Cost:
        """Algorithm 1 of the paper, once. Raises TrialFailure where a loss or a gradient is not finite."""
        rate = self._learning_rate()
        train_loss = self._loss(self.train_part, self.train_order)
        epoch = self.done // self.train_order.per_epoch
        cost = Cost()
        if not self.habits.hold_structure(epoch):
            cost = cost.plus(self._move_structure(train_loss, rate))
        cost = cost.plus(self._move_weights(train_loss, rate))
        self.done += 1
        self.cost = self.cost.plus(cost)
        self._after_step(rate)
        return cost

    def _move_structure(self, train_loss: BatchLoss, rate: float) -> Cost:
        """alpha := Adam(alpha, architecture gradient)."""
        val_loss = self._loss(self.val_part, self.val_order)
        foreseen = VirtualStep(self.options.xi * rate, self.options.momentum, self.options.weight_decay, self._momentum_buffers())
        estimate = ESTIMATORS[self.options.estimator]
        with flops_once(self.flops, "structure"):
            found = estimate(train_loss, val_loss, self.weights, self.alpha.parameters, foreseen)
        self._require_finite("validation loss", float(found.val_loss))
        for alpha, gradient in zip(self.alpha.parameters, found.gradients, strict=True):
            self._require_finite("gradient of the structure", float(gradient.abs().max()))
            alpha.grad = gradient
        self.alpha_optimizer.step()
        self.report.count(val_loss=val_loss.loss, val_accuracy=val_loss.accuracy)
        examples = found.train_passes * train_loss.examples + found.val_passes * val_loss.examples
        return Cost(forward_backward=examples, flops=self.flops["structure"])

    def _move_weights(self, train_loss: BatchLoss, rate: float) -> Cost:
        """w := SGD(w, d/dw L_train(w, alpha)) at the alphas of now."""
        self.weight_optimizer.param_groups[0]["lr"] = rate
        self.weight_optimizer.zero_grad(set_to_none=True)
        with flops_once(self.flops, "weights"):
            loss = train_loss(self.weights, [alpha.detach() for alpha in self.alpha.parameters])
            self._require_finite("training loss", train_loss.loss)
            self.precision.step(loss, self.weight_optimizer, self.weights, self.options.gradient_clip)
        self.report.count(train_loss=train_loss.loss, train_accuracy=train_loss.accuracy)
        return Cost(forward_backward=train_loss.examples, flops=self.flops["weights"])

    def _learning_rate(self) -> float:
        from ..training.schedule import cosine

        return cosine(self.done, self.horizon, self.options.learning_rate, self.options.final_learning_rate)

    def _loss(self, part: Any, order: Any) -> BatchLoss:
        return BatchLoss(self.network, self.alpha, part.take(order.indices(self.done)), self.precision)

    def _momentum_buffers(self) -> list[torch.Tensor | None]:
        state = self.weight_optimizer.state
        return [state[weight].get("momentum_buffer") if weight in state else None for weight in self.weights]

    def _require_finite(self, what: str, value: float) -> None:
        if not math.isfinite(value):
            raise TrialFailure(f"{what} is not a number at step {self.done + 1} of {self.horizon}; try a smaller learning rate")

    # ---- what is said

    def _after_step(self, rate: float) -> None:
        weights = None
        if self.done % self.train_order.per_epoch == 0:
            weights = self.alpha.numpy()
            view = EpochView(
                epoch=self.done // self.train_order.per_epoch, step=self.done, weights=weights,
                operations={group.name: group.operations for group in self.report.family},
                derived=self.report.derived_operations(weights),
            )
            notices, self.stopped = self.habits.after_epoch(view)
            for notice in notices:
                self.context.emit(notice, self.done)
        if self.report.due(self.done, self.finished):
            self.report.say(
                self.done, weights or self.alpha.numpy(), self.cost.samples, entropy=self.alpha.normalised_entropy(), learning_rate=rate
            )

    def structure(self) -> dict[str, Any]:
        return self.alpha.numpy()

    def best(self) -> list[Finalist]:
        """The derived genome, to be retrained from scratch. It has no score of its own: only the super-network has been seen."""
        space: Any = self.context.space
        return [Finalist(space.derive(self.alpha.numpy()), finish="retrain")]

    # ---- checkpoints

    def state_dict(self) -> dict[str, Any]:
        return {
            "network": copied(self.network.state_dict()),
            "weight_optimizer": copied(self.weight_optimizer.state_dict()),
            "alpha": self.alpha.state_dict(),
            "alpha_optimizer": copied(self.alpha_optimizer.state_dict()),
            "precision": self.precision.state_dict(),
            "habits": self.habits.state_dict(),
            "report": self.report.state_dict(),
            "done": self.done,
            "stopped": self.stopped,
            "cost": self.cost.model_dump(),
            "flops": dict(self.flops),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self.weight_optimizer.load_state_dict(state["weight_optimizer"])
        self.alpha.load_state_dict(state["alpha"])
        self.alpha_optimizer.load_state_dict(state["alpha_optimizer"])
        self.precision.load_state_dict(state["precision"])
        self.habits.load_state_dict(state["habits"])
        self.report.load_state_dict(state["report"])
        self.done = state["done"]
        self.stopped = state["stopped"]
        self.cost = Cost.model_validate(state["cost"])
        self.flops = dict(state["flops"])


def _phases(options: DartsConfig) -> list[Phase]:
    return [DartsSearch()]


ENTRY = AlgorithmEntry(
    id="darts",
    title="DARTS",
    family="gradient",
    summary="Mixes all operations on every edge and lets the gradient of the validation loss shift the weights between them.",
    source="Liu, Simonyan, Yang: DARTS: Differentiable Architecture Search, ICLR 2019 (arXiv 1806.09055)",
    needs=frozenset({"gradients"}),
    space_needs=frozenset({"supernet"}),
    config=DartsConfig,
    phases=_phases,
    budgets=frozenset({"samples", "seconds"}),
    lives="inside the simplex",
    structure="family",
    quick={
        "options": {"steps": 3, "batch_size": 16},
        "space_options": {"search_cells": 3, "search_channels": 2},
        "finale": {"training": {"epochs": 1, "train_examples": 128, "channels": 4, "layers": 2}},
    },
)
