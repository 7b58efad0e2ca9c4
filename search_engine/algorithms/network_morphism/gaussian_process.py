"""A Gaussian process over distances: the kernel exp(-d / ℓ), the same for what was seen and for what is asked.

An edit distance need not make such a kernel positive definite; eigenvalues below 0 are set to 0 (the nearest one that is), and JITTER is
added to the diagonal. Scores are standardised; ℓ is where the marginal likelihood is largest, on a grid of lengths and then by a bounded
search between the best one's neighbours (Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, sections 2.2 and 5.4.1).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from search_engine.base.lazy import lazy_module

if TYPE_CHECKING:
    import numpy as np
    from scipy import optimize  # type: ignore[import-untyped]
else:
    np = lazy_module("numpy")
    optimize = lazy_module("scipy.optimize")

JITTER = 1e-4
SHORTEST, LONGEST, LENGTHS = 0.1, 30.0, 13
"""Grid of ℓ, evenly spaced in its logarithm. Distances count layers: a tenth of one tells all networks apart, thirty none."""

Array = Any


class GaussianProcess:
    """`distances` (n, n) between what was seen, `scores` (n,)."""

    def __init__(self, distances: Array, scores: Array) -> None:
        self._distances = np.asarray(distances, dtype=np.float64)
        given = np.asarray(scores, dtype=np.float64)
        self.centre = float(given.mean())
        self.scale = float(given.std()) or 1.0
        self._target = (given - self.centre) / self.scale
        self.length = self._fitted()
        self._inverse, _ = self._decomposed(self.length)

    def predict(self, distances: Array) -> tuple[Array, Array]:
        """`distances` (m, n) from what is asked to what was seen -> means (m,), deviations (m,), in the scores' unit."""
        kernel = np.exp(-np.asarray(distances, dtype=np.float64) / self.length)
        means = self.centre + self.scale * (kernel @ self._inverse @ self._target)
        variances = 1.0 + JITTER - np.einsum("mi,ij,mj->m", kernel, self._inverse, kernel)
        return means, self.scale * np.sqrt(np.maximum(variances, 0.0))

    def log_likelihood(self, length: float) -> float:
        """Of the standardised scores, nats."""
        inverse, log_determinant = self._decomposed(length)
        fit = float(self._target @ inverse @ self._target)
        return -0.5 * (fit + log_determinant + len(self._target) * math.log(2 * math.pi))

    def _decomposed(self, length: float) -> tuple[Array, float]:
        """Inverse and log determinant of the kernel's matrix."""
        values, vectors = np.linalg.eigh(np.exp(-self._distances / length))
        values = np.maximum(values, 0.0) + JITTER
        return (vectors / values) @ vectors.T, float(np.log(values).sum())

    def _fitted(self) -> float:
        grid = np.geomspace(SHORTEST, LONGEST, LENGTHS)
        if len(self._target) < 2 or not np.any(self._target):
            return 1.0
        best = int(np.argmax([self.log_likelihood(float(length)) for length in grid]))
        bounds = (math.log(grid[max(best - 1, 0)]), math.log(grid[min(best + 1, LENGTHS - 1)]))
        found = optimize.minimize_scalar(lambda log: -self.log_likelihood(math.exp(log)), bounds=bounds, method="bounded")
        return math.exp(float(found.x))
