"""Lottery tickets by iterative magnitude pruning (J. Frankle, M. Carbin, "The Lottery Ticket Hypothesis: Finding Sparse, Trainable Neural
Networks", ICLR 2019, arXiv 1803.03635; criteria and controls of H. Zhou et al., "Deconstructing Lottery Tickets: Zeros, Signs, and the
Supermask", NeurIPS 2019, arXiv 1905.01067).

A dense network contains small ones that learn as well as it does, if they start from the weights that it started from. To find one:

    1. Draw the weights W_0 and keep them.
    2. Train the network for a round (so many optimiser steps).
    3. Remove of each layer the share `rate` of the surviving weights whose |w| is smallest now.
    4. Set the survivors back to W_0 (or to W_k, what they were after k steps of the first round), forget the optimiser's momentum,
       and go on with 2 until few enough weights are left.

The network of any round, at its start, is a candidate: a ticket. Validation data choose among them: the sparsest that is within a
tolerance of the dense network. Removed weights neither compute nor learn; biases are never removed. One step is one optimiser step.

Where it departs from the paper: exactly round(rate n) of n survivors go (its published code removes one more, for its cut-off is
inclusive), and the defaults suit a data set of a thousand images (the paper's are named in the descriptions).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, field_validator

from search_engine.algorithms.base import AlgorithmConfig, Context, Finalist, StopReason
from search_engine.algorithms.derived_genomes import derived_genome
from search_engine.algorithms.step_search import StepSearch
from search_engine.base.checkpoint import copied
from search_engine.base.lazy import lazy_module
from search_engine.base.works_with import WorksWith, one_of
from search_engine.events import ChartsFrame, Cost, Metrics, Notice
from search_engine.spaces.plain_network import PlainNetworkSpace
from search_engine.spaces.tasks import SCORES

from ..rates import planned_shares

if TYPE_CHECKING:
    from search_engine.supernets import plain_network

    from .. import mask_bits, mask_frames, restarts, selection
    from . import charts as ticket_charts
    from . import masked_training, rounds
else:
    mask_bits = lazy_module("search_engine.algorithms.pruning.mask_bits")
    mask_frames = lazy_module("search_engine.algorithms.pruning.mask_frames")
    masked_training = lazy_module("search_engine.algorithms.pruning.lottery_ticket.masked_training")
    plain_network = lazy_module("search_engine.supernets.plain_network")
    restarts = lazy_module("search_engine.algorithms.pruning.restarts")
    rounds = lazy_module("search_engine.algorithms.pruning.lottery_ticket.rounds")
    selection = lazy_module("search_engine.algorithms.pruning.selection")
    ticket_charts = lazy_module("search_engine.algorithms.pruning.lottery_ticket.charts")

ControlName = Literal["reinitialised", "random_mask"]
OF_A_ROUND = "trained in its round of pruning"
"""What a ticket's weights have been given when it is ranked."""
MOST_FINALISTS = 10  # As many as a run's finale takes at most.
MOST_CHARTS = 300  # In between the rounds' ends, of a whole run.


