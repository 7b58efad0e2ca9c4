"""Decoded pictures, kept as one array in a file: decoding tens of thousands takes many seconds, mapping the file next to none.

The copies lie in the folder `decoded` of NASCOPE_HOME (`base.home`), never beside the source. Each is named by a digest of what it was
made from, so a changed source, another version of Pillow or a copy that is cut short is decoded anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..base.home import home
from .base import Array

Shape = tuple[int, int, int, int]


def decoded(name: str, source: Any, shape: Shape, read: Callable[[Array], None]) -> Array:
    """(n, channels, height, width) uint8 as `read` fills it, from the copy in the file if there is one. Do not write to it.

    `name` says what it is (letters, digits, `-`, `_`); an older copy of the same name is removed. `source` (JSON) is what it was made from.
    Nothing is half done: a copy gets its name when it is whole. Where none can be kept, the array is in memory alone.
    """
    folder = home() / "decoded"
    path = folder / f"{name}.{_digest(source, shape)}.npy"
    if (kept := _kept(path, shape)) is not None:
        return kept
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, begun = tempfile.mkstemp(prefix=f".{name}.", suffix=".part", dir=folder)
    except OSError:
        return _in_memory(shape, read)
    try:
        return _written(folder, name, path, descriptor, Path(begun), shape, read)
    finally:
        Path(begun).unlink(missing_ok=True)


def _written(folder: Path, name: str, path: Path, descriptor: int, begun: Path, shape: Shape, read: Callable[[Array], None]) -> Array:
    header: dict[str, Any] = {"descr": "|u1", "fortran_order": False, "shape": shape}
    try:
        with os.fdopen(descriptor, "wb") as file:
            np.lib.format.write_array_header_1_0(file, header)
            # Space that is not there must fail here: a page of a mapped file that finds none ends the process.
            row = bytes(int(np.prod(shape[1:])))
            for _ in range(shape[0]):
                file.write(row)
    except OSError:
        return _in_memory(shape, read)
    copy = np.load(begun, mmap_mode="r+")
    read(copy)
    copy.flush()
    del copy
    for older in folder.glob(f"{name}.*.npy"):
        if older != path:
            with contextlib.suppress(OSError):
                older.unlink()
    begun.replace(path)
    kept = _kept(path, shape)
    # Somebody may have removed it meanwhile.
    return _in_memory(shape, read) if kept is None else kept


def _in_memory(shape: Shape, read: Callable[[Array], None]) -> Array:
    images = np.empty(shape, dtype=np.uint8)
    read(images)
    return images


def _kept(path: Path, shape: Shape) -> Array | None:
    try:
        found: Array = np.load(path, mmap_mode="r")
    except (OSError, ValueError, EOFError):
        return None
    return found if found.shape == shape and found.dtype == np.uint8 else None


def _digest(source: Any, shape: Shape) -> str:
    from PIL import __version__ as pillow

    return hashlib.sha256(json.dumps([source, shape, pillow]).encode()).hexdigest()[:32]


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
