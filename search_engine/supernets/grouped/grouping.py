"""A cell's operations grouped by source, for one choice of what is computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..mixing import CellPlan, PerEdge
from ..skip_dropout import SkipDropout
from .reading import Source, Term
from .source import SourcePlan

Present = tuple[tuple[bool, ...], ...]
"""[edge][operation]: which operations are computed."""


@dataclass(frozen=True)
class Dropped:
    """A skip connection that drops values now."""

    dropout: SkipDropout
    state: int
    term: Term


@dataclass(frozen=True)
class Grouping:
    """See the module's docstring."""

    sources: tuple[SourcePlan, ...]
    dropped: tuple[Dropped, ...]
    """In the order in which `PerEdge` comes by."""
    index: Tensor
    """Where the structure's weights of all sources stand in gamma, row by row; after its end: nothing is there."""
    sizes: tuple[int, ...]
    """How many of them are the terms' and the states' of each source in turn."""
    whole: bool
    """Whether nothing is missing."""

    @staticmethod
    def of(plan: CellPlan, operations: Any, present: Present, device: torch.device) -> Grouping:
        """`operations` are those of `PerEdge`. Raises reading.Unknown where one of them cannot be grouped."""
        columns = {name: column for column, name in enumerate(plan.operations)}
        found: dict[tuple[int, int], Source] = {}
        for row, edge in enumerate(plan.edges):
            source = found.setdefault((edge.source, edge.stride), Source())
            for name, operation in operations[PerEdge.key(edge)].items():
                if present[row][columns[name]] and name != "none":
                    source.add(operation, row, columns[name], edge.target)
        sources = [SourcePlan.of(state, stride, source) for (state, stride), source in found.items() if source.targets]
        dropped = [Dropped(dropout, state, term) for (state, _), source in found.items() for dropout, term in source.dropped]
        dropped.sort(key=lambda item: (item.term.target, item.term.row))
        missing = len(plan.edges) * len(plan.operations)
        index: list[int] = []
        sizes: list[int] = []
        for own in sources:
            place = {target: number for number, target in enumerate(own.targets)}
            index += [term.row * len(plan.operations) + term.column for term in own.terms]
            common = [[missing] * len(own.states) for _ in own.targets]
            for number, terms in enumerate(own.states):
                for term in terms:
                    common[place[term.target]][number] = term.row * len(plan.operations) + term.column
            index += [position for row in common for position in row]
            sizes += [len(own.terms), len(own.targets) * len(own.states)]
        return Grouping(
            tuple(sources), tuple(dropped), torch.tensor(index, dtype=torch.long, device=device), tuple(sizes), missing not in index
        )

    def weights(self, gamma: Tensor) -> list[tuple[Tensor, Tensor]]:
        """gamma (edges, operations) as each source takes it: (terms,) and (targets, states)."""
        flat = gamma.reshape(-1)
        parts = (flat if self.whole else functional.pad(flat, (0, 1))).index_select(0, self.index).split(self.sizes)
        return [
            (parts[2 * place], parts[2 * place + 1].view(len(own.targets), len(own.states))) for place, own in enumerate(self.sources)
        ]


def layers_of(operations: nn.ModuleDict) -> list[nn.Module]:
    """Every operation and the layers that it consists of: a grouping holds as long as they are the same."""
    found: list[nn.Module] = []
    for edge in operations._modules.values():
        for operation in edge._modules.values():  # type: ignore[union-attr]
            found.append(operation)  # type: ignore[arg-type]
            found.extend(operation._modules.values())  # type: ignore[union-attr, arg-type]
    return found
