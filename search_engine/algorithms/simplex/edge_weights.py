"""Edge normalisation (PC-DARTS: Xu et al. 2020, section 3.2): every edge has a weight of its own beside those of its operations.

    gamma_{e,l} = softmax over the edges into one node (beta)_e  *  weight_{e,l} of the choice of operations

With partial channels a draw of operations changes from step to step what an edge carries; the betas, shared by all operations of an edge,
steady which edges a node keeps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from search_engine.base.lazy import lazy_module
from search_engine.events import FamilyGroup, Notice
from search_engine.structures.distribution import Parameters, StructureDistribution, Weights

from .loop import Listener

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_module("torch")

INITIAL_SCALE = 1e-3
"""Standard deviation of the initial betas, as that of the alphas."""


class EdgeNormalisedStructure(StructureDistribution):
    """`choice` with a weight per edge. Its parameters are those of `choice`, then one tensor beta (edges,) per group.

    Draws, mean and what is derived from them are the products: each node's incoming weights sum to one. Entropy, probabilities and
    divergences are those of the choice of operations; the betas are no random variables.
    """

    constraint = "cube"

    def __init__(self, choice: StructureDistribution, family: Sequence[FamilyGroup], generator: torch.Generator) -> None:
        """`generator` (on the CPU) draws the initial betas."""
        super().__init__(choice.shapes, choice.device, choice.dtype)
        self.choice = choice
        self.discrete = choice.discrete  # type: ignore[misc]
        self.twice_differentiable = choice.twice_differentiable  # type: ignore[misc]
        self.names = list(choice.names)
        self.parameters = list(choice.parameters)
        self._own = len(choice.parameters)
        self._nodes: dict[str, list[torch.Tensor]] = {}
        for group in family:
            targets = [target for _, target in group.edges]
            rows = [[row for row, target in enumerate(targets) if target == node] for node in dict.fromkeys(targets)]
            self._nodes[group.name] = [torch.tensor(places, device=self.device) for places in rows]
            self.learn(f"{group.name}.edges", INITIAL_SCALE * torch.randn(len(group.edges), generator=generator, dtype=self.dtype))

    def edge_weights(self, parameters: Parameters | None = None) -> Weights:
        """Per group the share of each edge in its node, (edges,)."""
        betas = (self.parameters if parameters is None else parameters)[self._own :]
        result = {}
        for group, beta in zip(self.groups, betas, strict=True):
            nodes = self._nodes[group]
            shares = torch.cat([beta[rows].softmax(dim=0) for rows in nodes])
            result[group] = shares[torch.cat(nodes).argsort()]
        return result

    def _times_edges(self, weights: Weights, parameters: Parameters | None) -> Weights:
        shares = self.edge_weights(parameters)
        return {group: value * shares[group][:, None] for group, value in weights.items()}

    def _inner(self, parameters: Parameters | None) -> Parameters | None:
        return None if parameters is None else parameters[: self._own]

    def restrict(self, kept: Mapping[str, np.ndarray[Any, Any]]) -> None:
        self.choice.restrict(kept)

    def choices(self, group: str) -> np.ndarray[Any, Any]:
        return self.choice.choices(group)

    def largest_entropy(self, operations: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return self.choice.largest_entropy(operations)

    def sample(
        self, parameters: Parameters | None = None, generator: torch.Generator | None = None, draws: tuple[int, ...] = ()
    ) -> Weights:
        return self._times_edges(self.choice.sample(self._inner(parameters), generator, draws), parameters)

    def mean(self, parameters: Parameters | None = None) -> Weights:
        return self._times_edges(self.choice.mean(self._inner(parameters)), parameters)

    def entropy(self, parameters: Parameters | None = None) -> Weights:
        return self.choice.entropy(self._inner(parameters))

    def edge_log_prob(self, weights: Mapping[str, torch.Tensor], parameters: Parameters | None = None) -> Weights:
        shares = self.edge_weights(parameters)
        rows = {group: value / shares[group][:, None] for group, value in weights.items()}
        return self.choice.edge_log_prob(rows, self._inner(parameters))

    def state_dict(self) -> dict[str, Any]:
        """That of the choice and the betas."""
        return {"choice": self.choice.state_dict(), "edges": [beta.detach().clone() for beta in self.parameters[self._own :]]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.choice.load_state_dict(state["choice"])
        with torch.no_grad():
            for beta, value in zip(self.parameters[self._own :], state["edges"], strict=True):
                beta.copy_(value)


class EdgeNormalisation(Listener):
    """Puts a weight per edge around every fresh structure."""

    name = "edge_normalisation"

    def structure(self, alpha: StructureDistribution, generator: torch.Generator) -> StructureDistribution:
        return EdgeNormalisedStructure(alpha, self.loop.report.family, generator) if self.loop.options.edge_normalisation else alpha

    def begun(self) -> None:
        if self.loop.options.edge_normalisation:
            message = "Edge normalisation: the weights into each node sum to one, over edges and operations together."
            self.loop.context.emit(Notice(name=self.name, message=message, step=0), 0)
