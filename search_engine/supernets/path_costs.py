"""What paths through a super-network of several data sets cost: parameters and FLOPs, module by module.

The figures are sums over modules, so a path's cost is looked up. FLOPs are 2 x MACs of one example's forward pass at the resolution that
each data set has there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch
from torch import nn

from ..training.flops import FlopCounter

Path = Sequence[int | None]
Measure = Literal["parameters", "flops"]


@dataclass(frozen=True)
class PathCosts:
    """Figures by [data set][layer][module]; `ends` are what every path of a data set has: its stem and its classifier."""

    shared: list[list[int]]
    """[layer][module]: parameters that all data sets have in common."""
    own: list[list[list[int]]]
    """Parameters that a data set adds where it uses the module (batch normalisation)."""
    flops: list[list[list[float]]]
    ends: list[int]
    end_flops: list[float]

    def path_parameters(self, domain: int, path: Path) -> int:
        """Of one data set's path as a network of its own."""
        return self.ends[domain] + sum(self.shared[layer][module] + self.own[domain][layer][module] for layer, module in _steps(path))

    def path_flops(self, domain: int, path: Path) -> float:
        return self.end_flops[domain] + sum(self.flops[domain][layer][module] for layer, module in _steps(path))

    def of(self, measure: Measure, domain: int, path: Path) -> float:
        return float(self.path_parameters(domain, path) if measure == "parameters" else self.path_flops(domain, path))

    def largest(self, measure: Measure, domain: int) -> float:
        """The cost of the data set's costliest path."""
        own = self.flops[domain]
        if measure == "parameters":
            own = [[self.shared[layer][module] + mine for module, mine in enumerate(row)] for layer, row in enumerate(self.own[domain])]
        return self.of(measure, domain, [max(range(len(row)), key=row.__getitem__) for row in own])

    def union_parameters(self, paths: Sequence[Path]) -> int:
        """Of all paths together, a shared module counted once."""
        separate = sum(self.path_parameters(domain, path) for domain, path in enumerate(paths))
        uses = [(layer, module) for path in paths for layer, module in _steps(path)]
        return separate - sum(self.shared[layer][module] for layer, module in uses) + sum(
            self.shared[layer][module] for layer, module in set(uses)
        )

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def _steps(path: Path) -> list[tuple[int, int]]:
    return [(layer, module) for layer, module in enumerate(path) if module is not None]


def measure(network: nn.Module, shapes: Sequence[tuple[int, ...]]) -> PathCosts:
    """The costs of a super-network in training mode. `shapes` is one example's per data set.

    `network.pieces(domain)` gives (stem, [[module, ...] per layer], head) as that data set uses them; all modules of a layer give equal
    shapes. Neither parameters nor buffers are changed, no random number is used up.
    """
    pieces: list[tuple[nn.Module, list[list[nn.Module]], nn.Module]] = [
        network.pieces(domain) for domain in range(len(shapes))  # type: ignore[operator]
    ]
    device = next(network.parameters()).device
    shared: list[list[int]] = []
    own: list[list[list[int]]] = [[] for _ in shapes]
    for columns in zip(*(layers for _, layers, _ in pieces), strict=True):
        shared.append([])
        for row in own:
            row.append([])
        for views in zip(*columns, strict=True):
            common = set.intersection(*({id(item) for item in view.parameters()} for view in views))
            shared[-1].append(sum(item.numel() for item in views[0].parameters() if id(item) in common))
            for domain, view in enumerate(views):
                own[domain][-1].append(sum(item.numel() for item in view.parameters() if id(item) not in common))
    flops, end_flops = [], []
    for shape, (stem, layers, head) in zip(shapes, pieces, strict=True):
        # Two examples: batch normalisation needs more than one value per channel.
        x = torch.zeros(2, *shape, device=device)
        table: list[list[float]] = []
        x, ends = _counted(stem, x)
        for modules in layers:
            results = [_counted(module, x) for module in modules]
            table.append([spent for _, spent in results])
            x = results[0][0]
        flops.append(table)
        end_flops.append(ends + _counted(head, x)[1])
    ends_of = [sum(item.numel() for part in (stem, head) for item in part.parameters()) for stem, _, head in pieces]
    return PathCosts(shared, own, flops, ends_of, end_flops)


def _counted(module: nn.Module, x: torch.Tensor) -> tuple[torch.Tensor, float]:
    """(what the module gives, FLOPs per example)."""
    with torch.no_grad(), FlopCounter() as counter:
        result: torch.Tensor = module(x)
    return result, counter.total / len(x)
