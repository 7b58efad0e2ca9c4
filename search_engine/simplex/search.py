"""The search that every method on the simplex is: a super-network with weights w, a structure alpha, and an order in which they move.

One step takes a minibatch for the weights and, in a bilevel search, another for the structure:

    structure_first   alpha along its architecture gradient at the old weights, then w at the new alpha   (DARTS)
    weights_first     w, then alpha at the new weights                                                     (GDAS)
    single_level      w and alpha together, on one loss over one minibatch                                 (SNAS)

A method says how its structure is made (`make_structure`) and, where it differs from the plain case, its order of moves, what changes
from step to step (`before_step`: a temperature), terms added to the structure's objective (`structure_terms`: a prior, a resource cost),
how weights become a genome (`derive`) and what it shows beside the weights (`numbers`, `draws`).

Stochastic structures draw with a generator that is made anew for every call of a loss from (seed, step, level): the passes of one
estimator on one minibatch see common random numbers, which a finite difference needs, and a checkpoint has no generator to keep.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..algorithms.base import Context, Finalist, StepPhase
from ..errors import TrialFailure
from ..events import Cost
from ..generators import derive_seed
from ..genomes import Genome
from ..lazy import lazy_module
from ..structures import StructureDistribution
from ..structures.distribution import shapes_of
from .bilevel import ESTIMATORS, VirtualStep
from .config import BilevelConfig, SimplexConfig
from .habits import EpochView, Habits
from .relaxation import BatchLoss, flops_once, two_levels
from .structure_report import StructureReport

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_module("torch")

Array = np.ndarray[Any, Any]
Order = Literal["structure_first", "weights_first", "single_level"]


class SimplexSearch(StepPhase):
    """One super-network, its weights w and its structure alpha. `context.options` is a SimplexConfig, a BilevelConfig unless the order
    is single_level."""

    network: torch.nn.Module
    choice: StructureDistribution
    """What `make_structure` gave: the law of each edge's operation. Set a temperature here."""
    alpha: StructureDistribution
    """What the network sees and the structure's optimiser moves: `choice`, or `choice` with something around it."""

    # ---- what a method says

    @property
    def order(self) -> Order:
        """Who moves when; may follow from the options, never from the state."""
        return "structure_first"

    @abstractmethod
    def make_structure(self, shapes: dict[str, tuple[int, int]], generator: torch.Generator, device: str) -> StructureDistribution:
        """The structure at its start: per group (edges, operations). `generator` (on the CPU) draws the initial values."""

    def before_step(self) -> None:
        """Called before every step and after a restore. What it sets must follow from the options, `self.done` and `self.progress`."""

    def structure_terms(self) -> torch.Tensor | None:
        """A scalar, differentiable in `self.choice.parameters`, added to the loss that the structure lowers; None = nothing.

        Draws inside it take `self.generator("terms")`.
        """
        return None

    def derive(self, weights: dict[str, Array]) -> Genome:
        """The genome that weights (per group edges x operations, the mean of the structure) point to. Default: the space's rule."""
        space: Any = self.context.space
        genome: Genome = space.derive(weights)
        return genome

    def numbers(self) -> dict[str, float]:
        """Numbers of now to show as curves: a temperature, a divergence. Finite."""
        return {}

    def draws(self) -> dict[str, Array]:
        """Per group a few draws of the weights, (draws <= 64, edges, operations), to show; empty for a structure that is no distribution.

        They take `self.generator("picture")`.
        """
        return {}

    # ---- the start

    def begin(self, context: Context, handover: dict[str, Any] | None) -> None:
        """Build super-network, structure and both optimisers. Raises TypeError without samples."""
        from ..training.batches import BatchOrder, DevicePart
        from ..training.precision import Precision

        super().begin(context, handover)
        if context.data is None:
            raise TypeError(f"{self.title} trains on samples; this data set gives none")
        options: SimplexConfig = context.options
        self.options = options
        seed, data = context.seed, context.data
        if isinstance(options, BilevelConfig) and self.order != "single_level":
            fit, move = two_levels(data, options.structure_data, options.train_portion, seed)
            self.val_part = DevicePart(move, data.preprocessing, context.device)
            # Two endless orders of their own: the parts may differ in size, each cycles at its own pace.
            self.val_order = BatchOrder(len(move), options.batch_size, "structure", seed)
        else:
            fit = data.train
        self.train_part = DevicePart(fit, data.preprocessing, context.device)
        self.train_order = BatchOrder(len(fit), options.batch_size, "weights", seed)
        self.done = 0
        self.stopped = ""
        self.cost = Cost()
        self.flops: dict[str, float] = {}
        self.report = StructureReport(context, self.derive)
        self.precision = Precision(context.device, context.amp)
        self.habits = Habits(options)
        self._build()
        self.before_step()
        # Said here rather than in the first step, so that the picture stands while that step runs; a resume discards it.
        self.report.declare()
        self._say({"entropy": self.alpha.normalised_entropy()})

    def _build(self) -> None:
        """Network, structure and their optimisers, all fresh."""
        from ..supernets.opening import open_supernet

        options, device = self.options, self.context.device
        self.network = open_supernet(self.context.space, "supernet").to(device).train()
        self.weights = list(self.network.parameters())
        self.weight_optimizer = torch.optim.SGD(
            self.weights, lr=options.learning_rate, momentum=options.momentum, weight_decay=options.weight_decay
        )
        generator = torch.Generator().manual_seed(derive_seed(self.context.seed, "alpha"))
        # The alphas are leaves of their own, in no module: the weight optimiser cannot reach them.
        self.choice = self.make_structure(shapes_of(self.report.family), generator, device)
        self.alpha = self.choice
        self.alpha_optimizer = torch.optim.Adam(
            self.alpha.parameters, lr=options.structure_learning_rate,
            betas=(options.structure_beta1, options.structure_beta2), weight_decay=options.structure_weight_decay,
        )

    # ---- where it stands

    @property
    def horizon(self) -> int:
        return self.options.steps or self.options.epochs * self.train_order.per_epoch

    @property
    def steps_done(self) -> int:
        return self.done

    @property
    def finished(self) -> bool:
        return bool(self.stopped) or self.done >= self.horizon

    @property
    def epoch(self) -> int:
        """Completed epochs of the weights' part."""
        return self.done // self.train_order.per_epoch

    @property
    def progress(self) -> float:
        """From 0 at the first step to 1 at the last one of the horizon."""
        return min(self.done / max(self.horizon - 1, 1), 1.0)

    def generator(self, level: str) -> torch.Generator:
        """A fresh generator (on the CPU) of this step and purpose: equal draws whenever it is made again."""
        return torch.Generator().manual_seed(derive_seed(self.context.seed, "draws", self.done, level))

    # ---- one step

    def step(self) -> Cost:
        """One move of weights and structure. Raises TrialFailure where a loss or a gradient is not finite."""
        self.before_step()
        rate = self._learning_rate()
        train_loss = self._loss(self.train_part, self.train_order, "weights")
        held = self.habits.hold_structure(self.epoch)
        if held:
            cost = self._move_weights(train_loss, rate)
        elif self.order == "single_level":
            cost = self._move_both(train_loss, rate)
        elif self.order == "weights_first":
            cost = self._move_weights(train_loss, rate).plus(self._move_structure(train_loss, rate))
        else:
            cost = self._move_structure(train_loss, rate).plus(self._move_weights(train_loss, rate))
        self.done += 1
        self.cost = self.cost.plus(cost)
        self._after_step(rate)
        return cost

    def _move_structure(self, train_loss: BatchLoss, rate: float) -> Cost:
        """alpha := Adam(alpha, architecture gradient + gradient of the further terms)."""
        options = self.options
        assert isinstance(options, BilevelConfig)
        val_loss = self._loss(self.val_part, self.val_order, "structure")
        foreseen = VirtualStep(options.xi * rate, options.momentum, options.weight_decay, self._momentum_buffers())
        estimate = ESTIMATORS[options.estimator]
        with flops_once(self.flops, "structure"):
            found = estimate(train_loss, val_loss, self.weights, self.alpha.parameters, foreseen)
        self._require_finite("validation loss", float(found.val_loss))
        gradients = found.gradients
        terms = self.structure_terms()
        if terms is not None:
            more = torch.autograd.grad(terms, self.alpha.parameters, allow_unused=True, materialize_grads=True)
            gradients = [first + second for first, second in zip(gradients, more, strict=True)]
        for alpha, gradient in zip(self.alpha.parameters, gradients, strict=True):
            alpha.grad = gradient
        self._step_structure()
        self.report.count(**val_loss.figures("val"))
        examples = found.train_passes * train_loss.examples + found.val_passes * val_loss.examples
        return Cost(forward_backward=examples, flops=self.flops["structure"])

    def _step_structure(self) -> None:
        for alpha in self.alpha.parameters:
            if alpha.grad is not None:
                self._require_finite("gradient of the structure", float(alpha.grad.abs().max()))
        if self.options.structure_gradient_clip:
            torch.nn.utils.clip_grad_norm_(self.alpha.parameters, self.options.structure_gradient_clip)
        self.alpha_optimizer.step()

    def _move_weights(self, train_loss: BatchLoss, rate: float) -> Cost:
        """w := SGD(w, d/dw L_train(w, alpha)) at the alphas of now."""
        self.weight_optimizer.param_groups[0]["lr"] = rate
        self.weight_optimizer.zero_grad(set_to_none=True)
        with flops_once(self.flops, "weights"):
            loss = train_loss(self.weights, [alpha.detach() for alpha in self.alpha.parameters])
            self._require_finite("training loss", train_loss.loss)
            self.precision.step(loss, self.weight_optimizer, self.weights, self.options.gradient_clip)
        self.report.count(**train_loss.figures("train"))
        return Cost(forward_backward=train_loss.examples, flops=self.flops["weights"])

    def _move_both(self, train_loss: BatchLoss, rate: float) -> Cost:
        """w := SGD(w, d/dw L), alpha := Adam(alpha, d/d alpha (L + further terms)), both from one backward pass of L_train(w, alpha)."""
        self.weight_optimizer.param_groups[0]["lr"] = rate
        self.weight_optimizer.zero_grad(set_to_none=True)
        self.alpha_optimizer.zero_grad(set_to_none=True)
        with flops_once(self.flops, "both"):
            loss = train_loss(self.weights, self.alpha.parameters)
            self._require_finite("training loss", train_loss.loss)
            terms = self.structure_terms()
            total = loss if terms is None else loss + terms
            self.precision.step(total, self.weight_optimizer, self.weights, self.options.gradient_clip, beside=self.alpha.parameters)
        self._step_structure()
        self.report.count(**train_loss.figures("train"))
        return Cost(forward_backward=train_loss.examples, flops=self.flops["both"])

    def _learning_rate(self) -> float:
        from ..training.schedule import cosine

        return cosine(self.done, self.horizon, self.options.learning_rate, self.options.final_learning_rate)

    def _loss(self, part: Any, order: Any, level: str = "weights") -> BatchLoss:
        noise = derive_seed(self.context.seed, "draws", self.done, level)
        return BatchLoss(self.network, self.alpha, part.take(order.indices(self.done)), self.precision, self.context.space.task, noise)

    def _momentum_buffers(self) -> list[torch.Tensor | None]:
        state = self.weight_optimizer.state
        return [state[weight].get("momentum_buffer") if weight in state else None for weight in self.weights]

    def _require_finite(self, what: str, value: float) -> None:
        if not math.isfinite(value):
            raise TrialFailure(f"{what} is not a number at step {self.done + 1} of {self.horizon}; try a smaller learning rate")

    # ---- what is said

    def _after_step(self, rate: float) -> None:
        if self.done % self.train_order.per_epoch == 0:
            weights = self.alpha.numpy()
            view = EpochView(
                epoch=self.epoch, step=self.done, weights=weights,
                operations={group.name: group.operations for group in self.report.family},
                derived=self.report.derived_operations(weights),
            )
            notices, self.stopped = self.habits.after_epoch(view)
            for notice in notices:
                self.context.emit(notice, self.done)
        if self.report.due(self.done, self.finished):
            self._say({"entropy": self.alpha.normalised_entropy(), "learning_rate": rate})

    def _say(self, values: dict[str, float]) -> None:
        self.report.say(self.done, self.alpha.numpy(), self.cost.samples, draws=self.draws(), **values, **self.numbers())

    def structure(self) -> dict[str, Any]:
        return self.alpha.numpy()

    def best(self) -> list[Finalist]:
        """The derived genome, to be retrained from scratch. It has no score of its own: only the super-network has been seen."""
        return [Finalist(self.derive(self.alpha.numpy()), finish="retrain")]

    # ---- checkpoints

    def state_dict(self) -> dict[str, Any]:
        from ..checkpoint import copied

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
        self.before_step()
