"""Classify examples: class and probability of each.

    python predict.py picture.png            an image of any size (needs Pillow: pip install pillow)
    python predict.py examples.npz           an array `inputs` (or the only array) of raw values, one example or many
    python predict.py examples.csv           one example a line, raw values separated by commas

Raw values are those of the training data: from 0 to the `scale` in preprocessing.json. The training images are light on dark;
`--invert` turns a picture that is dark on light.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent))

from model import load_model
from preprocess import CLASS_NAMES, SETTINGS, SHAPE, normalise


def read_image(path: Path, invert: bool) -> np.ndarray:
    """A picture as one raw example: grey or colour, size and range as the network needs them."""
    if len(SHAPE) != 3:
        sys.exit(f"this model takes {SHAPE[0]} numbers, not pictures: give a .csv or .npz file")
    try:
        from PIL import Image
    except ImportError:
        sys.exit("reading pictures needs Pillow: pip install pillow")
    channels, height, width = SHAPE
    with Image.open(path) as picture:
        fitted = picture.convert("L" if channels == 1 else "RGB").resize((width, height), Image.Resampling.BILINEAR)
        values = np.asarray(fitted, dtype=np.float32).reshape(height, width, -1).transpose(2, 0, 1)
    return (255 - values if invert else values)[np.newaxis] / 255 * np.float32(SETTINGS["scale"])


def read_examples(path: Path, invert: bool) -> np.ndarray:
    """Raw inputs (n, ...) from a file."""
    if path.suffix in (".npz", ".npy"):
        loaded = np.load(path, allow_pickle=False)
        if path.suffix == ".npz":
            name = "inputs" if "inputs" in loaded.files else loaded.files[0]
            loaded = loaded[name]
        values = np.asarray(loaded)
    elif path.suffix == ".csv":
        values = np.loadtxt(path, delimiter=",", dtype=np.float32, ndmin=2)
    else:
        return read_image(path, invert)
    size = int(np.prod(SHAPE))
    if values.size == 0 or values.size % size:
        sys.exit(f"{path} holds {values.size} numbers; an example of this model has {size} (shape {SHAPE})")
    return values.reshape(-1, *SHAPE)


def main() -> None:
    parser = argparse.ArgumentParser(description="Classify examples.")
    parser.add_argument("file", type=Path, help="an image, .npz, .npy or .csv")
    parser.add_argument("--invert", action="store_true", help="the picture is dark on light")
    parser.add_argument("--top", type=int, default=1, help="how many classes to print for each example")
    given = parser.parse_args()
    if not given.file.is_file():
        sys.exit(f"there is no file {given.file}")
    torch.set_num_threads(1)
    with torch.no_grad():
        probabilities = load_model()(normalise(read_examples(given.file, given.invert))).float().softmax(1)
    for row in probabilities:
        best = row.topk(min(given.top, len(row)))
        print("  ".join(f"{CLASS_NAMES[int(k)]} {float(p):.4f}" for p, k in zip(best.values, best.indices, strict=True)))


if __name__ == "__main__":
    main()
