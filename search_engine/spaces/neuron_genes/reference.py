"""The plain loop: one individual, one shared weight, one node after the other. Slow and obvious; the batched forms must equal it."""

from __future__ import annotations

from typing import Any

import numpy as np

from .activations import apply_numpy
from .genes import Genes

Array = np.ndarray[Any, Any]


def logits(genes: Genes, features: Array, weight: float) -> Array:
    """(samples, outputs) of one network on `features` (samples, inputs), in the precision of `features`."""
    incoming: dict[int, list[int]] = {}
    for source, target, on in zip(genes.source.tolist(), genes.target.tolist(), genes.enabled.tolist(), strict=True):
        if on:
            incoming.setdefault(target, []).append(source)
    activation = dict(zip(genes.nodes.tolist(), genes.activations.tolist(), strict=True))
    value: dict[int, Array] = {0: np.ones(len(features), features.dtype)}
    value.update({number + 1: column for number, column in enumerate(features.T)})

    def compute(node: int) -> Array:
        if node not in value:
            total = np.zeros(len(features), features.dtype)
            for source in incoming.get(node, []):
                total = total + compute(source)
            total = total * features.dtype.type(weight)
            value[node] = apply_numpy(activation[node], total) if node in activation else total
        return value[node]

    return np.stack([compute(node) for node in range(genes.first_output, genes.first_hidden)], axis=1)


def log_likelihood(scores: Array, labels: Array, floor: float) -> float:
    """Mean log-probability of the labels under softmax of `scores` (samples, outputs), each sample's clipped at `floor`."""
    top = scores.max(axis=1, keepdims=True)
    normaliser = top[:, 0] + np.log(np.exp(scores - top).sum(axis=1))
    return float(np.maximum(scores[np.arange(len(labels)), labels] - normaliser, floor).mean())


def evaluate(population: list[Genes], features: Array, labels: Array, weights: tuple[float, ...], floor: float) -> Array:
    """(individuals, weights) mean log-likelihoods."""
    return np.array([[log_likelihood(logits(genes, features, w), labels, floor) for w in weights] for genes in population])
