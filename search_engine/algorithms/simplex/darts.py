"""DARTS: Differentiable Architecture Search (H. Liu, K. Simonyan, Y. Yang, ICLR 2019, arXiv 1806.09055).

Every edge of a cell carries all operations at once, mixed by gamma = softmax(alpha):

    f_v = sum over edges e into v of  sum over operations l of  gamma_{e,l} g_{e,l}(f_source(e))

The weights w of all operations fit one half of the training data, the alphas the other half. Algorithm 1 of the paper:

    Create a mixed operation o^(i,j) parametrized by alpha^(i,j) for each edge (i, j)
    while not converged do
      1. Update architecture alpha by descending  d/d alpha  L_val(w - xi d/dw L_train(w, alpha), alpha)      (Adam)
         (xi = 0 if using first-order approximation)
      2. Update weights w by descending           d/dw L_train(w, alpha)                                     (SGD with momentum)
    Derive the final architecture based on the learned alpha.

It stands line by line in `loop`, and the gradients of line 1 in `estimators`: read on there. Here is what makes the loop DARTS: line 1
comes first, and the structure is a softmax. At the end each node of a cell keeps its two strongest edges and each edge its strongest
operation, `none` excluded: the rule of the space.

Where it departs from the paper: the cosine schedule moves at every step instead of every epoch, and the defaults of the learning rate
of alpha and of the horizon suit small data sets (the paper's are named in the descriptions).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from search_engine.base.lazy import lazy_module
from search_engine.structures import SoftmaxStructure

from ..base import ONE_FINALIST, AlgorithmEntry, Phase
from .config import BilevelConfig
from .controls import NO_NONE, NO_SKIPS
from .search import Order, SimplexSearch

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_module("torch")


class DartsConfig(BilevelConfig):
    """Hyper-parameters of DARTS. The defaults of the shared options name the paper's values: 50 epochs, batches of 64, Adam (0.0003,
    beta 0.5 and 0.999, weight decay 0.001) for alpha, SGD (0.025 falling to 0.001 along a cosine, momentum 0.9, weight decay 0.0003,
    gradients clipped at 5) for w, half of the training data each."""


class DartsSearch(SimplexSearch):
    """Algorithm 1 of the paper: the loop with a softmax structure that moves first.

    >>> import random
    >>> from pathlib import Path
    >>> from search_engine.catalogue import registry
    >>> from search_engine.events import EventLog
    >>> from search_engine.algorithms.base import Context
    >>> digits, nb201 = registry.dataset("digits"), registry.space("nb201")
    >>> data = digits.open(digits.config(), Path()).search_data(0)
    >>> space = nb201.space(nb201.config(cells=1, channels=2), data.shape)
    >>> options = DartsConfig(steps=2, batch_size=4)
    >>> search = DartsSearch()
    >>> search.begin(Context(space, options, 0, random.Random(0), "val_accuracy", EventLog("phase:0"), data), None)
    >>> while not search.finished:
    ...     cost = search.step()
    >>> search.steps_done, {name: gamma.shape for name, gamma in search.structure().items()}
    (2, {'cell': (6, 5)})
    >>> [finalist.finish for finalist in search.best()]
    ['retrain']
    """

    title = "DARTS"

    @property
    def order(self) -> Order:
        return "structure_first"

    def make_structure(self, shapes: dict[str, tuple[int, int]], generator: torch.Generator, device: str) -> SoftmaxStructure:
        """gamma = softmax(alpha): no draw, no temperature."""
        return SoftmaxStructure(shapes, generator, device)


def _phases(options: DartsConfig) -> list[Phase]:
    return [DartsSearch()]


ENTRY = AlgorithmEntry(
    id="darts",
    title="DARTS",
    family="gradient",
    summary="Mixes all operations on every edge and lets the gradient of the validation loss shift the weights between them.",
    source="Liu, Simonyan, Yang: DARTS: Differentiable Architecture Search, ICLR 2019 (arXiv 1806.09055)",
    needs=frozenset({"gradients"}),
    space_needs=frozenset({"supernet"}),
    weighs_classes=True,
    objectives="any",
    config=DartsConfig,
    phases=_phases,
    check="search_engine.algorithms.simplex.controls:check_controls",
    budgets=frozenset({"samples", "flops", "seconds"}),
    lives="inside the simplex",
    idle=(ONE_FINALIST, NO_SKIPS, NO_NONE),
    structure=("family",),
    quick={
        "options": {"steps": 3, "batch_size": 16},
        "space_options": {"search_cells": 3, "search_channels": 2},
        "finale": {"baselines": 1, "training": {"epochs": 1, "train_examples": 128, "channels": 4, "layers": 2}},
    },
)
