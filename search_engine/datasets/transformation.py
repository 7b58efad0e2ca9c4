"""A fitted encoding of a table's rows, as a bundle carries it: forms without a rule in them (`own.encoding` has the rules)."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

FORMAT = 1
Array = np.ndarray[Any, Any]


class ColumnRule(BaseModel):
    """What becomes of one column, fitted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    kind: Literal["number", "category"]
    places: list[int]
    """Which inputs it gives."""
    fill: float | None = None
    missing_place: bool = False
    """number: whether the last of `places` says that the cell was missing."""
    categories: list[str] = []
    known: list[str] = []
    """Categories that the training part has; the others give zeros."""
    unknown: Literal["zeros"] = "zeros"


class TargetRule(BaseModel):
    """How an answer is read: a class, or value = output * std + mean."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    kind: Literal["class", "number"]
    classes: list[str] = []
    mean: float = 0.0
    std: float = 1.0

    def in_own_units(self, values: Array) -> Array:
        """Targets, or a network's answers, as the file has them.

        >>> import numpy as np
        >>> TargetRule(name="pay", kind="number", mean=100.0, std=5.0).in_own_units(np.array([-1.0, 0.0]))
        array([ 95., 100.])
        """
        return values.astype(np.float64) * self.std + self.mean


class Transformation(BaseModel):
    """A fitted encoding as a bundle carries it (`model_dump`)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int = FORMAT
    columns: list[ColumnRule]
    width: int
    missing_texts: list[str]
    """Cells that count as missing, compared without spaces around and in lower case."""
    decimal: str = "."
    target: TargetRule
