"""Opening a super-network that computes one path at a time."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from torch import nn

from ..errors import BadInput
from ..spaces.base import SearchSpace


def open_path_supernet(space: SearchSpace[Any]) -> nn.Module:
    """The untrained super-network of `space`, whose `forward_path(inputs, genome)` computes that genome's operations only.

    It is `build_supernet` of the module that also builds the space's networks. Its parameters come from torch's global generator.
    Raises BadInput(field "space") where the space has none.
    """
    from .. import registry

    if "paths" not in space.offers:
        raise BadInput("space", f"the space '{space.id}' has no super-network of paths", code="incompatible")
    module = importlib.import_module(registry.space(space.id).builder.partition(":")[0])
    build: Callable[[SearchSpace[Any]], nn.Module] = module.build_supernet
    return build(space)
