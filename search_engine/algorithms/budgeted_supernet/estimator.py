"""The gradient of an expected objective over independent Bernoulli blocks (Veniat and Denoyer 2018, section 3.3; Williams 1992).

H_b is 1 with probability sigmoid(t_b), drawn anew for every example of the batch. With J the objective of an example,

    grad E[J]  ~  1/B sum over examples of  (J - mean J) grad log p(H),        d log p(H) / d t_b = H_b - sigmoid(t_b)

The mean over the batch, not the sum of the authors' code, so that the learning rate means the same for every batch size. The mean of the
batch as baseline includes the example itself, which shrinks the expectation by 1/B.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from search_engine.spaces.tasks import TaskName
from search_engine.training.batches import DevicePart
from search_engine.training.criterion import Tally
from search_engine.training.evaluation import BATCH


def draw(logits: torch.Tensor, examples: int, generator: torch.Generator) -> torch.Tensor:
    """bool (examples, blocks) on the CPU: one independent draw for every example. A logit of infinity is always there."""
    return torch.rand(examples, len(logits), generator=generator) < logits.detach().cpu().sigmoid()


def logits_gradient(logits: torch.Tensor, draws: torch.Tensor, objective: torch.Tensor) -> torch.Tensor:
    """The estimate (blocks,) of grad E[J] from `draws` bool (B, blocks) and `objective` J (B,): minimising follows its negative.

    Blocks with an infinite logit get 0.
    """
    advantages = objective - objective.mean()
    scores = draws.to(logits.dtype) - logits.detach().sigmoid()
    return (advantages[:, None].to(logits.dtype) * scores).mean(dim=0)


def example_losses(task: TaskName, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """The loss of each example (B,): cross-entropy in nats, or the mean squared error over its values."""
    if task == "classification":
        return functional.cross_entropy(outputs.float(), targets, reduction="none")
    return (outputs.float().flatten(1) - targets.flatten(1)).square().mean(dim=1)


def evaluate(network: nn.Module, part: DevicePart, live: np.ndarray[Any, Any], task: TaskName) -> dict[str, float]:
    """Loss and score of one set of live blocks, bool (blocks,), the same for every example of the part. The mode stays as it is:
    batch normalisation goes by the batch."""
    tally = Tally(task)
    gates = torch.from_numpy(live).to(device=part.device, dtype=torch.float32)
    with torch.no_grad():
        for first in range(0, len(part), BATCH):
            inputs = part.normalise(part.raw[first : first + BATCH])
            tally.add(network(inputs, gates.expand(len(inputs), -1)).float(), part.labels[first : first + BATCH])
    return tally.figures()
