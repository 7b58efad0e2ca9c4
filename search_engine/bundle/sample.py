"""A file in the bundle on which `predict.py` can be tried: a few test examples as a user would have them, raw.

Where the test data may not be handed on it is made of the training examples' mean: one example that shows nobody's.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np

from ..datasets.base import Array, Part, SearchData
from ..datasets.readers import columns

ROWS = 3
MOST_FOR_MEAN = 1000
"""So many training examples stand behind a mean."""


def write_sample(folder: Path, data: SearchData, test: Part, own: bool) -> dict[str, Any]:
    """Write the sample; returns its `file`, the number of `examples`, and their true answers (`labels`), where they are test examples.
    `own`: whether test examples may be handed on."""
    raw = test.inputs[:ROWS] if own else data.train.inputs[:MOST_FOR_MEAN].astype(np.float64).mean(axis=0, keepdims=True)
    raw = raw.astype(test.inputs.dtype)
    shape = data.shape.input
    if len(shape) == 3 and shape[0] in (1, 3):
        raw = raw[:1]
        _write_picture(folder / "sample.png", raw[0], data.preprocessing.scale)
        name = "sample.png"
    elif len(shape) == 1:
        name = "sample.csv"
        _write_table(folder / name, raw, data)
    else:
        name = "sample.npy"
        np.save(folder / name, raw)
    return {"file": name, "examples": len(raw), "labels": _labels(data, test.labels[: len(raw)]) if own else []}


def _labels(data: SearchData, labels: Array) -> list[Any]:
    if labels.dtype.kind == "f":
        return [row if isinstance(row, list) else [row] for row in labels.tolist()]
    return [data.class_names[int(label)] for label in labels]


def _write_picture(path: Path, raw: Array, scale: float) -> None:
    from PIL import Image

    points = (raw.astype(np.float64) / scale * 255).round().clip(0, 255).astype(np.uint8)
    Image.fromarray(points[0] if len(points) == 1 else points.transpose(1, 2, 0)).save(path)


def _write_table(path: Path, raw: Array, data: SearchData) -> None:
    rows: list[list[str]]
    if data.transformation is not None and data.transformation.columns:
        fitted = data.transformation.model_dump(mode="json")
        names, rows = [column["name"] for column in fitted["columns"]], columns.decode(fitted, raw)
    else:
        names = list(data.feature_names) or [f"value {place + 1}" for place in range(raw.shape[1])]
        rows = [[str(value).removesuffix(".0") for value in row] for row in raw]
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([names, *rows])
