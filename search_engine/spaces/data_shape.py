"""The shape of data: what spaces and networks must know of a data set, without its examples."""

from __future__ import annotations

from dataclasses import dataclass

from .tasks import TaskName


@dataclass(frozen=True)
class DataShape:
    """What a space must know of a data set: `input` is (channels, height, width) for images and (features,) for vectors.

    >>> DataShape((1, 28, 28), 10).is_image, DataShape((13,), 1, "regression").is_image
    (True, False)
    """

    input: tuple[int, ...]
    classes: int
    """How many numbers a network gives: logits of classes, or the values of a regression's target."""
    task: TaskName = "classification"

    @property
    def is_image(self) -> bool:
        return len(self.input) == 3


NO_INPUT = DataShape(input=(), classes=0)
"""Nothing is put into a network: trials are answered from a table or scored by a formula."""


@dataclass(frozen=True)
class Preprocessing:
    """How raw inputs become network inputs: (raw / scale - mean) / std, per channel."""

    scale: float
    mean: tuple[float, ...]
    std: tuple[float, ...]
