"""The test split in a bundle: the examples themselves where the data set is bundled with the program, else their indices."""

from __future__ import annotations

import hashlib
import importlib.util
import re
from pathlib import Path

import numpy as np

from ..datasets.base import Array, DatasetEntry, Part


def checksum(inputs: Array, labels: Array) -> str:
    """SHA-256 of examples, as the bundle's `evaluate.py` computes it: type, shape and bytes of the inputs, then the labels as
    little-endian 64-bit integers (real targets: 32-bit floats)."""
    digest = hashlib.sha256(f"{inputs.dtype.str}{inputs.shape}".encode())
    digest.update(np.ascontiguousarray(inputs).tobytes())
    digest.update(np.ascontiguousarray(labels, dtype="<f4" if labels.dtype.kind == "f" else "<i8").tobytes())
    return digest.hexdigest()


def write_test_split(folder: Path, entry: DatasetEntry, test: Part) -> str:
    """Write `test.npz` (and the data set's reader); returns the folder under the data directory that `evaluate.py` needs, or ''."""
    if not entry.test_reader:
        np.savez_compressed(folder / "test.npz", inputs=test.inputs, labels=test.labels, indices=test.indices)
        return ""
    np.savez_compressed(folder / "test.npz", labels=test.labels, indices=test.indices)
    found = importlib.util.find_spec(entry.test_reader)
    if found is None or found.origin is None:
        raise ModuleNotFoundError(f"the data set '{entry.id}' names the reader {entry.test_reader}, which is not installed")
    _take_along(Path(found.origin), folder / "read_data.py")
    return str(Path(entry.files[0]).parent)


def _take_along(source: Path, target: Path) -> None:
    """Copy a reader and the modules beside it that it imports; in the bundle they lie in one folder, which is no package."""
    text = source.read_text(encoding="utf-8")
    beside = re.compile(r"^from \.(\w+) import ", re.MULTILINE)
    target.write_text(beside.sub(r"from \1 import ", text), encoding="utf-8")
    for name in beside.findall(text):
        if not (target.parent / f"{name}.py").exists():
            _take_along(source.with_name(f"{name}.py"), target.parent / f"{name}.py")


def reads_pictures(folder: Path) -> bool:
    """Whether what was taken along needs Pillow."""
    return any("from PIL import" in path.read_text(encoding="utf-8") for path in folder.glob("*.py") if path.name != "read_picture.py")
