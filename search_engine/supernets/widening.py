"""A super-network whose operations get more channels while its weights go on (DrNAS: X. Chen et al., ICLR 2021, section 3.3).

When a share K of the channels falls, the operations of an edge grow from C / K to more channels. What they have learned stays; a channel
that comes in begins as a copy of one of theirs, drawn at random, in whatever it stands: as an input, as an output, and in the momentum of
the optimiser. As in the authors' code nothing is divided by the number of copies: the normalisation behind every convolution does that.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

OPERATIONS = ".operations."


def widened(old: nn.Module, new: nn.Module, generator: torch.Generator) -> dict[str, list[Tensor | None]]:
    """Give `new`, a super-network of equal operations that are wider, the weights and buffers of `old`, and what its operations evaluate.

    Returns by name of each parameter, per dimension, the old channel that every new one is (None where the dimension is as it was), for
    `wide`. `generator` (on the CPU) draws the copied channels: all tensors of one operation copy the same ones. Raises ValueError where the
    two differ otherwise than in width.
    """
    before, after = old.state_dict(), new.state_dict()
    if before.keys() != after.keys():
        raise ValueError("a super-network is widened to one with the same operations")
    drawn: dict[tuple[str, int, int], Tensor] = {}
    indices = {}
    for name, value in before.items():
        indices[name] = [
            None if had == has else _channels(drawn, _operation(name), had, has, generator)
            for had, has in zip(value.shape, after[name].shape, strict=True)
        ]
    new.load_state_dict({name: wide(value, indices[name]) for name, value in before.items()})
    modules: Mapping[str, nn.Module] = dict(old.named_modules())
    for name, module in new.named_modules():
        if hasattr(module, "evaluate"):
            module.evaluate = modules[name].evaluate
    return indices


def wide(value: Tensor, indices: list[Tensor | None]) -> Tensor:
    """A tensor with the channels that `widened` gave its parameter."""
    for dimension, index in enumerate(indices):
        if index is not None:
            value = value.index_select(dimension, index.to(value.device))
    return value


def _operation(name: str) -> str:
    """What belongs together: `cells.0.mixing.operations.0-2.sep_conv_3x3` of `...sep_conv_3x3.1.weight`."""
    head, found, tail = name.partition(OPERATIONS)
    return f"{head}{found}{'.'.join(tail.split('.')[:2])}"


def _channels(drawn: dict[tuple[str, int, int], Tensor], operation: str, had: int, has: int, generator: torch.Generator) -> Tensor:
    if has < had:
        raise ValueError(f"{operation} has {had} channels and cannot be narrowed to {has}")
    key = (operation, had, has)
    if key not in drawn:
        drawn[key] = torch.cat([torch.arange(had), torch.randint(had, (has - had,), generator=generator)])
    return drawn[key]
