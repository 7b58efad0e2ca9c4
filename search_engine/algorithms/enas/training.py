"""One path after the other on the weights that all paths share, and what a path is worth with them.

A step on one path moves that path's parameters alone: all others have no gradient at all (None, not zero), so neither momentum nor
weight decay touches them (Pham et al. 2018, section 2.2).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import nn

from search_engine.base.checkpoint import copied
from search_engine.base.errors import TrialFailure
from search_engine.datasets.base import SearchData
from search_engine.events import Cost
from search_engine.spaces.base import SearchSpace
from search_engine.spaces.genomes import Genome
from search_engine.supernets.opening import open_supernet
from search_engine.training.batches import BatchOrder, DevicePart
from search_engine.training.criterion import class_weights, mean_loss
from search_engine.training.evaluation import BATCH
from search_engine.training.flops import FlopCounter
from search_engine.training.precision import Precision

COUNTED = 8
"""Forward passes whose FLOPs are counted; paths differ, and the mean of these stands for the later ones."""


class Trained(NamedTuple):
    """One step, measured on its minibatch before the step: loss in nats, share of correct classes."""

    loss: float
    accuracy: float
    cost: Cost


class Judged(NamedTuple):
    """Share of correct classes of one path."""

    accuracy: float
    cost: Cost


class SharedWeights:
    """A super-network, the optimiser of its weights, and the two parts of the data. Batches are functions of `seed` and their number."""

    def __init__(
        self, space: SearchSpace[Any], data: SearchData, optimizer: Callable[[list[nn.Parameter]], torch.optim.Optimizer], *,
        batch_size: int, reward_batch_size: int, gradient_clip: float, seed: int, device: str, amp: bool,
    ) -> None:  # fmt: skip
        self.network = open_supernet(space, "paths").to(device).train()
        self._forward: Callable[[torch.Tensor, Genome], torch.Tensor] = self.network.forward_path  # type: ignore[assignment]
        self.weights = list(self.network.parameters())
        self.optimizer = optimizer(self.weights)
        self.clip = gradient_clip
        self.precision = Precision(device, amp)
        self._train = DevicePart(data.train, data.preprocessing, device)
        self._class_weights = class_weights(data, data.class_weights, device)
        self._validation = DevicePart(data.validation, data.preprocessing, device)
        # Each part cycles at its own pace. Batches of the whole ranking are equal in size, as a path's normalisation is by its batch.
        self.train_order = BatchOrder(len(self._train), batch_size, "weights", seed)
        self._reward_order = BatchOrder(len(self._validation), reward_batch_size, "rewards", seed)
        self._rank_order = BatchOrder(len(self._validation), BATCH, "ranking", seed)
        self.trained = 0
        """Steps done."""
        self.judged = 0
        """Validation minibatches used."""
        self._flops = [0.0, 0]
        """FLOPs per example of the forward passes counted so far (sum), and how many those are."""

    @property
    def train_examples(self) -> int:
        return len(self._train)

    @property
    def validation_examples(self) -> int:
        return len(self._validation)

    @property
    def rough_examples(self) -> int:
        """How many of them `rank_roughly` uses."""
        return self._reward_order.size(0)

    def train(self, genome: Genome, learning_rate: float) -> Trained:
        """One optimiser step on that path and the next training minibatch. Raises TrialFailure for a loss that is not finite."""
        inputs, labels = self._train.take(self.train_order.indices(self.trained))
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate
        self.optimizer.zero_grad(set_to_none=True)
        logits, flops = self._logits(inputs, genome)
        loss = mean_loss("classification", logits, labels, weights=self._class_weights)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise TrialFailure(f"the training loss of a path is not a number at step {self.trained + 1}; try a smaller learning rate")
        self.precision.step(loss, self.optimizer, self.weights, self.clip)
        self.trained += 1
        accuracy = float((logits.detach().argmax(1) == labels).float().mean())
        # A backward pass costs about two forward passes.
        return Trained(value, accuracy, Cost(forward_backward=len(labels), flops=3 * flops * len(labels)))

    def judge(self, genome: Genome) -> Judged:
        """On the next validation minibatch; the weights stay as they are."""
        indices = self._reward_order.indices(self.judged)
        self.judged += 1
        return self._accuracy(genome, [indices])

    def rank(self, genome: Genome) -> Judged:
        """On the whole validation part."""
        return self._accuracy(genome, [self._rank_order.indices(batch) for batch in range(self._rank_order.per_epoch)])

    def rank_roughly(self, genome: Genome) -> Judged:
        """On one validation minibatch, the same for every path, as the paper ranks its ten final samples."""
        return self._accuracy(genome, [self._reward_order.indices(0)])

    def _accuracy(self, genome: Genome, batches: list[torch.Tensor]) -> Judged:
        correct, examples, spent = 0, 0, 0.0
        with torch.no_grad():
            for indices in batches:
                inputs, labels = self._validation.take(indices)
                logits, flops = self._logits(inputs, genome)
                correct += int((logits.argmax(1) == labels).sum())
                examples += len(labels)
                spent += flops * len(labels)
        return Judged(correct / examples, Cost(forward=examples, flops=spent))

    def _logits(self, inputs: torch.Tensor, genome: Genome) -> tuple[torch.Tensor, float]:
        """Logits as float32, and FLOPs per example of the forward pass."""
        with self.precision.autocast():
            if self._flops[1] >= COUNTED:
                logits = self._forward(inputs, genome)
            else:
                with FlopCounter() as counter:
                    logits = self._forward(inputs, genome)
                self._flops = [self._flops[0] + counter.total / len(inputs), self._flops[1] + 1]
        return logits.float(), self._flops[0] / self._flops[1]

    def state_dict(self) -> dict[str, Any]:
        return {
            "network": copied(self.network.state_dict()),
            "optimizer": copied(self.optimizer.state_dict()),
            "precision": self.precision.state_dict(),
            "trained": self.trained,
            "judged": self.judged,
            "flops": list(self._flops),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.precision.load_state_dict(state["precision"])
        self.trained = state["trained"]
        self.judged = state["judged"]
        self._flops = list(state["flops"])
