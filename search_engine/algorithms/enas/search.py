"""ENAS: efficient neural architecture search via parameter sharing.

Source: Pham, Guan, Zoph, Le and Dean, ICML 2018 (arXiv 1802.03268). Section numbers below are the paper's. One super-network holds the
weights of every architecture; a controller (an LSTM policy pi over the space's decisions) samples paths through it. Two things are moved
in turn, neither through the other (section 2.2):

    for every epoch:
        weights w:    over the training part once: per minibatch sample ONE path from pi, one optimiser step on that path's loss;
        controller:   `controller_steps` times: sample M paths, reward of each = its accuracy with the shared w on a validation
                      minibatch, one REINFORCE step with a moving baseline.
    finally: sample ten paths, rank them with the shared weights, retrain the best from scratch (section 2.3, "deriving").

Where this departs from the authors' code (melodyguan/enas): the entropy is that of the distributions, not of the sampled action alone;
the final samples are ranked on the whole validation part rather than on a minibatch; and the first epochs train w along uniformly drawn
paths, because a controller that is rewarded before the weights mean anything locks onto chance. Beside the result stands what chance
gives: the best of equally many uniformly random paths, ranked by the same super-network and finished in the same way.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from search_engine.base.checkpoint import copied
from search_engine.base.generators import derive_seed
from search_engine.base.lazy import lazy_module
from search_engine.base.works_with import WorksWith, one_of
from search_engine.events import Cost
from search_engine.spaces.decisions import Choices
from search_engine.spaces.genomes import Genome

from ..base import AlgorithmConfig, Context, Finalist
from ..policy.reinforce import MovingBaseline, Reinforce
from ..step_search import StepSearch
from .final_samples import FinalSamples
from .report import PathReport, Stage

SHARED = "weights shared by all paths"
"""What a path's weights have been given when it is ranked."""

if TYPE_CHECKING:
    import torch

    from ..policy import network
    from . import skip_penalty, training
else:
    torch = lazy_module("torch")
    network = lazy_module("search_engine.algorithms.policy.network")
    skip_penalty = lazy_module("search_engine.algorithms.enas.skip_penalty")
    training = lazy_module("search_engine.algorithms.enas.training")


class EnasConfig(AlgorithmConfig):
    """Hyper-parameters of ENAS. "Paper" is its macro search on CIFAR-10."""

    works_with: ClassVar[WorksWith] = {"momentum": {"weight_optimizer": one_of("sgd")}}

    # ---- how long
    epochs: int = Field(
        default=30, ge=1, le=100_000, title="Epochs",
        description="Passes over the training part, each but the first followed by the controller's steps. Paper: 310.",
    )
    warm_up_epochs: int = Field(
        default=5, ge=0, le=100_000, title="Warm-up epochs",
        description="First epochs that train the shared weights along uniformly random paths and leave the controller alone. At small "
        "scale a search without them stays at chance.",
    )
    batch_size: int = Field(default=64, ge=2, le=65_536, title="Batch size", description="Training examples per step. Paper: 128.")

    # ---- the shared weights
    weight_optimizer: Literal["sgd", "adam"] = Field(
        default="sgd", title="Optimiser of the weights", description="sgd: with Nesterov momentum, as in the paper. adam: Adam.",
    )
    learning_rate: float = Field(
        default=0.05, gt=0, le=10, title="Learning rate", description="Of the shared weights, at the start. Paper: 0.05.",
    )
    final_learning_rate: float = Field(
        default=0.005, ge=0, le=10, title="Final learning rate",
        description="At the last step; a cosine lies between. Paper: 0.0005, with warm restarts on the way.",
    )
    momentum: float = Field(default=0.9, ge=0, lt=1, title="Momentum", description="SGD only. Paper: 0.9.")
    weight_decay: float = Field(
        default=2.5e-4, ge=0, le=1, title="Weight decay", description="L2 penalty on the weights of the path. Paper: 0.00025.",
    )
    gradient_clip: float = Field(
        default=5.0, ge=0, le=1000, title="Gradient clip", description="Largest norm of the weights' gradient; 0 = no limit. Paper: 5.",
    )

    # ---- the controller
    controller_steps: int = Field(
        default=12, ge=1, le=100_000, title="Controller steps", description="Updates of the controller after each epoch. Paper: 50.",
    )
    arcs: int = Field(
        default=10, ge=1, le=1000, title="Paths per update",
        description="Sampled paths whose rewards one update of the controller averages over (M). Paper: 20.",
    )
    reward_batch_size: int = Field(
        default=64, ge=2, le=65_536, title="Reward batch size", description="Validation examples that one path's reward is measured on.",
    )
    controller_learning_rate: float = Field(
        default=0.01, gt=0, le=1, title="Learning rate of the controller", description="Adam's. Paper: 0.001 over 15,000 updates.",
    )
    hidden: int = Field(default=64, ge=4, le=1024, title="Hidden units", description="Of the controller's LSTM. Authors' code: 64.")
    tanh_constant: float = Field(
        default=2.5, ge=0, le=100, title="Logit bound",
        description="A logit z becomes c tanh(z): bounds how sure the policy can get; 0 = no bound. Paper: 1.5.",
    )
    temperature: float = Field(default=1.0, gt=0, le=100, title="Temperature", description="Divides the logits before they are bounded.")
    baseline_decay: float = Field(
        default=0.95, ge=0, lt=1, title="Baseline decay", description="Of the moving average that a reward is compared with. Paper: 0.99.",
    )
    entropy_weight: float = Field(
        default=1e-4, ge=0, le=10, title="Entropy bonus", description="Weight of the policy's entropy (nats). Paper: 0.0001.",
    )
    skip_target: float = Field(
        default=0.4, gt=0, lt=1, title="Wanted share of skips",
        description="Towards which the skip probabilities are pulled, in spaces that have skip connections. Paper: 0.4.",
    )
    skip_weight: float = Field(
        default=0.8, ge=0, le=100, title="Weight of the skip penalty", description="How hard they are pulled; 0 = not. Paper: 0.8.",
    )

    # ---- the end
    final_samples: int = Field(
        default=10, ge=1, le=1000, title="Final samples",
        description="Paths drawn from the trained policy and ranked with the shared weights; as many uniformly random ones are ranked "
        "beside them. Paper: 10.",
    )


