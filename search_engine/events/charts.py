"""Charts that an algorithm draws of itself: the form in which a result with axes travels.

An algorithm says what stands on the axes and gives the numbers; the browser draws every chart with the same few marks, and gives its
table. Float arrays are base64 of little-endian float32 (`encode_floats`); NaN is a gap.

>>> loss = series("training", [0, 1, 2], [1.0, 0.5, 0.25])
>>> Chart(name="loss", title="Loss", x_title="step", y_title="loss", series=[loss]).series[0].look
'solid'

A triangle takes shares of three things, whose names are its `categories`: x is the share of the first, y that of the second.

>>> shares = np.array([[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]])
>>> draws = shares_of_three("draws", shares, look="points")
>>> Chart(name="law", title="Law", form="triangle", x_title="share", y_title="share", categories=["a", "b", "c"], series=[draws]).form
'triangle'
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from .floats import encode_floats
from .parts import PayloadBase


class ChartSeries(PayloadBase):
    name: str
    x: str = Field(description="base64 float32; for bars the place of each bar, counted from 0")
    y: str
    low: str = Field(default="", description="lower end of a band around y; '' = none")
    high: str = Field(default="")
    look: Literal["solid", "dashed", "points"] = Field(default="solid", description="dashed: something to compare with")


class ChartMark(PayloadBase):
    """A line across the chart at one value of an axis: a threshold, the true value, the best."""

    axis: Literal["x", "y"]
    value: float
    title: str


class Chart(PayloadBase):
    name: str = Field(description="stable: charts of this name may be laid over each other across runs")
    title: str
    form: Literal["lines", "bars", "trajectory", "triangle", "map"] = Field(
        default="lines",
        description="map: a row of cells for each series, the first on top; a cell's place is its x, its colour its y. trajectory: a path "
        "through the plane, each point later than the one before, equal scales not implied. triangle: shares of the "
        "three `categories` between equal sides, x the first's, y the second's; its lines are paths too",
    )
    x_title: str
    y_title: str
    x_scale: Literal["linear", "log"] = "linear"
    y_scale: Literal["linear", "log"] = "linear"
    categories: list[str] = Field(default=[], description="names of the bars, or of the three corners (top, left, right)")
    series: list[ChartSeries]
    marks: list[ChartMark] = Field(default=[])
    note: str = Field(default="", description="one plain sentence: how to read it")

    @model_validator(mode="after")
    def _can_be_told_apart(self) -> Self:
        """Raises ValueError where two series have one name, or a triangle has not three corners."""
        names = [item.name for item in self.series]
        if len(set(names)) < len(names):
            raise ValueError(f"chart '{self.name}': two series have one name: {', '.join(sorted(names))}")
        if self.form == "triangle" and len(self.categories) != 3:
            raise ValueError(f"chart '{self.name}': a triangle has three categories, not {len(self.categories)}")
        return self


def series(
    name: str, x: Iterable[float] | np.ndarray[Any, Any], y: Iterable[float] | np.ndarray[Any, Any], *,
    low: Iterable[float] | np.ndarray[Any, Any] | None = None, high: Iterable[float] | np.ndarray[Any, Any] | None = None,
    look: Literal["solid", "dashed", "points"] = "solid",
) -> ChartSeries:
    """A series from numbers."""
    return ChartSeries(
        name=name, x=encode_floats(x), y=encode_floats(y), look=look,
        low="" if low is None else encode_floats(low), high="" if high is None else encode_floats(high),
    )


def shares_of_three(
    name: str, shares: np.ndarray[Any, Any], *, look: Literal["solid", "dashed", "points"] = "solid"
) -> ChartSeries:
    """A series of a triangle from shares (n, 3)."""
    return series(name, shares[:, 0], shares[:, 1], look=look)
