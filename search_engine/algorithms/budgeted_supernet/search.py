"""Budgeted super-networks: Learning Time/Memory-Efficient Deep Architectures (T. Veniat, L. Denoyer, CVPR 2018, arXiv 1706.00046).

A super-network of blocks, each with a logit t. For every example of a minibatch a set of blocks H is drawn anew, block b being there with
probability sigmoid(t_b), and the network with these blocks is evaluated. Loss and cost are lowered together:

    min over w, t of   E over H of [ L(f(x; H, w), y)  +  lambda max(0, C(H) - C0) ]

One step, on one minibatch with one draw per example:

    w moves along   d/dw mean L                                                                          (SGD with momentum)
    t moves along   1/B sum (J - mean J) d/dt log p(H),   J = L + lambda max(0, C(H) - C0)               (REINFORCE, Adam)

At the end the blocks with a probability above one half are kept, and the network of those is trained from scratch.

C(H) is the share of the super-network that H costs, so budget and lambda mean the same for every size and unit. Both kinds of cost are
reported, see `search_engine.spaces.block_costs`. Where it departs from the paper: the gradient is the batch's mean instead of its sum;
logits move by Adam; a draw without any path from input to output is charged a penalty of its own.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

import numpy as np
from pydantic import Field

from search_engine.base.checkpoint import copied
from search_engine.base.errors import BadInput, TrialFailure
from search_engine.base.generators import derive_seed
from search_engine.base.lazy import lazy_module
from search_engine.base.works_with import WorksWith, each, one_of, other_than
from search_engine.events import Cost, Notice

from ..base import AlgorithmConfig, Context, Finalist
from ..step_search import StepSearch

if TYPE_CHECKING:
    import torch

    from search_engine.spaces.block_costs import costs
    from search_engine.supernets import opening
    from search_engine.training import batches, precision, schedule

    from . import checks, estimator, measuring, random_networks, report
else:
    torch = lazy_module("torch")
    checks = lazy_module("search_engine.algorithms.budgeted_supernet.checks")
    costs = lazy_module("search_engine.spaces.block_costs.costs")
    estimator = lazy_module("search_engine.algorithms.budgeted_supernet.estimator")
    measuring = lazy_module("search_engine.algorithms.budgeted_supernet.measuring")
    random_networks = lazy_module("search_engine.algorithms.budgeted_supernet.random_networks")
    report = lazy_module("search_engine.algorithms.budgeted_supernet.report")
    opening = lazy_module("search_engine.supernets.opening")
    batches = lazy_module("search_engine.training.batches")
    precision = lazy_module("search_engine.training.precision")
    schedule = lazy_module("search_engine.training.schedule")


EVALUATIONS = 100
"""At most so many times the probable network is scored on the validation part while the search goes on."""


class BudgetedSupernetConfig(AlgorithmConfig):
    """Hyper-parameters of budgeted super-networks."""

    works_with: ClassVar[WorksWith] = {
        "processors": {"cost": one_of("parallel")}, **each(("penalty", "optimised_cost"), {"cost_weight": other_than(0)}),
    }

    # ---- the budget
    budget: float = Field(
        default=0.25, ge=0, le=1, title="Budget", json_schema_extra={"slider": True},
        description="What the network may cost, as a share of the whole super-network. A budget below the cheapest path is refused.",
    )
    cost: Literal["flops", "parameters", "latency", "parallel"] = Field(
        default="flops", title="Cost",
        description="flops: 2 x MACs per example. parameters: trainable numbers. latency: seconds of each block, measured once at the "
        "first step on this machine and kept from then on, also by a run that is resumed elsewhere; two machines measure differently, so "
        "such a run is repeated bit for bit only from its own figures. parallel: time on several processors, from FLOPs.",
    )
    processors: int = Field(
        default=2, ge=1, le=1024, title="Processors", description="How many blocks compute at a time, for the parallel cost.",
    )
    cost_weight: float = Field(
        default=5.0, ge=0, le=1e6, title="Cost weight λ",
        description="Nats of loss that the whole super-network's cost above the budget is worth; 0 = cost does not matter.",
    )
    penalty: Literal["hinge", "absolute"] = Field(
        default="hinge", title="Penalty",
        description="hinge: only cost above the budget counts, max(0, C - C0). absolute: |C - C0|, which also pulls up to the budget.",
    )
    optimised_cost: Literal["sampled", "pruned"] = Field(
        default="sampled", title="Cost that is optimised",
        description="sampled: of all blocks that were drawn, as in the authors' code. pruned: only of those on a path from input to "
        "output.",
    )
    no_path_penalty: float = Field(
        default=1.0, ge=0, le=1e6, title="Penalty without a path", description="Added to the objective of a draw that leaves no path.",
    )

    # ---- the structure
    stochastic: Literal["convolutions", "all"] = Field(
        default="convolutions", title="Blocks in question",
        description="convolutions: shortcuts are always there, as in the paper. all: they may be left out as well.",
    )
    initial_logit: float = Field(
        default=3.0, ge=-20, le=20, title="First logit",
        description="Of every block in question; 3 = there with probability 0.953. Paper: 3.",
    )
    structure_learning_rate: float = Field(
        default=0.1, gt=0, le=10, title="Learning rate of the structure",
        description="Adam's, for the logits. Paper: 0.001, plain, with the sum over the batch instead of its mean.",
    )
    warm_up_epochs: int = Field(
        default=2, ge=0, le=10_000, title="Warm-up epochs", description="First epochs in which only the weights move.",
    )

    # ---- the weights
    epochs: int = Field(default=16, ge=1, le=10_000, title="Epochs", description="Passes over the training part. Paper: 300.")
    batch_size: int = Field(default=64, ge=2, le=65_536, title="Batch size", description="Examples, and draws, per step.")
    learning_rate: float = Field(default=0.05, gt=0, le=10, title="Learning rate", description="SGD's for the weights, at the start.")
    final_learning_rate: float = Field(
        default=0.001, ge=0, le=10, title="Final learning rate", description="At the last step; a cosine lies between.",
    )
    momentum: float = Field(default=0.9, ge=0, lt=1, title="Momentum", description="SGD's momentum. Paper: 0.9.")
    weight_decay: float = Field(default=3e-4, ge=0, le=1, title="Weight decay", description="L2 penalty on the weights.")
    gradient_clip: float = Field(
        default=5.0, ge=0, le=1000, title="Gradient clip", description="Largest norm of the weights' gradient; 0 = no limit.",
    )


class BudgetedSupernet(StepSearch[BudgetedSupernetConfig]):
    """One step is one minibatch: one draw per example, one move of the weights and one of the logits."""

    title = "Budgeted super-network"
    state_version = 3

    def begin(self, context: Context, handover: dict[str, Any] | None) -> None:
        """Build super-network, logits and both optimisers. Raises TypeError without samples."""
        super().begin(context, handover)
        options = self.options
        self.space = cast(Any, context.space)
        data, device = self.samples, context.device
        self.train_part, self.validation = self.on_device(data.train, data.validation)
        self.order = batches.BatchOrder(len(data.train), options.batch_size, "weights", context.seed)
        self.network = opening.open_supernet(context.space, "blocks").to(device).train()
        self.weights = list(self.network.parameters())
        self.weight_optimizer = torch.optim.SGD(
            self.weights, lr=options.learning_rate, momentum=options.momentum, weight_decay=options.weight_decay
        )
        asked = [block.stochastic or options.stochastic == "all" for block in self.space.blocks]
        self.asked = torch.tensor(asked)
        """Which blocks have a logit to learn; the others are always there."""
        self.logits = torch.full((sum(asked),), options.initial_logit, requires_grad=True)
        self.logits_optimizer = torch.optim.Adam([self.logits], lr=options.structure_learning_rate)
        self.precision = precision.Precision(device, context.amp)
        self.prices: costs.BlockCosts | None = None
        self.cost_of: costs.CostFunction
        if options.cost != "latency":
            self._price(self.space.prices("parameters" if options.cost == "parameters" else "flops"))
        self.block_flops = self.space.prices("flops")
        self.report = report.BudgetReport(context, options.budget, checks.UNITS[options.cost])
        self.without_path = False
        self.report.declare()
        self.report.say(0, 0.0, self.probabilities(), self._draw()[:0])

    def _price(self, prices: costs.BlockCosts) -> None:
        self.prices = prices
        self.cost_of = checks.cost_function(self.space, self.options.cost, prices, self.options.processors)

    def _measure(self) -> None:
        """Latencies, once: this very table is used from now on and stands in every checkpoint."""
        prices = measuring.latencies(self.space, self.network, self.context.device)
        self._price(prices)
        try:
            checks.refuse_below(self.options.budget, self.options.cost, checks.cheapest(self.space, self.cost_of, prices))
        except BadInput as error:
            # Only the measurement could tell.
            raise TrialFailure(str(error)) from None
        whole = self.cost_of.whole
        message = f"measured on this machine: the whole super-network's blocks take {1000 * whole:.2f} ms for one example; these figures "
        message += "are kept for the whole run"
        values = {"super_network_ms": 1000 * whole, "stem_and_classifier_ms": 1000 * prices.fixed}
        blocks = zip(self.space.blocks, prices.each, strict=True)
        values |= {f"{block.source}>{block.target} {block.operation}_ms": 1000 * price for block, price in blocks if price}
        self.context.emit(Notice(name="latency", message=message, step=self.done, values=values), self.done)

    # ---- where in the loop

    @property
    def horizon(self) -> int:
        return self.options.epochs * self.order.per_epoch

    @property
    def _between_evaluations(self) -> int:
        """Steps from one evaluation to the next: whole epochs, as many as leave at most `EVALUATIONS` of them."""
        return -(-self.options.epochs // EVALUATIONS) * self.order.per_epoch

    def _all_logits(self) -> torch.Tensor:
        """(blocks,): infinite where a block is always there."""
        full = torch.full((len(self.asked),), math.inf)
        full[self.asked] = self.logits.detach()
        return full

    def probabilities(self) -> np.ndarray[Any, Any]:
        """(blocks,) float32 with which the blocks are there."""
        return self._all_logits().sigmoid().numpy()

    def _draw(self) -> np.ndarray[Any, Any]:
        """bool (B, blocks): this step's blocks for each example, a function of seed, step and logits alone."""
        generator = torch.Generator().manual_seed(derive_seed(self.context.seed, "blocks", self.done))
        drawn = estimator.draw(self._all_logits(), self.order.size(self.done), generator)
        return drawn.numpy()

    # ---- one step

    def step(self) -> Cost:
        """One minibatch. Raises TrialFailure where a loss is not finite, or where measured costs leave no network within the budget."""
        if self.prices is None:
            self._measure()
        drawn = self._draw()
        live = self.space.live(drawn)
        inputs, labels = self.train_part.take(self.order.indices(self.done))
        losses = self._move_weights(inputs, labels, live)
        objective, values = self._objective(losses, drawn, live)
        if self.done // self.order.per_epoch >= self.options.warm_up_epochs:
            self._move_logits(drawn, objective)
        self.report.count(**values)
        cost = self._charge(len(labels), live)
        self.done += 1
        self.spend(cost)
        if self.report.due(self.done, self.finished):
            self.report.say(self.done, self.cost.samples, self.probabilities(), drawn, learning_rate=self._rate(self.done - 1))
        if self.finished or self.done % self._between_evaluations == 0:
            cost = cost.plus(self.spend(self._evaluate(values)))
        return cost

    def _move_weights(self, inputs: torch.Tensor, labels: torch.Tensor, live: np.ndarray[Any, Any]) -> torch.Tensor:
        """w := SGD(w, d/dw mean L); the losses (B,) of before, detached, on the CPU."""
        self.weight_optimizer.param_groups[0]["lr"] = self._rate(self.done)
        self.weight_optimizer.zero_grad(set_to_none=True)
        gates = torch.from_numpy(live).to(device=inputs.device, dtype=torch.float32)
        with self.precision.autocast():
            outputs = self.network(inputs, gates)
        losses = estimator.example_losses(self.space.task, outputs, labels)
        self.require_finite("the training loss", float(losses.detach().abs().max()))
        if losses.requires_grad:
            self.precision.step(losses.mean(), self.weight_optimizer, self.weights, self.options.gradient_clip)
        return losses.detach().float().cpu()

    def _objective(
        self, losses: torch.Tensor, drawn: np.ndarray[Any, Any], live: np.ndarray[Any, Any]
    ) -> tuple[torch.Tensor, dict[str, float]]:
        """J (B,) and its parts, meant over the batch."""
        options = self.options
        sampled, pruned = self.cost_of(drawn), self.cost_of(live)
        above = costs.excess(sampled if options.optimised_cost == "sampled" else pruned, options.budget, options.penalty)
        lost = ~live.any(axis=1)
        extra = options.cost_weight * above + options.no_path_penalty * lost
        objective = losses + torch.from_numpy(extra.astype(np.float32))
        return objective, {
            "train_loss": float(losses.mean()), "cost_sampled": float(sampled.mean()), "cost_pruned": float(pruned.mean()),
            "cost_penalty": float(extra.mean()), "objective": float(objective.mean()), "no_path_share": float(lost.mean()),
            "reward_variance": float(objective.var(unbiased=False)),
        }

    def _move_logits(self, drawn: np.ndarray[Any, Any], objective: torch.Tensor) -> None:
        """t := Adam(t, REINFORCE's estimate)."""
        estimate = self._estimate(self._all_logits(), torch.from_numpy(drawn), objective)
        self.logits.grad = estimate[self.asked]
        self.logits_optimizer.step()

    def _estimate(self, logits: torch.Tensor, drawn: torch.Tensor, objective: torch.Tensor) -> torch.Tensor:
        return estimator.logits_gradient(logits, drawn, objective)

    def _rate(self, step: int) -> float:
        return schedule.cosine(step, self.horizon, self.options.learning_rate, self.options.final_learning_rate)

    def _charge(self, examples: int, live: np.ndarray[Any, Any]) -> Cost:
        """A block that one example needs is computed for the whole batch; backward costs twice as much as forward."""
        flops = float(np.array(self.block_flops.each) @ live.any(axis=0)) + self.block_flops.fixed
        return Cost(forward_backward=examples, flops=3 * examples * flops)

    # ---- the most probable network

    def structure(self) -> dict[str, Any]:
        weights: dict[str, Any] = self.space.as_family_weights(self.probabilities())
        return weights

    def _evaluate(self, values: dict[str, float]) -> Cost:
        """Validation score of the blocks with p > 1/2, with the shared weights; its point in the plane of cost and loss."""
        kept = self.probabilities() > 0.5
        live = self.space.live(kept[None])
        scores = estimator.evaluate(self.network, self.validation, live[0], self.space.task)
        derived = float(self.cost_of(live)[0])
        if not live.any() and not self.without_path:
            message = "the probable blocks leave no path from input to output; the most probable path would be kept"
            self.context.emit(Notice(name="no_path", message=message, step=self.done), self.done)
        self.without_path = not live.any()
        point = {
            "epoch": self.done / self.order.per_epoch, "sampled": values["cost_sampled"], "pruned": values["cost_pruned"],
            "derived": derived, **{f"val_{name}": value for name, value in scores.items()},
        }
        self.report.say_point(self.done, self.cost.samples, point, self.space.derive(self.structure()))
        if self.finished and derived > self.options.budget:
            message = f"the search ends with a network that costs {derived:.3f} of the super-network, above the budget of "
            message += f"{self.options.budget:g}; a larger cost weight or more epochs would lower it"
            self.context.emit(Notice(name="over_budget", message=message, step=self.done, values={"cost": derived}), self.done)
        return Cost(forward=len(self.validation))

    # ---- what comes out

    def best(self) -> list[Finalist]:
        """The network of the probable blocks, to be trained from scratch."""
        return [Finalist(self.space.derive(self.structure()), finish="retrain")]

    def baselines(self) -> list[Finalist]:
        """A random network within the same budget, trained the same way."""
        if self.prices is None:
            return []
        genome = random_networks.within(self.space, self.cost_of, self.prices, self.options.budget, self.context.rng)
        share = float(self.cost_of(random_networks.mask_of(self.space, genome))[0])
        title = f"random network within the budget ({share:.3f} of the super-network), finished in the same way"
        return [Finalist(genome, finish="retrain", title=title)]

    def handover(self) -> dict[str, Any]:
        """The prices that the search went by."""
        return {"prices": None if self.prices is None else self.prices.to_json()}

    # ---- checkpoints

    def state_dict(self) -> dict[str, Any]:
        return {
            **super().state_dict(),
            "network": copied(self.network.state_dict()),
            "weight_optimizer": copied(self.weight_optimizer.state_dict()),
            "logits": copied(self.logits),
            "logits_optimizer": copied(self.logits_optimizer.state_dict()),
            "precision": self.precision.state_dict(),
            "prices": None if self.prices is None else self.prices.to_json(),
            "report": self.report.state_dict(),
            "without_path": self.without_path,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        self.network.load_state_dict(state["network"])
        self.weight_optimizer.load_state_dict(state["weight_optimizer"])
        with torch.no_grad():
            self.logits.copy_(state["logits"])
        self.logits_optimizer.load_state_dict(state["logits_optimizer"])
        self.precision.load_state_dict(state["precision"])
        if state["prices"] is not None:
            self._price(costs.BlockCosts.from_json(state["prices"]))
        self.report.load_state_dict(state["report"])
        self.without_path = state["without_path"]
