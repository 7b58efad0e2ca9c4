"""The end of a set: the plain network with the weights of its last refit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from search_engine.base.training_config import TrainingConfig
from search_engine.datasets.base import Array, SearchData
from search_engine.supernets.basis_network import ConstantNetwork
from search_engine.supernets.sparse_network import SparseHidden, SparseLinear, build

from ..base import Finalist, Finished
from ..network_scorer import scorer

if TYPE_CHECKING:
    from search_engine.spaces.active_set import ActiveSetSpace


def network_of(space: ActiveSetSpace, finalist: Finalist) -> torch.nn.Module:
    """The finalist's network on the CPU. Its `init` holds `weights` (P,) in the order of `layout` and `hidden`, the neurons that
    these stand for."""
    network = build(space, finalist.genome, "final", TrainingConfig())
    init = finalist.init or {}
    weights, hidden = np.asarray(init["weights"], dtype=np.float64), int(init["hidden"])
    inputs, outputs = space.inputs, space.shape.classes
    with torch.no_grad():
        if not hidden:
            matrix = weights.reshape(1 + inputs, outputs)
            if isinstance(network, ConstantNetwork):
                network.bias.copy_(_tensor(matrix[0]))
            else:
                assert isinstance(network, SparseLinear)
                network.linear.bias.copy_(_tensor(matrix[0]))
                network.linear.weight.copy_(_tensor(matrix[1:][network.inputs].T))
            return network.eval()
        v, b, u, c = np.split(weights, np.cumsum([inputs * hidden, hidden, hidden * outputs]))
        if isinstance(network, ConstantNetwork):
            network.bias.copy_(_tensor(c))
        else:
            assert isinstance(network, SparseHidden)
            network.hidden.weight.copy_(_tensor(v.reshape(inputs, hidden)[np.ix_(network.inputs, network.neurons)].T))
            network.hidden.bias.copy_(_tensor(b[network.neurons]))
            network.linear.weight.copy_(_tensor(u.reshape(hidden, outputs)[network.neurons].T))
            network.linear.bias.copy_(_tensor(c))
    return network.eval()


def _tensor(values: Array) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))


def finish(space: ActiveSetSpace, finalist: Finalist, data: SearchData, seed: int, device: str) -> Finished:
    """Nothing is trained. `objective` is the set's Q, `units` its size."""
    network = network_of(space, finalist)
    init = finalist.init or {}
    figures = {name: float(init[name]) for name in ("objective", "units", "condition_number")}
    return Finished(network, scorer(network, data, space.task), figures=figures)
