"""Training a masked network for one round, scored at checkpoints: what a lottery ticket and its controls have in common."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import torch

from search_engine.base.checkpoint import copied
from search_engine.base.errors import TrialFailure
from search_engine.datasets.base import SearchData
from search_engine.events import Cost
from search_engine.spaces.tasks import SCORES, TaskName
from search_engine.supernets.plain_network import PlainNetwork
from search_engine.training.batches import BatchOrder, DevicePart
from search_engine.training.criterion import Tally, class_weights, mean_loss
from search_engine.training.evaluation import evaluate_on
from search_engine.training.footprint import step_flops
from search_engine.training.precision import Precision
from search_engine.training.small_batches import enough_for_batch_norm


class TrainingOptions(Protocol):
    """The options of a round's training."""

    @property
    def steps(self) -> int: ...
    @property
    def batch_size(self) -> int: ...
    @property
    def optimizer(self) -> str: ...
    @property
    def learning_rate(self) -> float: ...
    @property
    def momentum(self) -> float: ...
    @property
    def weight_decay(self) -> float: ...
    @property
    def validation_examples(self) -> int: ...
    @property
    def checkpoints(self) -> tuple[int, ...]: ...


class MaskedTraining:
    """One training after the other on one network object. Every training sees the same batches in the same order, so that two of them
    differ by masks and weights alone."""

    def __init__(
        self, network: PlainNetwork, data: SearchData, task: TaskName, options: TrainingOptions, seed: int, device: str, amp: bool
    ) -> None:
        self.network = network.to(device).train()
        self.task = task
        self.options = options
        self.train_part = DevicePart(data.train, data.preprocessing, device)
        self.class_weights = class_weights(data, data.class_weights, device)
        self.validation_part = DevicePart(data.validation, data.preprocessing, device, options.validation_examples)
        self.order = BatchOrder(len(self.train_part), options.batch_size, "tickets", seed)
        self.flops = step_flops(network, data.shape.input)
        self.weights = list(network.parameters())
        self.precision = Precision(device, amp)
        self.tally = Tally(task)
        self.curve: list[list[float]] = []
        """[step, score, loss] on the validation part, in order."""
        self.at = 0
        self._fresh_optimizer()

    @property
    def ended(self) -> bool:
        return self.at >= self.options.steps

    @property
    def due(self) -> bool:
        """Whether the network is to be scored now, and has not been yet."""
        if self.curve and self.curve[-1][0] == self.at:
            return False
        return not self.curve or self.ended or self.at in self.options.checkpoints

    def begin(self, state: Mapping[str, torch.Tensor], at: int = 0) -> None:
        """Start the next training at step `at` from a state of the network, with a new optimiser: momentum of removed weights, or of other
        values, must not move these."""
        self.network.load_state_dict(state)
        self.curve, self.at, self.tally = [], at, Tally(self.task)
        self._fresh_optimizer()

    def _fresh_optimizer(self) -> None:
        options = self.options
        if options.optimizer == "adam":
            self.optimizer: torch.optim.Optimizer = torch.optim.Adam(
                self.weights, lr=options.learning_rate, weight_decay=options.weight_decay
            )
        else:
            self.optimizer = torch.optim.SGD(
                self.weights, lr=options.learning_rate, momentum=options.momentum, weight_decay=options.weight_decay
            )

    def step(self) -> Cost:
        """One optimiser step on one batch. Raises TrialFailure where the loss is not finite."""
        inputs, targets = self.train_part.take(self.order.indices(self.at))
        self.optimizer.zero_grad(set_to_none=True)
        with self.precision.autocast(), enough_for_batch_norm(len(inputs)):
            outputs = self.network(inputs)
        loss = mean_loss(self.task, outputs, targets, weights=self.class_weights)
        if not math.isfinite(float(loss.detach())):
            raise TrialFailure(f"training loss is not a number at step {self.at + 1} of {self.options.steps}; try a smaller learning rate")
        self.tally.add(outputs, targets)
        self.precision.step(loss, self.optimizer, self.weights, 0.0)
        self.at += 1
        return Cost(forward_backward=len(targets), flops=self.flops[1] * len(targets))

    def score(self) -> Cost:
        """Add the network's standing on the validation part to the curve. Raises TrialFailure where its loss is not finite."""
        found = evaluate_on(self.network, self.validation_part, task=self.task)
        if not math.isfinite(found["loss"]):
            raise TrialFailure(f"validation loss is not a number after step {self.at} of {self.options.steps}; try a smaller learning rate")
        self.curve.append([float(self.at), found[SCORES[self.task]], found["loss"]])
        count = len(self.validation_part)
        return Cost(forward=count, flops=self.flops[0] * count)

    def taken_figures(self) -> dict[str, float]:
        """`train_loss` and the train score over the batches since the last call; empty where there were none."""
        if not self.tally.examples:
            return {}
        found, self.tally = self.tally.figures(), Tally(self.task)
        return {f"train_{name}": value for name, value in found.items()}

    def state_dict(self) -> dict[str, Any]:
        return {
            "network": copied(self.network.state_dict()),
            "optimizer": copied(self.optimizer.state_dict()),
            "precision": self.precision.state_dict(),
            "tally": copied(self.tally.state_dict()),
            "curve": [list(point) for point in self.curve],
            "at": self.at,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self._fresh_optimizer()
        self.optimizer.load_state_dict(state["optimizer"])
        self.precision.load_state_dict(state["precision"])
        self.tally = Tally.from_state(self.task, state["tally"])
        self.curve = [list(point) for point in state["curve"]]
        self.at = state["at"]


def score_at(curve: Iterable[list[float]], step: int) -> float:
    """The score of the first checkpoint that is not before `step`; that of the last one where there is none."""
    points = list(curve)
    return next((score for at, score, _ in points if at >= step), points[-1][1])


def early_stop(curve: Sequence[list[float]]) -> int | None:
    """The step of the lowest validation loss: where early stopping would have ended the training (Frankle & Carbin 2019, section 2). None
    where the loss is lowest at the last point: it may have fallen on, and the end of the training says nothing of where it turns."""
    step = int(min(curve, key=lambda point: (point[2], point[0]))[0])
    return None if step == int(curve[-1][0]) else step


def step_reaching(curve: Sequence[list[float]], loss: float) -> float | None:
    """The first step at which the validation loss is as low as `loss`, on straight lines between the scored points; None where it never
    is."""
    for before, after in zip([None, *curve], curve, strict=False):
        if after[2] <= loss:
            if before is None or before[2] == after[2]:
                return after[0]
            return before[0] + (after[0] - before[0]) * (before[2] - loss) / (before[2] - after[2])
    return None
