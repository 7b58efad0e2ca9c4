"""Sliced training of one network: one optimiser step at a time, resumable between any two with equal bits."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from ..config import TrainingConfig
from ..datasets.base import SearchData
from ..errors import TrialFailure
from ..events import Cost
from .augmentation import Augmentation
from .batches import BatchOrder, DevicePart
from .evaluation import evaluate_on
from .footprint import step_flops
from .optimisers import make_optimizer, set_learning_rate
from .precision import Precision
from .schedule import cosine


class Trainer:
    """Trains `network` on `data.train` and scores it on `data.validation` after every epoch.

    Data order and augmentation depend on (seed, step) alone; randomness inside the network (dropout) comes from torch's global
    generator, which the caller owns. With `early_stop` = 0 the weights at the end are those of the last epoch; otherwise those of the
    epoch with the best validation accuracy (the earliest of equals), and the metrics are of that same epoch.
    """

    def __init__(
        self, network: nn.Module, data: SearchData, config: TrainingConfig, seed: int, device: str = "cpu", amp: bool = False
    ) -> None:
        """Raises BadInput where the augmentation does not fit the data."""
        self.network = network.to(device)
        self.config = config
        self._train = DevicePart(data.train, data.preprocessing, device, config.train_examples)
        self._validation = DevicePart(data.validation, data.preprocessing, device)
        self._order = BatchOrder(len(self._train), config.batch_size, seed)
        self._augment = Augmentation(config.augment, data.shape.input, seed)
        self._precision = Precision(device, amp)
        self._weights = [item for item in network.parameters() if item.requires_grad]
        self._optimizer = make_optimizer(config, self._weights)
        self.steps_total = config.epochs * self._order.per_epoch
        self.steps_done = 0
        self._stopped = False
        self._flops_forward, self._flops_train = step_flops(self.network, data.shape.input)
        self._trained_on = 0
        self._scored_on = 0
        self._sums = {"loss": 0.0, "correct": 0, "examples": 0}
        self._reports: list[dict[str, float]] = []
        self._last: dict[str, float] = {}
        self._best: dict[str, float] = {}
        self._best_weights: dict[str, torch.Tensor] = {}

    # ---- progress

    @property
    def finished(self) -> bool:
        return self._stopped or self.steps_done >= self.steps_total

    @property
    def epochs_done(self) -> int:
        return self.steps_done // self._order.per_epoch

    @property
    def cost(self) -> Cost:
        """Examples and FLOPs (2 x MACs) so far."""
        return Cost(
            forward_backward=self._trained_on,
            forward=self._scored_on,
            flops=self._trained_on * self._flops_train + self._scored_on * self._flops_forward,
        )

    def epoch_reports(self) -> list[dict[str, float]]:
        """Reports of the epochs that ended since the last call: `epoch` (from 1), `train_loss`, `train_accuracy` (means over the
        epoch's augmented batches as they were trained on), `val_loss`, `val_accuracy`, `learning_rate` (of the last step)."""
        reports, self._reports = self._reports, []
        return reports

    def metrics(self) -> dict[str, float]:
        """`val_accuracy`, `val_loss`, `train_loss`, `train_accuracy`, `epoch` of the epoch whose weights are kept."""
        kept = self._best if self.config.early_stop else self._last
        return {name: value for name, value in kept.items() if name != "learning_rate"}

    # ---- one step

    def advance(self) -> None:
        """One optimiser step; the last of an epoch also scores the validation part.

        Raises TrialFailure where a loss is not finite, or where a batch is too small for batch normalisation.
        """
        if self.finished:
            raise RuntimeError("this training is finished")
        step = self.steps_done
        rate = cosine(step, self.steps_total, self.config.learning_rate, self.config.final_learning_rate)
        set_learning_rate(self._optimizer, rate)
        indices = self._order.indices(step).to(self._train.device)
        inputs = self._augment(self._train.raw[indices], self._train.normalise, step)
        labels = self._train.labels[indices]
        self.network.train()
        self._optimizer.zero_grad(set_to_none=True)
        with self._precision.autocast():
            logits = self._forward(inputs)
            loss = F.cross_entropy(logits.float(), labels, label_smoothing=self.config.label_smoothing)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise TrialFailure(f"loss is not a number at step {step + 1} of {self.steps_total} (learning rate {rate:g})")
        if loss.requires_grad:
            self._precision.step(loss, self._optimizer, self._weights, self.config.gradient_clip)
        self._trained_on += len(labels)
        self._sums["loss"] += value * len(labels)
        self._sums["correct"] += int((logits.detach().argmax(1) == labels).sum())
        self._sums["examples"] += len(labels)
        self.steps_done += 1
        if self.steps_done % self._order.per_epoch == 0:
            self._end_epoch(rate)

    def _forward(self, inputs: torch.Tensor) -> torch.Tensor:
        try:
            logits: torch.Tensor = self.network(inputs)
        except ValueError as error:
            if "more than 1 value per channel" not in str(error):
                raise
            raise TrialFailure(f"a batch of {len(inputs)} is too small for batch normalisation: use a larger batch_size") from None
        return logits

    def _end_epoch(self, rate: float) -> None:
        score = evaluate_on(self.network, self._validation)
        if not math.isfinite(score["loss"]):
            raise TrialFailure(f"validation loss is not a number after step {self.steps_done} of {self.steps_total}")
        self._scored_on += len(self._validation)
        report: dict[str, float] = {
            "epoch": self.epochs_done,
            "train_loss": self._sums["loss"] / self._sums["examples"],
            "train_accuracy": self._sums["correct"] / self._sums["examples"],
            "val_loss": score["loss"],
            "val_accuracy": score["accuracy"],
            "learning_rate": rate,
        }
        self._sums = {"loss": 0.0, "correct": 0, "examples": 0}
        self._reports.append(report)
        self._last = report
        if self.config.early_stop:
            self._consider_stopping(report)

    def _consider_stopping(self, report: dict[str, float]) -> None:
        if not self._best or report["val_accuracy"] > self._best["val_accuracy"]:
            self._best = report
            self._best_weights = _copied(self.network.state_dict())
        self._stopped = report["epoch"] - self._best["epoch"] >= self.config.early_stop
        if self.finished:
            self.network.load_state_dict(self._best_weights)

    # ---- checkpoints

    def state_dict(self) -> dict[str, Any]:
        """A checkpoint tree of copies: weights, batch statistics, optimiser, loss scale, sums of the open epoch, best weights."""
        return {
            "network": _copied(self.network.state_dict()),
            "optimizer": _copied(self._optimizer.state_dict()),
            "precision": self._precision.state_dict(),
            "steps_done": self.steps_done,
            "stopped": self._stopped,
            "trained_on": self._trained_on,
            "scored_on": self._scored_on,
            "sums": dict(self._sums),
            "reports": [dict(item) for item in self._reports],
            "last": dict(self._last),
            "best": dict(self._best),
            "best_weights": _copied(self._best_weights),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Undo `state_dict` on a trainer constructed with equal arguments."""
        self.network.load_state_dict(state["network"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._precision.load_state_dict(state["precision"])
        self.steps_done = state["steps_done"]
        self._stopped = state["stopped"]
        self._trained_on = state["trained_on"]
        self._scored_on = state["scored_on"]
        self._sums = dict(state["sums"])
        self._reports = [dict(item) for item in state["reports"]]
        self._last = dict(state["last"])
        self._best = dict(state["best"])
        self._best_weights = dict(state["best_weights"])


def _copied(value: Any) -> Any:
    """The tree with every tensor copied to the CPU, so that training on does not change what was saved."""
    if isinstance(value, torch.Tensor):
        return value.detach().to("cpu", copy=True)
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_copied(item) for item in value]
    return value
