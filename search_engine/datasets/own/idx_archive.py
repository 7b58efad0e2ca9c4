"""A zip of idx files as MNIST and its successors have them: pictures and labels, perhaps of train and t10k, each perhaps gzipped."""

from __future__ import annotations

import gzip
import io
import zlib
from pathlib import Path
from typing import IO

import numpy as np

from ...base.errors import BadInput
from ..base import Array
from ..idx_file import read_idx_stream
from .archive import Archive
from .bounds import Bounds
from .choices import Choices
from .draft import Draft, Tell
from .example_arrays import of_arrays


def read_idx(files: Archive, choices: Choices, bounds: Bounds, tell: Tell) -> Draft:
    """Raises BadInput(field "file") where pictures and labels cannot be told, or do not go together."""
    pictures: dict[str, Array] = {}
    labels: dict[str, Array] = {}
    for place, name in enumerate(files.names):
        tell(0.4 * place / len(files.names), f"reading {name}")
        array = _array(files, name, bounds)
        part = "test" if any(word in name.lower() for word in ("t10k", "test")) else "train"
        into = labels if array.ndim == 1 else pictures
        if part in into:
            raise BadInput("file", f"there are two files of {'labels' if array.ndim == 1 else 'pictures'} for {part}; give one of each",
                           code="damaged_data")
        into[part] = array
    if set(pictures) != set(labels) or not pictures:
        raise BadInput("file", "each part needs a file of pictures and one of labels (train-images…, train-labels…, t10k-images…, "
                               "t10k-labels…)",
                       code="damaged_data")
    for part, array in pictures.items():
        if len(array) != len(labels[part]):
            raise BadInput("file", f"the {part} part has {len(array):,} pictures and {len(labels[part]):,} labels", code="damaged_data")
    names = sorted(pictures, reverse=True)
    if len({pictures[part].shape[1:] for part in names}) > 1:
        raise BadInput("file", "the parts have pictures of different sizes", code="damaged_data")
    parts = np.concatenate([np.full(len(labels[part]), part) for part in names]) if len(names) == 2 else None
    inputs = np.concatenate([pictures[part] for part in names])
    found = choices.model_copy(update={"target": None})
    return of_arrays(inputs, np.concatenate([labels[part] for part in names]), parts, "idx files", "label", found, bounds, tell)


def _array(files: Archive, name: str, bounds: Bounds) -> Array:
    data = files.read(name)
    most = min(bounds.bytes, bounds.memory // 3)
    try:
        raw = io.BytesIO(data)
        stream: IO[bytes] | gzip.GzipFile = gzip.GzipFile(fileobj=raw) if data[:2] == b"\x1f\x8b" else raw
        return read_idx_stream(stream, Path(name), None, most)
    except BadInput as error:
        raise BadInput("file", error.message, error.code) from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise BadInput("file", f"{name[:80]} cannot be unpacked: {error}", code="damaged_data") from None
