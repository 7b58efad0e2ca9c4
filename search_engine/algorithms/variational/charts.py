"""What the variational search draws: paths of structure weights, densities at zero, the law on the simplex, fits of functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from search_engine.events import Chart, series

Array = np.ndarray[Any, Any]

BINS = 10
POINTS = 256
"""At most so many data points in a picture of a fit."""


def trajectory(path: Array, names: list[str], constraint: str) -> Chart:
    """`path` (steps, 2): the weights of the first two operations of the edge, from start to now."""
    note = "each point is one moment of the search, the first one at the start"
    if constraint == "real":
        note += "; amplitudes are hardly identified by the data, so paths may end apart and fit equally well"
    return Chart(
        name="trajectory", title="Path of the structure weights", form="trajectory", x_title=f"weight of {names[0]}",
        y_title=f"weight of {names[1]}", series=[series("path", path[:, 0], path[:, 1])], note=note,
    )


def density_ratios(ratios: Array) -> Chart:
    """`ratios`: rho of every weight, in [0, 1]."""
    counts, _ = np.histogram(ratios, bins=BINS, range=(0.0, 1.0))
    return Chart(
        name="density_ratios", title="Density at zero of the weights", form="bars", x_title="ρ = q(0) / q(μ)", y_title="weights",
        categories=[f"{place / BINS:.1f}-{(place + 1) / BINS:.1f}" for place in range(BINS)],
        series=[series("weights", np.arange(BINS), counts)],
        note="near 1: zero is as likely as the mean, the weight says nothing and could be removed",
    )


def law_means(expected: Array, draws: Array, names: list[str]) -> Chart:
    """Expected weight of each operation of the edge with the middle 80 % of its draws. `draws` (S, operations)."""
    low, high = np.quantile(draws, (0.1, 0.9), axis=0)
    return Chart(
        name="expected_weights", title="Expected structure weights under q", form="bars", x_title="operation", y_title="E γ",
        categories=names, series=[series("expected weight", np.arange(len(names)), expected, low=low, high=high)],
        note="bars: mean of draws; bands: the middle 80 % of them",
    )


def law_draws(draws: Array, probabilities: Array, names: list[str]) -> Chart:
    """The simplex of three operations seen from above: the first vertex bottom left, the second bottom right, the third on top."""
    def plane(weights: Array) -> tuple[Array, Array]:
        return weights[..., 1] + 0.5 * weights[..., 2], np.sqrt(0.75) * weights[..., 2]

    corner_x, corner_y = plane(np.eye(3)[[0, 1, 2, 0]])
    x, y = plane(draws)
    mean_x, mean_y = plane(probabilities[None])
    return Chart(
        name="simplex", title="Draws of the structure on the simplex", x_title=f"left corner: {names[0]}, right corner: {names[1]}",
        y_title=f"top: {names[2]}",
        series=[
            series("edge of the simplex", corner_x, corner_y, look="dashed"), series("draws of q", x, y, look="points"),
            series("choice probabilities of q", mean_x, mean_y, look="points"),
        ],
        note="every point is one model of the family; corners are models with a single function",
    )


def fit(grid: Array, function: Array, inputs: Array, targets: Array) -> Chart:
    """The function along the first feature, the others at 0, beside the training points. All arguments (n,)."""
    return Chart(
        name="fit", title="Fitted function", x_title="first feature", y_title="y",
        series=[series("data", inputs[:POINTS], targets[:POINTS], look="points"), series("function at the means", grid, function)],
    )
