"""The moves that a step is made of: the structure along its architecture gradient, the weights along theirs, or both at once."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from search_engine.base.errors import TrialFailure
from search_engine.base.generators import derive_seed
from search_engine.base.lazy import lazy_module
from search_engine.events import Cost
from search_engine.structures import StructureDistribution

from ..base import StepPhase
from .bilevel import ESTIMATORS, VirtualStep
from .config import BilevelConfig, SimplexConfig
from .curvature import ITERATIONS, largest_eigenvalue
from .relaxation import BatchLoss, flops_once
from .structure_report import StructureReport

if TYPE_CHECKING:
    import torch

    from search_engine.supernets.skip_dropout import SkipDropout
    from search_engine.training.batches import BatchOrder, DevicePart
    from search_engine.training.precision import Precision
else:
    torch = lazy_module("torch")


class Moves(StepPhase):
    """What a search on the simplex does with its network, structure, optimisers and data, once these are there."""

    options: SimplexConfig
    network: torch.nn.Module
    weights: list[torch.nn.Parameter]
    weight_optimizer: torch.optim.Optimizer
    alpha: StructureDistribution
    """What the network sees and the structure's optimiser moves."""
    alpha_optimizer: torch.optim.Optimizer
    train_part: DevicePart
    train_order: BatchOrder
    val_part: DevicePart
    """What moves the structure; only where the search is bilevel."""
    val_order: BatchOrder
    precision: Precision
    skip_dropouts: list[SkipDropout]
    report: StructureReport
    flops: dict[str, float]
    eigenvalue: float | None
    """The largest eigenvalue of the Hessian of the structure's loss in alpha, as last measured."""
    done: int

    @abstractmethod
    def structure_terms(self) -> torch.Tensor | None:
        """See `SimplexSearch`."""

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

    def _measure_curvature(self) -> Cost:
        """Set `eigenvalue` from the minibatch that moves the structure in the step to come."""
        bilevel = hasattr(self, "val_part")
        part, order = (self.val_part, self.val_order) if bilevel else (self.train_part, self.train_order)
        loss = self._loss(part, order, "curvature")
        generator = torch.Generator().manual_seed(derive_seed(self.context.seed, "curvature", self.done))
        with flops_once(self.flops, "curvature"):
            twice = self.alpha.twice_differentiable
            self.eigenvalue = largest_eigenvalue(loss, self.weights, self.alpha.parameters, generator, twice=twice)
        self._require_finite("curvature of the structure", self.eigenvalue)
        # A product with the Hessian is a backward pass through a forward and a backward one, or a difference of two passes.
        return Cost(forward_backward=(1 + ITERATIONS * (1 if twice else 2)) * loss.examples, flops=self.flops["curvature"])

    def _loss(self, part: Any, order: Any, level: str = "weights") -> BatchLoss:
        batch, noise = part.take(order.indices(self.done)), derive_seed(self.context.seed, "draws", self.done, level)
        return BatchLoss(self.network, self.alpha, batch, self.precision, self.context.space.task, noise, self.skip_dropouts)

    def _momentum_buffers(self) -> list[torch.Tensor | None]:
        state = self.weight_optimizer.state
        return [state[weight].get("momentum_buffer") if weight in state else None for weight in self.weights]

    def _require_finite(self, what: str, value: float) -> None:
        if not math.isfinite(value):
            raise TrialFailure(f"{what} is not a number at step {self.done + 1} of {self.horizon}; try a smaller learning rate")
