"""Tables that scikit-learn bundles, read in place: importing scikit-learn for them would take seconds of a search's start."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np

from search_engine.base.errors import BadInput, MissingData

from ..base import Array


def read_table(dataset: str, name: str) -> tuple[Array, Array, tuple[str, ...]]:
    """Features (n, d) float32, class numbers (n,) int64 and the classes' names of `name` in scikit-learn's folder of data.

    The first line of these files gives n, d and the names, every other one d numbers and the class. Raises MissingData or, where
    the file is damaged, BadInput (field "dataset").
    """
    package = find_spec("sklearn")
    if package is None or not package.submodule_search_locations:
        raise MissingData("dataset", f"the data set '{dataset}' comes with scikit-learn: pip install scikit-learn")
    path = Path(package.submodule_search_locations[0]) / "datasets" / "data" / name
    if not path.is_file():
        raise MissingData("dataset", f"scikit-learn lacks its file {path}: pip install --force-reinstall scikit-learn")
    try:
        with path.open(encoding="ascii") as file:
            examples, features, *classes = file.readline().strip().split(",")
            table = np.loadtxt(file, delimiter=",", dtype=np.float64, ndmin=2)
        if table.shape != (int(examples), int(features) + 1):
            raise ValueError(f"{table.shape[0]} rows of {table.shape[1]} numbers where its first line announces {examples} of "
                             f"{int(features) + 1}")
    except ValueError as error:
        again = "pip install --force-reinstall scikit-learn"
        raise BadInput("dataset", f"{path} is damaged: {error}; {again}", code="damaged_data") from None
    return table[:, :-1].astype(np.float32), table[:, -1].astype(np.int64), tuple(classes)
