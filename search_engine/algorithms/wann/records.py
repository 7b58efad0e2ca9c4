"""A population written down: as arrays for a checkpoint, and as one small block per generation for the record of a run.

A block holds the columns of its generation and how each individual was born (its parent's place in the generation before, and the
mutation). Every KEYFRAME_EVERY generations it holds the genomes themselves. So any individual of any generation can be rebuilt
(`materialise`) from at most that many blocks, while a usual block has about 20 bytes an individual.
"""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from search_engine.spaces.neuron_genes.genes import Array, Genes
from search_engine.spaces.neuron_genes.operators import OPERATORS, Mutation, apply_mutation

KEYFRAME_EVERY = 100
INITIAL, ELITE = "initial", "elite"


@dataclass(frozen=True)
class Birth:
    """How an individual came: `operator` is a mutation's, `elite` (unchanged from `parent`) or `initial` (no parent, -1)."""

    parent: int
    operator: str
    values: tuple[int, ...] = ()


def pack_population(population: list[Genes]) -> dict[str, Any]:
    """A checkpoint tree of flat arrays."""
    return {
        "inputs": population[0].inputs if population else 0,
        "outputs": population[0].outputs if population else 0,
        "node_counts": np.array([len(genes.nodes) for genes in population], dtype=np.int64),
        "edge_counts": np.array([len(genes.source) for genes in population], dtype=np.int64),
        **{name: _joined([getattr(genes, name) for genes in population], kind) for name, kind in _COLUMNS.items()},
    }


def unpack_population(tree: dict[str, Any]) -> list[Genes]:
    """Undo `pack_population`."""
    nodes, edges = np.cumsum(tree["node_counts"])[:-1], np.cumsum(tree["edge_counts"])[:-1]
    if len(tree["node_counts"]) == 0:
        return []
    columns = [np.split(tree[name], nodes if name in ("nodes", "activations") else edges) for name in _COLUMNS]
    return [Genes(tree["inputs"], tree["outputs"], *parts) for parts in zip(*columns, strict=True)]


_COLUMNS = {"nodes": np.int64, "activations": np.int64, "innovation": np.int64, "source": np.int64, "target": np.int64, "enabled": np.bool_}


def _joined(parts: list[Array], kind: type) -> Array:
    return np.concatenate(parts) if parts else np.zeros(0, dtype=kind)


def encode_block(
    generation: int, population: list[Genes], births: list[Birth], mean: Array, best: Array
) -> str:
    """Base64 of zlib of JSON columns: `mean` and `max` log-likelihood over the shared weights (6 decimals), enabled `connections`,
    `hidden` nodes, `parent`, `operator`, `values` of the mutation, and `genomes` in keyframes (else null)."""
    columns = {
        "mean": [round(float(value), 6) for value in mean],
        "max": [round(float(value), 6) for value in best],
        "connections": [genes.connections for genes in population],
        "hidden": [len(genes.nodes) for genes in population],
        "parent": [birth.parent for birth in births],
        "operator": [birth.operator for birth in births],
        "values": [list(birth.values) for birth in births],
        "genomes": [genes.content() for genes in population] if generation % KEYFRAME_EVERY == 0 else None,
    }
    return base64.b64encode(zlib.compress(json.dumps(columns, separators=(",", ":")).encode(), 6)).decode()


def decode_block(block: str) -> dict[str, Any]:
    """The columns of `encode_block`."""
    columns: dict[str, Any] = json.loads(zlib.decompress(base64.b64decode(block)))
    return columns


def keyframe_of(generation: int) -> int:
    """The generation whose block the rebuilding of `generation` starts from."""
    return generation - generation % KEYFRAME_EVERY


def materialise(blocks: list[str], index: int) -> Genes:
    """Individual `index` of the last generation of `blocks`: consecutive generations, the first one a keyframe.

    Raises ValueError if the first block is no keyframe.
    """
    columns = [decode_block(block) for block in blocks]
    if columns[0]["genomes"] is None:
        raise ValueError("the first block must hold genomes; start at `keyframe_of(generation)`")
    line = []
    for generation in reversed(columns[1:]):
        line.append(Mutation(generation["operator"][index], tuple(generation["values"][index])))
        index = generation["parent"][index]
    genes = Genes.from_content(columns[0]["genomes"][index])
    for mutation in reversed(line):
        if mutation.operator in OPERATORS:
            genes = apply_mutation(genes, mutation)
    return genes
