"""Sliced training: one optimiser step at a time, resumable between any two with equal bits."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from ..base.checkpoint import copied
from ..base.training_config import TrainingConfig
from ..datasets.base import SearchData
from ..events import Cost
from ..spaces.tasks import SCORES
from .domain import DomainTraining
from .optimisers import make_optimizer, set_learning_rate
from .precision import Precision
from .schedule import cosine


class TrainingLoop:
    """Steps, schedule, reports, early stopping and checkpoints of a training, on one data set or on several at once.

    Every step is ONE optimiser step on the sum of the data sets' losses on a batch of each, and an epoch has as many steps as the
    largest data set has batches (smaller ones come round again). Data order and augmentation depend on (seed, step) alone; randomness
    inside the network (dropout) comes from torch's global generator, which the caller owns. With `early_stop` = 0 the weights at the
    end are those of the last epoch; otherwise those of the epoch with the best validation score (the earliest of equals), and the
    metrics are of that same epoch.
    """

    def __init__(
        self, network: nn.Module, domains: list[DomainTraining], config: TrainingConfig, device: str, amp: bool, weights: list[float]
    ) -> None:
        """`network` holds all parameters and lies on `device`; `weights` has each data set's factor in the sum of the losses."""
        self.network = network
        self.config = config
        self._domains = domains
        self._factors = weights
        self._precision = Precision(device, amp)
        self._weights = [item for item in network.parameters() if item.requires_grad]
        self._optimizer = make_optimizer(config, self._weights)
        self._per_epoch = max(domain.steps_per_epoch for domain in domains)
        self.steps_total = config.epochs * self._per_epoch
        self.steps_done = 0
        self._stopped = False
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
        return self.steps_done // self._per_epoch

    @property
    def cost(self) -> Cost:
        """Examples and FLOPs (2 x MACs) so far, of all data sets."""
        total = Cost()
        for domain in self._domains:
            total = total.plus(domain.cost)
        return total

    def epoch_reports(self) -> list[dict[str, float]]:
        """Reports of the epochs that ended since the last call: `epoch` (from 1), `train_loss`, `train_accuracy` (means over the
        epoch's augmented batches as they were trained on), `val_loss`, `val_accuracy`, `learning_rate` (of the last step). Of several
        data sets these are the means over them, and each one's own follow with its number: `val_accuracy_1`, `val_accuracy_2`, ..."""
        reports, self._reports = self._reports, []
        return reports

    def metrics(self) -> dict[str, float]:
        """The report of the epoch whose weights are kept, without the learning rate."""
        kept = self._best if self.config.early_stop else self._last
        return {name: value for name, value in kept.items() if name != "learning_rate"}

    # ---- one step

    def advance(self) -> None:
        """One optimiser step; the last of an epoch also scores the validation parts.

        Raises TrialFailure where a loss is not finite, or where a batch is too small for batch normalisation.
        """
        if self.finished:
            raise RuntimeError("this training is finished")
        step = self.steps_done
        rate = cosine(step, self.steps_total, self.config.learning_rate, self.config.final_learning_rate)
        set_learning_rate(self._optimizer, rate)
        where = f"at step {step + 1} of {self.steps_total} (learning rate {rate:g})"
        self._optimizer.zero_grad(set_to_none=True)
        losses = [domain.loss(step, where, self._precision) for domain in self._domains]
        total = torch.stack([factor * loss for factor, loss in zip(self._factors, losses, strict=True)]).sum()
        if total.requires_grad:
            self._precision.step(total, self._optimizer, self._weights, self.config.gradient_clip)
        self.steps_done += 1
        if self.steps_done % self._per_epoch == 0:
            self._end_epoch(rate)

    def _end_epoch(self, rate: float) -> None:
        own = [domain.report(f"after step {self.steps_done} of {self.steps_total}") for domain in self._domains]
        means = {name: sum(item[name] for item in own) / len(own) for name in own[0]}
        report: dict[str, float] = {"epoch": self.epochs_done, **means, "learning_rate": rate}
        if len(own) > 1:
            report |= {f"{name}_{number}": value for number, item in enumerate(own, start=1) for name, value in item.items()}
        self._reports.append(report)
        self._last = report
        if self.config.early_stop:
            self._consider_stopping(report)

    def _consider_stopping(self, report: dict[str, float]) -> None:
        score = f"val_{SCORES[self._domains[0].task]}"
        if not self._best or report[score] > self._best[score]:
            self._best = report
            self._best_weights = copied(self.network.state_dict())
        self._stopped = report["epoch"] - self._best["epoch"] >= self.config.early_stop
        if self.finished:
            self.network.load_state_dict(self._best_weights)

    # ---- checkpoints

    def state_dict(self) -> dict[str, Any]:
        """A checkpoint tree of copies: weights, batch statistics, optimiser, loss scale, sums of the open epoch, best weights."""
        return {
            "network": copied(self.network.state_dict()),
            "optimizer": copied(self._optimizer.state_dict()),
            "precision": self._precision.state_dict(),
            "domains": [domain.state_dict() for domain in self._domains],
            "steps_done": self.steps_done,
            "stopped": self._stopped,
            "reports": [dict(item) for item in self._reports],
            "last": dict(self._last),
            "best": dict(self._best),
            "best_weights": copied(self._best_weights),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Undo `state_dict` on a loop constructed with equal arguments."""
        self.network.load_state_dict(state["network"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._precision.load_state_dict(state["precision"])
        for domain, kept in zip(self._domains, state["domains"], strict=True):
            domain.load_state_dict(kept)
        self.steps_done = state["steps_done"]
        self._stopped = state["stopped"]
        self._reports = [dict(item) for item in state["reports"]]
        self._last = dict(state["last"])
        self._best = dict(state["best"])
        self._best_weights = dict(state["best_weights"])


class Trainer(TrainingLoop):
    """Trains `network` on `data.train` and scores it on `data.validation` after every epoch.

    >>> from search_engine.datasets.digits import Digits, DigitsConfig
    >>> torch.manual_seed(0) and None
    >>> network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10))
    >>> data = Digits(DigitsConfig()).search_data(seed=0)
    >>> trainer = Trainer(network, data, TrainingConfig(epochs=2, augment="none"), seed=0)
    >>> while not trainer.finished: trainer.advance()
    >>> trainer.metrics()["val_accuracy"] > 0.8
    True
    """

    def __init__(
        self, network: nn.Module, data: SearchData, config: TrainingConfig, seed: int, device: str = "cpu", amp: bool = False
    ) -> None:
        """Raises BadInput where the augmentation does not fit the data."""
        network = network.to(device)
        super().__init__(network, [DomainTraining(network, data, config, seed, device)], config, device, amp, [1.0])
