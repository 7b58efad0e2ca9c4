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

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from search_engine.base.checkpoint import copied
from search_engine.base.generators import derive_seed
from search_engine.base.lazy import lazy_module
from search_engine.events import Cost, Notice
from search_engine.spaces.genomes import Genome
from search_engine.structures import StructureDistribution
from search_engine.structures.distribution import shapes_of

from ..base import Context, Finalist, StopReason
from .config import BilevelConfig, SimplexConfig
from .edge_weights import EdgeNormalisedStructure
from .habits import EpochView, Habits
from .moves import Moves
from .relaxation import two_levels
from .skip_cap import capped
from .stages import Stages, everything, shrink
from .structure_report import StructureReport

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_module("torch")

Array = np.ndarray[Any, Any]
Order = Literal["structure_first", "weights_first", "single_level"]


class SimplexSearch(Moves):
    """One super-network, its weights w and its structure alpha. `context.options` is a SimplexConfig, a BilevelConfig unless the order
    is single_level. An algorithm's entry names `search_engine.algorithms.simplex.controls:check_controls` as its check, or calls it in its
    own."""

    state_version = 2

    choice: StructureDistribution
    """What `make_structure` gave: the law of each edge's operation. Set a temperature here. `alpha` is this, or this with a weight per
    edge around it."""

    # ---- what a method says

    @property
    def order(self) -> Order:
        """Who moves when; may follow from the options, never from the state."""
        return "structure_first"

    @abstractmethod
    def make_structure(self, shapes: dict[str, tuple[int, int]], generator: torch.Generator, device: str) -> StructureDistribution:
        """The structure at its start (and at that of every stage that starts afresh): per group (edges, operations). `generator` (on the
        CPU) draws the initial values. `self.network` is there already."""

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
        from search_engine.training.batches import BatchOrder, DevicePart
        from search_engine.training.precision import Precision

        super().begin(context, handover)
        if context.data is None:
            raise TypeError(f"{self.title} trains on samples; this data set gives none")
        options = self.options
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
        self.eigenvalue: float | None = None
        self.report = StructureReport(context, self._derived)
        # A finite difference shifts the weights by less than half precision can tell apart.
        exact = isinstance(options, BilevelConfig) and options.estimator == "finite_difference"
        self.precision = Precision(context.device, context.amp and not exact)
        self.habits = Habits(options)
        self.stages = Stages(options, self.horizon, self.train_order.per_epoch)
        self.stage = 0
        self.kept = everything(self.report.family)
        self._build()
        self.before_step()
        # Said here rather than in the first step, so that the picture stands while that step runs; a resume discards it.
        self.report.declare(self.alpha.constraint if options.edge_normalisation else "")
        for notice in fixed_controls(options, self.stages):
            context.emit(notice, 0)
        self._say({"entropy": self.alpha.normalised_entropy()})

    def _build(self) -> None:
        """Network, structure and their optimisers, all fresh, as the present stage has them."""
        from search_engine.supernets.opening import open_supernet
        from search_engine.supernets.partial_channels import partial_channels
        from search_engine.supernets.skip_dropout import install_skip_dropout

        options, device, seed = self.options, self.context.device, self.context.seed
        share, cells = self.stages.partial_channels(self.stage), self.stages.cells(self.stage)
        changes: dict[str, Any] = {"mixing": partial_channels(share)} if share > 1 else {}
        if cells:
            changes["cells"] = cells
        self.network = open_supernet(self.context.space, "supernet", **changes).to(device).train()
        self.skip_dropouts = install_skip_dropout(self.network) if any(options.skip_dropout) else []
        self.weights = list(self.network.parameters())
        self.weight_optimizer = torch.optim.SGD(
            self.weights, lr=options.learning_rate, momentum=options.momentum, weight_decay=options.weight_decay
        )
        generator = torch.Generator().manual_seed(derive_seed(seed, "alpha", *([self.stage] if self.stage else [])))
        # The alphas are leaves of their own, in no module: the weight optimiser cannot reach them.
        self.choice = self.make_structure(shapes_of(self.report.family), generator, device)
        self.alpha = EdgeNormalisedStructure(self.choice, self.report.family, generator) if options.edge_normalisation else self.choice
        self.alpha_optimizer = torch.optim.Adam(
            self.alpha.parameters, lr=options.structure_learning_rate,
            betas=(options.structure_beta1, options.structure_beta2), weight_decay=options.structure_weight_decay,
        )
        self._restrict()

    def _restrict(self) -> None:
        """Take the dropped operations out of the structure and out of the computation."""
        from search_engine.supernets.mixing import evaluate_in

        if self.stage == 0:
            return
        self.alpha.restrict(self.kept)
        # A one-hot draw has zeros of its own: whether those are computed is the method's choice.
        if self.choice.constraint != "simplex_vertices":
            evaluate_in(self.network, "chosen")

    def _next_stage(self) -> None:
        """Drop the weakest operations and begin the next stage."""
        self.stage += 1
        options = self.options
        self.kept = shrink(self.alpha.numpy(), self.report.family, self.kept, self.stage, options.shrink_keeps_none)
        self._begin_stage()
        self.flops = {}
        counts = [int(mask.sum(axis=1).max()) for mask in self.kept.values()]
        message = f"Stage {self.stage + 1} of {self.stages.count}: every edge keeps its {max(counts)} strongest operations"
        message += ", and weights and structure begin anew." if options.shrink_restart else "; weights and structure go on."
        values = {"stage": self.stage + 1.0, "operations": float(max(counts))}
        if cells := self.stages.cells(self.stage):
            values["cells"] = float(cells)
        self.context.emit(Notice(name="shrinking", message=message, step=self.done, values=values), self.done)

    def _begin_stage(self) -> None:
        if self.options.shrink_restart:
            self._build()
        else:
            self._restrict()

    # ---- where it stands

    @property
    def horizon(self) -> int:
        return self.options.steps or self.options.epochs * self.train_order.per_epoch

    @property
    def steps_done(self) -> int:
        return self.done

    @property
    def stop_reason(self) -> StopReason:
        return "stopped" if self.stopped else "horizon"

    @property
    def finished(self) -> bool:
        return bool(self.stopped) or self.done >= self.horizon

    @property
    def in_stage(self) -> int:
        """Steps done in the present stage; where nothing shrinks there is one."""
        return self.done - self.stages.start(self.stage)

    @property
    def epoch(self) -> int:
        """Completed epochs of the weights' part in the present stage."""
        return self.in_stage // self.train_order.per_epoch

    @property
    def _epoch_ends(self) -> bool:
        """Whether the step that was done last ended an epoch of the present stage."""
        return self.in_stage % self.train_order.per_epoch == 0

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
        if self.stage + 1 < self.stages.count and self.done == self.stages.start(self.stage + 1):
            self._next_stage()
        self.before_step()
        for dropout in self.skip_dropouts:
            dropout.rate = self.stages.skip_dropout(self.stage, self.in_stage)
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
        if self.options.eigenvalue_ratio and not held and self._epoch_ends:
            cost = cost.plus(self._measure_curvature())
        self.cost = self.cost.plus(cost)
        self._after_step(rate)
        return cost

    def _learning_rate(self) -> float:
        from search_engine.training.schedule import cosine

        anew = self.options.shrink_restart
        done, horizon = (self.in_stage, self.stages.length(self.stage)) if anew else (self.done, self.horizon)
        return cosine(done, horizon, self.options.learning_rate, self.options.final_learning_rate)

    # ---- what is said

    def _after_step(self, rate: float) -> None:
        if self._epoch_ends:
            weights = self.alpha.numpy()
            view = EpochView(
                epoch=self.epoch, step=self.done, weights=weights,
                operations={group.name: group.operations for group in self.report.family},
                # Before any limit of skip connections: what they are counted in must show a collapse.
                derived=self.report.operations_of(self.derive(weights)), eigenvalue=self.eigenvalue,
            )
            notices, self.stopped = self.habits.after_epoch(view)
            for notice in notices:
                self.context.emit(notice, self.done)
        if self.report.due(self.done, self.finished):
            self._say({"entropy": self.alpha.normalised_entropy(), "learning_rate": rate})
        if self.finished and self.options.skip_cap:
            self._say_cap()

    def _say(self, values: dict[str, float]) -> None:
        controls: dict[str, float] = {"stage": self.stage + 1.0} if self.stages.count > 1 else {}
        if self.skip_dropouts:
            controls["skip_dropout"] = self.skip_dropouts[0].rate
        if self.eigenvalue is not None:
            controls["hessian_eigenvalue"] = self.eigenvalue
        numbers = {**values, **controls, **self.numbers()}
        self.report.say(self.done, self.alpha.numpy(), self.cost.samples, draws=self.draws(), **numbers)

    def _say_cap(self) -> None:
        limit = self.options.skip_cap
        _, taken = capped(self.alpha.numpy(), limit, self.report.family, self.context.space, self.derive)
        if taken:
            message = f"The derived cell had more than {limit} skip connections: the {taken} weakest gave way to other operations."
            values = {"taken": float(taken), "limit": float(limit)}
            self.context.emit(Notice(name="skip_cap", message=message, step=self.done, values=values), self.done)

    def _derived(self, weights: dict[str, Array]) -> Genome:
        """The genome of those weights, with the limit of skip connections where one is set."""
        if not self.options.skip_cap:
            return self.derive(weights)
        return capped(weights, self.options.skip_cap, self.report.family, self.context.space, self.derive)[0]

    def structure(self) -> dict[str, Any]:
        return self.alpha.numpy()

    def best(self) -> list[Finalist]:
        """The derived genome, to be retrained from scratch. It has no score of its own: only the super-network has been seen."""
        return [Finalist(self._derived(self.alpha.numpy()), finish="retrain")]

    # ---- checkpoints

    def state_dict(self) -> dict[str, Any]:
        return {
            "stage": self.stage,
            "kept": {group: mask.tolist() for group, mask in self.kept.items()},
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
            "eigenvalue": self.eigenvalue,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.stage = state["stage"]
        self.kept = {group: np.array(mask, dtype=bool) for group, mask in state["kept"].items()}
        if self.stage:
            # The fresh weights are overwritten: they must not move anybody's generator.
            with torch.random.fork_rng():
                self._begin_stage()
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
        self.eigenvalue = state["eigenvalue"]
        self.before_step()


def fixed_controls(options: SimplexConfig, stages: Stages) -> list[Notice]:
    """What is on from the first step to the last, said once."""
    said = []
    shares = [stages.partial_channels(stage) for stage in range(stages.count)]
    if max(shares) > 1:
        parts = ", then ".join(f"1/{share}" for share in dict.fromkeys(shares))
        message = f"Partial channels: {parts} of each edge's channels pass through its mixed operations; the final network has all."
        said.append(Notice(name="partial_channels", message=message, step=0, values={"share": float(shares[0])}))
    if options.edge_normalisation:
        message = "Edge normalisation: the weights into each node sum to one, over edges and operations together."
        said.append(Notice(name="edge_normalisation", message=message, step=0))
    if any(options.skip_dropout):
        rates = ", ".join(f"{rate:g}" for rate in options.skip_dropout)
        message = f"Skip connections drop values at random: {rates} of them at the start of the stages, fewer and fewer from there on."
        said.append(Notice(name="skip_dropout", message=message, step=0, values={"rate": max(options.skip_dropout)}))
    return said
