"""Weights from a super-network to a network derived from it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn


def copy_matching(supernet: nn.Module, build: Callable[[], nn.Module]) -> dict[str, Tensor]:
    """The state of `build()`'s network, with every entry that the super-network also has (by name) copied from it.

    What the super-network lacks (weights and running statistics of its batch normalisations) stays as new: the identity. The global
    random generator is left as it was. Raises ValueError if a trainable entry other than those has no counterpart, or another shape.
    """
    with torch.random.fork_rng(devices=[]):
        network = build()
    given = supernet.state_dict()
    state = network.state_dict()
    owned = {
        f"{name}.{entry}" if name else entry
        for name, module in network.named_modules()
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d)
        for entry in module.state_dict()
    }
    for name, value in state.items():
        if name in given:
            if given[name].shape != value.shape:
                raise ValueError(f"'{name}' has shape {tuple(value.shape)}, but {tuple(given[name].shape)} in the super-network")
            state[name] = given[name].detach().clone()
        elif name not in owned:
            raise ValueError(f"the super-network has no '{name}'")
    return state
