"""Data files of the tests' own, in the official format of MNIST."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from search_engine.datasets.idx_images import FILES


def idx_bytes(array: np.ndarray) -> bytes:
    """An array of unsigned bytes as the content of an IDX file."""
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


def write(folder: Path, train: int, test: int) -> Path:
    """An `mnist` of so many random images in a data folder; the folder."""
    return write_labelled(folder, [number % 10 for number in range(train)], [number % 10 for number in range(test)])


def write_labelled(folder: Path, train: Sequence[int], test: Sequence[int], *, blank: bool = False) -> Path:
    """An `mnist` with these labels in a data folder: images that are random, or all the same; the folder."""
    rng = np.random.RandomState(0)
    (folder / "mnist").mkdir(parents=True)
    for part, labels in (("train", train), ("test", test)):
        pictures = np.zeros((len(labels), 28, 28)) if blank else rng.randint(0, 256, (len(labels), 28, 28))
        for name, array in zip(FILES[part], (pictures, np.asarray(labels)), strict=True):
            (folder / "mnist" / name).write_bytes(gzip.compress(idx_bytes(array)))
    return folder
