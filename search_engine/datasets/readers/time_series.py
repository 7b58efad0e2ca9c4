"""Labelled time series from a .npz file: x_train, x_test (examples, channels, length) and y_train, y_test (classes). Needs numpy alone.

So aeon (and sktime) hold the sets of the UCR and UEA archives: https://www.timeseriesclassification.com.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from .arrays import read_arrays

MOST_CLASSES = 1000


def read_series(path: Path, part: str) -> tuple[np.ndarray[Any, np.dtype[np.float32]], np.ndarray[Any, Any]]:
    """(series (n, channels, length) float32, what their classes are called (n,) texts) of a part, `train` or `test`.

    Raises ValueError with the file's name for other arrays, and for series of unequal lengths: numpy saves those as Python objects, or the
    short ones are filled with NaN; both are refused, because a network takes one length.
    """
    series, names = read_arrays(path, {f"x_{part}": ("f", 3), f"y_{part}": ("Uiu", 1)}).values()
    if len(series) != len(names):
        raise ValueError(f"{path}: x_{part} has {len(series)} series and y_{part} {len(names)} classes; give one for each")
    bad = np.flatnonzero(~np.isfinite(series).all(axis=(1, 2)))
    if len(bad):
        raise ValueError(
            f"{path}: {len(bad)} of the {len(series)} series in x_{part} have values that are no numbers, first number {bad[0]} (short "
            "series are often filled so): cut or resample all series to one length, and fill gaps"
        )
    return series.astype(np.float32), names.astype(str)


def read_class_names(path: Path) -> tuple[str, ...]:
    """The classes of the training part, in the order of their texts; that is their numbering. Raises ValueError."""
    names = tuple(sorted(set(read_arrays(path, {"y_train": ("Uiu", 1)})["y_train"].astype(str).tolist())))
    if not 2 <= len(names) <= MOST_CLASSES:
        raise ValueError(f"{path}: y_train names {len(names)} classes; there must be 2 to {MOST_CLASSES}")
    return names
