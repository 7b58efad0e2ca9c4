"""The simple models that unmask a score: always answering the same, and a linear model.

Fitted on the training part that the network had, answering as the network does (logits, values), so that the same rule measures all.

- *majority* (classes): the shares of the classes in the training part as probabilities, and so always the largest class;
- *mean* (values): the mean of the training targets;
- *logistic* (classes): multinomial logistic regression with an L2 penalty (C = 1), on standardised inputs;
- *ridge* (values): linear regression with an L2 penalty (alpha = 1), on standardised inputs.

Bounded in examples, inputs and arithmetic, by numbers and not by a clock, so that they are the same on every machine's run; what a bound
cut is said (`Simple.note`).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..datasets.base import Array, SearchData
from .class_weights import balanced

Name = Literal["majority", "mean", "logistic", "ridge"]

MOST_INPUTS = 1024
"""Images with more values are averaged over squares until they have no more; of other inputs the first so many are used."""
MOST_VALUES = 4_000_000
"""Examples times inputs of a fit."""
MOST_PRODUCTS = 10_000_000_000
"""Examples times inputs times classes times iterations of a fit: a few seconds of one core."""
ITERATIONS = 100


@dataclass(frozen=True)
class Simple:
    """A fitted model."""

    name: Name
    title: str
    note: str
    offset: Array
    """(outputs,)"""
    weights: Array | None = None
    """(inputs, outputs), of standardised inputs; None where it looks at none."""
    mean: Array | None = None
    spread: Array | None = None

    def answers(self, inputs: Array) -> Array:
        """Raw inputs (n, ...) -> (n, outputs)."""
        if self.weights is None or self.mean is None or self.spread is None:
            return np.repeat(self.offset[None], len(inputs), axis=0)
        found: Array = (flattened(inputs) - self.mean) / self.spread @ self.weights + self.offset
        return found


def simple_models(data: SearchData, examples: int = 0, weighted: bool = False) -> list[Simple]:
    """Fitted on the training part, of which the network used the first `examples` (0 = all). `weighted`: each class counts alike, as in the
    network's training (`class_weights`).

    >>> from search_engine.datasets.digits import Digits, DigitsConfig
    >>> [model.name for model in simple_models(Digits(DigitsConfig()).search_data(seed=0), examples=200)]
    ['majority', 'logistic']
    """
    count = min(examples, len(data.train)) if examples else len(data.train)
    inputs, labels = data.train.inputs[:count], data.train.labels[:count]
    if data.shape.task == "classification":
        return _of_classes(inputs, labels, len(data.class_names), weighted)
    return _of_values(inputs, labels)


def _of_classes(inputs: Array, labels: Array, classes: int, weighted: bool) -> list[Simple]:
    counts = np.bincount(labels, minlength=classes)
    with np.errstate(divide="ignore"):
        shares = np.log(counts / counts.sum())
    majority = Simple("majority", "always the largest class", f"shares of the classes among {len(labels):,} training examples", shares)
    there = np.flatnonzero(counts)
    if len(there) < 2:
        return [majority]
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    used, width = _bounded(len(labels), inputs, MOST_PRODUCTS // (ITERATIONS * classes))
    if len(np.unique(labels[:used])) < 2:
        return [majority]
    standardised, mean, spread = _standardised(inputs[:used])
    weights = balanced(labels[:used], classes)[labels[:used]] if weighted else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = LogisticRegression(max_iter=ITERATIONS).fit(standardised, labels[:used], sample_weight=weights)
    # A class that was not seen is given probability 0.
    offset, slopes = np.full(classes, -np.inf), np.zeros((width, classes))
    two = len(model.classes_) == 2
    offset[model.classes_] = [0.0, float(model.intercept_[0])] if two else model.intercept_
    slopes[:, model.classes_] = np.stack([np.zeros(width), model.coef_[0]], axis=1) if two else model.coef_.T
    open_end = int(np.max(model.n_iter_)) >= ITERATIONS
    note = _note(used, len(labels), width, inputs) + (f"; ended after {ITERATIONS} iterations" if open_end else "")
    note += "; each class counts alike, as for the network" if weighted else ""
    return [majority, Simple("logistic", "logistic regression", note, offset, slopes, mean, spread)]


def _of_values(inputs: Array, targets: Array) -> list[Simple]:
    from sklearn.linear_model import Ridge

    values = targets.reshape(len(targets), -1).astype(np.float64)
    always = Simple("mean", "always the mean", f"of {len(values):,} training examples", values.mean(axis=0))
    used, width = _bounded(len(values), inputs, MOST_VALUES)
    standardised, mean, spread = _standardised(inputs[:used])
    model = Ridge(alpha=1.0).fit(standardised, values[:used])
    weights = model.coef_.reshape(values.shape[1], width).T
    note = _note(used, len(values), width, inputs)
    return [always, Simple("ridge", "ridge regression", note, np.atleast_1d(model.intercept_), weights, mean, spread)]


def flattened(inputs: Array) -> Array:
    """(n, at most MOST_INPUTS) float64."""
    found = inputs.astype(np.float64)
    while found.ndim == 4 and found[0].size > MOST_INPUTS and min(found.shape[2:]) > 1:
        high, wide = found.shape[2] // 2 * 2, found.shape[3] // 2 * 2
        cut = found[:, :, :high, :wide]
        found = cut.reshape(len(cut), cut.shape[1], high // 2, 2, wide // 2, 2).mean(axis=(3, 5))
    return found.reshape(len(found), -1)[:, :MOST_INPUTS]


def _bounded(examples: int, inputs: Array, most: int) -> tuple[int, int]:
    """How many examples are used, of how many inputs each."""
    width = flattened(inputs[:1]).shape[1]
    return max(1, min(examples, MOST_VALUES // width, most // width)), width


def _standardised(inputs: Array) -> tuple[Array, Array, Array]:
    flat = flattened(inputs)
    mean, spread = flat.mean(axis=0), flat.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    return (flat - mean) / spread, mean, spread


def _note(used: int, examples: int, width: int, inputs: Array) -> str:
    count = f"fitted on {used:,} training examples" if used == examples else f"fitted on {used:,} of {examples:,} training examples"
    whole = int(np.prod(inputs.shape[1:]))
    return count + (f", on {width:,} inputs each made of {whole:,}" if width < whole else "")
