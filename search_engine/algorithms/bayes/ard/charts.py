"""Pictures of automatic relevance determination: how rho is spread, and what removing weights costs in each order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from search_engine.events import Chart, ChartMark, series

Array = np.ndarray[Any, Any]
BINS = 20
ORDERS = {"rho": "by density ratio", "magnitude": "by magnitude", "random": "at random"}


class Removal(NamedTuple):
    """What is left of the network, on the validation part, with a share of its weights removed in one order."""

    order: str
    share: float
    score: float
    log_likelihood: float
    """Nats per example."""


def histogram(rho: Mapping[str, Array], threshold: float, titles: Mapping[str, str]) -> Chart:
    """Shares of each layer's weights by rho, in 20 bins over [0, 1]."""
    places = list(range(BINS))
    counted = {name: np.histogram(values, bins=BINS, range=(0.0, 1.0))[0] / values.size for name, values in rho.items()}
    return Chart(
        name="rho", title="Density ratio of the weights", form="bars", x_title="ρ = q(0) / q(μ)", y_title="share of the layer's weights",
        categories=[f"{place / BINS:.2f}" for place in places],
        series=[series(titles[name], places, shares) for name, shares in counted.items()],
        # A bar's centre is its place, its left edge half a bar before.
        marks=[ChartMark(axis="x", value=threshold * BINS - 0.5, title="threshold")],
        note="Weights on the right are as well described by zero as by their mean: they are removed.",
    )


def removals(found: Sequence[Removal], score: str, removed_now: float) -> list[Chart]:
    """Score and log-likelihood against the share of removed weights, one line for each order."""
    figures = {
        "score": (f"Validation {score}", score, [item.score for item in found]),
        "log_likelihood": ("Validation log-likelihood", "nats per example", [item.log_likelihood for item in found]),
    }
    charts = []
    for name, (title, unit, values) in figures.items():
        lines = []
        for order, label in ORDERS.items():
            points = [(item.share, value) for item, value in zip(found, values, strict=True) if item.order == order]
            xs, ys = zip(*points, strict=True)
            lines.append(series(label, xs, ys, look="dashed" if order == "random" else "solid"))
        charts.append(
            Chart(
                name=f"removal_{name}", title=f"{title} against the share of removed weights", x_title="share of removed weights",
                y_title=f"{title}, {unit}", series=lines,
                marks=[ChartMark(axis="x", value=removed_now, title="removed at the threshold")],
                note="The mean weights, without further training. A flat line means that these weights can go and nothing is lost.",
            )
        )
    return charts
