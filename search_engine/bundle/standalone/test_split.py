"""The examples that the model was tested on, raw, and the checksum that was recorded of them. NumPy alone."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent


def checksum(inputs: np.ndarray, labels: np.ndarray) -> str:
    """SHA-256 of the examples: type, shape and bytes of the inputs, then the labels as little-endian 64-bit integers (real targets:
    32-bit floats)."""
    digest = hashlib.sha256(f"{inputs.dtype.str}{inputs.shape}".encode())
    digest.update(np.ascontiguousarray(inputs).tobytes())
    digest.update(np.ascontiguousarray(labels, dtype="<f4" if labels.dtype.kind == "f" else "<i8").tobytes())
    return digest.hexdigest()


def read_test_split(folder: Path | None, recorded: str) -> tuple[np.ndarray, np.ndarray]:
    """Raw inputs and labels of the test split, whose checksum is `recorded`. `folder` has the data set's own files, where only indices are
    here. Ends the program where they are others."""
    with np.load(HERE / "test.npz", allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    if "inputs" in arrays:
        inputs, labels = arrays["inputs"], arrays["labels"]
    else:
        inputs, labels = _of_files(folder, arrays)
    if checksum(inputs, labels) != recorded:
        sys.exit("these are not the examples that the model was tested on")
    return inputs, labels


def read_examples(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Raw `inputs` and `labels` of an .npz file of one's own."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return file["inputs"], file["labels"]
    except (OSError, ValueError, KeyError) as error:
        sys.exit(f"{path} is no .npz file with the arrays inputs and labels: {error}")


def _of_files(folder: Path | None, arrays: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    if folder is None:
        sys.exit("this bundle holds only the indices of its test split: give --data FOLDER, where the data set's own files lie")
    from read_data import read_test

    try:
        inputs, labels = read_test(folder)
    except (OSError, ValueError) as error:
        sys.exit(f"the data set's files cannot be read: {error}")
    # A model of some of the classes numbers them anew, each old number becoming one new one.
    pairs = set(zip(labels[arrays["indices"]].tolist(), arrays["labels"].tolist(), strict=True))
    if not len(pairs) == len({old for old, _ in pairs}) == len({new for _, new in pairs}):
        sys.exit("these are not the examples that the model was tested on")
    return inputs[arrays["indices"]], arrays["labels"]
