"""How stable a fitted set is, and which sets nobody beats in complexity, accuracy and stability at once."""

from __future__ import annotations

import numpy as np

from search_engine.base.generators import derive_seed
from search_engine.datasets.base import Array

from .fits import Fit, Refit


def condition_number(refit: Refit, fit: Fit) -> float:
    """Largest over smallest eigenvalue of the weights' covariance, scaled to unit diagonal of its inverse so that the units of the features
    do not count. 1 = every weight is determined for itself; large = some combination of weights is hardly determined."""
    matrix = refit.precision(fit)
    scale = 1 / np.sqrt(matrix.diagonal())
    eigenvalues = np.linalg.eigvalsh(matrix * np.outer(scale, scale))
    return float(eigenvalues[-1] / max(eigenvalues[0], 1e-15))


def bootstrap_spread(refit: Refit, fit: Fit, samples: int, seed: int) -> float:
    """Mean over the weights of the active units of their standard deviation when the model is refitted on `samples` draws of the training
    examples with repetition; 0 for the empty set."""
    layout = refit.layout
    places = sorted({place for unit in fit.active for place in layout.places[unit]})
    if not places:
        return 0.0
    fitted = []
    for number in range(samples):
        generator = np.random.RandomState(derive_seed(seed, "bootstrap", number) % 2**32)
        fitted.append(refit.resampled(fit, generator.randint(0, refit.examples, refit.examples))[places])
    return float(np.std(np.array(fitted), axis=0, ddof=1).mean())


def pareto_front(points: Array) -> Array:
    """(n,) which rows of (n, m) no other row beats: none is at most as large everywhere and smaller somewhere."""
    no_larger = np.all(points[None, :, :] <= points[:, None, :], axis=-1)
    smaller = np.any(points[None, :, :] < points[:, None, :], axis=-1)
    front: Array = np.logical_not(np.any(no_larger & smaller, axis=1))
    return front
