"""Training one path after the other on the weights that all paths share, for one task.

What earlier tasks froze stands still in two ways: its parameters require no gradient, and the optimiser does not know them. Modules that
are off the path get no gradient at all, so that neither momentum nor weight decay moves them.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from torch import nn

from search_engine.base.checkpoint import copied
from search_engine.base.errors import TrialFailure
from search_engine.datasets.base import SearchData
from search_engine.events import Cost
from search_engine.spaces.modular import Path
from search_engine.supernets.modular_network import ModularSupernet
from search_engine.training.batches import BatchOrder, DevicePart
from search_engine.training.criterion import class_weights, mean_loss
from search_engine.training.evaluation import BATCH
from search_engine.training.precision import Precision


class Trained(NamedTuple):
    """What the minibatches of one training gave, measured before each step: mean loss in nats, share of correct classes."""

    loss: float
    accuracy: float
    cost: Cost


class Scored(NamedTuple):
    accuracy: float
    cost: Cost


class SharedTraining:
    """The weights, the optimiser and the data of one task. Batch number k is a function of `seed` and k alone."""

    def __init__(
        self, network: ModularSupernet, frozen: Path, domain: int, data: SearchData, *,
        batch_size: int, learning_rate: float, momentum: float, weight_decay: float, gradient_clip: float, validation_examples: int,
        seed: int, device: str, amp: bool,
    ) -> None:  # fmt: skip
        self.network = network
        self.domain = domain
        self.clip = gradient_clip
        self.train_part = DevicePart(data.train, data.preprocessing, device)
        self.class_weights = class_weights(data, data.class_weights, device)
        self.validation_part = DevicePart(data.validation, data.preprocessing, device)
        self.train_order = BatchOrder(len(self.train_part), batch_size, "paths", seed)
        self.validation_order = BatchOrder(len(self.validation_part), validation_examples, "scores", seed)
        self.trainable = free_parameters(network, frozen, domain)
        self.optimizer = torch.optim.SGD(self.trainable, lr=learning_rate, momentum=momentum, weight_decay=weight_decay)
        self.precision = Precision(device, amp)
        self.batches = 0

    def train(self, modules: Path, minibatches: int) -> Trained:
        """Train the active modules of each layer, and the readout, on the next minibatches. Raises TrialFailure for a loss that is not
        finite."""
        loss_sum = torch.zeros((), device=self.train_part.device)
        correct = torch.zeros((), dtype=torch.int64, device=self.train_part.device)
        examples = 0
        for _ in range(minibatches):
            inputs, labels = self.train_part.take(self.train_order.indices(self.batches))
            self.optimizer.zero_grad(set_to_none=True)
            with self.precision.autocast():
                logits = self.network.along(inputs, modules, self.domain)
            loss = mean_loss("classification", logits, labels, weights=self.class_weights)
            self.precision.step(loss, self.optimizer, self.trainable, self.clip)
            loss_sum += loss.detach() * len(labels)
            correct += (logits.detach().argmax(1) == labels).sum()
            examples += len(labels)
            self.batches += 1
        mean = float(loss_sum) / examples
        if not math.isfinite(mean):
            raise TrialFailure("the training loss of a path is not a number; try a smaller learning rate")
        # A backward pass costs about two forward passes.
        flops = 3.0 * examples * self.network.flops(modules, self.domain)
        return Trained(mean, int(correct) / examples, Cost(forward_backward=examples, flops=flops))

    def score(self, modules: Path, generation: int | None) -> Scored:
        """Accuracy on a generation's validation batch, the same for every path; on the whole validation part for None."""
        part = self.validation_part
        order = None if generation is None else self.validation_order.indices(generation).to(part.device)
        count = len(part) if order is None else len(order)
        correct = 0
        with torch.no_grad():
            for first in range(0, count, BATCH):
                chosen = slice(first, first + BATCH) if order is None else order[first : first + BATCH]
                logits = self.network.along(part.normalise(part.raw[chosen]), modules, self.domain)
                correct += int((logits.argmax(1) == part.labels[chosen]).sum())
        return Scored(correct / count, Cost(forward=count, flops=1.0 * count * self.network.flops(modules, self.domain)))

    def state_dict(self) -> dict[str, Any]:
        return {
            "network": copied(self.network.state_dict()),
            "optimizer": copied(self.optimizer.state_dict()),
            "precision": self.precision.state_dict(),
            "batches": self.batches,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.precision.load_state_dict(state["precision"])
        self.batches = state["batches"]


def free_parameters(network: ModularSupernet, frozen: Path, domain: int) -> list[nn.Parameter]:
    """The parameters that a task may move: its readout, and every module that is not frozen. All others stop requiring gradients."""
    free = {id(parameter) for parameter in network.readouts[domain].parameters()}
    for layer, column in enumerate(network.columns):
        for number, module in enumerate(column.children()):
            if number not in frozen[layer]:
                free.update(id(parameter) for parameter in module.parameters())
    for parameter in network.parameters():
        parameter.requires_grad_(id(parameter) in free)
    return [parameter for parameter in network.parameters() if parameter.requires_grad]
