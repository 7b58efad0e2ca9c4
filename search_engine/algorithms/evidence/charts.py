"""The charts of a search by evidence. Names are stable, so that runs can be laid over each other."""

from __future__ import annotations

from itertools import groupby

import numpy as np
import torch

from search_engine.events import Chart, ChartMark, ChartSeries, series

from .estimates import Posterior
from .inference import Inference
from .problem import Examples
from .records import ESTIMATES, Record

POINTS = 300
"""Training examples that are drawn at most."""
GRID = 101
"""Places at which a function is drawn."""
BAND = 2.0
"""Standard deviations of the predictive band to either side."""


def by_basis(records: list[Record]) -> list[tuple[str, list[Record]]]:
    """Records of each basis, in order of degree; the prefix of its series (empty where there is one basis only)."""
    groups = [(basis, list(rows)) for basis, rows in groupby(records, key=lambda row: row.basis)]
    return [("" if len(groups) == 1 else f"{basis}: ", sorted(rows, key=lambda row: row.degree)) for basis, rows in groups]


def evidence_chart(records: list[Record], best: Record) -> Chart:
    """Fit, Occam factor and their sum against the degree."""
    lines = []
    for prefix, rows in by_basis(records):
        degrees = [row.degree for row in rows]
        lines += [
            series(f"{prefix}log evidence", degrees, [row.log_evidence for row in rows]),
            series(f"{prefix}fit: log likelihood at w*", degrees, [row.log_likelihood for row in rows], look="dashed"),
            series(f"{prefix}Occam factor", degrees, [row.occam for row in rows], look="dashed"),
        ]
    return Chart(
        name="evidence", title="Fit, Occam factor and evidence", x_title="degree", y_title="nats", series=lines,
        marks=[ChartMark(axis="x", value=best.degree, title="chosen")],
        note="Evidence = fit + Occam factor. The fit rises with the degree, the Occam factor pays for it; their sum is largest in between.",
    )


def estimates_chart(records: list[Record], reference: str) -> Chart:
    """Each estimate minus the reference (the closed form, or Laplace where there is none)."""
    lines = []
    for prefix, rows in by_basis(records):
        for name, title in ESTIMATES.items():
            # Models of one basis may differ in what they have: a closed form ends where tanh units begin.
            own = [row for row in rows if name in row.estimates and reference in row.estimates]
            if name == reference or not own:
                continue
            gap = np.array([row.estimates[name] - row.estimates[reference] for row in own])
            error = np.array([row.errors.get(name, 0.0) for row in own])
            band = {"low": gap - 2 * error, "high": gap + 2 * error} if error.any() else {}
            lines.append(series(f"{prefix}{title}", [row.degree for row in own], gap, **band))
    return Chart(
        name="estimates", title="Estimates of the log evidence", x_title="degree", y_title=f"nats above {ESTIMATES[reference]}",
        series=lines, marks=[ChartMark(axis="y", value=0.0, title=ESTIMATES[reference])],
        note="ELBO and importance-weighted are lower bounds; bands are two standard errors of estimates that are drawn.",
    )


def values_chart(records: list[Record]) -> Chart:
    """The estimates themselves."""
    lines = []
    for prefix, rows in by_basis(records):
        for name, title in ESTIMATES.items():
            own = [row for row in rows if name in row.estimates]
            if own:
                lines.append(series(f"{prefix}{title}", [row.degree for row in own], [row.estimates[name] for row in own]))
    return Chart(name="estimate_values", title="Log evidence by each estimate", x_title="degree", y_title="nats", series=lines)


def bound_chart(best: Record, reference: str) -> Chart:
    """How the importance-weighted bound of the best model rises with the number of draws."""
    marks = [ChartMark(axis="y", value=best.estimates[name], title=ESTIMATES[name]) for name in (reference, "elbo_mean_field")]
    return Chart(
        name="bound", title="Importance-weighted bound of the best model", x_title="draws k", y_title="nats", x_scale="log",
        series=[series("bound", best.bound_k, best.bound)], marks=marks,
        note="With one draw it is the mean-field ELBO, with many it approaches the log evidence.",
    )


def hyperparameters_chart(records: list[Record], current: Inference | None, gaussian: bool) -> Chart:
    """Where the hyper-parameters of every model went from their common start."""
    paths = [(f"{row.basis} {row.degree}", row.trace, "dashed") for row in records]
    if current is not None and current.trace:
        paths.append(("now", [list(item) for item in current.trace], "solid"))
    lines: list[ChartSeries] = []
    for name, trace, look in paths:
        alpha = [item[0] for item in trace]
        beta = [item[1] for item in trace]
        lines.append(series(name, alpha, beta, look=look) if gaussian else series(name, range(len(alpha)), alpha, look=look))  # type: ignore[arg-type]
    if gaussian:
        return Chart(
            name="hyperparameters", title="Hyper-parameters on their way", form="trajectory", x_title="prior precision α",
            y_title="noise precision β", x_scale="log", y_scale="log", series=lines,
            note="One path per model, from the common start to the largest evidence.",
        )
    return Chart(
        name="hyperparameters", title="Hyper-parameters on their way", x_title="update", y_title="prior precision α", y_scale="log",
        series=lines,
    )


def predictive(posterior: Posterior, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and variance (N, K) of the predictive distribution at inputs (N, d), linearised in w: 1/beta + J A^-1 J^T."""
    model = posterior.model
    seen = model.see(x)
    jacobian = model.jacobian(posterior.mean, seen).flatten(0, 1)
    factor = torch.linalg.cholesky(posterior.matrix)
    scaled = torch.linalg.solve_triangular(factor, jacobian.T, upper=False)
    variance = 1 / posterior.beta + scaled.square().sum(0)
    return model.compute(posterior.mean, seen), variance.view(len(x), model.outputs)


def draws_functions(train: Examples, outputs: int) -> bool:
    """Whether a function of these examples is a curve: one input and one real output."""
    return train.inputs.shape[1] == 1 and train.targets.is_floating_point() and outputs == 1


def functions_chart(chosen: tuple[str, Posterior] | None, now: tuple[str, Posterior] | None, train: Examples) -> Chart:
    """Over the training points the function of the model that the evidence chooses so far, with its predictive band, and beside it the
    one that is being fitted now (`now`: where that is another one). Titles and posteriors; at least one of both."""
    x, y = train.inputs[:POINTS, 0], train.targets[:POINTS, 0]
    grid = torch.linspace(float(train.inputs.min()), float(train.inputs.max()), GRID, dtype=torch.float64)
    lines: list[ChartSeries] = []
    for named, word in ((chosen, "chosen"), (now, "being fitted")):
        if named is None:
            continue
        title, posterior = named
        mean, variance = predictive(posterior, grid.unsqueeze(1))
        middle, width = mean[:, 0].numpy(), (BAND * variance[:, 0].sqrt()).numpy()
        band = {"low": middle - width, "high": middle + width} if not lines else {}
        lines.append(series(f"{word}: {title}", grid.numpy(), middle, look="solid" if word == "chosen" else "dashed", **band))
    note = "The band is where 95 % of new examples should lie: noise and what is still unknown of the weights."
    if chosen is not None and now is not None:
        note += " It belongs to the model that the evidence has chosen so far; the dashed one is only being fitted."
    return Chart(
        name="functions", title="Fitted function", x_title="x, as the network sees it", y_title="y", note=note,
        series=[*lines, series("training examples", x.numpy(), y.numpy(), look="points")],
    )
