"""Accuracy against the shared weight (Gaier & Ha 2019, figure 6), and by class: what the sweep over 81 weights found, drawn.

The sweep over the training part chooses the tuned weight; those over the validation and the test part choose nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from search_engine.base.lazy import lazy_module
from search_engine.datasets.base import Array
from search_engine.events import Chart, ChartMark, Report, series
from search_engine.spaces.neuron_genes.genes import Genes

from ..base import Split
from .evaluation import pieces

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_module("torch")

LARGEST_WEIGHT = 2.0
GRID = 81
WEIGHTS: tuple[float, ...] = tuple(np.linspace(-LARGEST_WEIGHT, LARGEST_WEIGHT, GRID).tolist())
"""The shared weights of the sweep: even steps of 0.05 from -2 to 2."""
SWEEP, BY_CLASS, EXAMPLES, LINEAR, CNN = "sweep", "by_class", "examples", "linear_regression", "small_cnn"
"""Names of the arrays of a part: (81,) accuracies, (81, classes) shares of each class's examples that are answered right, how many
examples, and the accuracies of the two controls."""


def right_by_class(genes: Genes, inputs: torch.Tensor, labels: torch.Tensor, classes: int) -> Array:
    """(81, classes) how many examples of each class the network answers right at each shared weight."""
    right = torch.zeros((GRID, classes), dtype=torch.int64)
    for _, samples, logits in pieces([genes], inputs, WEIGHTS):
        wanted = labels[samples]
        hit = logits[0].argmax(dim=0) == wanted  # (81, samples)
        right.index_add_(1, wanted.cpu(), hit.to(torch.int64).cpu())
    found: Array = right.numpy()
    return found


def swept(right: Array, labels: Array) -> dict[str, Array]:
    """The arrays SWEEP, BY_CLASS (NaN for a class without examples) and EXAMPLES of a part."""
    counts = np.bincount(labels, minlength=right.shape[1])
    with np.errstate(invalid="ignore"):
        by_class = right / np.where(counts > 0, counts, np.nan)
    return {SWEEP: right.sum(axis=1) / len(labels), BY_CLASS: by_class, EXAMPLES: np.array([len(labels)])}


def report(
    train: Array, parts: Mapping[Split, Mapping[str, Array]], tuned: float, searched: Sequence[float], classes: Sequence[str],
    cnn: str,
) -> Report:
    """`train` (81,) is the sweep that chose the `tuned` weight, `parts` have what was measured of the others; `searched` are the weights
    that the search evaluated with; `cnn` says what the convolutional network is and took, or why there is none."""
    val, test = parts["val"], parts["test"]
    return Report(
        name="shared_weight", title="Accuracy against the shared weight", charts=_charts(train, parts, tuned, searched, classes),
        values={
            f"{split}_{name}": float(part[name][0])
            for split, part in (("test", test), ("val", val)) for name in (LINEAR, CNN) if not np.isnan(part[name][0])
        },
        message=_words(test, tuned, cnn),
    )


def _words(test: Mapping[str, Array], tuned: float, cnn: str) -> str:
    sweep, examples = test[SWEEP], int(test[EXAMPLES][0])
    low, high = WEIGHTS[int(sweep.argmin())], WEIGHTS[int(sweep.argmax())]
    return (
        f"One network, {GRID} shared weights from -2 to 2, {examples:,} test examples: accuracy from {sweep.min():.3f} (at {low:g}) to "
        f"{sweep.max():.3f} (at {high:g}); {sweep[WEIGHTS.index(tuned)]:.3f} at {tuned:g}, the best weight on the training part. Nothing "
        f"was chosen by test examples. Controls, trained on the same training part: linear regression (least squares on one-hot "
        f"labels, in closed form){cnn}."
    )


def _charts(
    train: Array, parts: Mapping[Split, Mapping[str, Array]], tuned: float, searched: Sequence[float], classes: Sequence[str]
) -> list[Chart]:
    test = parts["test"]
    mark = ChartMark(axis="x", value=tuned, title=f"tuned: {tuned:g}")
    of_search = [weight for weight in searched if abs(weight) <= LARGEST_WEIGHT]
    lines = [
        series("test", WEIGHTS, test[SWEEP]), series("validation", WEIGHTS, parts["val"][SWEEP]),
        series("training", WEIGHTS, train, look="dashed"),
        series("test, at the search's weights", of_search, np.interp(of_search, WEIGHTS, test[SWEEP]), look="points"),
    ]
    rows = [series(name, WEIGHTS, test[BY_CLASS][:, place]) for place, name in enumerate(classes)]
    return [
        Chart(
            name="shared_weight", title="Accuracy against the shared weight", x_title="shared weight",
            y_title="accuracy, share of examples", series=lines, marks=[mark],
            note="The training part chose the tuned weight. Validation examples chose this network in the search, test examples chose "
            "nothing. At 0 every output is equal.",
        ),
        Chart(
            name="shared_weight_by_class", title="Each class against the shared weight", form="map", x_title="shared weight",
            y_title="share of the class's test examples that are answered right", series=rows, marks=[mark],
            note="A row for each class: where a row is bright, the network knows that class with this weight.",
        ),
    ]
