"""What the variational search draws: paths of structure weights, densities at zero, the law on the simplex, fits of functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from search_engine.events import Chart, series, shares_of_three

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
        name="expected_weights", title="Expected structure weights under q(Γ)", form="bars", x_title="operation", y_title="E γ",
        categories=names, series=[series("expected weight", np.arange(len(names)), expected, low=low, high=high)],
        note="bars: mean of draws; whiskers: the middle 80 % of them",
    )


def choice_probabilities(laws: Mapping[str, Array], names: list[str]) -> Chart:
    """The laws of the structure beside each other: per law (operations,) the probability that an operation is the strongest of a draw."""
    places = np.arange(len(names))
    return Chart(
        name="choice_probabilities", title="Which operation a law chooses", form="bars", x_title="operation",
        y_title="probability to be the strongest", categories=names,
        series=[series(law, places, shares, look="dashed" if law.startswith("p′") else "solid") for law, shares in laws.items()],
        note="q(Γ): the posterior; p(Γ): the structure's prior, a hyper-parameter; p′: the given structures that λ^Q_struct draws p(Γ) to, "
        "or drives it from.",
    )


def law_triangle(
    draws: Array, posterior: Array, prior: Array | None, given: list[Array], names: list[str], strengths: tuple[float, ...]
) -> Chart:
    """The laws of a structure of three operations. `draws` (S, 3) of q(Γ); `posterior` and `prior` (moments, 3): choice probabilities on
    the way until now; `given`: those of each p′, (3,), with their λ^Q_struct."""
    lines = [shares_of_three("draws of q(Γ)", draws, look="points")]
    lines += [shares_of_three(law, way) for law, way in (("q(Γ)", posterior), ("p(Γ)", prior)) if way is not None]
    for number, (place, strength) in enumerate(zip(given, strengths, strict=True), start=1):
        pull = "attracts" if strength > 0 else "repels" if strength < 0 else "without effect"
        lines.append(shares_of_three(f"p′{lowered(number)}, λ^Q_struct = {strength:g}: {pull}", place[None], look="points"))
    return Chart(
        name="simplex", title="The structure's laws on the simplex", form="triangle", x_title=names[0], y_title=names[1],
        categories=names, series=lines,
        note="Every point is one model of the family, a corner a model with a single function. A law stands where the probabilities "
        "are that each function is the strongest of its draws; its line is the way from the start to now.",
    )


def lowered(number: int) -> str:
    """As an index: ₁, ₁₂."""
    return "".join("₀₁₂₃₄₅₆₇₈₉"[int(digit)] for digit in str(number))


def fit(grid: Array, function: Array, inputs: Array, targets: Array) -> Chart:
    """The function along the first feature, the others at 0, beside the training points. All arguments (n,)."""
    return Chart(
        name="fit", title="Fitted function", x_title="first feature", y_title="y",
        series=[series("data", inputs[:POINTS], targets[:POINTS], look="points"), series("function at the means", grid, function)],
    )
