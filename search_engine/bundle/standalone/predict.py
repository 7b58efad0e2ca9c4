"""What the model says of examples: class and probability of each, or numbers; an auto-encoder rebuilds, encodes or decodes them.

    python predict.py picture.png            an image of any size (needs Pillow: pip install pillow)
    python predict.py examples.npz           an array `inputs` (or the only array) of raw values, one example or many
    python predict.py examples.csv           one example a line, raw values separated by commas

Raw values are those of the training data: from 0 to the `scale` in preprocessing.json. The training images are light on dark;
`--invert` turns a picture that is dark on light. An auto-encoder (task "reconstruction" in preprocessing.json) also has

    python predict.py examples.npz --encode --out codes.csv       the codes, one example a line
    python predict.py codes.csv --decode --out rebuilt.csv        raw values from codes
"""

from __future__ import annotations

import argparse
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent))

from model import load_model
from preprocess import CLASS_NAMES, SETTINGS, SHAPE, normalise
from recorded import checked_manifest


def read_image(path: Path, invert: bool) -> np.ndarray:
    """A picture as one raw example: grey or colour, size and range as the network needs them."""
    if len(SHAPE) != 3:
        sys.exit(f"this model takes {SHAPE[0]} numbers, not pictures: give a .csv or .npz file")
    try:
        from PIL import Image
    except ImportError:
        sys.exit("reading pictures needs Pillow: pip install pillow")
    channels, height, width = SHAPE
    try:
        with Image.open(path) as opened:
            picture: Any = opened
            if picture.mode == "I" or picture.mode.startswith("I;16"):
                # 16 bits per point: Pillow's own conversion would cut all bright ones to white.
                picture = Image.fromarray((np.asarray(picture, dtype=np.float64) / 257).clip(0, 255).astype(np.uint8))
            elif "A" in picture.mode or "transparency" in picture.info:
                ground = Image.new("RGBA", picture.size, "white" if invert else "black")
                picture = Image.alpha_composite(ground, picture.convert("RGBA"))
            fitted = picture.convert("L" if channels == 1 else "RGB").resize((width, height), Image.Resampling.BILINEAR)
    except (OSError, ValueError) as error:
        sys.exit(f"{path} cannot be read as a picture: {error}")
    values = np.asarray(fitted, dtype=np.float32).reshape(height, width, -1).transpose(2, 0, 1)
    return (255 - values if invert else values)[np.newaxis] / 255 * np.float32(SETTINGS["scale"])


def read_table(path: Path) -> np.ndarray:
    """The rows of a .csv file as spreadsheets write it: a byte-order mark and a first line of names are no numbers."""
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    names = bool(lines) and not any(is_number(cell) for cell in lines[0].split(","))
    if not any(line.strip() for line in lines[names:]):
        raise ValueError("it holds no rows of numbers")
    return np.loadtxt(lines[names:], delimiter=",", dtype=np.float32, ndmin=2)


def is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def read_array(path: Path) -> np.ndarray:
    """The numbers of a .csv (one example a line), .npy or .npz file (the array `inputs`, or the first one)."""
    try:
        if path.suffix.lower() == ".csv":
            return read_table(path)
        loaded: Any = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.lib.npyio.NpzFile):
            loaded = loaded["inputs" if "inputs" in loaded.files else loaded.files[0]]
        values = np.asarray(loaded, dtype=loaded.dtype if loaded.dtype.kind in "iuf" else np.float32)
    except (OSError, ValueError, IndexError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        sys.exit(f"{path} cannot be read: {str(error) or type(error).__name__}")
    return values


def as_rows(values: np.ndarray, shape: tuple[int, ...], path: Path, what: str) -> np.ndarray:
    """(n, *shape) from one example or many, whose numbers may stand in a row."""
    size = int(np.prod(shape))
    if values.shape in (shape, (size,)):
        values = values[np.newaxis]
    if values.size == 0 or (values.shape[1:] != shape and values.shape[1:] != (size,)):
        sys.exit(f"{path} holds an array of shape {values.shape}; {what} of this model has {size} numbers (shape {shape}), one a row")
    if not np.isfinite(values).all():
        sys.exit(f"{path} holds values that are no numbers")
    return values.reshape(-1, *shape)


def read_examples(path: Path, invert: bool) -> np.ndarray:
    """Raw inputs (n, ...) from a file."""
    if path.suffix.lower() not in (".csv", ".npy", ".npz"):
        return read_image(path, invert)
    return as_rows(read_array(path), SHAPE, path, "an example")


def read_codes(path: Path, size: int) -> torch.Tensor:
    """Codes (n, size) from a .csv, .npy or .npz file."""
    return torch.from_numpy(as_rows(read_array(path), (size,), path, "a code").astype(np.float32))


def write_rows(rows: torch.Tensor, out: Path | None) -> None:
    """One example a line, to a file or to the screen."""
    np.savetxt(sys.stdout if out is None else out, rows.flatten(1).numpy(), delimiter=",", fmt="%.7g")


def raw_values(inputs: torch.Tensor) -> torch.Tensor:
    """Undo the preprocessing: network inputs (n, ...) -> raw values of the same shape."""
    column = (1, -1, *([1] * (inputs.dim() - 2)))
    mean, std = (torch.tensor(SETTINGS[name], dtype=torch.float32).view(column) for name in ("mean", "std"))
    raw: torch.Tensor = (inputs * std + mean) * SETTINGS["scale"]
    return raw


def rebuild(model: Any, given: argparse.Namespace) -> None:
    """What an auto-encoder does: encode, decode, or both."""
    if given.decode:
        width = model.encoder(torch.zeros(1, *SHAPE)).shape[1]
        write_rows(raw_values(model.decoder(read_codes(given.file, width)).reshape(-1, *SHAPE)), given.out)
        return
    inputs = normalise(read_examples(given.file, given.invert))
    write_rows(model.encoder(inputs) if given.encode else raw_values(model(inputs).reshape(-1, *SHAPE)), given.out)


def main() -> None:
    parser = argparse.ArgumentParser(description="What the model says of examples.")
    parser.add_argument("file", type=Path, help="an image, .npz, .npy or .csv")
    parser.add_argument("--invert", action="store_true", help="the picture is dark on light")
    parser.add_argument("--top", type=int, default=1, help="how many classes to print for each example")
    parser.add_argument("--encode", action="store_true", help="auto-encoders: give the codes")
    parser.add_argument("--decode", action="store_true", help="auto-encoders: the file holds codes, give raw values")
    parser.add_argument("--out", type=Path, help="write the numbers to this .csv file")
    given = parser.parse_args()
    task = SETTINGS["task"]
    if not given.file.is_file():
        sys.exit(f"there is no file {given.file}")
    if given.top < 1:
        sys.exit("--top: print at least one class")
    if (given.encode or given.decode) and task != "reconstruction":
        sys.exit("this model is no auto-encoder: leave out --encode and --decode")
    checked_manifest()
    torch.set_num_threads(1)
    model = load_model()
    with torch.no_grad():
        if task == "reconstruction":
            rebuild(model, given)
            return
        outputs = model(normalise(read_examples(given.file, given.invert))).float()
    if task == "regression":
        write_rows(outputs, given.out)
        return
    for row in outputs.softmax(1):
        best = row.topk(min(given.top, len(row)))
        print("  ".join(f"{CLASS_NAMES[int(k)]} {float(p):.4f}" for p, k in zip(best.values, best.indices, strict=True)))


if __name__ == "__main__":
    main()
