"""A neuron graph as a torch module: all edges share one weight, or each has its own.

Only what can matter is built: enabled edges between nodes that reach an output. Nodes of one level are computed together by one small
matrix product, whose matrix is filled with the weights of the existing edges.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from ..datasets.base import Array
from ..spaces.data_shape import DataShape, Preprocessing
from ..spaces.genomes import Genome
from ..spaces.neuron_genes.activations import apply
from ..spaces.neuron_genes.features import area_matrix
from ..spaces.neuron_genes.genes import Genes
from ..spaces.neuron_genes.phenotype import compile_population

if TYPE_CHECKING:
    from ..base.training_config import TrainingConfig
    from ..spaces.neuron_graph import NeuronGraphSpace


_Level = tuple[int, int, int, int, list[tuple[int, int]]]
"""Nodes computed together: (first edge, last edge + 1, first node, last node + 1, [(activation, number of nodes)]); outputs last."""


class NeuronGraphNetwork(nn.Module):
    """Logits (B, classes) from inputs (B, C, H, W) or (B, features) as the training code normalises them.

    `weights` (edges,) is the one parameter: in the order of targets (level by level, then outputs), see `edges`. Neuron graphs see
    images in [0, 1]: `undo` tells the module how its inputs were standardised.
    """

    weights: nn.Parameter
    mean: Tensor
    std: Tensor
    shrink_rows: Tensor
    shrink_columns: Tensor

    def __init__(self, genes: Genes, shape: DataShape, input_size: int) -> None:
        super().__init__()
        self.image = shape.is_image
        self.inputs = genes.inputs
        graph = compile_population([genes])
        order = np.lexsort((np.arange(len(graph.level)), graph.activation, graph.level))
        row = np.empty(len(order), dtype=np.int64)
        row[order] = np.arange(len(order))
        first_hidden = genes.inputs + 1
        outputs_at = first_hidden + len(order)
        # One table of (column of the source, row of the target) in the order in which values are computed.
        edges = np.concatenate(
            [
                np.stack([graph.input_hidden[:, 0], first_hidden + row[graph.input_hidden[:, 1]]], axis=1),
                np.stack([first_hidden + row[graph.hidden_hidden[:, 0]], first_hidden + row[graph.hidden_hidden[:, 1]]], axis=1),
                np.stack([graph.input_output[:, 0], outputs_at + graph.input_output[:, 1]], axis=1),
                np.stack([first_hidden + row[graph.hidden_output[:, 0]], outputs_at + graph.hidden_output[:, 1]], axis=1),
            ]
        )
        self.edges: list[tuple[int, int]] = [(int(a), int(b)) for a, b in edges[np.lexsort((edges[:, 0], edges[:, 1]))]]
        """(source, target) of each weight; 0 = bias, then inputs, hidden nodes by level, outputs."""
        self.activations: list[int] = graph.activation[order].tolist()
        """Activation of each hidden node, in the same order."""
        self.levels = self._levels(graph.level[order], first_hidden, outputs_at, genes.outputs)
        self.weights = nn.Parameter(torch.empty(len(self.edges)).uniform_(-1.0, 1.0))
        self.register_buffer("mean", torch.zeros(1))
        self.register_buffer("std", torch.ones(1))
        self.shrinks = shape.is_image and max(shape.input[1:]) > input_size
        if self.shrinks:
            _, height, width = shape.input
            self.register_buffer("shrink_rows", torch.from_numpy(area_matrix(height, min(height, input_size))))
            self.register_buffer("shrink_columns", torch.from_numpy(area_matrix(width, min(width, input_size))))
        for first, last, start, _, _ in self.levels:
            table = torch.tensor(self.edges[first:last], dtype=torch.long).reshape(-1, 2)
            self.register_buffer(f"columns_{start}", table[:, 0].clone(), persistent=False)
            self.register_buffer(f"rows_{start}", table[:, 1] - start, persistent=False)

    def _levels(self, level: Array, first_hidden: int, outputs_at: int, outputs: int) -> list[_Level]:
        bounds = [(first_hidden + int(np.searchsorted(level, number)), number) for number in range(1, int(level.max(initial=0)) + 1)]
        starts = [start for start, _ in bounds] + [outputs_at]
        stops = [*starts[1:], outputs_at + outputs]
        targets = [target for _, target in self.edges]
        result = []
        for start, stop in zip(starts, stops, strict=True):
            kinds = self.activations[start - first_hidden : stop - first_hidden] if start < outputs_at else []
            runs = [(kind, kinds.count(kind)) for kind in sorted(set(kinds))]
            first, last = (int(at) for at in np.searchsorted(targets, [start, stop]))
            result.append((first, last, start, stop, runs))
        return result

    def undo(self, preprocessing: Preprocessing) -> None:
        """Take image inputs as `(raw / scale - mean) / std` and turn them back to [0, 1]. Vectors stay standardised."""
        if self.image:
            self.mean = torch.tensor(preprocessing.mean).view(-1, 1, 1)
            self.std = torch.tensor(preprocessing.std).view(-1, 1, 1)

    def share(self, weight: float) -> None:
        """Give every edge the same weight."""
        with torch.no_grad():
            self.weights.fill_(weight)

    def see(self, x: Tensor) -> Tensor:
        """(B, inputs): what the input nodes hold."""
        if self.image:
            x = x * self.std + self.mean
        if self.shrinks:
            x = self.shrink_rows @ x @ self.shrink_columns.T
        return x.flatten(1)

    def forward(self, x: Tensor) -> Tensor:
        return self.compute(self.see(x))

    def compute(self, features: Tensor) -> Tensor:
        """Logits (B, classes) from features (B, inputs)."""
        values = torch.cat([torch.ones_like(features[:, :1]), features], dim=1)
        for first, last, start, stop, runs in self.levels:
            places = (getattr(self, f"rows_{start}"), getattr(self, f"columns_{start}"))
            matrix = self.weights.new_zeros(stop - start, start).index_put(places, self.weights[first:last])
            total = values[:, :start] @ matrix.T
            if not runs:
                return total
            pieces = total.split([count for _, count in runs], dim=1)
            values = torch.cat([values, *(apply(kind, piece) for (kind, _), piece in zip(runs, pieces, strict=True))], dim=1)
        raise AssertionError("the outputs are the last level")


def build(space: NeuronGraphSpace, genome: Genome, stage: str, training: TrainingConfig) -> NeuronGraphNetwork:
    """The untrained network of a genome: one weight per edge, drawn from U(-1, 1)."""
    return NeuronGraphNetwork(space.genes(genome), space.shape, space.config.input_size)
