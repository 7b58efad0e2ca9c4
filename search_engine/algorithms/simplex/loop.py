"""The bilevel loop: Algorithm 1 of DARTS (H. Liu, K. Simonyan, Y. Yang, ICLR 2019, arXiv 1806.09055), from top to bottom.

    Create a mixed operation o^(i,j) parametrized by alpha^(i,j) for each edge (i, j)          `create`
    while not converged do                                                                     `step`, until `finished`
      1. Update architecture alpha by descending
         d/d alpha  L_val(w - xi d/dw L_train(w, alpha), alpha)                                `_move_structure`
         (xi = 0 if using first-order approximation)
      2. Update weights w by descending  d/dw L_train(w, alpha)                                `_move_weights`
    Derive the final architecture based on the learned alpha.                                  `best`

The gradient of line 1 is one of the `estimators`. Other papers keep the lines and change their order (`Order`):

    structure_first   line 1 at the old weights, then line 2 at the new alpha          DARTS
    weights_first     line 2, then line 1 at the new weights                           GDAS
    single_level      w and alpha together, on one loss over one minibatch             SNAS

"Converged" is the horizon, or a rule that stops the search. Whatever else happens in a search on the simplex (stages that lose operations,
partial channels, habits that watch for a collapse, what is said) is no part of the algorithm: it listens (`Listener`), and the loop
knows none of its listeners by name.

Stochastic structures draw with a generator that is made anew for every call of a loss from (seed, step, level): the passes of one
estimator on one minibatch see common random numbers, which a finite difference needs, and a checkpoint has no generator to keep.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from search_engine.base.checkpoint import copied
from search_engine.base.generators import derive_seed
from search_engine.base.lazy import lazy_module
from search_engine.events import Cost
from search_engine.spaces.genomes import Genome
from search_engine.structures import StructureDistribution
from search_engine.structures.distribution import shapes_of

from ..base import Context, Finalist, StopReason
from ..step_search import StepSearch
from .config import BilevelConfig, SimplexConfig
from .estimators import ESTIMATORS, VirtualStep
from .relaxation import BatchLoss, two_levels
from .stages import Stages
from .structure_report import StructureReport

if TYPE_CHECKING:
    import torch

    from search_engine.supernets.skip_dropout import SkipDropout
    from search_engine.training.batches import BatchOrder, DevicePart
else:
    torch = lazy_module("torch")

Array = np.ndarray[Any, Any]
Order = Literal["structure_first", "weights_first", "single_level"]


class BilevelLoop(StepSearch[SimplexConfig]):
    """One super-network with weights w, its structure alpha, and the order in which they move. `options` is a BilevelConfig unless the
    order is single_level. What a method says of itself stands in `search.SimplexSearch`."""

    state_version = 5

    train_part: DevicePart
    train_order: BatchOrder
    val_part: DevicePart
    """What moves the structure; only where the search is bilevel."""
    val_order: BatchOrder
    choice: StructureDistribution
    """What `make_structure` gave: the law of each edge's operation. Set a temperature here."""
    alpha: StructureDistribution
    """What the network sees and the structure's optimiser moves: `choice`, or what a listener put around it."""
    skip_dropouts: list[SkipDropout]
    """Dropouts that a listener put into the network; a loss repeats their noise."""

    # ---- what a method and its listeners say, see `search`

    @property
    @abstractmethod
    def order(self) -> Order: ...

    @abstractmethod
    def make_structure(self, shapes: dict[str, tuple[int, int]], generator: torch.Generator, device: str) -> StructureDistribution: ...

    @abstractmethod
    def before_step(self) -> None: ...

    @abstractmethod
    def structure_terms(self) -> torch.Tensor | None: ...

    @abstractmethod
    def derive(self, weights: dict[str, Array]) -> Genome: ...

    @abstractmethod
    def numbers(self) -> dict[str, float]: ...

    @abstractmethod
    def draws(self) -> dict[str, Array]: ...

    @abstractmethod
    def listen(self) -> list[Listener]:
        """Who listens, in the order in which each hook calls them."""

    # ---- Algorithm 1

    def begin(self, context: Context, handover: dict[str, Any] | None) -> None:
        """The data of both levels, then line 0. Raises TypeError without samples."""
        from search_engine.training.batches import BatchOrder
        from search_engine.training.criterion import class_weights
        from search_engine.training.precision import Precision

        super().begin(context, handover)
        options, data, seed = self.options, self.samples, context.seed
        if isinstance(options, BilevelConfig) and self.order != "single_level":
            fit, move = two_levels(data, options.structure_data, options.train_portion, seed)
            (self.val_part,) = self.on_device(move)
            # Two endless orders of their own: the parts may differ in size, each cycles at its own pace.
            self.val_order = BatchOrder(len(move), options.batch_size, "structure", seed)
        else:
            fit = data.train
        (self.train_part,) = self.on_device(fit)
        self.class_weights = class_weights(data, data.class_weights, context.device)
        self.train_order = BatchOrder(len(fit), options.batch_size, "weights", seed)
        # A finite difference shifts the weights by less than half precision can tell apart.
        exact = isinstance(options, BilevelConfig) and options.estimator == "finite_difference"
        self.precision = Precision(context.device, context.amp and not exact)
        self.report = StructureReport(context, self.derived)
        self.stages, self.stage = Stages(options, self.horizon, self.train_order.per_epoch), 0
        self.stopped = ""
        self.held = False
        self.rate = options.learning_rate
        self.listeners = self.listen()
        self.create()
        self.before_step()
        # Said here rather than in the first step, so that the picture stands while that step runs; a resume discards it.
        self.report.declare(self.alpha.constraint if self.alpha is not self.choice else "")
        for listener in self.listeners:
            listener.begun()

    def create(self) -> None:
        """Create a mixed operation for each edge, parametrized by alpha; and who moves them. Everything fresh, as the present stage has
        it."""
        from search_engine.supernets.opening import open_supernet

        options, device = self.options, self.context.device
        changes = {name: value for listener in self.listeners for name, value in listener.network_changes().items()}
        self.network = open_supernet(self.context.space, "supernet", **changes).to(device).train()
        self.skip_dropouts = []
        self._optimise_weights()
        generator = torch.Generator().manual_seed(derive_seed(self.context.seed, "alpha", *([self.stage] if self.stage else [])))
        # The alphas are leaves of their own, in no module: the weight optimiser cannot reach them.
        self.choice = self.alpha = self.make_structure(shapes_of(self.report.family), generator, device)
        for listener in self.listeners:
            self.alpha = listener.structure(self.alpha, generator)
        self.alpha_optimizer = torch.optim.Adam(
            self.alpha.parameters, lr=options.structure_learning_rate,
            betas=(options.structure_beta1, options.structure_beta2), weight_decay=options.structure_weight_decay,
        )
        for listener in self.listeners:
            listener.created()

    def widen(self) -> None:
        """The super-network as the present stage has it, wider, with the weights that it has and their momentum; the structure goes on."""
        from search_engine.supernets.opening import open_supernet
        from search_engine.supernets.widening import wide, widened

        changes = {name: value for listener in self.listeners for name, value in listener.network_changes().items()}
        before, optimizer = self.network, self.weight_optimizer
        self.network = open_supernet(self.context.space, "supernet", **changes).to(self.context.device).train()
        self.skip_dropouts = []
        indices = widened(before, self.network, torch.Generator().manual_seed(derive_seed(self.context.seed, "widening", self.stage)))
        self._optimise_weights()
        for (name, old), new in zip(before.named_parameters(), self.weights, strict=True):
            if (momentum := optimizer.state.get(old, {}).get("momentum_buffer")) is not None:
                self.weight_optimizer.state[new]["momentum_buffer"] = wide(momentum, indices[name])
        for listener in self.listeners:
            listener.created()

    def _optimise_weights(self) -> None:
        """A fresh optimiser of the network's weights."""
        options = self.options
        self.weights = list(self.network.parameters())
        # All at once: a super-network has hundreds of small tensors, over which a loop takes longer than their arithmetic. Not `fused`,
        # which cannot begin the momentum of a weight that gets its first gradient later than others (one operation per edge).
        self.weight_optimizer = torch.optim.SGD(
            self.weights, lr=options.learning_rate, momentum=options.momentum, weight_decay=options.weight_decay,
            foreach=True,
        )

    @property
    def finished(self) -> bool:
        """Converged: the horizon is reached, or a listener stopped the search."""
        return bool(self.stopped) or super().finished

    def step(self) -> Cost:
        """Once through the loop. Raises TrialFailure where a loss or a gradient is not finite."""
        for listener in self.listeners:
            listener.before_step()
        self.before_step()
        self.rate = self._learning_rate()
        self.held = any(listener.holds_structure() for listener in self.listeners)
        train_loss = self._loss(self.train_part, self.train_order, "weights")
        if self.held:
            cost = self._move_weights(train_loss, self.rate)
        elif self.order == "structure_first":
            # 1. Update architecture alpha by descending d/d alpha L_val(w - xi d/dw L_train(w, alpha), alpha)
            cost = self._move_structure(train_loss, self.rate)
            # 2. Update weights w by descending d/dw L_train(w, alpha)
            cost = cost.plus(self._move_weights(train_loss, self.rate))
        elif self.order == "weights_first":
            cost = self._move_weights(train_loss, self.rate).plus(self._move_structure(train_loss, self.rate))
        else:
            cost = self._move_both(train_loss, self.rate)
        self.done += 1
        self.spend(cost)
        for listener in self.listeners:
            cost = cost.plus(self.spend(listener.after_step()))
        return cost

    def _move_structure(self, train_loss: BatchLoss, rate: float) -> Cost:
        """Line 1: alpha := Adam(alpha, architecture gradient + gradient of the method's further terms), on the other part of the data."""
        options = self.options
        assert isinstance(options, BilevelConfig)
        val_loss = self._loss(self.val_part, self.val_order, "structure")
        foreseen = VirtualStep(options.xi * rate, options.momentum, options.weight_decay, self._momentum_buffers())
        estimate = ESTIMATORS[options.estimator]
        with self.flops_once("structure"):
            found = estimate(train_loss, val_loss, self.weights, self.alpha.parameters, foreseen)
        self.require_finite("validation loss", float(found.val_loss))
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
                self.require_finite("gradient of the structure", float(alpha.grad.abs().max()))
        if self.options.structure_gradient_clip:
            torch.nn.utils.clip_grad_norm_(self.alpha.parameters, self.options.structure_gradient_clip)
        self.alpha_optimizer.step()

    def _move_weights(self, train_loss: BatchLoss, rate: float) -> Cost:
        """Line 2: w := SGD(w, d/dw L_train(w, alpha)) at the alphas of now."""
        self.weight_optimizer.param_groups[0]["lr"] = rate
        with self.flops_once("weights"):
            loss = train_loss(self.weights, [alpha.detach() for alpha in self.alpha.parameters])
            self.require_finite("training loss", train_loss.loss)
            self.precision.step(loss, self.weight_optimizer, self.weights, self.options.gradient_clip)
        # The passes of the structure, where memory is highest, need them no more.
        self.weight_optimizer.zero_grad(set_to_none=True)
        self.report.count(**train_loss.figures("train"))
        return Cost(forward_backward=train_loss.examples, flops=self.flops["weights"])

    def _move_both(self, train_loss: BatchLoss, rate: float) -> Cost:
        """Lines 1 and 2 on a single level: w := SGD(w, d/dw L), alpha := Adam(alpha, d/d alpha (L + further terms)), both from one
        backward pass of L_train(w, alpha)."""
        self.weight_optimizer.param_groups[0]["lr"] = rate
        self.weight_optimizer.zero_grad(set_to_none=True)
        self.alpha_optimizer.zero_grad(set_to_none=True)
        with self.flops_once("both"):
            loss = train_loss(self.weights, self.alpha.parameters)
            self.require_finite("training loss", train_loss.loss)
            terms = self.structure_terms()
            total = loss if terms is None else loss + terms
            self.precision.step(total, self.weight_optimizer, self.weights, self.options.gradient_clip, beside=self.alpha.parameters)
        self._step_structure()
        self.report.count(**train_loss.figures("train"))
        return Cost(forward_backward=train_loss.examples, flops=self.flops["both"])

    def best(self) -> list[Finalist]:
        """Derive the final architecture based on the learned alpha, to be retrained from scratch. It has no score of its own: only the
        super-network has been seen."""
        return [Finalist(self.derived(self.alpha.numpy()), finish="retrain")]

    def derived(self, weights: dict[str, Array]) -> Genome:
        """The genome that weights point to by the method's rule, as the listeners leave it."""
        genome = self.derive(weights)
        for listener in self.listeners:
            genome = listener.derived(genome, weights)
        return genome

    # ---- what the lines are made of

    def _loss(self, part: DevicePart, order: BatchOrder, level: str = "weights") -> BatchLoss:
        """The loss on the minibatch of now, as a function of (weights, alphas)."""
        batch, noise = part.take(order.indices(self.done)), derive_seed(self.context.seed, "draws", self.done, level)
        task, dropouts = self.context.space.task, self.skip_dropouts
        return BatchLoss(self.network, self.alpha, batch, self.precision, task, noise, dropouts, self.weights, self.class_weights)

    def structure_loss(self, level: str) -> BatchLoss:
        """The loss on the minibatch that moves the structure now."""
        bilevel = hasattr(self, "val_part")
        part, order = (self.val_part, self.val_order) if bilevel else (self.train_part, self.train_order)
        return self._loss(part, order, level)

    def _momentum_buffers(self) -> list[torch.Tensor | None]:
        state = self.weight_optimizer.state
        return [state[weight].get("momentum_buffer") if weight in state else None for weight in self.weights]

    def generator(self, level: str) -> torch.Generator:
        """A fresh generator (on the CPU) of this step and purpose: equal draws whenever it is made again."""
        return torch.Generator().manual_seed(derive_seed(self.context.seed, "draws", self.done, level))

    def _learning_rate(self) -> float:
        """Of w: a cosine over the horizon, or over each stage that starts afresh."""
        from search_engine.training.schedule import cosine

        anew = self.options.shrink_restart
        done, horizon = (self.in_stage, self.stages.length(self.stage)) if anew else (self.done, self.horizon)
        return cosine(done, horizon, self.options.learning_rate, self.options.final_learning_rate)

    # ---- where it stands

    @property
    def horizon(self) -> int:
        return self.planned_steps(self.train_order)

    @property
    def lengthened_by(self) -> str:
        """Where no rate, no temperature and no stage follows the horizon."""
        options: Any = self.options
        constant = options.learning_rate == options.final_learning_rate
        constant = constant and getattr(options, "temperature_schedule", "constant") == "constant"
        return self.length_option if constant and options.shrink_stages == 1 and not options.skip_dropout else ""

    @property
    def stop_reason(self) -> StopReason:
        return "stopped" if self.stopped else "horizon"

    @property
    def in_stage(self) -> int:
        """Steps done in the present stage; where nothing shrinks there is one."""
        return self.done - self.stages.start(self.stage)

    @property
    def epoch(self) -> int:
        """Completed epochs of the weights' part in the present stage."""
        return self.in_stage // self.train_order.per_epoch

    @property
    def epoch_ends(self) -> bool:
        """Whether the step that was done last ended an epoch of the present stage."""
        return self.in_stage % self.train_order.per_epoch == 0

    @property
    def progress(self) -> float:
        """From 0 at the first step to 1 at the last one of the horizon."""
        return min(self.done / max(self.horizon - 1, 1), 1.0)

    def structure(self) -> dict[str, Any]:
        return self.alpha.numpy()

    # ---- checkpoints

    def state_dict(self) -> dict[str, Any]:
        return {
            **super().state_dict(),
            "stage": self.stage,
            "listeners": {listener.name: listener.state_dict() for listener in self.listeners},
            "network": copied(self.network.state_dict()),
            "weight_optimizer": copied(self.weight_optimizer.state_dict()),
            "alpha": self.alpha.state_dict(),
            "alpha_optimizer": copied(self.alpha_optimizer.state_dict()),
            "precision": self.precision.state_dict(),
            "report": self.report.state_dict(),
            "stopped": self.stopped,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        self.stage = state["stage"]
        # First, since a later stage has another network and another structure.
        for listener in self.listeners:
            listener.load_state_dict(state["listeners"][listener.name])
        self.network.load_state_dict(state["network"])
        self.weight_optimizer.load_state_dict(state["weight_optimizer"])
        self.alpha.load_state_dict(state["alpha"])
        self.alpha_optimizer.load_state_dict(state["alpha_optimizer"])
        self.precision.load_state_dict(state["precision"])
        self.report.load_state_dict(state["report"])
        self.stopped = state["stopped"]
        self.before_step()


class Listener:
    """Someone who accompanies a loop. Every hook does nothing unless it is overridden; `name` is that of its state in a checkpoint. Who may
    stop the search stands before `Progress` in `listen()`, so that its last frame is said.

    >>> class Impatient(Listener):
    ...     name = "impatient"
    ...     def after_step(self):
    ...         if self.loop.done >= 100:
    ...             self.loop.stopped = "a hundred steps are enough"
    ...         return super().after_step()
    >>> from types import SimpleNamespace
    >>> loop = SimpleNamespace(done=100, stopped="")
    >>> Impatient(loop).after_step().samples, loop.stopped
    (0.0, 'a hundred steps are enough')
    """

    name: ClassVar[str]

    def __init__(self, loop: BilevelLoop) -> None:
        """The loop has its data and its plan of stages, and no network yet."""
        self.loop = loop

    def network_changes(self) -> dict[str, Any]:
        """What is different about the super-network that is about to be created, for `open_supernet`."""
        return {}

    def structure(self, alpha: StructureDistribution, generator: torch.Generator) -> StructureDistribution:
        """What stands in the place of a structure that was just made: itself, or something around it. `generator` draws its values."""
        return alpha

    def created(self) -> None:
        """Network, structure and optimisers are there, all fresh."""

    def begun(self) -> None:
        """The search stands before its first step and has declared its family."""

    def before_step(self) -> None:
        """A step is about to be done."""

    def holds_structure(self) -> bool:
        """Whether the structure must not move in this step."""
        return False

    def after_step(self) -> Cost:
        """A step was done and has counted itself. Returns what the listener used."""
        return Cost()

    def derived(self, genome: Genome, weights: dict[str, Array]) -> Genome:
        """What becomes of the genome that those weights point to."""
        return genome

    def numbers(self) -> dict[str, float]:
        """Numbers of now to show as curves."""
        return {}

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Called before the loop restores network and structure."""
