"""CIFAR-10 and CIFAR-100 in the official binary version. Needs numpy alone.

A record is one label byte (CIFAR-100: the byte of the superclass, then that of the class) and 3,072 bytes of a picture: 1,024 red ones, row
by row, then green, then blue. Source: A. Krizhevsky, https://www.cs.toronto.edu/~kriz/cifar.html, "Binary version". Nothing is unpickled.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

PIXELS = 3 * 32 * 32
MOST_RECORDS = 50_000
"""In one file: the largest official one is the training file of CIFAR-100."""
TEN, HUNDRED = "test_batch.bin", "test.bin"


def read_records(path: Path, classes: int) -> tuple[np.ndarray[Any, np.dtype[np.uint8]], np.ndarray[Any, np.dtype[np.int64]]]:
    """Pictures (n, 3, 32, 32) uint8 and classes (n,) int64 of one file of CIFAR-10 or, with 100 `classes`, of CIFAR-100.

    Raises ValueError with the file's name where it does not consist of whole records or a label is too large.
    """
    before = 1 if classes == 10 else 2
    record = before + PIXELS
    size = path.stat().st_size
    if not 0 < size <= MOST_RECORDS * record or size % record:
        raise ValueError(
            f"{path} has {size:,} bytes; a file of the binary version has 1 to {MOST_RECORDS:,} records of {record:,} bytes: put the "
            "original file there, unpacked"
        )
    records = np.fromfile(path, dtype=np.uint8).reshape(-1, record)
    labels = records[:, before - 1].astype(np.int64)
    if labels.max() >= classes:
        place = int(np.argmax(labels >= classes))
        raise ValueError(f"{path}: record {place} has the label {labels[place]}, there are {classes} classes: put the original file there")
    return records[:, before:].reshape(-1, 3, 32, 32), labels


def read_test(folder: Path) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Pictures (n, 3, 32, 32) uint8 and labels (n,) int64 of the official test file in `folder`."""
    for name, classes in ((TEN, 10), (HUNDRED, 100)):
        if (folder / name).is_file():
            return read_records(folder / name, classes)
    sys.exit(f"--data must name the folder with {TEN} (CIFAR-10) or {HUNDRED} (CIFAR-100); {folder} has neither")