class LotteryTicketConfig(AlgorithmConfig):
    """Hyper-parameters of iterative magnitude pruning."""

    works_with: ClassVar[WorksWith] = {
        "momentum": {"optimizer": one_of("sgd")},
        "output_rate": {"scope": one_of("layer")},
        "convolution_rate": {"scope": one_of("layer"), "space_options.network": one_of("cnn")},
    }

    # ---- a round's training
    steps: int = Field(
        default=300, ge=1, le=1_000_000, title="Steps of a round",
        description="Optimiser steps of each training. Paper: 50,000 for LeNet-300-100 on MNIST.",
    )
    batch_size: int = Field(default=60, ge=2, le=65_536, title="Batch size", description="Examples of a step. Paper: 60.")
    optimizer: Literal["adam", "sgd"] = Field(default="adam", title="Optimiser", description="Its state starts anew in every round.")
    learning_rate: float = Field(
        default=1.2e-3, gt=0, le=100, title="Learning rate", description="Constant. Paper: 0.0012 with Adam; 0.1 with SGD."
    )
    momentum: float = Field(default=0.0, ge=0, lt=1, title="Momentum", description="SGD only.")
    weight_decay: float = Field(default=0.0, ge=0, le=1, title="Weight decay", description="L2 penalty on the weights. Paper: 0.")

    # ---- what is removed
    rate: float = Field(
        default=0.2, ge=0.01, le=0.99, title="Pruning rate",
        description="Share of the surviving weights of each dense layer that a round removes (global: of the whole network). Paper: 0.2.",
    )
    output_rate: float = Field(
        default=0.1, ge=0.01, le=0.99, title="Pruning rate, output layer", description="The same of the output layer. Paper: 0.1."
    )
    convolution_rate: float = Field(
        default=0.1, ge=0.01, le=0.99, title="Pruning rate, convolutions", description="The same of convolutions. Paper, Conv-2: 0.1."
    )
    scope: Literal["layer", "global"] = Field(
        default="layer", title="Ranked",
        description="layer: the smallest weights of each layer go. global: the smallest of the network, wherever they are (one rate).",
    )
    criterion: Literal[
        "large_final", "small_final", "large_init", "small_init", "large_init_large_final", "small_init_small_final",
        "magnitude_increase", "movement", "random",
    ] = Field(
        default="large_final", title="Mask criterion",
        description="What is kept, by the weights' values at the start (init) and at the end (final) of a round. large_final: the largest "
        "at the end, as Frankle & Carbin. magnitude_increase: those that grew most. movement: those that moved farthest. The others are "
        "Zhou et al.'s comparisons.",
    )

    # ---- what a round starts from
    rewind_step: int = Field(
        default=0, ge=0, le=1_000_000, title="Rewind to step k",
        description="Survivors are set back to what they were after k steps of the first round, and training goes on from step k; "
        "0 = their first values. Large networks need k > 0 (Frankle et al. 2020).",
    )
    kept_weights: Literal["rewind", "reinitialise", "reshuffle", "constant"] = Field(
        default="rewind", title="Surviving weights",
        description="rewind: back to their own values. Zhou's controls: reinitialise: drawn anew; reshuffle: their early values dealt out "
        "anew among them; constant: one magnitude for a whole layer.",
    )
    keep_sign: bool = Field(
        default=False, title="Keep signs",
        description="With a control of the surviving weights: each keeps the sign of its early value (Zhou: signs are what matters).",
    )
    removed_weights: Literal["zero", "initial", "by_movement"] = Field(
        default="zero", title="Removed weights",
        description="zero: they are gone. initial: frozen at their first values (Zhou et al.'s control; theirs scored lower). "
        "by_movement: frozen only where training had not moved them towards zero.",
    )

    # ---- when it ends, what is chosen
    target_share: float = Field(
        default=0.05, gt=0, lt=1, title="Target share", description="The last round is the first with at most this share of the weights."
    )
    stop_drop: float = Field(
        default=0.2, ge=0, le=1, title="Stop below dense by",
        description="End as soon as a round's validation score is more than this below the dense network's; 0 = never.",
    )
    tolerance: float = Field(
        default=0.02, ge=0, le=1, title="Tolerance",
        description="The winner is the sparsest ticket whose validation score is at most this below the dense network's; if there is none, "
        "the best-scored ticket.",
    )

    # ---- what is measured
    checkpoints: tuple[int, ...] = Field(
        default=(20, 40, 60, 100, 150, 200, 250), max_length=64, title="Checkpoints",
        description="Steps of a round after which the validation part is scored, besides its start and its end.",
    )
    early_step: int = Field(
        default=60, ge=1, le=1_000_000, title="Early comparison", description="Step at which tickets and controls are compared early."
    )
    validation_examples: int = Field(
        default=2000, ge=0, le=1_000_000, title="Validation examples", description="At most so many score a checkpoint; 0 = all."
    )
    controls: tuple[ControlName, ...] = Field(
        default=("reinitialised", "random_mask"), max_length=2, title="Controls",
        description="What tickets are compared with after the search, outside its budget. reinitialised: the same masks over weights drawn "
        "anew. random_mask: as many weights of each layer at random places, at their first values.",
    )
    compared_rounds: int = Field(
        default=8, ge=1, le=200, title="Compared rounds", description="So many rounds at most, evenly spread, are repeated by each control."
    )

    @field_validator("checkpoints")
    @classmethod
    def _in_order(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if any(step < 1 for step in value) or list(value) != sorted(set(value)):
            raise ValueError("checkpoints must be positive steps in rising order")
        return value

    @field_validator("controls")
    @classmethod
    def _different(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) != len(value):
            raise ValueError("a control is named twice")
        return value


class LotteryTicket(StepSearch[LotteryTicketConfig]):
    """The rounds: train, remove, set back."""

    title = "Iterative magnitude pruning"
    state_version = 2

    def begin(self, context: Context, handover: dict[str, Any] | None) -> None:
        """Draw the dense network and keep its weights. Raises TypeError without samples."""
        super().begin(context, handover)
        self.space: PlainNetworkSpace = context.space  # type: ignore[assignment]
        options, seed = self.options, context.seed
        network = plain_network.open_dense(self.space, constants=options.removed_weights != "zero")
        first, early = copied(network.state_dict()), copied(network.state_dict())
        kept, removed = options.kept_weights, options.removed_weights
        self.ticket = rounds.Ticket(self.space, first, early, network.prefixes, kept, options.keep_sign, removed, seed)
        task = self.space.task
        self.training = masked_training.MaskedTraining(network, self.samples, task, options, seed, context.device, context.amp)
        self.masks: selection.Masks = {name: layer.mask.cpu().clone() for name, layer in network.masked.items()}
        self.frozen: selection.Masks = {name: ~mask for name, mask in self.masks.items()}
        self.trained: list[rounds.Round] = []
        self.planned = planned_shares(self.space.layers, options, options.target_share)
        self.stopped = False
        self.charted = 0
        self._say_round()

    @property
    def score_name(self) -> str:
        return SCORES[self.space.task]

    @property
    def share(self) -> float:
        """Of all weights that are left now."""
        return sum(int(mask.sum()) for mask in self.masks.values()) / self.space.weights

    @property
    def horizon(self) -> int:
        return self.options.steps + (len(self.planned) - 1) * (self.options.steps - self.options.rewind_step)

    @property
    def stop_reason(self) -> StopReason:
        return "stopped" if len(self.trained) < len(self.planned) else "horizon"

    @property
    def finished(self) -> bool:
        return self.stopped

    # ---- one step

    def step(self) -> Cost:
        """One optimiser step; a round's last one also ends the round and begins the next. Raises TrialFailure for a loss that is not
        finite."""
        cost = Cost()
        training = self.training
        if training.due:
            # What the mask alone gives, before any training.
            cost = cost.plus(training.score())
        cost = cost.plus(training.step())
        self.done += 1
        if not self.trained and training.at == self.options.rewind_step:
            self.ticket.early = copied(training.network.state_dict())
        scored = training.due
        if scored:
            cost = cost.plus(training.score())
        self.spend(cost)
        if scored:
            self._say_checkpoint()
        if training.ended:
            self._end_round()
        return cost

    def _end_round(self) -> None:
        kept = {name: int(mask.sum()) for name, mask in self.masks.items()}
        curve = [list(point) for point in self.training.curve]
        one = rounds.Round(len(self.trained), kept, self.share, curve, mask_bits.packed(self.masks), mask_bits.packed(self.frozen))
        self.trained.append(one)
        drop = self.trained[0].score - one.score
        fell = 0 < self.options.stop_drop < drop
        if fell:
            share = ticket_charts.share_name(one.share)
            text = f"with {share} of the weights the validation {self.score_name} is {drop:.3f} below the dense network's"
            self.context.emit(Notice(name="score_fell", message=text, step=self.done, values={"share": one.share, "drop": drop}), self.done)
        self.stopped = fell or len(self.trained) >= len(self.planned)
        if not self.stopped:
            self._next_round()
        self._say_charts()

    def _next_round(self) -> None:
        """Remove the lowest, set the survivors back."""
        last = {name: layer.weight.detach().cpu() for name, layer in self.training.network.masked.items()}
        start = self.ticket.start(len(self.trained) - 1, self.masks, self.frozen)
        first = {name: start[f"{prefix}.weight"] for name, prefix in self.ticket.prefixes.items()}
        masks = selection.pruned(
            self.space.layers, self.masks, first, last, self.options, self.options.criterion, self.context.seed, len(self.trained)
        )
        self.frozen = {
            name: restarts.frozen_at_first(
                self.options.removed_weights, self.masks[name], masks[name], self.frozen[name], first[name], last[name]
            )
            for name in masks
        }
        self.masks = masks
        self.training.begin(self.ticket.start(len(self.trained), masks, self.frozen), self.options.rewind_step)
        self._say_round()

    # ---- what is said

    def _say_round(self) -> None:
        """The masks of the round that begins, and its ticket as a genome."""
        number = len(self.trained)
        masks = {name: mask.numpy() for name, mask in self.masks.items()}
        last = None
        if self.trained:
            found = mask_bits.unpacked(self.trained[-1].masks, self.space.layers)
            last = {name: mask.numpy() for name, mask in found.items()}
        self.context.emit(mask_frames.mask_frame(self.space, masks, self.done, last, round=float(number)), self.done)
        before = sum(self.trained[-1].kept.values()) if self.trained else self.space.weights
        removed = before - sum(int(mask.sum()) for mask in self.masks.values())
        self.context.emit(derived_genome(self.space, self.ticket.genome(self.masks), self.done, removed, "weight"), self.done)

    def _say_checkpoint(self) -> None:
        _, score, loss = self.training.curve[-1]
        values = {f"val_{self.score_name}": score, "val_loss": loss, "round": float(len(self.trained)), "share_kept": self.share}
        values |= self.training.taken_figures()
        self.context.emit(Metrics(step=self.done, samples=self.cost.samples, values=values), self.done)
        if not self.training.ended and self.charted < MOST_CHARTS:
            self.charted += 1
            self._say_charts()

    def _say_charts(self) -> None:
        now = None if self.training.ended else (self.share, self.training.curve)
        found = ticket_charts.charts(self.trained, now, {}, self.options.early_step, self.score_name)
        self.context.emit(ChartsFrame(step=self.done, charts=found), self.done)

    # ---- results

    def _ranked(self) -> list[rounds.Round]:
        """Tickets, best first."""
        return rounds.ranked(self.trained, self.options.tolerance)

    def best(self) -> list[Finalist]:
        """Tickets, to be retrained from their own early weights under their masks; before the first one, the dense network."""
        ranked = self._ranked()
        if not ranked:
            score = self.trained[0].score if self.trained else None
            title = "the dense network: the search ended before its first ticket"
            return [Finalist(self.space.dense(), value=score, init={"network": self.ticket.dense_start()}, title=title,
                             fidelity=OF_A_ROUND)]
        return [self._finalist(item) for item in ranked[:MOST_FINALISTS]]

    def _finalist(self, one: rounds.Round) -> Finalist:
        near = one.score >= self.trained[0].score - self.options.tolerance
        why = f"sparsest within {self.options.tolerance:g} of the dense network" if near else "best by validation"
        title = f"ticket with {ticket_charts.share_name(one.share)} of the weights ({why})"
        return Finalist(
            self.ticket.genome_of(one), value=one.score, init={"network": self.ticket.start_of(one)}, title=title,
            selected_from=len(self._ranked()), fidelity=OF_A_ROUND,
        )

    def baselines(self) -> list[Finalist]:
        """The winning mask over weights drawn anew, and the dense network from the first weights."""
        if not (ranked := self._ranked()):
            return []
        again, dense = {"network": self.ticket.reinitialised(ranked[0])}, {"network": self.ticket.dense_start()}
        return [
            Finalist(self.ticket.genome_of(ranked[0]), init=again, title="the same mask over re-initialised weights"),
            Finalist(self.space.dense(), value=self.trained[0].score, init=dense, title="the dense network from the same first weights",
                     fidelity=OF_A_ROUND),
        ]

    def handover(self) -> dict[str, Any]:
        """For the controls: trained rounds and first weights."""
        return {"rounds": [item.to_tree() for item in self.trained], "initial": dict(self.ticket.initial), "early": dict(self.ticket.early)}

    # ---- checkpoints

    def state_dict(self) -> dict[str, Any]:
        return {
            **super().state_dict(),
            "training": self.training.state_dict(),
            "initial": dict(self.ticket.initial),
            "early": dict(self.ticket.early),
            "masks": mask_bits.packed(self.masks),
            "frozen": mask_bits.packed(self.frozen),
            "rounds": [item.to_tree() for item in self.trained],
            "stopped": self.stopped,
            "charted": self.charted,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        self.training.load_state_dict(state["training"])
        self.ticket.initial, self.ticket.early = dict(state["initial"]), dict(state["early"])
        self.masks = mask_bits.unpacked(state["masks"], self.space.layers)
        self.frozen = mask_bits.unpacked(state["frozen"], self.space.layers)
        self.trained = [rounds.Round(**item) for item in state["rounds"]]
        self.stopped = state["stopped"]
        self.charted = state["charted"]
