"""Models that are fitted step by step: classifiers, and networks with a hidden layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch

from search_engine.datasets.base import Array, SearchData
from search_engine.events import Cost

from ..evidence import level_one
from ..evidence.likelihoods import CategoricalLikelihood, GaussianLikelihood, Likelihood
from ..evidence.models import LinearModel, Model, Restricted, TanhModel
from ..evidence.problem import Examples, examples
from .fits import Fit, Objective, Refit
from .rule import Units

if TYPE_CHECKING:
    from .layout import Layout


def _with_constant(x: torch.Tensor) -> torch.Tensor:
    return torch.cat([torch.ones_like(x[:, :1]), x], dim=1)


class GaussNewton(Refit):
    """Damped Gauss-Newton steps on the free weights, with a small ridge that keeps separable classes finite."""

    def __init__(
        self, layout: Layout, data: SearchData, objective: Objective, spend: Callable[[Cost], object], ridge: float, steps: int, seed: int
    ) -> None:
        """`steps` bounds those of one refit; `seed` draws the weights with which neurons come into being."""
        super().__init__(layout, data, objective, spend)
        self.ridge, self.steps = ridge, steps
        if layout.linear:
            self.model: Model = LinearModel(1 + layout.inputs, layout.outputs, _with_constant)
        else:
            self.model = TanhModel(layout.inputs, layout.hidden, layout.outputs)
        self.train, self.validation = (examples(data, part) for part in (data.train, data.validation))
        self._seen = self.model.see(self.train.inputs)
        self._validation_seen = self.model.see(self.validation.inputs)
        self.initial: Array = self.model.initial(torch.Generator().manual_seed(seed)).numpy()
        """(P,) the weights with which units come into being."""

    def grown(self, fit: Fit, unit: int) -> Array:
        """The weights from which a set with one unit more starts: those of the fit, the new neuron's incoming ones as they were drawn, its
        outgoing ones 0, so that the function is what it was."""
        weights = fit.weights.copy()
        places = self.layout.places[unit]
        weights[places] = self.initial[places] if self.layout.unit == "neuron" else 0.0
        weights[self.layout.judged[unit]] = 0.0
        return weights

    def fit(self, active: Units, start: Array | None = None) -> Fit:
        free = self.layout.free(active)
        values = self._descend(free, self.initial if start is None else start, self.train.likelihood, self._seen)
        weights = np.zeros(self.layout.parameters)
        weights[free] = values
        full = torch.from_numpy(weights)
        train_loss, _ = self.train.score(self.model.compute(full, self._seen))
        val_loss, val_score = self.validation.score(self.model.compute(full, self._validation_seen))
        return Fit(active, weights, self.value(train_loss, val_loss, len(free)), len(free), train_loss, val_loss, val_score)

    def _descend(self, free: Array, start: Array, likelihood: Likelihood, seen: torch.Tensor) -> Array:
        """(A,) free weights from `start` (P,)."""
        model = Restricted(self.model, torch.from_numpy(free))
        w = torch.from_numpy(start[free].copy())
        damping = 0.0 if model.linear else 1e-3
        done, converged = 0, False
        while done < self.steps and not converged:
            progress = level_one.step(model, likelihood, seen, w, self.ridge, 1.0, damping)
            w, damping, converged = progress.weights, progress.damping, progress.converged
            done += 1
        self._count(done * (1 if model.linear else self.layout.outputs))
        return w.numpy()

    def precision(self, fit: Fit) -> Array:
        free = torch.from_numpy(self.layout.free(fit.active))
        model = Restricted(self.model, free)
        w = torch.from_numpy(fit.weights)[free]
        return level_one.precision(model, self.train.likelihood, self._seen, w, self.ridge, 1.0).numpy()

    def resampled(self, fit: Fit, rows: Array) -> Array:
        chosen = torch.from_numpy(rows)
        part = Examples(self.train.inputs[chosen], self.train.targets[chosen])
        free = self.layout.free(fit.active)
        weights = np.zeros(self.layout.parameters)
        weights[free] = self._descend(free, fit.weights, part.likelihood, self._seen[chosen])
        return weights

    def gradient(self, fit: Fit) -> tuple[Array, Array]:
        w = torch.from_numpy(fit.weights)
        outputs, jacobian = self.model.compute(w, self._seen), self.model.jacobian(w, self._seen)
        likelihood = self.train.likelihood
        assert isinstance(likelihood, GaussianLikelihood | CategoricalLikelihood)
        gradient = -torch.einsum("nkp,nk->p", jacobian, likelihood.gradient(outputs, 1.0))
        return gradient.numpy(), likelihood.curvature(outputs, jacobian, 1.0).diagonal().numpy()
