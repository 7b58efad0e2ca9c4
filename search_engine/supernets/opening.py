"""Opening the super-network of a space, whoever searches it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from torch import nn

from ..base.errors import BadInput
from ..spaces.base import SearchSpace
from ..spaces.entries import builder_module

_MISSING = {
    "supernet": "has no super-network",
    "paths": "has no super-network that computes single paths",
    "blocks": "has no super-network with a gate for each block",
}


def open_supernet(space: SearchSpace[Any], ability: Literal["supernet", "paths", "blocks"], **changes: Any) -> nn.Module:
    """The untrained super-network of `space`: `build_supernet` of the module that also builds the space's networks.

    With the ability `supernet` it has `forward(inputs, gamma by group)`, with `paths` it has `forward_path(inputs, genome)`, with `blocks`
    it has `forward(inputs, gates (B, blocks))`, all giving logits (B, classes). Its parameters come from torch's global generator.
    `changes` (`mixing`, `cells`) go to the builder of a space
    that has mixed edges (`SearchSpace.mixed_channels`). Raises BadInput(field "space") where the space lacks the ability.
    """
    if ability not in space.offers:
        raise BadInput("space", f"the space '{space.id}' {_MISSING[ability]}", code="incompatible")
    build: Callable[..., nn.Module] = builder_module(space).build_supernet
    return build(space, **changes)
