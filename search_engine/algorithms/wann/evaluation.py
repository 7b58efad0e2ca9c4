"""Population x shared weights x samples in one go: log-likelihoods and accuracies.

Two batched forms compute the same (`concatenated`, `padded`); `plan` picks the faster by size, as measured with
benchmarks/wann_evaluation.py on one CPU thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from search_engine.base.lazy import lazy_module
from search_engine.spaces.neuron_genes.genes import Genes
from search_engine.spaces.neuron_genes.phenotype import Array, Phenotypes, compile_population

from . import concatenated, padded

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_module("torch")

LOG_FLOOR = -50.0
"""Least log-probability of one sample: linear outputs at w = 2 can be wrong without bound, and one sample must not decide a mean."""

Form = Literal["concatenated", "padded"]
_FORMS: dict[str, Callable[..., Iterator[tuple[slice, slice, torch.Tensor]]]] = {
    "concatenated": concatenated.logits,
    "padded": padded.logits,
}


@dataclass(frozen=True)
class Plan:
    """How to compute: which form, and how many individuals and samples at a time."""

    form: Form
    individuals: int
    samples: int


@dataclass(frozen=True)
class Scores:
    """(individuals, W) each; `accuracy` is None where it was not asked for."""

    log_likelihood: Array
    accuracy: Array | None


def plan(phenotypes: Phenotypes, weights: int, samples: int, device: str) -> Plan:
    """The faster form for this size, and pieces that stay in the cache.

    On one CPU thread the concatenated form won at all sizes measured (3 to 150 hidden nodes, 64 and 256 inputs, 64 individuals): by 1.4
    to 1.8 times for nets of 3 hidden nodes, by 3 times for 76. Small nets want many individuals in a piece (fewer calls), large ones
    few. On a GPU the padded form has the fewest launches; its pieces are bounded by memory alone.
    """
    rows = phenotypes.outputs + len(phenotypes.owner) / phenotypes.size
    if device != "cpu":
        piece = min(samples, 4096)
        widest = phenotypes.outputs + int(np.bincount(phenotypes.owner, minlength=1).max(initial=0))
        # Places are padded level by level, so a piece can be wider than its widest individual; 2**28 floats leave room for that.
        return Plan("padded", max(1, min(phenotypes.size, 2**28 // (widest * weights * piece))), piece)
    individuals = min(64, max(8, int(1024 / rows)))
    columns = 768 if individuals >= 32 else 1536
    # A few networks alone (validation, tuning) fill the cache only with more samples.
    columns = max(columns, int(2**18 / (rows * min(individuals, phenotypes.size))))
    return Plan("concatenated", individuals, max(8, columns // weights))


AT_ONCE = 1 << 22
"""So many (network, shared weight, sample) are evaluated in one unit of work, or one piece of the plan: seconds at most, however large the
population."""


def parts(population: list[Genes], weights: int, samples: int, device: str) -> tuple[Plan | None, list[slice]]:
    """The plan for everybody, and everybody in parts, each of whole pieces of that plan: evaluated part by part the sums are the same. A
    small population is one part, whose plan `evaluate` makes itself."""
    if len(population) * weights * samples <= AT_ONCE:
        return None, [slice(0, len(population))]
    phenotypes = compile_population(population)
    chosen = plan(phenotypes, weights, samples, device)
    pieces_at_once = max(1, AT_ONCE // (chosen.individuals * weights * samples))
    size = chosen.individuals * pieces_at_once
    return chosen, [slice(first, min(first + size, phenotypes.size)) for first in range(0, phenotypes.size, size)]


def as_inputs(features: Array, device: str = "cpu", dtype: torch.dtype | None = None) -> torch.Tensor:
    """(1 + inputs, samples) from features (samples, inputs): a row of ones for the bias, then one row per input."""
    rows = np.concatenate([np.ones((1, len(features)), features.dtype), features.T])
    return torch.from_numpy(np.ascontiguousarray(rows)).to(device, dtype or torch.float32)


def pieces(
    population: list[Genes], inputs: torch.Tensor, weights: tuple[float, ...], chosen: Plan | None = None
) -> Iterator[tuple[slice, slice, torch.Tensor]]:
    """(individuals, samples, logits (individuals, outputs, W, samples)) for everybody, piece by piece, without gradients."""
    phenotypes = compile_population(population)
    chosen = chosen or plan(phenotypes, len(weights), inputs.shape[1], inputs.device.type)
    shared = torch.tensor(weights, dtype=inputs.dtype, device=inputs.device)
    with torch.no_grad():
        yield from _FORMS[chosen.form](phenotypes, inputs, shared, chosen.individuals, chosen.samples)


def evaluate(
    population: list[Genes],
    inputs: torch.Tensor,
    labels: torch.Tensor,
    weights: tuple[float, ...],
    *,
    accuracy: bool = False,
    chosen: Plan | None = None,
) -> Scores:
    """Mean log-probability of the labels (clipped at LOG_FLOOR per sample) and, if asked, the share of right answers.

    `inputs` (1 + inputs, samples), `labels` (samples,) int64 on the same device.
    """
    shape = (len(population), len(weights))
    likelihood = torch.zeros(shape, dtype=torch.float64, device=inputs.device)
    right = torch.zeros(shape, dtype=torch.float64, device=inputs.device)
    for individuals, samples, logits in pieces(population, inputs, weights, chosen):
        wanted = labels[samples]
        place = wanted.view(1, 1, 1, -1).expand(logits.shape[0], 1, logits.shape[2], -1)
        top = logits.amax(dim=1, keepdim=True)
        if accuracy:
            right[individuals] += (logits.argmax(dim=1) == wanted).sum(dim=-1)
        picked = logits.gather(1, place).sub_(top)
        total = logits.sub_(top).exp_().sum(dim=1, keepdim=True).log_()
        # An overflow to infinity makes NaN here: as wrong as can be.
        one = picked.sub_(total).nan_to_num_(nan=LOG_FLOOR, neginf=LOG_FLOOR).clamp_(min=LOG_FLOOR)
        likelihood[individuals] += one[:, 0].sum(dim=-1, dtype=torch.float64)
    count = inputs.shape[1]
    return Scores((likelihood / count).cpu().numpy(), (right / count).cpu().numpy() if accuracy else None)
