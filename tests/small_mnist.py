"""Data files of the tests' own, in the official format of MNIST."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np

from search_engine.datasets.idx_images import FILES


def idx_bytes(array: np.ndarray) -> bytes:
    """An array of unsigned bytes as the content of an IDX file."""
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


def write(folder: Path, train: int, test: int) -> Path:
    """An `mnist` of so many random images in a data folder; the folder."""
    rng = np.random.RandomState(0)
    (folder / "mnist").mkdir(parents=True)
    for part, count in (("train", train), ("test", test)):
        arrays = rng.randint(0, 256, (count, 28, 28)), np.arange(count) % 10
        for name, array in zip(FILES[part], arrays, strict=True):
            (folder / "mnist" / name).write_bytes(gzip.compress(idx_bytes(array)))
    return folder
