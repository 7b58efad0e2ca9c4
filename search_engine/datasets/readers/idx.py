"""Read the official test files of MNIST or Fashion-MNIST (idx format, gzipped). Needs numpy alone."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

import numpy as np

IMAGES, LABELS = "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"


def read_test(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Images (n, 1, height, width) uint8 and labels (n,) int64 from the two test files in `folder`."""
    for name in (IMAGES, LABELS):
        if not (folder / name).is_file():
            sys.exit(f"{folder / name} is missing: --data must name the folder with {IMAGES} and {LABELS}")
    with gzip.open(folder / IMAGES) as file:
        data = file.read()
    # Header: magic number, then the number of images, rows and columns as big-endian 32-bit integers.
    images = np.frombuffer(data, np.uint8, offset=16).reshape(-1, 1, *np.frombuffer(data, ">u4", count=2, offset=8))
    with gzip.open(folder / LABELS) as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8)
    return images, labels.astype(np.int64)
