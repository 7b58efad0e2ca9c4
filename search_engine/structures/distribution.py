"""What every structure distribution gives: parameters of its own, a differentiable draw, mean, entropy and log probability.

A distribution holds one parameter tensor per group of the family (one group = one cell; rows = edges, columns = operations).
`sample` takes the parameter tensors as an argument, so that an architecture gradient can be asked of it as a pure function.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..events import FamilyGroup
from ..lazy import lazy_module

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_module("torch")

Weights = dict[str, "torch.Tensor"]
"""Per group the weights of its edges, (edges, operations)."""


class StructureDistribution(ABC):
    """A law over the edge weights of a family.

    `shapes` maps each group to (edges, operations), in the family's order. Every tensor of `parameters` is a leaf that requires a
    gradient and is not a parameter of any network.
    """

    constraint: ClassVar[str]
    """The set in which draws lie: a name from `constraints.CONSTRAINTS`."""

    def __init__(self, shapes: Mapping[str, tuple[int, int]], device: str = "cpu", dtype: torch.dtype | None = None) -> None:
        if not shapes:
            raise ValueError("a structure needs at least one group of edges")
        self.shapes = dict(shapes)
        self.device = device
        self.dtype = dtype if dtype is not None else torch.float32
        self.parameters: list[torch.Tensor] = []

    @property
    def groups(self) -> list[str]:
        return list(self.shapes)

    @abstractmethod
    def sample(self, parameters: Sequence[torch.Tensor] | None = None, generator: torch.Generator | None = None) -> Weights:
        """One draw of the edge weights, differentiable in `parameters` (default: its own).

        Two calls with generators in equal states use common random numbers, which the finite-difference estimator relies on.
        """

    @abstractmethod
    def mean(self) -> Weights:
        """The expected edge weights, differentiable in the parameters."""

    @abstractmethod
    def entropy(self) -> Weights:
        """Per group the Shannon entropy of each edge's choice of operation in nats, (edges,): 0 = decided, log K = undecided."""

    @abstractmethod
    def log_prob(self, weights: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """The log probability (or log density) of edge weights that `sample` could have drawn: a scalar, summed over edges."""

    def numpy(self) -> dict[str, np.ndarray[Any, Any]]:
        """The mean as float32 arrays (edges, operations), detached, on the CPU: what is recorded, drawn and derived from."""
        with torch.no_grad():
            return {group: value.float().cpu().numpy().copy() for group, value in self.mean().items()}

    def normalised_entropy(self) -> float:
        """The mean over all edges of entropy / log K, in [0, 1]; edges with a single operation count 0."""
        with torch.no_grad():
            parts = [
                value / np.log(self.shapes[group][1]) if self.shapes[group][1] > 1 else torch.zeros_like(value)
                for group, value in self.entropy().items()
            ]
            return float(torch.cat(parts).mean())

    def state_dict(self) -> dict[str, Any]:
        """A checkpoint tree of the parameters."""
        return {
            "kind": type(self).__name__,
            "parameters": {group: value.detach().clone() for group, value in zip(self.groups, self.parameters, strict=True)},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Put the values back in place (optimisers keep referring to the same tensors).

        Raises ValueError if the state belongs to another kind of distribution or to other groups.
        """
        if state["kind"] != type(self).__name__ or list(state["parameters"]) != self.groups:
            given = f"a {state['kind']} over {list(state['parameters'])}"
            raise ValueError(f"this state is of {given}, not of a {type(self).__name__} over {self.groups}")
        with torch.no_grad():
            for group, value in zip(self.groups, self.parameters, strict=True):
                value.copy_(state["parameters"][group])


def shapes_of(family: Sequence[FamilyGroup]) -> dict[str, tuple[int, int]]:
    """(edges, operations) per group of a family."""
    return {group.name: (len(group.edges), len(group.operations)) for group in family}
