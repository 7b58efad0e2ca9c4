"""What a set of units is worth: its model refitted on the training part, and the objective Q (lower is better).

| Q | formula |
| --- | --- |
| bic | regression: n ln(SSE / n) + k ln n; classification: -2 log likelihood + k ln n (Schwarz 1978) |
| validation | loss on the validation part: squared error, or cross-entropy in nats |

k counts the weights that are free, biases among them. Of K classes the last one's logit is fixed at 0, so that none is counted twice.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

import numpy as np

from search_engine.datasets.base import Array
from search_engine.events import Cost

from .rule import Units

if TYPE_CHECKING:
    from search_engine.datasets.base import SearchData

    from .layout import Layout

Objective = Literal["bic", "validation"]
SMALLEST_ERROR = 1e-12
"""Mean squared error below which a fit counts as perfect: the logarithm stays finite."""


class Fit(NamedTuple):
    """A set with the weights (P,) of its model, zeros where not active, and what they are worth."""

    active: Units
    weights: Array
    q: float
    parameters: int
    train_loss: float
    val_loss: float
    val_score: float

    def state(self) -> dict[str, Any]:
        return {**self._asdict(), "active": list(self.active)}

    @staticmethod
    def from_state(state: dict[str, Any]) -> Fit:
        return Fit(**{**state, "active": tuple(state["active"])})


class Refit(ABC):
    """Fits models to active sets. `spend` is told what each used; `fits` counts them."""

    quick: ClassVar[bool] = False
    """Whether a refit costs so little that every best set can be refitted many times."""

    def __init__(self, layout: Layout, data: SearchData, objective: Objective, spend: Callable[[Cost], object]) -> None:
        self.layout, self.objective, self._spend = layout, objective, spend
        self.examples = len(data.train)
        self.fits = 0

    @abstractmethod
    def fit(self, active: Units, start: Array | None = None) -> Fit:
        """The best weights found for that set, from `start` (P,) where the way there matters."""

    @abstractmethod
    def precision(self, fit: Fit) -> Array:
        """(A, A): Hessian of the training loss (a sum over examples) in the free weights of the fit."""

    @abstractmethod
    def resampled(self, fit: Fit, rows: Array) -> Array:
        """(P,) weights of the same set on the training examples `rows` (with repetition)."""

    @abstractmethod
    def gradient(self, fit: Fit) -> tuple[Array, Array]:
        """(P,) gradient of the training loss and the diagonal of its Hessian in all weights, also those that are not active."""

    def value(self, train_loss: float, val_loss: float, parameters: int) -> float:
        """Q from the mean losses."""
        if self.objective == "validation":
            return val_loss
        n = self.examples
        if self.layout.regression:
            return n * self.layout.outputs * math.log(max(train_loss, SMALLEST_ERROR)) + parameters * math.log(n)
        return 2 * n * train_loss + parameters * math.log(n)

    def _count(self, passes: int, diagnostic: bool = False) -> None:
        # What a bootstrap refits costs, but it is no set that the search tried.
        self.fits += 0 if diagnostic else 1
        self._spend(Cost(forward_backward=self.examples * passes))


class LeastSquares(Refit):
    """Linear models of a regression, from the moments of the data alone: a set costs one small system of equations."""

    quick = True

    def __init__(self, layout: Layout, data: SearchData, objective: Objective, spend: Callable[[Cost], object], ridge: float) -> None:
        super().__init__(layout, data, objective, spend)
        self.ridge = ridge
        self._train, self._validation = (self._columns(data, part) for part in (data.train, data.validation))
        self._moments = [_moments(*part) for part in (self._train, self._validation)]

    def _columns(self, data: SearchData, part: Any) -> tuple[Array, Array]:
        """(n, 1 + d) a column of ones and the inputs as networks see them; (n, K) targets."""
        scale = data.preprocessing
        mean, std = (np.array(values, dtype=np.float32) for values in (scale.mean, scale.std))
        inputs = (part.inputs.astype(np.float32) / scale.scale - mean) / std
        return np.hstack([np.ones((len(part), 1)), inputs.astype(np.float64)]), part.labels.astype(np.float64)

    def fit(self, active: Units, start: Array | None = None) -> Fit:
        self._count(1)
        rows = [0, *(1 + unit for unit in active)]
        weights = self._solve(self._moments[0], rows)
        (train_loss, _), (val_loss, val_score) = (self._score(moments, weights) for moments in self._moments)
        parameters = len(rows) * self.layout.outputs
        q = self.value(train_loss, val_loss, parameters)
        return Fit(active, weights.ravel(), q, parameters, train_loss, val_loss, val_score)

    def _solve(self, moments: Moments, rows: list[int]) -> Array:
        """(1 + d, K)"""
        gram = moments.gram[np.ix_(rows, rows)] + self.ridge * np.eye(len(rows))
        weights = np.zeros_like(moments.cross)
        weights[rows] = np.linalg.solve(gram, moments.cross[rows])
        return weights

    def _score(self, moments: Moments, weights: Array) -> tuple[float, float]:
        """(mean squared error, r2)."""
        error = moments.square - 2 * (weights * moments.cross).sum(0) + ((moments.gram @ weights) * weights).sum(0)
        total = moments.examples * len(error)
        loss, spread = float(error.sum()) / total, float(moments.spread.sum()) / total
        return max(loss, 0.0), 1 - loss / spread if spread > 0 else 0.0

    def precision(self, fit: Fit) -> Array:
        places = [0, *(1 + unit for unit in fit.active)]
        gram = self._moments[0].gram[np.ix_(places, places)] + self.ridge * np.eye(len(places))
        # One matrix for every output: their weights do not mix.
        matrix: Array = np.kron(gram, np.eye(self.layout.outputs))
        return matrix

    def resampled(self, fit: Fit, rows: Array) -> Array:
        inputs, targets = self._train
        self._count(1, diagnostic=True)
        return self._solve(_moments(inputs[rows], targets[rows]), [0, *(1 + unit for unit in fit.active)]).ravel()

    def gradient(self, fit: Fit) -> tuple[Array, Array]:
        moments = self._moments[0]
        weights = fit.weights.reshape(moments.cross.shape)
        diagonal = np.repeat(moments.gram.diagonal()[:, None], self.layout.outputs, axis=1)
        return (moments.gram @ weights - moments.cross).ravel(), diagonal.ravel()


class Moments(NamedTuple):
    """X^T X, X^T y, and per output y^T y and the squares around the mean."""

    gram: Array
    cross: Array
    square: Array
    spread: Array
    examples: int


def _moments(inputs: Array, targets: Array) -> Moments:
    spread = ((targets - targets.mean(0)) ** 2).sum(0)
    return Moments(inputs.T @ inputs, inputs.T @ targets, (targets**2).sum(0), spread, len(targets))
