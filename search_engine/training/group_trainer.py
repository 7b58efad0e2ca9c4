"""Networks of equal shape trained together, each as it would be alone: own weights, data order, augmentation, learning rate, end.

What a member computes is, to rounding, what `Trainer` computes for its network. It depends on nothing of the others: not on their
number, their losses or their ends. A member that is done, or whose loss is no number, leaves the stack; the others go on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..base.errors import TrialFailure
from ..base.training_config import TrainingConfig
from ..datasets.base import SearchData
from ..events import Cost
from ..scoring.metrics import METRICS
from .augmentation import Augmentation
from .batches import BatchOrder, DevicePart
from .collected import Collected
from .criterion import class_weights
from .footprint import step_flops
from .objective_figures import validation_figures
from .prepared_batches import PreparedBatches
from .schedule import cosine
from .small_batches import enough_for_batch_norm
from .stacked_layers import by_member, in_rows, keep_members, member_state, stack, takes_turns
from .stacked_optimisers import StackedOptimiser, clip_members
from .trainer import CHECKED_EVERY

OWN = ("learning_rate", "final_learning_rate", "epochs", "early_stop")
"""What members' training configs may differ in."""

SCORED_ROWS = 4096
"""About so many rows (examples x members) are scored at once: more do not fit into the processor's cache."""


def common(training: TrainingConfig) -> dict[str, Any]:
    """What must be equal in the training configs of a group."""
    return training.model_dump(exclude=set(OWN))


@dataclass
class Member:
    """One network's side of it."""

    training: TrainingConfig
    batches: PreparedBatches
    steps_total: int
    trained_on: int = 0
    scored_on: int = 0
    reports: list[dict[str, float]] = field(default_factory=list)
    last: dict[str, float] = field(default_factory=dict)
    best: dict[str, float] = field(default_factory=dict)
    weights: dict[str, Tensor] = field(default_factory=dict)
    """The state of its network: of its best epoch while that is asked for, of its end once it is done."""
    failure: str = ""
    done: bool = False

    def rate(self, step: int) -> float:
        return cosine(step, self.steps_total, self.training.learning_rate, self.training.final_learning_rate)

    def state_dict(self) -> dict[str, Any]:
        names = ("trained_on", "scored_on", "failure", "done")
        return {name: getattr(self, name) for name in names} | {
            "reports": [dict(item) for item in self.reports], "last": dict(self.last), "best": dict(self.best),
            "weights": dict(self.weights),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)


@dataclass
class _Scores:
    """How far the validation is, and its sums of every member in the stack."""

    first: int
    """The examples before it are scored."""
    losses: Tensor
    """(members,) float64."""
    correct: Tensor
    """(members,) int64."""
    answers: list[Collected] = field(default_factory=list)
    """Of every member, where they are kept."""

    @classmethod
    def none(cls, members: int, device: str) -> _Scores:
        losses = torch.zeros(members, dtype=torch.float64, device=device)
        return cls(0, losses, torch.zeros(members, dtype=torch.int64, device=device))

    def add(self, logits: Tensor, targets: Tensor) -> None:
        """Keep the answers of a batch: (members, B, classes) and (B,)."""
        if not self.answers:
            self.answers = [Collected() for _ in logits]
        for own, outputs in zip(self.answers, logits, strict=True):
            own.add(outputs, targets)

    def state_dict(self) -> dict[str, Any]:
        kept = {"answers": [own.state_dict() for own in self.answers]} if self.answers else {}
        return {"first": self.first, "losses": self.losses.clone(), "correct": self.correct.clone(), **kept}

    @classmethod
    def from_state(cls, state: dict[str, Any], device: str) -> _Scores:
        answers = [Collected() for _ in state.get("answers", [])]
        for own, kept in zip(answers, state.get("answers", []), strict=True):
            own.load_state_dict(kept)
        return cls(state["first"], state["losses"].to(device), state["correct"].to(device), answers)


