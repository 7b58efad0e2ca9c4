"""What every structure distribution gives: parameters of its own, a differentiable draw, mean, entropy, log probability and divergence.

A distribution holds one or more parameter tensors per group of the family (one group = one cell; rows = edges, columns = operations).
Every method takes the parameter tensors as an optional argument, so that an architecture gradient, also one of second order, can be
asked of it as of a pure function.

Random numbers are drawn on the CPU in float64, from the given generator, and then moved: a seed means the same draw on every device and
at every precision.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..base.lazy import lazy_module
from ..events import FamilyGroup

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_module("torch")

Weights = dict[str, "torch.Tensor"]
"""Per group the weights of its edges, (..., edges, operations): leading dimensions count draws."""

Parameters = Sequence["torch.Tensor"]
"""In the order of `StructureDistribution.parameters`."""


DROPPED_LOGIT = -1e4
"""What stands for log 0: its exponential is exactly zero in float32 at any temperature below 90, and 0 * log 0 stays 0."""


class StructureDistribution(ABC):
    """A law over the edge weights of a family.

    `shapes` maps each group to (edges, operations), in the family's order. Every tensor of `parameters` is a leaf that requires a
    gradient and is not a parameter of any network.

    `restrict` takes operations out of the choice (progressive shrinking): from then on their weights are exactly zero in every draw and
    in the mean, those of the others sum to what they summed to before, and no gradient reaches the parameters of dropped operations.
    A distribution over logits masks them (`kept_logits`), any other one masks its draw and renormalises it (`renormalised`).
    """

    constraint: ClassVar[str]
    """The set in which draws lie: a name from `constraints.CONSTRAINTS`."""
    discrete: ClassVar[bool]
    """Whether `log_prob` is the log probability of a vertex (true) or a log density (false)."""

    def __init__(self, shapes: Mapping[str, tuple[int, int]], device: str = "cpu", dtype: torch.dtype | None = None) -> None:
        if not shapes:
            raise ValueError("a structure needs at least one group of edges")
        self.shapes = dict(shapes)
        self.device = device
        self.dtype = dtype if dtype is not None else torch.float32
        self.names: list[str] = []
        """What each of `parameters` is: the group's name where it has one tensor, else `<group>.<part>`."""
        self.parameters: list[torch.Tensor] = []
        self.kept: Weights = {}
        """Per restricted group a mask (edges, operations): True where the operation may be chosen. Not part of the state."""

    def restrict(self, kept: Mapping[str, np.ndarray[Any, Any]]) -> None:
        """Per group a bool array (edges, operations) of the operations that may be chosen; a group that is not named keeps all.

        Raises ValueError for a wrong shape and for an edge without any.
        """
        for group, mask in kept.items():
            if mask.shape != self.shapes[group] or not mask.any(axis=1).all():
                raise ValueError(f"'{group}' needs a mask of shape {self.shapes[group]} with an operation on every edge")
        self.kept = {group: torch.from_numpy(np.array(mask, dtype=bool)).to(self.device) for group, mask in kept.items()}

    def kept_logits(self, group: str, logits: torch.Tensor) -> torch.Tensor:
        """(..., edges, operations) with dropped operations at `DROPPED_LOGIT`."""
        return logits if group not in self.kept else logits.masked_fill(~self.kept[group], DROPPED_LOGIT)

    def renormalised(self, group: str, weights: torch.Tensor) -> torch.Tensor:
        """Draws on the simplex (..., edges, operations) with dropped operations at zero, summing to one again."""
        if group not in self.kept:
            return weights
        left = weights * self.kept[group]
        return left / left.sum(dim=-1, keepdim=True)

    def sum_kept(self, group: str, values: torch.Tensor) -> torch.Tensor:
        """(...) from (..., operations): the sum over the operations that an edge may still choose from."""
        return (values if group not in self.kept else values.masked_fill(~self.kept[group], 0)).sum(dim=-1)

    def choices(self, group: str) -> np.ndarray[Any, Any]:
        """How many operations each edge may still choose from: (edges,) integers."""
        edges, operations = self.shapes[group]
        if group not in self.kept:
            return np.full(edges, operations)
        counts: np.ndarray[Any, Any] = self.kept[group].sum(dim=1).cpu().numpy()
        return counts

    @property
    def groups(self) -> list[str]:
        return list(self.shapes)

    def learn(self, name: str, start: torch.Tensor) -> torch.Tensor:
        """Add a parameter that begins at `start` (on the CPU: initial values are equal on every device)."""
        leaf = start.to(device=self.device, dtype=self.dtype).requires_grad_(True)
        self.names.append(name)
        self.parameters.append(leaf)
        return leaf

    def named(self, parameters: Parameters | None = None) -> dict[str, torch.Tensor]:
        """The given parameters (default: its own) by name. Raises ValueError for a wrong number of them."""
        return dict(zip(self.names, self.parameters if parameters is None else parameters, strict=True))

    @abstractmethod
    def sample(
        self, parameters: Parameters | None = None, generator: torch.Generator | None = None, draws: tuple[int, ...] = ()
    ) -> Weights:
        """Draws of the edge weights, (*draws, edges, operations) per group, differentiable in `parameters` (default: its own).

        Two calls with generators (of the CPU; None = torch's global one) in equal states use common random numbers, which the
        finite-difference estimator relies on.
        """

    @abstractmethod
    def mean(self, parameters: Parameters | None = None) -> Weights:
        """The expected edge weights, (edges, operations) per group, differentiable in the parameters."""

    @abstractmethod
    def entropy(self, parameters: Parameters | None = None) -> Weights:
        """Per group the Shannon entropy of each edge's choice of operation in nats, (edges,): 0 = decided, log K = undecided."""

    @abstractmethod
    def edge_log_prob(self, weights: Mapping[str, torch.Tensor], parameters: Parameters | None = None) -> Weights:
        """Per group the log probability (or log density) of each edge's weights, (..., edges)."""

    def log_prob(self, weights: Mapping[str, torch.Tensor], parameters: Parameters | None = None) -> torch.Tensor:
        """The log probability (or log density) of edge weights that `sample` could have drawn, summed over edges and groups: a scalar, or
        one number per draw where the weights have leading dimensions."""
        parts = [value.sum(dim=-1) for value in self.edge_log_prob(weights, parameters).values()]
        return torch.stack(parts).sum(dim=0)

    def kl(
        self, prior: StructureDistribution, *, samples: int = 16, generator: torch.Generator | None = None,
        parameters: Parameters | None = None, prior_parameters: Parameters | None = None,
    ) -> torch.Tensor:
        """The Kullback-Leibler divergence KL(self || prior) in nats, summed over edges: a scalar, differentiable in both parameters.

        In closed form where there is one, otherwise the mean of log q - log p over `samples` draws (unbiased; it may be negative).
        Raises ValueError if the two laws have other edges or lie on other sets: the divergence would be infinite or meaningless.
        """
        if prior.shapes != self.shapes:
            raise ValueError(f"the prior is over {prior.shapes}, not over {self.shapes}")
        if (prior.constraint, prior.discrete) != (self.constraint, self.discrete):
            raise ValueError(f"a {type(self).__name__} has no finite divergence from a {type(prior).__name__}: they lie on other sets")
        exact = self._closed_kl(prior, parameters, prior_parameters)
        if exact is not None:
            return exact
        if samples < 1:
            raise ValueError(f"a divergence needs at least one draw, not {samples}")
        return self._sampled_kl(prior, samples, generator, parameters, prior_parameters)

    def _closed_kl(
        self, prior: StructureDistribution, parameters: Parameters | None, prior_parameters: Parameters | None
    ) -> torch.Tensor | None:
        """KL(self || prior) in closed form, or None where there is none for this pair."""
        return None

    def _sampled_kl(
        self, prior: StructureDistribution, samples: int, generator: torch.Generator | None, parameters: Parameters | None,
        prior_parameters: Parameters | None,
    ) -> torch.Tensor:
        weights = self.sample(parameters, generator, (samples,))
        return (self.log_prob(weights, parameters) - prior.log_prob(weights, prior_parameters)).mean()

    def numpy(self) -> dict[str, np.ndarray[Any, Any]]:
        """The mean as float32 arrays (edges, operations), detached, on the CPU: what is recorded, drawn and derived from."""
        with torch.no_grad():
            return {group: value.float().cpu().numpy().copy() for group, value in self.mean().items()}

    twice_differentiable: ClassVar[bool] = True
    """Whether a draw can be differentiated twice in the parameters."""

    def draws(self, count: int, generator: torch.Generator | None = None) -> dict[str, np.ndarray[Any, Any]]:
        """`count` draws as float32 arrays (count, edges, operations), detached, on the CPU: what a picture of the law is made of."""
        with torch.no_grad():
            return {group: value.float().cpu().numpy().copy() for group, value in self.sample(None, generator, (count,)).items()}

    def largest_entropy(self, choices: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """The entropy in nats of undecided edges with so many operations to choose from, (edges,)."""
        largest: np.ndarray[Any, Any] = np.log(choices)
        return largest

    def normalised_edge_entropy(self) -> dict[str, np.ndarray[Any, Any]]:
        """Per group each edge's entropy as a share of the largest possible, (edges,) float32; an edge with one operation counts 0."""
        result = {}
        with torch.no_grad():
            for group, value in self.entropy().items():
                largest, found = self.largest_entropy(self.choices(group)), value.double().cpu().numpy()
                result[group] = np.divide(found, largest, out=np.zeros_like(found), where=largest > 0).astype(np.float32)
        return result

    def normalised_entropy(self) -> float:
        """The mean over all edges of entropy / largest entropy, in [0, 1]; edges with a single operation count 0."""
        return float(np.concatenate(list(self.normalised_edge_entropy().values())).mean())

    def state_dict(self) -> dict[str, Any]:
        """A checkpoint tree of the parameters."""
        return {
            "kind": type(self).__name__,
            "parameters": {name: value.detach().clone() for name, value in self.named().items()},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Put the values back in place (optimisers keep referring to the same tensors).

        Raises ValueError if the state belongs to another kind of distribution or to other groups.
        """
        if state["kind"] != type(self).__name__ or list(state["parameters"]) != self.names:
            given = f"a {state['kind']} over {list(state['parameters'])}"
            raise ValueError(f"this state is of {given}, not of a {type(self).__name__} over {self.names}")
        with torch.no_grad():
            for name, value in self.named().items():
                value.copy_(state["parameters"][name])


def uniform(shape: Sequence[int], generator: torch.Generator | None) -> torch.Tensor:
    """Independent uniform numbers in (0, 1), float64 on the CPU, both ends excluded: logarithms of u and of 1 - u are finite."""
    return torch.rand(tuple(shape), generator=generator, dtype=torch.float64).clamp(1e-20, 1 - 1e-7)


def shapes_of(family: Sequence[FamilyGroup]) -> dict[str, tuple[int, int]]:
    """(edges, operations) per group of a family."""
    return {group.name: (len(group.edges), len(group.operations)) for group in family}
