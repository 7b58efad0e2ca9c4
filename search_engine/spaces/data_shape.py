"""The shape of data: what spaces and networks must know of a data set, without its examples."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from .tasks import TaskName

Kind = Literal["image", "vector", "series", "none"]
"""What one input is; `none` where nothing is put into a network."""
KINDS: dict[int, Kind] = {0: "none", 1: "vector", 2: "series", 3: "image"}
"""By the number of its dimensions."""


@dataclass(frozen=True)
class Categories:
    """A categorical column of a table in a vector: `values` places from `place` on say by a one which value it has, by zeros alone that
    none is known."""

    place: int
    values: int


@dataclass(frozen=True)
class DataShape:
    """What a space must know of a data set: `input` is (channels, height, width) for images, (channels, time) for series and (features,)
    for vectors.

    >>> DataShape((1, 28, 28), 10).kind, DataShape((6, 100), 4).kind, DataShape((13,), 1, "regression").is_image
    ('image', 'series', False)
    >>> DataShape((5,), 2, columns=(Categories(1, 3),)).widths
    (1, 3, 1)
    """

    input: tuple[int, ...]
    classes: int
    """How many numbers a network gives: logits of classes, or the values of a regression's target."""
    task: TaskName = "classification"
    columns: tuple[Categories, ...] = field(default=(), repr=False)
    """Of a table as vectors: its categorical columns, in order of their places. All other places are numbers, a column each."""

    def __post_init__(self) -> None:
        """Raises ValueError where `columns` do not lie side by side in a vector."""
        end = 0
        for column in self.columns:
            if column.place < end or column.values < 1:
                raise ValueError(f"columns: {column} begins before place {end} or has no values; columns stand in order and do not overlap")
            end = column.place + column.values
        if self.columns and (len(self.input) != 1 or end > self.input[0]):
            raise ValueError(f"columns: they reach to place {end} of inputs of shape {self.input}")

    @property
    def kind(self) -> Kind:
        return KINDS[len(self.input)]

    @property
    def is_image(self) -> bool:
        return self.kind == "image"

    @property
    def widths(self) -> tuple[int, ...]:
        """Of a vector: how many places each column has, in order; a number has one."""
        found: list[int] = []
        for column in self.columns:
            found += [1] * (column.place - sum(found)) + [column.values]
        return (*found, *[1] * (self.input[0] - sum(found)))


NO_INPUT = DataShape(input=(), classes=0)
"""Nothing is put into a network: trials are answered from a table or scored by a formula."""


@dataclass(frozen=True)
class Preprocessing:
    """How raw inputs become network inputs: (raw / scale - mean) / std, per channel."""

    scale: float
    mean: tuple[float, ...]
    std: tuple[float, ...]