class GroupTrainer:
    """Trains all `networks` on `data.train` and scores them on `data.validation` after every epoch; classification only.

    >>> from search_engine.datasets.digits import Digits, DigitsConfig
    >>> torch.manual_seed(0) and None
    >>> networks = [torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10)) for _ in range(3)]
    >>> config = TrainingConfig(epochs=2, augment="none")
    >>> group = GroupTrainer(networks, Digits(DigitsConfig()).search_data(seed=0), [config] * 3, seeds=[0, 1, 2])
    >>> while not group.finished: group.advance()
    >>> all(group.metrics(place)["val_accuracy"] > 0.8 for place in range(3))
    True
    """

    def __init__(
        self,
        networks: Sequence[nn.Module],
        data: SearchData,
        trainings: Sequence[TrainingConfig],
        seeds: Sequence[int],
        device: str = "cpu",
        objective: str = "",
    ) -> None:
        """`networks` may differ in their weights only, `trainings` in what `OWN` names; `objective` as of `Trainer`.

        Raises BadInput where the augmentation does not fit the data, ValueError where a network's result for an example depends on the
        other examples (batch normalisation aside)."""
        first = trainings[0]
        self._objective = objective
        self._best_by = f"val_{METRICS[objective].ranked}" if objective else "val_accuracy"
        self._class_names, self._in_own_units = data.class_names, data.in_own_units
        self._class_weights = class_weights(data, first.class_weights, device, first.train_examples)
        self._config = first
        self._device = device
        self._network = stack(networks).to(device)
        self._in_turn = takes_turns(self._network)
        self._weights = [item for item in self._network.parameters() if item.requires_grad]
        self._optimiser = StackedOptimiser(first, self._weights)
        self._flops_forward, self._flops_train = step_flops(networks[0].to(device), data.shape.input)
        train = DevicePart(data.train, data.preprocessing, device, first.train_examples)
        self._validation = DevicePart(data.validation, data.preprocessing, device)
        orders = [BatchOrder(len(train), first.batch_size, seed) for seed in seeds]
        self._order = orders[0]
        self._per_epoch = self._order.per_epoch
        self.members = [
            Member(
                training, PreparedBatches(train, order, Augmentation(first.augment, data.shape.input, seed)),
                training.steps or training.epochs * self._per_epoch,
            )
            for training, order, seed in zip(trainings, orders, seeds, strict=True)
        ]
        self._active = list(range(len(networks)))
        """The members in the stack, in its order."""
        self.steps_done = 0
        self._training = False
        self._losses: list[Tensor] = []
        """The steps' losses of this epoch, (members,) each."""
        self._checked = 0
        """How many of them were asked whether they are finite."""
        self._correct = torch.zeros(len(networks), dtype=torch.int64, device=device)
        self._examples = 0
        self._scores: _Scores | None = None
        """The validation of the epoch that has ended, while it is under way."""
        self._refuse_mixing(networks)

    def _refuse_mixing(self, networks: Sequence[nn.Module]) -> None:
        """See that two members' networks give in the stack what they give alone, on a few examples."""
        count = len(networks)
        examples = self._validation.normalise(self._validation.raw[:3])
        # Each member has examples of its own: what mixes equal ones would not show.
        inputs = [examples * ((place + 1) / count) for place in range(count)]
        modes = [network.training for network in networks]
        self._network.eval()
        with torch.no_grad():
            own = by_member(self._network(in_rows(inputs, self._in_turn)), count, self._in_turn)
            for place in {0, count - 1}:
                alone = networks[place].to(self._device).eval()(inputs[place])
                if not torch.allclose(own[place], alone, rtol=1e-3, atol=1e-3, equal_nan=True):
                    raise ValueError("this network mixes the examples of a batch: it cannot be trained together with others (together = 1)")
        for network, mode in zip(networks, modes, strict=True):
            network.train(mode)

    # ---- progress

    @property
    def finished(self) -> bool:
        return not self._active

    @property
    def steps_total(self) -> int:
        """Steps until the last member is done, if nothing stops it early."""
        return max(member.steps_total for member in self.members)

    def cost(self, place: int) -> Cost:
        """Examples and FLOPs of one member so far, as it would be charged alone."""
        member = self.members[place]
        flops = member.trained_on * self._flops_train + member.scored_on * self._flops_forward
        return Cost(forward_backward=member.trained_on, forward=member.scored_on, flops=flops)

    def epoch_reports(self, place: int) -> list[dict[str, float]]:
        """As `Trainer.epoch_reports`, of one member."""
        member = self.members[place]
        reports, member.reports = member.reports, []
        return reports

    def metrics(self, place: int) -> dict[str, float]:
        """As `Trainer.metrics`, of one member."""
        member = self.members[place]
        kept = member.best if member.training.early_stop else member.last
        return {name: value for name, value in kept.items() if name != "learning_rate"}

    def failure(self, place: int) -> TrialFailure | None:
        """Why that member failed."""
        reason = self.members[place].failure
        return TrialFailure(reason) if reason else None

    # ---- one step

    def advance(self) -> None:
        """One optimiser step of every member that goes on; the last of an epoch also scores the first examples of the validation part, and
        each of the next calls some more, until the epoch ends.

        A member whose loss is not finite fails for itself, when it would alone. Raises TrialFailure where a batch is too small for batch
        normalisation.
        """
        if self._scores is not None:
            self._score(self._scores)
            return
        step, count = self.steps_done, len(self._active)
        active = [self.members[place] for place in self._active]
        batches = [member.batches[step] for member in active]
        inputs = in_rows([item[0] for item in batches], self._in_turn)
        labels = in_rows([item[1] for item in batches], self._in_turn)
        for weight in self._weights:
            weight.grad = None
        if not self._training:
            self._network.train()
            self._training = True
        with enough_for_batch_norm(len(inputs) // count):
            logits = self._network(inputs)
        losses = _losses(logits, labels, self._config.label_smoothing)
        if self._class_weights is not None:
            losses = self._class_weights[labels] * losses
        own = self._own(losses).mean(1)
        if own.requires_grad:
            own.sum().backward()  # type: ignore[no-untyped-call]
            if self._config.gradient_clip:
                clip_members(self._weights, self._config.gradient_clip)
            rates = [member.rate(step) for member in active]
            self._optimiser.step(torch.tensor(rates, dtype=self._weights[0].dtype, device=self._device))
        self._losses.append(own.detach())
        self._correct += self._own(logits.detach().argmax(1) == labels).sum(1)
        self._examples += len(inputs) // count
        for member in active:
            member.trained_on += len(inputs) // count
        self.steps_done += 1
        # A length in steps is common to all members (`OWN`); it may cut the last epoch short.
        ends = self.steps_done % self._per_epoch == 0 or self.steps_done == self._config.steps
        if ends or self.steps_done % CHECKED_EVERY == 0:
            self._check()
        if ends and self._active:
            self._scores = _Scores.none(len(self._active), self._device)
            self._score(self._scores)

    def _check(self) -> None:
        """Let members fail for the first loss since the last check that is not finite."""
        asked = torch.stack(self._losses[self._checked :]).tolist()
        for row, place in enumerate(self._active):
            member = self.members[place]
            for step, values in enumerate(asked, start=self.steps_done - len(asked)):
                if not math.isfinite(values[row]):
                    where = f"at step {step + 1} of {member.steps_total} (learning rate {member.rate(step):g})"
                    member.failure = f"loss is not a number {where}"
                    break
        self._checked = len(self._losses)
        self._drop()

    def _end_epoch(self, validated: list[tuple[float, float]], answers: list[Collected]) -> None:
        """`validated`: mean validation loss and accuracy of every member in the stack; `answers` of each, where there is an objective."""
        epoch = -(-self.steps_done // self._per_epoch)
        sizes = [self._order.size(step) for step in range(len(self._losses))]
        by_member = torch.stack(self._losses).T.tolist()
        correct, examples = self._correct.tolist(), self._examples
        self._losses, self._checked, self._examples = [], 0, 0
        self._correct.zero_()
        for row, place in enumerate(self._active):
            member, (loss, accuracy) = self.members[place], validated[row]
            if not math.isfinite(loss):
                member.failure = f"validation loss is not a number after step {self.steps_done} of {member.steps_total}"
                continue
            member.scored_on += len(self._validation)
            further = {}
            if self._objective:
                try:
                    further = validation_figures("classification", answers[row], self._class_names, self._objective, self._in_own_units)
                except TrialFailure as failure:
                    member.failure = failure.reason
                    continue
            total = 0.0
            for value, size in zip(by_member[row], sizes, strict=True):
                total += value * size
            report = {
                **further, "epoch": epoch, "train_loss": total / examples, "train_accuracy": correct[row] / examples, "val_loss": loss,
                "val_accuracy": accuracy, "learning_rate": member.rate(self.steps_done - 1),
            }
            member.reports.append(report)
            member.last = report
            self._consider_end(member, row, report)
        self._drop()

    def _consider_end(self, member: Member, row: int, report: dict[str, float]) -> None:
        """Keep the weights of its best epoch, and see whether it is done."""
        patience = member.training.early_stop
        better = not member.best or report[self._best_by] > member.best[self._best_by]
        if patience and better:
            member.best = report
            member.weights = member_state(self._network, row)
        member.done = self.steps_done >= member.steps_total
        if patience:
            member.done |= report["epoch"] - member.best["epoch"] >= patience
        elif member.done:
            member.weights = member_state(self._network, row)

    def _score(self, scores: _Scores) -> None:
        """The next examples of the validation part; after the last ones the epoch ends."""
        count = len(self._active)
        at_once = max(1, SCORED_ROWS // count)
        first, following = scores.first, scores.first + at_once
        self._network.eval()
        self._training = False
        with torch.no_grad():
            inputs = self._validation.normalise(self._validation.raw[first:following])
            labels = in_rows([self._validation.labels[first:following]] * count, self._in_turn)
            logits = self._network(in_rows([inputs] * count, self._in_turn))
            scores.losses += self._own(_losses(logits, labels)).sum(1)
            scores.correct += self._own(logits.argmax(1) == labels).sum(1)
            if self._objective:
                scores.add(by_member(logits, count, self._in_turn), self._validation.labels[first:following])
        scores.first = following
        examples = len(self._validation)
        if following >= examples:
            self._scores = None
            sums = zip(scores.losses.tolist(), scores.correct.tolist(), strict=True)
            self._end_epoch([(loss / examples, right / examples) for loss, right in sums], scores.answers)

    def _own(self, values: Tensor) -> Tensor:
        """A number for every row -> (members in the stack, examples)."""
        return by_member(values, len(self._active), self._in_turn)

    def _drop(self) -> None:
        """Members that are done or have failed leave the stack."""
        stay = [row for row, place in enumerate(self._active) if not (self.members[place].done or self.members[place].failure)]
        if len(stay) < len(self._active):
            self._keep(stay)

    def _keep(self, rows: list[int]) -> None:
        self._active = [self._active[row] for row in rows]
        kept = torch.tensor(rows, dtype=torch.int64, device=self._device)
        keep_members(self._network, kept)
        self._optimiser.keep_members(kept)
        self._losses = [losses[kept] for losses in self._losses]
        self._correct = self._correct[kept]

    # ---- checkpoints

    def state_dict(self) -> dict[str, Any]:
        """A checkpoint tree of copies, as `Trainer.state_dict`."""
        return {
            "network": {name: value.detach().clone() for name, value in self._network.state_dict().items()},
            "optimiser": self._optimiser.state_dict(),
            "active": list(self._active),
            "members": [member.state_dict() for member in self.members],
            "steps_done": self.steps_done,
            "losses": torch.stack(self._losses) if self._losses else None,
            "checked": self._checked,
            "correct": self._correct.clone(),
            "examples": self._examples,
            # While it is under way; the form of a state between epochs is what it was before scoring had steps of its own.
            **({} if self._scores is None else {"scores": self._scores.state_dict()}),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Undo `state_dict` on a group constructed with equal arguments."""
        self._keep(state["active"])
        self._network.load_state_dict(state["network"])
        self._optimiser.load_state_dict(state["optimiser"])
        for member, kept in zip(self.members, state["members"], strict=True):
            member.load_state_dict(kept)
        self.steps_done = state["steps_done"]
        losses = state["losses"]
        self._losses = [] if losses is None else list(losses.to(self._device).unbind())
        self._checked = state["checked"]
        self._correct = state["correct"].to(self._device)
        self._examples = state["examples"]
        self._scores = _Scores.from_state(state["scores"], self._device) if "scores" in state else None


def _losses(logits: Tensor, labels: Tensor, smoothing: float = 0.0) -> Tensor:
    """The loss of every row. Classes come first: there are few of them, and a call over many short rows is slow."""
    return F.cross_entropy(logits.float().T.unsqueeze(0), labels.unsqueeze(0), reduction="none", label_smoothing=smoothing).squeeze(0)
