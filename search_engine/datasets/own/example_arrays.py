"""From arrays of inputs and targets, wherever they were read, to a draft: rows, pictures or series by their shape and type."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ...base.errors import BadInput
from ..base import Array
from ..time_series import StatisticsConfig, described
from .bounds import Bounds
from .choices import Choices
from .draft import Draft, Tell
from .findings import Note, Sample
from .fitting_pictures import png_base64
from .picture_archive import split_plain, text_targets
from .splitting import TEST
from .stored import write_rows
from .table_draft import columns_text, say_repeats, shown, table_draft
from .tables import Table, as_column, pd

BLOCK = 1024
SHOWN_POINTS = 512
"""Of a series that is shown."""


def of_arrays(
    inputs: Array, labels: Array, parts: Array | None, format: str, target: str, choices: Choices, bounds: Bounds, tell: Tell
) -> Draft:
    """`inputs` (n, ...), `labels` (n,) of numbers or texts, `parts` (n,) texts where the owner divided them. Raises BadInput."""
    if len(inputs) != len(labels):
        raise BadInput("file", f"there are {len(inputs):,} examples and {len(labels):,} targets; give one for each", code="damaged_data")
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1:
        raise BadInput("target", f"targets have the shape {labels.shape}; there must be one number or name for each example")
    if len(inputs) > bounds.rows or len(inputs) < 10:
        raise BadInput("file", f"there are {len(inputs):,} examples; 10 to {bounds.rows:,} are read", code="too_large")
    if inputs.ndim == 2:
        return _table(inputs, labels, parts, format, target, choices, bounds, tell)
    pictures = inputs.ndim == 4 or (inputs.ndim == 3 and inputs.dtype.kind in "ui" and min(inputs.shape[1:]) >= 4)
    notices: list[Note] = []

    def say(code: str, message: str, count: int = 0) -> None:
        notices.append(Note(code=code, message=message, count=count))

    texts = labels.astype(str) if labels.dtype.kind != "f" else np.array([_number(item) for item in labels.tolist()])
    task, rows, class_names, targets = text_targets(texts, choices, bounds, say, target, listed=True)
    if len(rows) < len(inputs):
        inputs, parts = inputs[rows], None if parts is None else parts[rows]
    form = _pictures(inputs, say) if pictures else _series(inputs, choices, say)
    keys = _keys(form)
    if choices.duplicates == "drop":
        pairs = np.stack([keys.astype(np.float64), targets.astype(np.float64)], axis=1)
        keep = np.sort(np.unique(pairs, axis=0, return_index=True)[1])
        say("repeats", f"{len(keys) - len(keep):,} example(s) were dropped: they repeat another one.", len(keys) - len(keep))
        form, targets, keys, parts = form[keep], targets[keep], keys[keep], None if parts is None else parts[keep]
    draft = Draft(
        kind="image" if pictures else "series" if form.ndim == 3 else "vector", task=task, format=format, target=target,
        class_names=class_names, targets=targets, roles=np.zeros(0, dtype=np.uint8), split=None,  # type: ignore[arg-type]
        shape=form.shape[1:], notices=notices, write_inputs=_writer(form),
    )
    split_plain(draft, parts, choices)
    say_repeats(draft, keys)
    draft.samples = [_sample(draft, form, row) for row in shown(draft.roles)]
    return draft


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(value)


def _table(
    inputs: Array, labels: Array, parts: Array | None, format: str, target: str, choices: Choices, bounds: Bounds, tell: Tell
) -> Draft:
    if inputs.shape[1] > bounds.columns:
        raise BadInput("file", f"each example has {inputs.shape[1]:,} values; at most {bounds.columns:,} are read as a "
                               "row", code="too_large")
    columns = [as_column(f"input {place + 1}", pd.Series(inputs[:, place])) for place in range(inputs.shape[1])]
    columns.append(as_column(target, pd.Series(labels)))
    if parts is not None:
        columns.append(as_column("split", pd.Series(parts)))
    wanted = choices if choices.target is not None or "target" in choices.types.values() else choices.model_copy(update={"target": target})
    if parts is not None and wanted.split in (None, "own"):
        wanted = wanted.model_copy(update={"types": {"split": "split", **wanted.types}})
    elif parts is not None:
        wanted = wanted.model_copy(update={"types": {"split": "dropped", **wanted.types}})
    return table_draft(Table(columns, format), wanted, bounds, tell)


def _pictures(inputs: Array, say: Callable[..., None]) -> Array:
    """(n, channels, height, width) uint8."""
    images = inputs[:, None] if inputs.ndim == 3 else inputs
    if images.shape[1] not in (1, 3) and images.shape[3] in (1, 3, 4):
        if images.shape[3] == 4:
            say("alpha", "The fourth channel of the pictures (transparency) is left away.")
        images = images[..., :3].transpose(0, 3, 1, 2)
    if images.shape[1] not in (1, 3):
        raise BadInput("file", f"pictures have the shape {inputs.shape[1:]}; give (n, height, width), (n, 1 or 3, height, width) or (n, "
                               "height, width, 1 or 3)", code="damaged_data")
    if max(images.shape[2:]) > 1024 or min(images.shape[2:]) < 4:
        raise BadInput("file", f"pictures have {images.shape[2]} x {images.shape[3]} pixels; 4 to 1,024 a side are read", code="too_large")
    if images.dtype == np.uint8:
        return np.ascontiguousarray(images)
    if images.dtype.kind == "f":
        bad = int((~np.isfinite(images)).any(axis=(1, 2, 3)).sum())
        if bad:
            raise BadInput("file", f"{bad:,} of the {len(images):,} pictures have values that are no numbers", code="damaged_data")
    least, largest = float(images.min()), float(images.max())
    low, scale = (0.0, 255.0 if largest <= 1 else 1.0 if largest <= 255 else 255.0 / largest) if least >= 0 else (
        least, 255.0 / ((largest - least) or 1.0))
    say("deep", f"Values from {least:g} to {largest:g} are brought to whole numbers from 0 to 255.", len(images))
    out = np.empty(images.shape, dtype=np.uint8)
    for first in range(0, len(images), BLOCK):
        out[first : first + BLOCK] = np.round((images[first : first + BLOCK].astype(np.float64) - low) * scale)
    return out


def _series(inputs: Array, choices: Choices, say: Callable[..., None]) -> Array:
    """(n, channels, time) float32, or (n, features) where series are described."""
    if inputs.ndim != 3 or inputs.dtype.kind not in "fiu":
        raise BadInput("file", f"inputs are {inputs.dtype} of shape {inputs.shape}; give rows (n, values), series (n, channels, time) or "
                               "pictures",
                       code="damaged_data")
    bad = int((~(np.abs(inputs) < 1e30)).any(axis=(1, 2)).sum())
    if bad:
        raise BadInput("file", f"{bad:,} of the {len(inputs):,} series have values that are no numbers (short series are often filled "
                               "so): cut or resample all series to one length, and fill gaps", code="damaged_data")
    series = inputs.astype(np.float32)
    if choices.series in ("values", "statistics"):
        how = "their values in order" if choices.series == "values" else "mean, deviation and mean absolute difference of each channel"
        say("described", f"Series are described as vectors: {how}.", len(series))
        return described(series, StatisticsConfig(features=choices.series))
    return series


def _keys(inputs: Array) -> Array:
    """(n,) equal where inputs are."""
    import hashlib

    digests = [hashlib.blake2b(np.ascontiguousarray(item).tobytes(), digest_size=16).hexdigest() for item in inputs]
    found: Array = np.unique(np.array(digests), return_inverse=True)[1]
    return found


def _writer(form: Array) -> Callable[[Path, Tell], None]:
    def write(target: Path, tell: Tell) -> None:
        def fill(put: Callable[[bytes], Any]) -> None:
            for first in range(0, len(form), BLOCK):
                tell(0.5 + 0.45 * first / len(form), f"writing example {first:,} of {len(form):,}")
                put(np.ascontiguousarray(form[first : first + BLOCK]).tobytes())

        write_rows(target, form.dtype.newbyteorder("<").str, form.shape, fill)

    return write


def _sample(draft: Draft, form: Array, row: int) -> Sample:
    part = "test" if draft.roles[row] == TEST else "search"
    label = columns_text(draft, row)
    if draft.kind == "image":
        return Sample(label=label, part=part, picture=png_base64(form[row]))  # type: ignore[arg-type]
    values = form[row] if form.ndim == 3 else form[row][None]
    step = max(1, values.shape[1] // SHOWN_POINTS)
    series = [[float(f"{item:.6g}") for item in channel[::step]] for channel in values[:12].tolist()]
    return Sample(label=label, part=part, series=series)  # type: ignore[arg-type]
