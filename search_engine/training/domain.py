"""One data set's side of a training: its batches, its loss, its scores and what they cost."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from ..base.errors import TrialFailure
from ..base.training_config import TrainingConfig
from ..datasets.base import SearchData
from ..events import Cost
from ..spaces.tasks import SCORES
from .augmentation import Augmentation
from .batches import BatchOrder, DevicePart
from .collected import Collected
from .criterion import Tally, class_weights, mean_loss
from .evaluation import Scoring
from .footprint import step_flops
from .objective_figures import validation_figures
from .precision import Precision
from .prepared_batches import PreparedBatches
from .small_batches import enough_for_batch_norm


class DomainTraining:
    """`network` (inputs -> logits of this data set) on the batches of `data.train`, scored on `data.validation`; where that is empty,
    reports have no validation figures.

    Order and augmentation depend on (seed, step) alone, and steps may go on for ever: the data set is visited anew every
    `steps_per_epoch` of them. What changes with the steps is in `state_dict`; the network's weights belong to the loop.
    """

    def __init__(
        self, network: nn.Module, data: SearchData, config: TrainingConfig, seed: int, device: str, title: str = "", objective: str = ""
    ) -> None:
        """The network lies on `device`; `title` names the data set in messages where there are several. With an `objective` (a metric of
        `scoring.metrics`) every report has all metrics of the task on the validation part.

        Raises BadInput where the augmentation does not fit the data.
        """
        self.network = network
        self.title = f" on {title}" if title else ""
        self._smoothing = config.label_smoothing
        self._class_weights = class_weights(data, config.class_weights, device, config.train_examples)
        self._class_names, self._in_own_units = data.class_names, data.in_own_units
        self._objective = objective
        self._train = DevicePart(data.train, data.preprocessing, device, config.train_examples)
        self._validation = DevicePart(data.validation, data.preprocessing, device)
        self._order = BatchOrder(len(self._train), config.batch_size, seed)
        self._batches = PreparedBatches(self._train, self._order, Augmentation(config.augment, data.shape.input, seed))
        self._flops_forward, self._flops_train = step_flops(network, data.shape.input)
        self._trained_on = 0
        self._scored_on = 0
        self.task = data.shape.task
        self._tally = Tally(self.task)
        self._scoring: Scoring | None = None
        """The validation of the epoch that has ended, while it is under way."""
        self._answers = Collected()
        """Its answers so far, where there is an objective."""

    @property
    def steps_per_epoch(self) -> int:
        return self._order.per_epoch

    @property
    def cost(self) -> Cost:
        """Examples and FLOPs (2 x MACs) so far."""
        return Cost(
            forward_backward=self._trained_on,
            forward=self._scored_on,
            flops=self._trained_on * self._flops_train + self._scored_on * self._flops_forward,
        )

    def loss(self, step: int, precision: Precision) -> torch.Tensor:
        """The task's mean loss (label smoothing included) of the network on batch `step`, with its graph; nobody has asked yet whether it
        is finite. The network is in training mode, see `train`.

        Raises TrialFailure where the batch is too small for batch normalisation.
        """
        inputs, labels = self._batches[step]
        with precision.autocast():
            logits = self._forward(inputs)
            loss = mean_loss(self.task, logits, labels, self._smoothing, self._class_weights)
        self._trained_on += len(labels)
        self._tally.add(logits, labels, loss.detach())
        return loss

    def train(self) -> None:
        """Put the network into training mode, in which `report` leaves it."""
        self.network.train()

    def _forward(self, inputs: torch.Tensor) -> torch.Tensor:
        with enough_for_batch_norm(len(inputs)):
            logits: torch.Tensor = self.network(inputs)
        return logits

    @property
    def scored(self) -> bool:
        """Whether the whole validation part was scored since the last report."""
        return self._scoring is not None and self._scoring.finished

    def score_a_batch(self) -> None:
        """Score the next batch of the validation part, and leave the network in the mode in which it was."""
        if self._scoring is None:
            self._scoring = self._new_scoring()
        if self._scoring.finished:
            # There is no validation part.
            return
        was_training = self.network.training
        self.network.eval()
        self._scoring.batch()
        self.network.train(was_training)

    def _new_scoring(self) -> Scoring:
        self._answers = Collected()
        return Scoring(self.network, self._validation, self.task, seen=self._answers.add if self._objective else None)

    def report(self, where: str) -> dict[str, float]:
        """Call it once all is `scored`. `train_loss` and the training score (`train_accuracy`, `train_r2`) since the last report (over the
        augmented batches as they were trained on), and `val_loss` and the validation score; the training loss is the one that is lowered,
        with its label smoothing and weights of classes, the validation loss never. Raises TrialFailure where the validation loss is not
        finite, or the objective is not defined."""
        assert self._scoring is not None and self._scoring.finished
        scoring, self._scoring = self._scoring, None
        trained, self._tally = self._tally.figures(), Tally(self.task)
        name = SCORES[self.task]
        of_training = {"train_loss": trained["loss"], f"train_{name}": trained[name]}
        if not len(self._validation):
            return of_training
        score = scoring.tally.figures()
        if not math.isfinite(score["loss"]):
            raise TrialFailure(f"validation loss{self.title} is not a number {where}")
        self._scored_on += len(self._validation)
        further = {}
        if self._objective:
            further = validation_figures(self.task, self._answers, self._class_names, self._objective, self._in_own_units, self.title)
        return {**further, **of_training, "val_loss": score["loss"], f"val_{name}": score[name]}

    def state_dict(self) -> dict[str, Any]:
        return {
            "trained_on": self._trained_on, "scored_on": self._scored_on, "tally": self._tally.state_dict(),
            "scoring": None if self._scoring is None else self._scoring.state_dict(),
            **({"answers": self._answers.state_dict()} if self._objective and self._scoring is not None else {}),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._trained_on = state["trained_on"]
        self._scored_on = state["scored_on"]
        self._tally = Tally.from_state(self.task, state["tally"])
        self._scoring = None
        if state.get("scoring") is not None:
            self._scoring = self._new_scoring()
            self._scoring.load_state_dict(state["scoring"])
            if self._objective:
                self._answers.load_state_dict(state["answers"])
