"""Multi-path NAS (Q. Wang, J. Ke, ..., A. Go et al., "Multi-path Neural Networks for On-device Multi-domain Visual Classification",
WACV 2021, arXiv 2010.04904).

One super-network serves several data sets (domains). Each has a controller of its own that picks one module per layer; a module on the
paths of two data sets is shared by them. One step is:

    for every data set i:  path_i ~ pi_i
                           reward_i = accuracy of path_i on a validation batch of i      (no gradient)
                           loss_i   = cross-entropy of path_i on a training batch of i
    one optimiser step of the super-network on  sum_i w_i loss_i
    for every data set i:  REINFORCE of controller i with reward_i

During the warm-up paths are drawn uniformly and only the weights move: a controller that is rewarded by an untrained network locks to a
chance path. At the end every data set keeps its most probable path, and all paths are retrained together from scratch.

Where it departs from the paper: the controllers' update is plain REINFORCE with a moving baseline per data set, and the optional
`adaptive` weights of the losses are our own rule (the paper's formula could not be checked).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from search_engine.algorithms.base import AlgorithmConfig, Context, Finalist
from search_engine.algorithms.step_search import StepSearch
from search_engine.base.checkpoint import copied
from search_engine.base.lazy import lazy_module
from search_engine.base.observation import observed
from search_engine.base.works_with import WorksWith, each, one_of, other_than
from search_engine.events import ControlScored, Cost
from search_engine.spaces.decision_infos import declare
from search_engine.spaces.decisions import Choices

if TYPE_CHECKING:
    import torch
    from torch.nn import functional
else:
    torch = lazy_module("torch")
    functional = lazy_module("torch.nn.functional")

BACKWARD = 2.0
"""FLOPs of a backward pass, as a multiple of the forward pass's: one product for the inputs, one for the weights."""


class MultiPathConfig(AlgorithmConfig):
    """Hyper-parameters of multi-path NAS."""

    works_with: ClassVar[WorksWith] = {
        "hidden": {"controller": one_of("lstm")}, "momentum": {"optimizer": one_of("sgd")},
        **each(("cost_measure", "cost_target"), {"cost_weight": other_than(0)}),
        **each(("targets", "tau"), {"weighting": one_of("adaptive")}),
    }

    # ---- how long
    steps: int = Field(
        default=600, ge=1, le=10_000_000, title="Steps",
        description="The horizon. In one step every data set draws one path, one training batch and one validation batch.",
    )
    warm_up: int = Field(
        default=150, ge=0, le=10_000_000, title="Warm-up steps",
        description="Of these steps the first so many draw paths uniformly and leave the controllers alone.",
    )
    batch_size: int = Field(default=32, ge=2, le=65_536, title="Batch size", description="Training examples of each data set in a step.")
    reward_batch_size: int = Field(
        default=64, ge=2, le=65_536, title="Reward batch size", description="Validation examples of each data set in a step.",
    )

    # ---- the controllers
    controller: Literal["table", "lstm"] = Field(
        default="table", title="Controller",
        description="table: independent logits for every layer (as in TuNAS). lstm: each choice depends on those before it (as in ENAS).",
    )
    hidden: int = Field(default=64, ge=4, le=1024, title="LSTM units", description="Hidden units of the LSTM controller.")
    controller_learning_rate: float = Field(
        default=0.03, gt=0, le=10, title="Learning rate of the controllers",
        description="Adam's. 0.03 suits the table and a search of a thousand steps; the LSTM wants about a tenth of it.",
    )
    baseline_decay: float = Field(
        default=0.95, ge=0, lt=1, title="Baseline decay",
        description="Of the moving average of a data set's rewards that a reward is compared with.",
    )
    entropy_weight: float = Field(
        default=0.001, ge=0, le=10, title="Entropy bonus", description="Weight of the policy's entropy in its objective: keeps it trying.",
    )

    # ---- the reward
    cost_weight: float = Field(
        default=0.0, ge=0, le=100, title="Weight of the cost",
        description="β of the reward accuracy − β |cost / target − 1|; 0 = accuracy alone.",
    )
    cost_measure: Literal["parameters", "flops"] = Field(
        default="flops", title="Cost", description="What a path costs: parameters, or FLOPs of one example's forward pass.",
    )
    cost_target: float = Field(
        default=0.5, gt=0, le=1, title="Target cost", description="As a share of the data set's costliest path; for a weight above 0.",
    )

    # ---- the weights of the super-network
    optimizer: Literal["adam", "sgd"] = Field(
        default="adam", title="Optimiser", description="Of the super-network's weights; SGD has Nesterov momentum.",
    )
    learning_rate: float = Field(
        default=0.01, gt=0, le=10, title="Learning rate", description="Of the super-network's weights, at the start.",
    )
    final_learning_rate: float = Field(
        default=0.001, ge=0, le=10, title="Final learning rate", description="At the last step; a cosine lies between.",
    )
    momentum: float = Field(default=0.9, ge=0, lt=1, title="Momentum", description="SGD only.")
    weight_decay: float = Field(
        default=1e-4, ge=0, le=1, title="Weight decay", description="L2 penalty on the weights that are on a path of the step.",
    )
    gradient_clip: float = Field(
        default=5.0, ge=0, le=1000, title="Gradient clip", description="Largest norm of the weights' gradient; 0 = no limit.",
    )

    # ---- balance of the data sets
    weighting: Literal["equal", "adaptive"] = Field(
        default="equal", title="Weights of the losses",
        description="equal: 1 each. adaptive (our own rule): softmax((target − accuracy) / τ) times the number of data sets, with a moving "
        "average of the accuracy, so that a data set which is far from its target counts more.",
    )
    targets: tuple[float, ...] = Field(
        default=(), max_length=8, title="Target accuracies",
        description="For adaptive weights: one accuracy in (0, 1] per data set, in their order; empty = 1 for all.",
    )
    tau: float = Field(
        default=0.1, gt=0, le=100, title="Temperature τ",
        description="For adaptive weights: the smaller, the more the weakest data set counts.",
    )

    # ---- comparison
    control: bool = Field(
        default=True, title="Control",
        description="Afterwards search once more with one controller for all data sets, to show what separate ones are worth. It takes as "
        "long as the search, is not charged, and changes nothing.",
    )


