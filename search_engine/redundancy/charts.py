"""What a study of redundancy says: four charts, a few numbers, one sentence."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from ..events import Chart, ChartMark, ChartSeries, Report, series
from ..spaces.tasks import SCORES, TaskName

TOLERATED = 0.01
"""Loss of score up to which a removal counts as free of charge."""
ORDERS = {"magnitude": "by magnitude", "ard": "by ARD ratio", "random": "at random"}
NOISES = {"inputs": "standard deviation of noise on the inputs", "weights": "noise on the weights, share of their size"}


class Measured(NamedTuple):
    """One evaluation: kind `intact`, an order of removal, or what is noisy; several rows of one amount are draws."""

    kind: str
    amount: float
    score: float
    loss: float


class _Curve(NamedTuple):
    amounts: list[float]
    low: list[float]
    mean: list[float]
    high: list[float]


def redundancy_report(task: TaskName, rows: list[Measured], weights: int) -> Report:
    """`rows` begin with the intact network; `weights` is how many weights could be removed."""
    intact = rows[0]
    name = SCORES[task]
    free = {kind: _free(_curve(rows, kind, lambda row: row.score), intact.score) for kind in ORDERS}

    def likelihood(row: Measured) -> float:
        """Mean log-likelihood in nats per example. Of real values it is Gaussian, with the intact network's residual variance, and per
        value."""
        if task == "classification":
            return -row.loss
        variance = max(intact.loss, 1e-12)
        return -0.5 * math.log(2 * math.pi * variance) - row.loss / (2 * variance)

    scores = [_removal(rows, kind, lambda row: row.score) for kind in ORDERS]
    likelihoods = [_removal(rows, kind, likelihood) for kind in ORDERS]
    charts = [
        _removal_chart("redundancy_score", f"Validation {name}", "share" if name == "accuracy" else name, scores, intact.score),
        _removal_chart("redundancy_likelihood", "Log-likelihood", "nats per example", likelihoods, likelihood(intact)),
    ]
    for kind, x_title in NOISES.items():
        curve = _curve([intact._replace(kind=kind), *rows], kind, lambda row: likelihood(intact) - likelihood(row))
        line = series("lost log-likelihood", curve.amounts, curve.mean, low=curve.low, high=curve.high)
        charts.append(
            Chart(
                name=f"robustness_{kind}", title=f"Lost likelihood under noise on the {kind}", x_title=x_title,
                y_title="lost log-likelihood, nats per example", series=[line], note="The flatter, the more robust.",
            )
        )
    shares = {kind: f"{100 * share:.0f} %" for kind, share in free.items()}
    message = (
        f"Of {weights:,} weights {shares['magnitude']} can go by magnitude, {shares['ard']} by ARD ratio and {shares['random']} at random "
        f"before the validation {name} falls by more than {TOLERATED:g}. Measured without further training."
    )
    values = {"intact": intact.score, **{f"removable_{kind}": share for kind, share in free.items()}, "weights": float(weights)}
    return Report(name="redundancy", title="Redundancy and robustness", charts=charts, values=values, message=message)


def _curve(rows: list[Measured], kind: str, figure: Callable[[Measured], float]) -> _Curve:
    """Lowest, mean and highest figure over the draws of each amount."""
    amounts = sorted({row.amount for row in rows if row.kind == kind})
    groups = [[figure(row) for row in rows if row.kind == kind and row.amount == amount] for amount in amounts]
    return _Curve(amounts, [min(item) for item in groups], [sum(item) / len(item) for item in groups], [max(item) for item in groups])


def _removal(rows: list[Measured], kind: str, figure: Callable[[Measured], float]) -> ChartSeries:
    curve = _curve([rows[0]._replace(kind=kind), *rows], kind, figure)
    if kind == "random":
        return series(ORDERS[kind], curve.amounts, curve.mean, low=curve.low, high=curve.high, look="dashed")
    return series(ORDERS[kind], curve.amounts, curve.mean)


def _removal_chart(name: str, title: str, unit: str, curves: list[ChartSeries], intact: float) -> Chart:
    return Chart(
        name=name, title=f"{title} against the share of removed weights", x_title="share of removed weights", y_title=f"{title}, {unit}",
        series=curves, marks=[ChartMark(axis="y", value=intact, title="nothing removed")],
        note="A flat line means redundancy: these weights can go and nothing is lost.",
    )


def _free(curve: _Curve, intact: float) -> float:
    """The largest share up to which no removal costs more than TOLERATED of the score (means over draws)."""
    free = 0.0
    for amount, score in zip(curve.amounts, curve.mean, strict=True):
        if score < intact - TOLERATED:
            break
        free = amount
    return free