class Enas(StepSearch[EnasConfig]):
    """One step is one optimiser step of the shared weights, one update of the controller, or, at the end, the ranking of one path."""

    title = "ENAS"
    state_version = 3

    def begin(self, context: Context, handover: dict[str, Any] | None) -> None:
        """Build super-network and controller. Raises TypeError without samples."""
        super().begin(context, handover)
        options = self.options
        seed = context.seed
        self.shared = training.SharedWeights(
            context.space, self.samples, self._weight_optimizer, batch_size=options.batch_size,
            reward_batch_size=options.reward_batch_size, gradient_clip=options.gradient_clip, seed=seed, device=context.device,
            amp=context.amp,
        )
        # A handful of units, one sequence after the other: the CPU is the fastest place for the controller.
        self.controller = network.Controller(
            context.space.decisions, hidden=options.hidden, temperature=options.temperature, tanh_constant=options.tanh_constant,
            generator=torch.Generator().manual_seed(derive_seed(seed, "controller")),
        )
        self.skips = skip_penalty.skip_places(self.controller)
        self.baseline = MovingBaseline(options.baseline_decay)
        self.learner = Reinforce(
            self.controller, options.controller_learning_rate, self.baseline, entropy_weight=options.entropy_weight,
            penalty=partial(skip_penalty.skip_penalty, self.controller, target=options.skip_target) if self.skips else None,
            penalty_weight=options.skip_weight,
        )
        self.final_samples = FinalSamples(context.space, self.controller, options.final_samples, seed)
        self.report = PathReport(context, self.controller)
        self.report.declare()

    def _weight_optimizer(self, weights: list[torch.nn.Parameter]) -> torch.optim.Optimizer:
        options = self.options
        if options.weight_optimizer == "adam":
            return torch.optim.Adam(weights, lr=options.learning_rate, weight_decay=options.weight_decay)
        return torch.optim.SGD(
            weights, lr=options.learning_rate, momentum=options.momentum, nesterov=options.momentum > 0, weight_decay=options.weight_decay
        )

    # ---- where in the loop

    @property
    def stage(self) -> Stage:
        """What the next step does."""
        per_epoch, updates = self.shared.train_order.per_epoch, self.options.controller_steps
        warm_up = min(self.options.warm_up_epochs, self.options.epochs) * per_epoch
        if self.done < warm_up:
            return "warm_up"
        if self.done >= self._searching:
            return "ranking"
        return "weights" if (self.done - warm_up) % (per_epoch + updates) < per_epoch else "controller"

    @property
    def _searching(self) -> int:
        """Steps before the ranking."""
        options, per_epoch = self.options, self.shared.train_order.per_epoch
        return options.epochs * per_epoch + max(options.epochs - options.warm_up_epochs, 0) * options.controller_steps

    @property
    def horizon(self) -> int:
        return self._searching + self.final_samples.total

    def planned_samples(self) -> float:
        options, shared = self.options, self.shared
        updates = max(options.epochs - options.warm_up_epochs, 0) * options.controller_steps
        forward = updates * options.arcs * options.reward_batch_size + self.final_samples.total * shared.validation_examples
        return Cost(forward_backward=options.epochs * shared.train_examples, forward=forward).samples

    # ---- one step

    def step(self) -> Cost:
        """The next step of the loop. Raises TrialFailure where a loss is not finite."""
        stage = self.stage
        cost = {"warm_up": self._move_weights, "weights": self._move_weights, "controller": self._move_controller}.get(stage, self._rank)()
        self.done += 1
        self.spend(cost)
        self.report.say(self.done, stage, self.cost.samples, last=self.finished)
        return cost

    def _move_weights(self) -> Cost:
        """w := w - rate * d/dw of one path's loss; the controller is not part of it."""
        choices = self._uniform() if self.stage == "warm_up" else self.controller.sample(self.context.rng).choices
        rate = self._learning_rate()
        trained = self.shared.train(self._genome(choices), rate)
        self.report.count(train_loss=trained.loss, train_accuracy=trained.accuracy)
        self.report.now(choices, learning_rate=rate)
        return trained.cost

    def _move_controller(self) -> Cost:
        """One REINFORCE step on M paths; w stays as it is."""
        batch = [sampled.choices for sampled in self.controller.sample_batch(self.context.rng, self.options.arcs)]
        judged = [self.shared.judge(self._genome(choices)) for choices in batch]
        rewards = [one.accuracy for one in judged]
        reward = sum(rewards) / len(rewards)
        self.report.count(reward=reward)
        self.report.learned(batch[-1], reward=reward, **self._learn(batch, rewards))
        cost = Cost()
        for one in judged:
            cost = cost.plus(one.cost)
        return cost

    def _learn(self, batch: list[Choices], rewards: list[float]) -> dict[str, float]:
        """-(1/M) sum (R - b) log pi - entropy bonus + skip penalty, one step of Adam. Returns what is worth drawing of it."""
        update = self.learner.update(batch, rewards)
        values: dict[str, float] = {}
        if self.skips:
            taken = [choices[place] for choices in batch for place in self.skips]
            values = {"skip_penalty": update.penalty, "skip_share": taken.count(1) / len(taken)}
        assert self.baseline.value is not None
        return {
            **values, "baseline": self.baseline.value, "entropy": update.entropy, "entropy_share": update.entropy_share,
            "gradient_norm": update.gradient_norm,
        }

    def _rank(self) -> Cost:
        """The next of the final samples, on the whole validation part."""
        genome = self.final_samples.next
        cost = Cost()
        known = self.final_samples.known(genome)
        if known is None:
            judged = self.shared.rank(genome)
            known, cost = judged.accuracy, judged.cost
        self.final_samples.add(known, self.shared.validation_examples)
        self.report.now(self.context.space.choices_of(genome), ranked_accuracy=known)
        return cost

    def _uniform(self) -> Choices:
        return self.context.space.decisions.sample(self.context.rng)

    def _genome(self, choices: Choices) -> Genome:
        return self.context.space.genome_of(choices)

    def _learning_rate(self) -> float:
        from search_engine.training.schedule import cosine

        steps = self.options.epochs * self.shared.train_order.per_epoch
        return cosine(self.shared.trained, steps, self.options.learning_rate, self.options.final_learning_rate)

    # ---- what comes out

    def _ranked(self) -> FinalSamples:
        """The ranking. Where the budget cut the search before it, it is the paper's: on one validation minibatch, too little to charge."""
        if not self.final_samples.complete:
            self.final_samples.fill(lambda genome: self.shared.rank_roughly(genome).accuracy, self.shared.rough_examples)
        return self.final_samples

    def best(self) -> list[Finalist]:
        """The policy's samples, to be retrained from scratch, by their accuracy with the shared weights."""
        found = self._ranked().from_policy()
        return [Finalist(genome, value=value, selected_from=len(found), fidelity=SHARED) for genome, value in found]

    def baselines(self) -> list[Finalist]:
        """The best of as many uniformly random paths, by the same ranking."""
        found = self._ranked().from_chance()
        genome, value = found[0]
        title = f"best of {self.options.final_samples} random paths through the super-network, finished in the same way"
        return [Finalist(genome, value=value, title=title, selected_from=len(found), fidelity=SHARED)]

    def handover(self) -> dict[str, Any]:
        """What the comparison with chance says."""
        return self._ranked().figures()

    # ---- checkpoints

    def state_dict(self) -> dict[str, Any]:
        return {
            **super().state_dict(),
            "shared": self.shared.state_dict(),
            "learner": copied(self.learner.state_dict()),
            "final_samples": self.final_samples.state_dict(),
            "report": self.report.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        self.shared.load_state_dict(state["shared"])
        self.learner.load_state_dict(state["learner"])
        self.final_samples.load_state_dict(state["final_samples"])
        self.report.load_state_dict(state["report"])
