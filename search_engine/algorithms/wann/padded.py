"""The padded form: every individual in arrays of the largest one's size, one batched matrix product a level.

More arithmetic than the concatenated form (mostly with zeros) in few, large operations: what a GPU likes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from search_engine.base.lazy import lazy_module
from search_engine.spaces.neuron_genes.activations import LINEAR, apply_in_place
from search_engine.spaces.neuron_genes.phenotype import Phenotypes

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_module("torch")


def logits(
    phenotypes: Phenotypes, inputs: torch.Tensor, weights: torch.Tensor, individuals: int, samples: int
) -> Iterator[tuple[slice, slice, torch.Tensor]]:
    """As `concatenated.logits`."""
    for first in range(0, phenotypes.size, individuals):
        last = min(first + individuals, phenotypes.size)
        plan = _Plan(phenotypes, first, last, inputs.dtype, inputs.device)
        for begin in range(0, inputs.shape[1], samples):
            part = inputs[:, begin : begin + samples]
            yield slice(first, last), slice(begin, begin + part.shape[1]), plan.forward(part, weights)


class _Plan:
    """Dense adjacency matrices of individuals first .. last - 1. A row per hidden place (level after level, each level as wide as the
    widest individual's), then the outputs."""

    def __init__(self, phenotypes: Phenotypes, first: int, last: int, dtype: torch.dtype, device: torch.device) -> None:
        self.size = last - first
        chosen = np.flatnonzero((phenotypes.owner >= first) & (phenotypes.owner < last))
        owner, level = phenotypes.owner[chosen] - first, phenotypes.level[chosen]
        depth = int(level.max(initial=0))
        width = np.zeros((self.size, depth + 1), dtype=np.int64)
        np.add.at(width, (owner, level), 1)
        self.bounds = np.cumsum(width.max(axis=0))
        order = np.lexsort((chosen, level, owner))
        run_start = np.concatenate([[0], np.cumsum(width.ravel())])[(owner * (depth + 1) + level)[order]]
        place = np.full(len(phenotypes.owner), -1, dtype=np.int64)
        place[chosen[order]] = self.bounds[level[order] - 1] + np.arange(len(order)) - run_start
        hidden = int(self.bounds[-1])

        rows = hidden + phenotypes.outputs
        from_inputs = np.zeros((self.size, rows, phenotypes.inputs + 1), dtype=np.float32)
        from_hidden = np.zeros((self.size, rows, hidden), dtype=np.float32)
        edges = phenotypes.input_hidden[place[phenotypes.input_hidden[:, 1]] >= 0]
        from_inputs[phenotypes.owner[edges[:, 1]] - first, place[edges[:, 1]], edges[:, 0]] = 1
        edges = phenotypes.hidden_hidden[place[phenotypes.hidden_hidden[:, 1]] >= 0]
        from_hidden[phenotypes.owner[edges[:, 1]] - first, place[edges[:, 1]], place[edges[:, 0]]] = 1
        for table, matrix, sources in (
            (phenotypes.input_output, from_inputs, np.arange(phenotypes.inputs + 1)),
            (phenotypes.hidden_output, from_hidden, place),
        ):
            individual = table[:, 1] // phenotypes.outputs - first
            edges = table[(individual >= 0) & (individual < self.size)]
            matrix[edges[:, 1] // phenotypes.outputs - first, hidden + edges[:, 1] % phenotypes.outputs, sources[edges[:, 0]]] = 1
        self.from_inputs = torch.from_numpy(from_inputs).to(device, dtype)
        self.from_hidden = torch.from_numpy(from_hidden).to(device, dtype)
        self.pieces: list[list[tuple[int, torch.Tensor]]] = []
        for number in range(1, depth + 1):
            start, stop = int(self.bounds[number - 1]), int(self.bounds[number])
            in_level = chosen[level == number]
            flat = (phenotypes.owner[in_level] - first) * (stop - start) + place[in_level] - start
            kinds = phenotypes.activation[in_level]
            self.pieces.append(
                [(int(kind), torch.from_numpy(flat[kinds == kind]).to(device)) for kind in np.unique(kinds) if kind != LINEAR]
            )

    def forward(self, inputs: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """(individuals, outputs, W, samples)"""
        count, samples = len(weights), inputs.shape[1]
        rows = self.from_inputs.shape[1]
        given = torch.matmul(self.from_inputs.view(self.size * rows, -1), inputs).view(self.size, rows, 1, samples)
        scale = weights.view(1, 1, count, 1)
        values = inputs.new_empty((self.size, int(self.bounds[-1]), count * samples))
        for number, pieces in enumerate(self.pieces, start=1):
            start, stop = int(self.bounds[number - 1]), int(self.bounds[number])
            total = self._sum(values, start, stop, given, count, samples).mul_(scale)
            flat = total.view(-1, count * samples)
            for activation, places in pieces:
                piece = flat.index_select(0, places)
                apply_in_place(activation, piece)
                flat.index_copy_(0, places, piece)
            values[:, start:stop] = total.view(self.size, stop - start, count * samples)
        return self._sum(values, int(self.bounds[-1]), rows, given, count, samples).mul_(scale)

    def _sum(self, values: torch.Tensor, start: int, stop: int, given: torch.Tensor, count: int, samples: int) -> torch.Tensor:
        """Sums before the weight of places start .. stop - 1, from inputs and from the hidden places before."""
        known = min(start, values.shape[1])
        inner = torch.bmm(self.from_hidden[:, start:stop, :known], values[:, :known])
        return inner.view(self.size, stop - start, count, samples) + given[:, start:stop]