class MultiPathSearch(StepSearch[MultiPathConfig]):
    """One super-network, one controller per data set."""

    title = "Multi-path NAS"
    state_version = 3
    common = False
    """Whether all data sets share one controller."""

    def begin(self, context: Context, handover: dict[str, Any] | None) -> None:
        """Build super-network, controllers and data orders. Raises TypeError without samples."""
        from search_engine.base.training_config import TrainingConfig
        from search_engine.supernets.opening import open_supernet
        from search_engine.supernets.path_costs import measure
        from search_engine.training.batches import BatchOrder, DevicePart
        from search_engine.training.optimisers import make_optimizer
        from search_engine.training.precision import Precision

        from .domain_policies import DomainPolicies, PolicySettings
        from .report import DomainsReport

        super().begin(context, handover)
        options, domains = self.options, self.samples_of_all
        self.space: Any = context.space
        seed, device, self.count = context.seed, context.device, len(domains)
        self.train = [DevicePart(data.train, data.preprocessing, device) for data in domains]
        self.validation = [DevicePart(data.validation, data.preprocessing, device) for data in domains]
        # Endless orders: data sets of different sizes come round at their own pace.
        self.train_order = [BatchOrder(len(part), options.batch_size, "weights", i, seed) for i, part in enumerate(self.train)]
        self.reward_order = [
            BatchOrder(len(part), options.reward_batch_size, "reward", i, seed) for i, part in enumerate(self.validation)
        ]

        self.network: Any = open_supernet(context.space, "paths").to(device).train()
        self.weights = list(self.network.parameters())
        names = ("optimizer", "learning_rate", "momentum", "weight_decay")
        self.optimizer = make_optimizer(TrainingConfig(**{name: getattr(options, name) for name in names}), self.weights)
        self.costs = measure(self.network, [data.shape.input for data in domains])
        settings = PolicySettings(
            options.controller, options.controller_learning_rate, options.entropy_weight, options.baseline_decay, options.hidden
        )
        self.policies = DomainPolicies(self.space.decisions, self.count, settings, seed, common=self.common)
        self.precision = Precision(device, context.amp)
        self.accuracies: list[float | None] = [None] * self.count
        """Moving averages of each data set's accuracy on validation batches, along sampled paths."""
        self.report = DomainsReport(context, self.costs)
        if not self.control:
            # Said here rather than in the first step, so that the picture stands while that step runs; a resume discards it.
            context.emit(declare(context.space), 0)
            self.report.say(0, 0.0, self.policies)

    @property
    def horizon(self) -> int:
        return self.options.steps

    def planned_samples(self) -> float:
        options = self.options
        rewarded = max(options.steps - options.warm_up, 0)
        return self.count * Cost(
            forward_backward=options.steps * options.batch_size, forward=rewarded * options.reward_batch_size
        ).samples

    # ---- one step

    def step(self) -> Cost:
        """Algorithm 1, once. Raises TrialFailure where a loss is not finite."""
        domains = range(self.count)
        warming = self.done < self.options.warm_up
        rng = self.context.rng
        paths = [self.space.decisions.sample(rng) if warming else self.policies.sample(domain, rng) for domain in domains]
        rewards = [] if warming else [self._reward(domain, paths[domain]) for domain in domains]
        cost = self._move_weights(paths)
        if not warming:
            cost = cost.plus(self._reward_cost(paths))
            for domain, (baseline, entropy) in enumerate(self.policies.update(paths, rewards)):
                self.report.count(domain, reward=rewards[domain], baseline=baseline, entropy=entropy)
        self.done += 1
        self.spend(cost)
        if self.report.due(self.done, self.finished):
            self.report.say(self.done, self.cost.samples, self.policies, picture=not self.control, learning_rate=self._rate(self.done - 1))
        return cost

    def _reward(self, domain: int, path: Choices) -> float:
        """Accuracy of the path on a validation batch, less what it costs where that counts."""
        inputs, labels = self.validation[domain].take(self.reward_order[domain].indices(self.done))
        with torch.no_grad(), self.precision.autocast():
            logits = self.network.forward_path(inputs, self.space.genome_of(path), domain)
        accuracy = float((logits.argmax(1) == labels).float().mean())
        before = self.accuracies[domain]
        decay = self.options.baseline_decay
        self.accuracies[domain] = accuracy if before is None else decay * before + (1 - decay) * accuracy
        self.report.count(domain, val_accuracy=accuracy)
        if not self.options.cost_weight:
            return accuracy
        kind = self.options.cost_measure
        target = self.options.cost_target * self.costs.largest(kind, domain)
        return accuracy - self.options.cost_weight * abs(self.costs.of(kind, domain, path) / target - 1)

    def _move_weights(self, paths: list[Choices]) -> Cost:
        """One optimiser step on the weighted sum of the losses; weights that are on no path have no gradient and do not move."""
        from search_engine.training.optimisers import set_learning_rate

        set_learning_rate(self.optimizer, self._rate(self.done))
        self.optimizer.zero_grad(set_to_none=True)
        factors, losses, cost = self._factors(), [], Cost()
        for domain, path in enumerate(paths):
            inputs, labels = self.train[domain].take(self.train_order[domain].indices(self.done))
            with self.precision.autocast():
                logits = self.network.forward_path(inputs, self.space.genome_of(path), domain)
            loss = functional.cross_entropy(logits.float(), labels)
            value = float(loss.detach())
            self.require_finite(f"training loss on data set {domain + 1}", value)
            accuracy = float((logits.detach().argmax(1) == labels).float().mean())
            self.report.count(domain, train_loss=value, train_accuracy=accuracy, weight=factors[domain])
            losses.append(factors[domain] * loss)
            flops = (1 + BACKWARD) * self.costs.path_flops(domain, path) * len(labels)
            cost = cost.plus(Cost(forward_backward=len(labels), flops=flops))
        self.precision.step(torch.stack(losses).sum(), self.optimizer, self.weights, self.options.gradient_clip)
        return cost

    def _reward_cost(self, paths: list[Choices]) -> Cost:
        sizes = [order.size(self.done) for order in self.reward_order]
        flops = sum(size * self.costs.path_flops(domain, paths[domain]) for domain, size in enumerate(sizes))
        return Cost(forward=sum(sizes), flops=flops)

    def _factors(self) -> list[float]:
        """The data sets' weights in the sum of the losses; their mean is 1."""
        known = [accuracy for accuracy in self.accuracies if accuracy is not None]
        if self.options.weighting == "equal" or len(known) < self.count:
            return [1.0] * self.count
        targets = self.options.targets or (1.0,) * self.count
        gaps = [(target - accuracy) / self.options.tau for target, accuracy in zip(targets, known, strict=True)]
        powers = [math.exp(gap - max(gaps)) for gap in gaps]
        return [self.count * power / sum(powers) for power in powers]

    @property
    def lengthened_by(self) -> str:
        """Where the rate stays what it is."""
        return self.length_option if self.options.learning_rate == self.options.final_learning_rate else ""

    def _rate(self, step: int) -> float:
        from search_engine.training.schedule import cosine

        return cosine(step, self.horizon, self.options.learning_rate, self.options.final_learning_rate)

    # ---- what it found

    def paths(self) -> list[Choices]:
        """Every data set's most probable path."""
        return [self.policies.greedy(domain) for domain in range(self.count)]

    def best(self) -> list[Finalist]:
        """All paths as one network, to be retrained jointly. It has no score of its own: only the super-network has been seen."""
        genome = self.space.genome_of_paths(self.paths())
        return [Finalist(genome, finish="retrain", domains=tuple(range(self.count)))]

    def handover(self) -> dict[str, Any]:
        """What the control is compared with."""
        return {"accuracies": list(self.accuracies), "paths": [list(path) for path in self.paths()]}

    # ---- checkpoints

    def state_dict(self) -> dict[str, Any]:
        return {
            **super().state_dict(),
            "network": copied(self.network.state_dict()),
            "optimizer": copied(self.optimizer.state_dict()),
            "policies": self.policies.state_dict(),
            "precision": self.precision.state_dict(),
            "accuracies": list(self.accuracies),
            "report": self.report.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.policies.load_state_dict(state["policies"])
        self.precision.load_state_dict(state["precision"])
        self.accuracies = list(state["accuracies"])
        self.report.load_state_dict(state["report"])


class CommonControllerControl(MultiPathSearch):
    """The same search with one controller for all data sets: they cannot take different paths, however much they differ."""

    name = "control"
    title = "Control: one controller for all data sets"
    control = True
    paired_with = 0
    common = True

    def begin(self, context: Context, handover: dict[str, Any] | None) -> None:
        self.found = handover
        super().begin(context, handover)

    def step(self) -> Cost:
        cost = super().step()
        if self.finished:
            self._say_score()
        return cost

    def _say_score(self) -> None:
        from .report import shared_modules

        own = self._figures(self.accuracies, shared_modules(self.paths()))
        message = f"One controller for all data sets: {self._sentence(own)}."
        values = own
        if self.found is not None:
            paths = [tuple(path) for path in self.found["paths"]]
            found = self._figures(self.found["accuracies"], shared_modules(paths))
            message += f" With one controller each: {self._sentence(found)}."
            values = {**own, **{f"search_{name}": value for name, value in found.items()}}
        self.context.emit(ControlScored(name="common_controller", title=self.title, message=observed(message), values=values), self.done)

    def _figures(self, accuracies: list[float | None], shared: int) -> dict[str, float]:
        known = {f"accuracy_{number}": value for number, value in enumerate(accuracies, start=1) if value is not None}
        return {**known, "shared_modules": shared}

    def _sentence(self, figures: dict[str, float]) -> str:
        shares = [f"{value:.1%}" for name, value in figures.items() if name.startswith("accuracy")]
        accuracy = f"accuracy along sampled paths {' and '.join(shares)}" if shares else "no accuracy yet (the warm-up was not over)"
        return f"{accuracy}, {int(figures['shared_modules'])} modules shared"

    def best(self) -> list[Finalist]:
        return []
