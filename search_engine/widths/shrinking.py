"""Training with a penalty on channels: one optimiser step at a time, resumable between any two with equal bits.

SGD with momentum at a constant rate (MorphNet's procedure, step 1): Adam moves every gamma by its rate in every step, whatever its
gradient, and takes a whole layer below the threshold at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from ..base.training_config import TrainingConfig
from ..datasets.base import SearchData
from ..training.domain import DomainTraining
from ..training.trainer import TrainingLoop
from .channels import ChannelGroups
from .regularisers import Regulariser, RegulariserConfig

POINTS = 128
"""Of the trace: a longer training keeps every second, fourth, ... step."""


@dataclass
class TracePoint:
    """What a step saw, before it moved the weights."""

    step: int
    loss: float
    """The task's."""
    penalty: float
    """λR."""
    cost: float
    """Of what is alive, as a share of the initial one."""


@dataclass
class Shrunk:
    """What a shrinking phase found."""

    widths: dict[str, int]
    """By block of `channels`."""
    layers: dict[str, int]
    """Outputs of each layer, by its path in the module tree."""
    alive: dict[str, list[float]]
    """Sorted importance of each block (see `Regulariser.sorted_importance`)."""
    cost: int
    initial_cost: int
    floors_held: list[str]
    """Blocks that only their floor kept."""
    inputs_alive: list[bool]
    channels: ChannelGroups
    trace: list[TracePoint] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """Cost after / before."""
        return self.cost / self.initial_cost


class ShrinkTraining(TrainingLoop):
    """Trains `network` on `data.train` with the regulariser's penalty. Of the config its length, batches, learning rate (constant),
    momentum, weight decay, clipping, smoothing and augmentation count; the optimiser is SGD."""

    def __init__(
        self, network: nn.Module, channels: ChannelGroups, data: SearchData, config: TrainingConfig, penalty: RegulariserConfig, seed: int,
        device: str = "cpu", amp: bool = False,
    ) -> None:  # fmt: skip
        """Raises BadInput where the network has nothing to penalise, or the augmentation does not fit the data."""
        network = network.to(device)
        config = config.model_copy(update={"optimizer": "sgd", "early_stop": 0})
        domain = DomainTraining(network, data, config, seed, device)
        super().__init__(network, [domain], config, device, amp, [1.0])
        self.regulariser = Regulariser(network, channels, penalty)
        self.trace: list[TracePoint] = []

    def _rate(self, step: int) -> float:
        return self.config.learning_rate

    def _total(self, losses: list[torch.Tensor]) -> torch.Tensor:
        loss = super()._total(losses)
        penalty = self.regulariser.penalty()
        every = self.trace_every
        if self.steps_done % every == 0 or self.steps_done == self.steps_total - 1:
            cost = self.regulariser.cost() / self.regulariser.initial_cost
            self.trace.append(TracePoint(self.steps_done, float(loss.detach()), float(penalty.detach()), cost))
        return loss + penalty

    @property
    def trace_every(self) -> int:
        """Steps from one point of the trace to the next."""
        return 1 << max(0, (max(self.steps_total - 1, 1) // POINTS).bit_length())

    def shrunk(self) -> Shrunk:
        """What is alive now."""
        regulariser, channels = self.regulariser, self.regulariser.channels
        widths = regulariser.widths()
        return Shrunk(
            widths=widths, layers=channels.layer_widths(widths), alive=regulariser.sorted_importance(), cost=regulariser.cost(),
            initial_cost=regulariser.initial_cost, floors_held=regulariser.floors_held(), inputs_alive=regulariser.inputs_alive(),
            channels=channels, trace=list(self.trace),
        )

    def state_dict(self) -> dict[str, Any]:
        trace = [[point.step, point.loss, point.penalty, point.cost] for point in self.trace]
        return {**super().state_dict(), "regulariser": self.regulariser.state_dict(), "trace": trace}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        self.regulariser.load_state_dict(state["regulariser"])
        self.trace = [TracePoint(*point) for point in state["trace"]]


def shrink_phase(
    network: nn.Module, shape: tuple[int, ...], data: SearchData, config: TrainingConfig, penalty: RegulariserConfig, seed: int,
    device: str = "cpu", amp: bool = False,
) -> Shrunk:  # fmt: skip
    """Train `network`, which is changed, with the penalty, and read what is alive. `config` has the length (`steps` or `epochs`).

    Raises BadInput, before anything is trained, where its widths cannot be changed; TrialFailure where its loss is no number.
    """
    training = ShrinkTraining(network, ChannelGroups.of(network, shape), data, config, penalty, seed, device, amp)
    while not training.finished:
        training.advance()
    return training.shrunk()
