"""The optimisers that a training config can name."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn

from ..base.training_config import TrainingConfig


def make_optimizer(config: TrainingConfig, weights: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """The optimiser of `config` over `weights`; its learning rate is set before every step by the schedule.

    `weight_decay` is an L2 penalty (added to the gradient) in all three. All weights move in one call per operation (`foreach`), which
    gives the same bits as one weight after the other.
    """
    items = list(weights)
    rate, decay = config.learning_rate, config.weight_decay
    if config.optimizer == "adam":
        return torch.optim.Adam(items, lr=rate, weight_decay=decay, foreach=True)
    if config.optimizer == "adagrad":
        return torch.optim.Adagrad(items, lr=rate, weight_decay=decay, foreach=True)
    return torch.optim.SGD(
        items, lr=rate, momentum=config.momentum, nesterov=config.momentum > 0, weight_decay=decay, foreach=True
    )


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate
