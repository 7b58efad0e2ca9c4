"""Which trials can be trained together: those whose networks compute the same but for their weights.

Told from what a network does, not from its genome: it is built and run once, and every operation is written down with what it works on. On
two examples of zeros, rather than on torch's device without memory, where everything takes three times as long and imports the compiler.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from ..base.lazy import load_object
from ..base.training_config import TrainingConfig
from ..catalogue.config import CheckedRun
from ..spaces.base import SearchSpace
from ..spaces.genomes import Genome

RANDOM = ("rand", "dropout", "bernoulli", "normal_", "uniform_")
"""Parts of the names of operations that draw numbers: members would draw each other's."""


def signature(checked: CheckedRun, space: SearchSpace[Any], genome: Genome, training: TrainingConfig) -> str | None:
    """A text that is equal for trials that `GroupTrainer` can train together; None for one that it cannot train."""
    import torch

    from ..training.group_trainer import common
    from ..training.stacked_layers import stackable

    if space.shape.task != "classification":
        return None
    try:
        with torch.random.fork_rng(devices=[]):
            network = load_object(checked.space.builder)(space, genome, "trial", training).train()
            if not stackable(network):
                return None
            operations = _operations(network, torch.zeros(2, *space.shape.input))
    except (RuntimeError, ValueError, TypeError, ArithmeticError, LookupError):
        # What cannot be built or run fails for itself, as a trial alone does.
        return None
    if operations is None:
        return None
    return hashlib.sha256(json.dumps([operations, common(training)]).encode()).hexdigest()


def _operations(network: Any, inputs: Any) -> list[Any] | None:
    """Every operation of a forward pass in training mode with its arguments: tensors by number, in the order in which they came up. None
    where one draws random numbers."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_map

    held: list[Any] = []
    numbers: dict[int, int] = {}
    written: list[Any] = []

    def number(value: Any) -> Any:
        if not isinstance(value, torch.Tensor):
            return value if isinstance(value, bool | int | float | str | None) else str(value)
        if id(value) not in numbers:
            numbers[id(value)] = len(held)
            # Held, so that no later tensor gets the same id.
            held.append(value)
        return f"%{numbers[id(value)]}"

    class Writing(TorchDispatchMode):
        @classmethod
        def _should_skip_dynamo(cls) -> bool:
            # Otherwise torch imports its compiler (a second and more), only to say that it must leave this mode alone.
            return False

        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            # Before it runs: it may write into what it is given.
            given = tree_map(number, [list(args), dict(kwargs or {})])
            result = func(*args, **(kwargs or {}))
            written.append([str(func), given, tree_map(number, result)])
            return result

    for name, weight in [*network.named_parameters(), *network.named_buffers()]:
        written.append([name, list(weight.shape), weight.requires_grad, number(weight)])
    number(inputs)
    with Writing():
        network(inputs)
    if any(part in name for name, *_ in written if name.startswith("aten.") for part in RANDOM):
        return None
    return written
