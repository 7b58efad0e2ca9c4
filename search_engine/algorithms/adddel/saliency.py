"""Which unit a set would miss least, or gain most from, judged without a refit.

obd: h w^2 / 2 summed over a unit's weights, the rise of the loss when they become 0 and the others stay (LeCun, Denker, Solla 1989).
ard: |mu / sigma|, a weight's mean over its standard deviation under Laplace's posterior; of a unit's weights the largest counts.
Addition is the mirror of obd: g^2 / (2 h), what one Newton step on the new weight alone would gain.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from .fits import Fit, Refit

Saliency = Literal["obd", "ard"]
FLAT = 1e-9
"""Curvature below which a weight does nothing: its step would be unbounded."""


def removal(refit: Refit, fit: Fit, kind: Saliency) -> dict[int, float]:
    """Per active unit how much it would be missed."""
    layout = refit.layout
    matrix = refit.precision(fit)
    column = {int(place): number for number, place in enumerate(layout.free(fit.active))}
    if kind == "obd":
        each = 0.5 * matrix.diagonal() * fit.weights[layout.free(fit.active)] ** 2
        return {unit: float(sum(each[column[place]] for place in layout.judged[unit])) for unit in fit.active}
    deviation = np.sqrt(np.linalg.inv(matrix).diagonal())
    each = np.abs(fit.weights[layout.free(fit.active)]) / deviation
    return {unit: float(max(each[column[place]] for place in layout.judged[unit])) for unit in fit.active}


def addition(refit: Refit, fit: Fit, units: list[int]) -> dict[int, float]:
    """Per unit the gain of its weights, each alone."""
    gradient, curvature = refit.gradient(fit)
    gain = np.where(curvature > FLAT, gradient**2 / (2 * np.maximum(curvature, FLAT)), 0.0)
    return {unit: float(sum(gain[place] for place in refit.layout.judged[unit])) for unit in units}
