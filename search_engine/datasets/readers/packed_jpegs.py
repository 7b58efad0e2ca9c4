"""A data set of JPEG files that are packed into one .npz, as the JPEG copy of CIFAR-10 is. Needs numpy and Pillow.

Arrays for PART = train, test: PART_jpeg (bytes of all files, one after the other, uint8), PART_offsets (n + 1 places where they begin and
the last one ends), PART_labels (n classes).
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .arrays import read_arrays
from .pictures import decode

SIZE = (32, 32)
CLASSES = 10
FILE = "cifar10_jpeg.npz"


@dataclass(frozen=True)
class Packed:
    """One part of the file, not yet decoded."""

    path: Path
    part: str
    labels: np.ndarray[Any, np.dtype[np.int64]]

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(n, 3, height, width) of the decoded pictures."""
        return (len(self.labels), 3, *SIZE)

    def read(self, out: np.ndarray[Any, np.dtype[np.uint8]]) -> None:
        """Decode all pictures into `out`, of that shape. Raises ValueError naming file, part and picture."""
        names = {f"{self.part}_jpeg": ("u", 1), f"{self.part}_offsets": ("iu", 1)}
        data, offsets = read_arrays(self.path, names).values()
        if len(offsets) != len(self.labels) + 1 or offsets[0] != 0 or offsets[-1] != len(data) or (np.diff(offsets) <= 0).any():
            raise ValueError(
                f"{self.path}: {self.part}_offsets must rise from 0 to the {len(data):,} bytes of {self.part}_jpeg in {len(self.labels)} "
                "steps, one for each label"
            )
        content = data.tobytes()
        for place, (first, last) in enumerate(zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)):
            out[place] = decode(content[first:last], f"{self.path}: picture {place} of {self.part}", 3, SIZE)


def packed(path: Path, part: str) -> Packed:
    """That part (train, test) with its labels. Raises ValueError."""
    labels = read_arrays(path, {f"{part}_labels": ("iu", 1)})[f"{part}_labels"].astype(np.int64)
    if labels.min() < 0 or labels.max() >= CLASSES:
        raise ValueError(f"{path}: {part}_labels go from {labels.min()} to {labels.max()}; they must be classes from 0 to {CLASSES - 1}")
    return Packed(path, part, labels)


def read_test(folder: Path) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Pictures (n, 3, 32, 32) uint8 and labels (n,) int64 of the test part."""
    if not (folder / FILE).is_file():
        sys.exit(f"{folder / FILE} is missing: --data must name the folder with it")
    part = packed(folder / FILE, "test")
    images = np.empty(part.shape, dtype=np.uint8)
    part.read(images)
    return images, part.labels
