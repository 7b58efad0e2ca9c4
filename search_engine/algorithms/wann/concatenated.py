"""The concatenated form: the nodes of a few individuals in one array, level by level, activation by activation.

The shared weight w multiplies the whole sum before an activation, so a node is act(w * (inputs + hidden)), and the inputs' part is the
same for all weights: it is summed once. Inside a level, nodes are sorted by activation, so each function runs over one contiguous piece.
Sums over predecessors are `embedding_bag` (gather and add in one pass, no intermediate rows); the order of summation is fixed.
Few individuals and samples at a time, so that the array stays in the cache.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from search_engine.base.lazy import lazy_module
from search_engine.spaces.neuron_genes.activations import LINEAR, apply_in_place
from search_engine.spaces.neuron_genes.phenotype import Array, Phenotypes, bags

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_module("torch")


class _Group(NamedTuple):
    """Rows that can be computed together: their predecessors, and which activation covers which rows."""

    start: int
    stop: int
    input_bags: tuple[torch.Tensor, torch.Tensor]
    hidden_bags: tuple[torch.Tensor, torch.Tensor] | None
    pieces: list[tuple[int, int, int]]
    """(activation, first row, last row + 1) within the group."""


def logits(
    phenotypes: Phenotypes, inputs: torch.Tensor, weights: torch.Tensor, individuals: int, samples: int
) -> Iterator[tuple[slice, slice, torch.Tensor]]:
    """The outputs of everybody, piece by piece.

    `inputs` (1 + inputs, samples): a row of ones for the bias, then one row per input; `weights` (W,) shared weights; `individuals` and
    `samples` bound a piece. Yields (individuals, samples, logits (individuals, outputs, W, samples)); the tensor is the caller's.
    """
    for first in range(0, phenotypes.size, individuals):
        last = min(first + individuals, phenotypes.size)
        groups = _groups(phenotypes, first, last, inputs.device)
        for begin in range(0, inputs.shape[1], samples):
            part = inputs[:, begin : begin + samples].contiguous()
            yield slice(first, last), slice(begin, begin + part.shape[1]), _forward(groups, part, weights, last - first, phenotypes.outputs)


def _forward(groups: list[_Group], inputs: torch.Tensor, weights: torch.Tensor, individuals: int, outputs: int) -> torch.Tensor:
    count, samples = len(weights), inputs.shape[1]
    hidden = groups[-1].start
    values = inputs.new_empty((hidden, count * samples))
    scale = weights.view(1, count, 1)
    bag = torch.nn.functional.embedding_bag
    for group in groups:
        rows = group.stop - group.start
        if rows == 0:
            continue
        given = bag(group.input_bags[0], inputs, group.input_bags[1], mode="sum").view(rows, 1, samples)
        if group.hidden_bags is None:
            total = given * scale
        else:
            total = bag(group.hidden_bags[0], values, group.hidden_bags[1], mode="sum").view(rows, count, samples)
            total.add_(given).mul_(scale)
        for activation, start, stop in group.pieces:
            apply_in_place(activation, total[start:stop])
        if group.start < hidden:
            values[group.start : group.stop] = total.view(rows, count * samples)
    return total.view(individuals, outputs, count, samples)


def _groups(phenotypes: Phenotypes, first: int, last: int, device: torch.device) -> list[_Group]:
    """One group a level, then the outputs, for individuals first .. last - 1."""
    chosen = np.flatnonzero((phenotypes.owner >= first) & (phenotypes.owner < last))
    order = chosen[np.lexsort((chosen, phenotypes.activation[chosen], phenotypes.level[chosen]))]
    level, activation = phenotypes.level[order], phenotypes.activation[order]
    row_of = np.full(len(phenotypes.owner), -1, dtype=np.int64)
    row_of[order] = np.arange(len(order))
    hidden_edges, output_edges = phenotypes.hidden_hidden.copy(), phenotypes.hidden_output.copy()
    hidden_edges[:, 0] = row_of[hidden_edges[:, 0]]
    output_edges[:, 0] = row_of[output_edges[:, 0]]

    def tensors(pair: tuple[Array, Array]) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.from_numpy(pair[0]).to(device), torch.from_numpy(pair[1]).to(device)

    groups = []
    for number in range(1, int(level.max(initial=0)) + 1):
        start, stop = (int(at) for at in np.searchsorted(level, [number, number + 1]))
        rows = np.where((row_of >= start) & (row_of < stop), row_of - start, -1)
        kinds = activation[start:stop]
        pieces = [
            (int(kind), int(np.searchsorted(kinds, kind)), int(np.searchsorted(kinds, kind + 1)))
            for kind in np.unique(kinds)
            if kind != LINEAR
        ]
        hidden = tensors(bags(hidden_edges, rows, stop - start)) if number > 1 else None
        groups.append(_Group(start, stop, tensors(bags(phenotypes.input_hidden, rows, stop - start)), hidden, pieces))
    total = (last - first) * phenotypes.outputs
    rows = np.arange(phenotypes.size * phenotypes.outputs) - first * phenotypes.outputs
    rows = np.where((rows >= 0) & (rows < total), rows, -1)
    hidden = tensors(bags(output_edges, rows, total)) if len(order) else None
    groups.append(_Group(len(order), len(order) + total, tensors(bags(phenotypes.input_output, rows, total)), hidden, []))
    return groups
