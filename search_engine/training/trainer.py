"""Sliced training: one optimiser step at a time, resumable between any two with equal bits."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from ..base.checkpoint import copied
from ..base.errors import TrialFailure
from ..base.training_config import TrainingConfig
from ..datasets.base import SearchData
from ..events import Cost
from ..scoring.metrics import METRICS
from ..spaces.tasks import SCORES
from .domain import DomainTraining
from .optimisers import make_optimizer, set_learning_rate
from .precision import Precision
from .schedule import cosine

CHECKED_EVERY = 64
"""Steps after which the losses are asked whether they are finite (and at the end of an epoch): asking after each makes a device wait."""


class TrainingLoop:
    """Steps, schedule, reports, early stopping and checkpoints of a training, on one data set or on several at once.

    Every step is ONE optimiser step on the sum of the data sets' losses on a batch of each, and an epoch has as many steps as the
    largest data set has batches (smaller ones come round again). Data order and augmentation depend on (seed, step) alone; randomness
    inside the network (dropout) comes from torch's global generator, which the caller owns. With `early_stop` = 0 the weights at the
    end are those of the last epoch; otherwise those of the epoch with the best validation score (the earliest of equals), and the
    metrics are of that same epoch.
    """

    def __init__(
        self, network: nn.Module, domains: list[DomainTraining], config: TrainingConfig, device: str, amp: bool, weights: list[float],
        objective: str = "",
    ) -> None:
        """`network` holds all parameters and lies on `device`; `weights` has each data set's factor in the sum of the losses. The best
        epoch is that by the `objective` (a metric of `scoring.metrics`), or by the task's own score."""
        self.network = network
        self.config = config
        self._domains = domains
        self._factors = weights
        self._device = device
        self._precision = Precision(device, amp)
        self._weights = [item for item in network.parameters() if item.requires_grad]
        self._optimizer = make_optimizer(config, self._weights)
        self._per_epoch = max(domain.steps_per_epoch for domain in domains)
        self.steps_total = config.steps or config.epochs * self._per_epoch
        self.steps_done = 0
        self._training = False
        """Whether this process has put the network into training mode."""
        self._stopped = False
        self._scoring = False
        """Whether an epoch has ended whose validation is under way."""
        self._reports: list[dict[str, float]] = []
        self._unchecked: list[torch.Tensor] = []
        """Losses of the last steps, each (data sets,), that nobody has looked at."""
        self._last: dict[str, float] = {}
        self._best: dict[str, float] = {}
        self._best_weights: dict[str, torch.Tensor] = {}
        self._best_by = f"val_{METRICS[objective].ranked if objective else SCORES[domains[0].task]}"

    # ---- progress

    @property
    def finished(self) -> bool:
        return self._stopped or (self.steps_done >= self.steps_total and not self._scoring)

    @property
    def scores_next(self) -> bool:
        """Whether the next call of `advance` scores a batch of the validation parts."""
        following = self.steps_done + 1
        return self._scoring or following % self._per_epoch == 0 or following == self.steps_total

    @property
    def steps_per_epoch(self) -> int:
        return self._per_epoch

    @property
    def scoring(self) -> bool:
        """Whether an epoch has ended whose validation is under way: the next `advance` scores, and moves nothing."""
        return self._scoring

    @property
    def epochs_done(self) -> int:
        """Epochs that have ended; the last one may have been cut short by a length in steps."""
        return -(-self.steps_done // self._per_epoch) if self.steps_done >= self.steps_total else self.steps_done // self._per_epoch

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
        """One optimiser step; the last of an epoch also scores the first batch of the validation parts, and each of the next calls one
        batch more, until the epoch is reported.

        Raises TrialFailure where a batch is too small for batch normalisation, and where a loss is not finite: at the next check, which
        the number of the step decides; the message names the step at which it happened.
        """
        if self.finished:
            raise RuntimeError("this training is finished")
        if self._scoring:
            self._score()
            return
        step = self.steps_done
        set_learning_rate(self._optimizer, self._rate(step))
        for weight in self._weights:
            weight.grad = None
        if not self._training:
            for domain in self._domains:
                domain.train()
            self._training = True
        total = self._total([domain.loss(step, self._precision) for domain in self._domains])
        if total.requires_grad:
            self._precision.step(total, self._optimizer, self._weights, self.config.gradient_clip)
        self.steps_done += 1
        ends = self.steps_done % self._per_epoch == 0 or self.steps_done == self.steps_total
        if ends or self.steps_done % CHECKED_EVERY == 0:
            self._check()
        if ends:
            self._score()

    def _rate(self, step: int) -> float:
        return cosine(step, self.steps_total, self.config.learning_rate, self.config.final_learning_rate)

    def _total(self, losses: list[torch.Tensor]) -> torch.Tensor:
        """The weighted sum of the data sets' losses; what they were is kept for the next check."""
        own = torch.stack(losses) if len(losses) > 1 else losses[0].unsqueeze(0)
        self._unchecked.append(own.detach())
        if len(losses) == 1 and self._factors[0] == 1.0:
            return losses[0]
        return torch.stack([factor * loss for factor, loss in zip(self._factors, losses, strict=True)]).sum()

    def _check(self) -> None:
        """Raise TrialFailure for the first loss since the last check that is not finite."""
        losses, self._unchecked = torch.stack(self._unchecked).tolist(), []
        for step, own in enumerate(losses, start=self.steps_done - len(losses)):
            for domain, value in zip(self._domains, own, strict=True):
                if not math.isfinite(value):
                    where = f"at step {step + 1} of {self.steps_total} (learning rate {self._rate(step):g})"
                    raise TrialFailure(f"loss{domain.title} is not a number {where}")

    def end_early(self) -> None:
        """End after the step that was done last: what is open of its epoch is scored as a whole epoch is."""
        if self._scoring or self.steps_done % self._per_epoch:
            if self._unchecked:
                self._check()
            self._scoring = True
            while self._scoring:
                self._score()
        self._stopped = True
        if self.config.early_stop:
            self.network.load_state_dict(self._best_weights)

    def _score(self) -> None:
        """One batch of every validation part that is not scored yet; after the last one the epoch is reported."""
        for domain in self._domains:
            if not domain.scored:
                domain.score_a_batch()
        self._scoring = not all(domain.scored for domain in self._domains)
        if not self._scoring:
            self._end_epoch(self._rate(self.steps_done - 1))

    def _end_epoch(self, rate: float) -> None:
        own = [domain.report(f"after step {self.steps_done} of {self.steps_total}") for domain in self._domains]
        means = {name: sum(item[name] for item in own) / len(own) for name in own[0]}
        report: dict[str, float] = {"epoch": math.ceil(self.steps_done / self._per_epoch), **means, "learning_rate": rate}
        if len(own) > 1:
            report |= {f"{name}_{number}": value for number, item in enumerate(own, start=1) for name, value in item.items()}
        self._reports.append(report)
        self._last = report
        if self.config.early_stop:
            self._consider_stopping(report)

    def _consider_stopping(self, report: dict[str, float]) -> None:
        if not self._best or report[self._best_by] > self._best[self._best_by]:
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
            "unchecked": copied(torch.stack(self._unchecked)) if self._unchecked else None,
            "stopped": self._stopped,
            "scoring": self._scoring,
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
        unchecked = state["unchecked"]
        self._unchecked = [] if unchecked is None else list(unchecked.to(self._device).unbind())
        self._stopped = state["stopped"]
        # One that was written before an epoch's validation had steps of its own.
        self._scoring = state.get("scoring", False)
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
        self, network: nn.Module, data: SearchData, config: TrainingConfig, seed: int, device: str = "cpu", amp: bool = False,
        objective: str = "",
    ) -> None:
        """With an `objective` (a metric of `scoring.metrics`) every report has all metrics of the validation part.

        Raises BadInput where the augmentation does not fit the data."""
        network = network.to(device)
        domain = DomainTraining(network, data, config, seed, device, objective=objective)
        super().__init__(network, [domain], config, device, amp, [1.0], objective)
