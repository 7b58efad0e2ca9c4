"""The optimisers of `training.optimisers` over stacked weights: every member has a learning rate of its own.

The formulas are those of torch's SGD (Nesterov), Adam and Adagrad with an L2 penalty. In all three a step is the learning rate times
something that does not depend on it, so one member's step is to rounding what its own optimiser would do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ..base.checkpoint import copied
from ..base.training_config import TrainingConfig

BETAS = (0.9, 0.999)
ADAM_EPS, ADAGRAD_EPS = 1e-8, 1e-10


class StackedOptimiser:
    """Moves `weights`, each (members, ...), along their gradients. What it remembers of each has the weight's own shape."""

    def __init__(self, config: TrainingConfig, weights: Sequence[nn.Parameter]) -> None:
        self._kind, self._momentum, self._decay = config.optimizer, config.momentum, config.weight_decay
        self._weights = list(weights)
        self._memory: list[list[Tensor]] = [[] for _ in self._weights]
        self._steps: list[int] = [0 for _ in self._weights]

    @torch.no_grad()
    def step(self, rates: Tensor) -> None:
        """One step at the learning rates (members,). Weights without a gradient stay."""
        for place, weight in enumerate(self._weights):
            if weight.grad is None:
                continue
            gradient = weight.grad.add_(weight, alpha=self._decay) if self._decay else weight.grad
            self._steps[place] += 1
            own = rates.view(-1, *([1] * (weight.dim() - 1)))
            weight.sub_(self._direction(place, gradient).mul_(own))

    def _direction(self, place: int, gradient: Tensor) -> Tensor:
        """What the learning rate multiplies; the gradient may be overwritten."""
        memory, step = self._memory[place], self._steps[place]
        if self._kind == "adam":
            if not memory:
                memory += [torch.zeros_like(gradient), torch.zeros_like(gradient)]
            mean, square = memory
            mean.lerp_(gradient, 1 - BETAS[0])
            square.mul_(BETAS[1]).addcmul_(gradient, gradient, value=1 - BETAS[1])
            root = square.sqrt().div_((1 - BETAS[1] ** step) ** 0.5).add_(ADAM_EPS)
            return (mean / root).div_(1 - BETAS[0] ** step)
        if self._kind == "adagrad":
            if not memory:
                memory.append(torch.zeros_like(gradient))
            memory[0].addcmul_(gradient, gradient)
            return gradient.div_(memory[0].sqrt().add_(ADAGRAD_EPS))
        if not self._momentum:
            return gradient
        if memory:
            memory[0].mul_(self._momentum).add_(gradient)
        else:
            memory.append(gradient.clone())
        return gradient.add_(memory[0], alpha=self._momentum)

    def keep_members(self, rows: Tensor) -> None:
        """Forget all other members; call it with the weights' own `keep_members`."""
        self._memory = [[item[rows] for item in memory] for memory in self._memory]

    def state_dict(self) -> dict[str, Any]:
        return {"memory": [copied(dict(enumerate(memory))) for memory in self._memory], "steps": list(self._steps)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        device = [weight.device for weight in self._weights]
        self._memory = [
            [item.to(place) for _, item in sorted(memory.items())] for memory, place in zip(state["memory"], device, strict=True)
        ]
        self._steps = list(state["steps"])


@torch.no_grad()
def clip_members(weights: Sequence[nn.Parameter], largest: float) -> None:
    """Scale each member's gradients together so that their norm is at most `largest`, as `clip_to_norm` does for one network."""
    gradients = [item.grad for item in weights if item.grad is not None]
    if not gradients:
        return
    norms = torch.stack([torch.linalg.vector_norm(item.flatten(1), dim=1) for item in gradients])
    factors = torch.clamp(largest / (torch.linalg.vector_norm(norms, dim=0) + 1e-6), max=1.0)
    for item in gradients:
        item.mul_(factors.view(-1, *([1] * (item.dim() - 1))))
