"""Joint training of one network on several data sets (domains) at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import nn

from ..base.generators import derive_seed
from ..base.training_config import TrainingConfig
from ..datasets.base import SearchData
from .domain import DomainTraining
from .trainer import TrainingLoop


class JointTrainer(TrainingLoop):
    """Trains a network of several domains on all of them together; it is scored on each one's validation part after every epoch.

    `network.for_domain(i)` maps inputs of `datas[i]` to logits of its classes and shares parameters with `network`, which holds all of
    them. One step takes one batch of `config.batch_size` from every data set and makes one optimiser step on the weighted sum of the
    losses. `val_accuracy` (by which early stopping goes) is the mean over the data sets, `val_accuracy_1` that of the first.
    """

    def __init__(
        self,
        network: nn.Module,
        datas: list[SearchData],
        config: TrainingConfig,
        seed: int,
        device: str = "cpu",
        amp: bool = False,
        weights: Sequence[float] | None = None,
    ) -> None:
        """`weights`: each data set's factor in the sum of the losses, 1 where it is left out.

        Raises BadInput where the augmentation does not fit one of the data sets, ValueError for another number of weights.
        """
        factors = [1.0] * len(datas) if weights is None else list(weights)
        if len(factors) != len(datas):
            raise ValueError(f"{len(datas)} data sets need as many weights, not {len(factors)}")
        joint: Any = network.to(device)
        domains = [
            DomainTraining(joint.for_domain(place), data, config, derive_seed(seed, "domain", place), device, f"data set {place + 1}")
            for place, data in enumerate(datas)
        ]
        super().__init__(joint, domains, config, device, amp, factors)
