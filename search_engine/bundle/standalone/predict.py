"""What the model says of examples: class and probability of each, or numbers; an auto-encoder rebuilds, encodes or decodes them.

    python predict.py examples.csv           one example a line; also .tsv. With a first line of names: columns in any order, others ignored
    python predict.py picture.png            an image of any size (needs Pillow: pip install pillow)
    python predict.py examples.npz           an array `inputs` (or the only array) of raw values, one example or many; also .npy

`--out answers.csv` writes the class and all probabilities of every example to a table. What a table is like is found out by itself: UTF-8,
UTF-16 or an older code page (`--encoding` says it instead), commas, semicolons or tabs, decimal points or commas.

Raw values are those of the training data, before any standardising: preprocessing.json has the names of the columns, or their range (from 0
to `scale`). The training images are light on dark; `--invert` turns a picture that is dark on light. An auto-encoder (task "reconstruction"
in preprocessing.json) also has

    python predict.py examples.npz --encode --out codes.csv       the codes, one example a line
    python predict.py codes.csv --decode --out rebuilt.csv        raw values from codes
"""

from __future__ import annotations

import argparse
import csv
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent))

from columns import encode
from model import load_model
from preprocess import CLASS_NAMES, COLUMNS, FEATURE_NAMES, FITTED, SETTINGS, SHAPE, in_own_units, normalise
from read_picture import read_picture
from read_table import chosen, numbers, read_table, texts
from recorded import checked_manifest

TABLES = (".csv", ".tsv", ".txt")


def read_image(path: Path, invert: bool) -> np.ndarray:
    """A picture as one raw example."""
    if len(SHAPE) != 3:
        series = f"series of {SHAPE[0]} channel(s) and {SHAPE[-1]} moments"
        what = series if len(SHAPE) == 2 else f"{len(COLUMNS) or SHAPE[0]} columns"
        sys.exit(f"this model takes {what}, not pictures: give a .csv, .tsv, .npy or .npz file")
    try:
        raw: np.ndarray = read_picture(path, SHAPE, SETTINGS["scale"], invert)
    except ValueError as error:
        sys.exit(f"{path}: {error}")
    return raw


def read_columns(path: Path, encoding: str) -> np.ndarray:
    """(n, places) raw values from a table: columns by their names, or in the model's order where it has no names."""
    known = [column["name"] for column in COLUMNS] or FEATURE_NAMES
    words = [text for column in COLUMNS for text in column["categories"]]
    size = len(known) or int(np.prod(SHAPE))
    table = read_table(path, known, size, encoding, words)
    if FITTED:
        table.missing, table.decimal = FITTED["missing_texts"], FITTED["decimal"]
    places, ignored = chosen(table, known)
    if ignored:
        print(f"not used by the model: {', '.join(ignored[:20])}{' and more' if len(ignored) > 20 else ''}", file=sys.stderr)
    if len(places) != size:
        raise ValueError(f"it has {len(places)} columns; an example of this model has {size}" + (f": {', '.join(known)}" if known else ""))
    if FITTED is None or not COLUMNS:
        names = known or [str(place + 1) for place in places]
        return np.stack([numbers(table, place, name, False) for place, name in zip(places, names, strict=True)], axis=1).astype(np.float32)
    values = [
        numbers(table, place, column["name"], True) if column["kind"] == "number" else texts(table, place)
        for place, column in zip(places, COLUMNS, strict=True)
    ]
    for column, given in zip(COLUMNS, values, strict=True):
        if column["kind"] == "category":
            say_unknown(column, given)
    encoded: np.ndarray = encode(FITTED, values)
    return encoded


def say_unknown(column: dict[str, Any], given: np.ndarray) -> None:
    """Tell of categories that count as none, because the training had none of them."""
    unknown = sorted({text for text in given if text is not None} - set(column["known"]))
    if unknown:
        listed = ", ".join(f"'{text[:40]}'" for text in unknown[:5]) + (" and more" if len(unknown) > 5 else "")
        print(f"column '{column['name']}': not known to the model, and taken for none of its categories: {listed}", file=sys.stderr)


def read_array(path: Path, encoding: str = "") -> np.ndarray:
    """The numbers of a .csv or .tsv (one example a line), .npy or .npz file (the array `inputs`, or the first one)."""
    try:
        if path.suffix.lower() in TABLES:
            return read_columns(path, encoding)
        return read_numpy(path)
    except (OSError, ValueError, IndexError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        sys.exit(f"{path} cannot be read: {str(error) or type(error).__name__}")


def read_numpy(path: Path) -> np.ndarray:
    loaded: Any = np.load(path, allow_pickle=False)
    if isinstance(loaded, np.lib.npyio.NpzFile):
        loaded = loaded["inputs" if "inputs" in loaded.files else loaded.files[0]]
    return np.asarray(loaded, dtype=loaded.dtype if loaded.dtype.kind in "iuf" else np.float32)


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


def read_examples(path: Path, invert: bool, encoding: str = "") -> np.ndarray:
    """Raw inputs (n, ...) from a file."""
    if path.suffix.lower() not in (*TABLES, ".npy", ".npz"):
        return read_image(path, invert)
    return as_rows(read_array(path, encoding), SHAPE, path, "an example")


def read_codes(path: Path, size: int) -> torch.Tensor:
    """Codes (n, size) from a .csv, .npy or .npz file."""
    try:
        if path.suffix.lower() in TABLES:
            table = read_table(path, (), size)
            found = np.stack([numbers(table, place, str(place + 1), False) for place in range(len(table.rows[0]))], axis=1)
        else:
            found = read_numpy(path)
    except (OSError, ValueError, IndexError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        sys.exit(f"{path} cannot be read: {str(error) or type(error).__name__}")
    return torch.from_numpy(as_rows(found, (size,), path, "a code").astype(np.float32))


def write_rows(rows: torch.Tensor, out: Path | None) -> None:
    """One example a line, to a file or to the screen."""
    np.savetxt(sys.stdout if out is None else out, rows.flatten(1).numpy(), delimiter=",", fmt="%.7g")


def safe(cell: str) -> str:
    """A text that a spreadsheet takes for one: what it would compute begins with an apostrophe."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def write_table(names: list[str], rows: list[list[str | float]], out: Path) -> None:
    """A .csv file that spreadsheets open as it is meant: UTF-8 with a byte-order mark, texts that are no formulas."""
    with out.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([safe(name) for name in names])
        writer.writerows([safe(cell) if isinstance(cell, str) else f"{cell:.7g}" for cell in row] for row in rows)


def say_classes(shares: torch.Tensor, top: int, out: Path | None) -> None:
    """Of every example the likeliest classes with their probabilities on the screen; the likeliest and all probabilities in a file."""
    if out is None:
        for row in shares:
            best = row.topk(min(top, len(row)))
            print("  ".join(f"{CLASS_NAMES[int(k)]} {float(p):.4f}" for p, k in zip(best.values, best.indices, strict=True)))
        return
    rows: list[list[str | float]] = [
        [number, CLASS_NAMES[int(row.argmax())], float(row.max()), *row.tolist()] for number, row in enumerate(shares, start=1)
    ]
    write_table(["example", "class", "probability", *(f"p({name})" for name in CLASS_NAMES)], rows, out)


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
    inputs = normalise(read_examples(given.file, given.invert, given.encoding))
    write_rows(model.encoder(inputs) if given.encode else raw_values(model(inputs).reshape(-1, *SHAPE)), given.out)


def main() -> None:
    parser = argparse.ArgumentParser(description="What the model says of examples.")
    parser.add_argument("file", type=Path, help="an image, .csv, .tsv, .npz or .npy")
    parser.add_argument("--invert", action="store_true", help="the picture is dark on light")
    parser.add_argument("--top", type=int, default=1, help="how many classes to print for each example")
    parser.add_argument("--encode", action="store_true", help="auto-encoders: give the codes")
    parser.add_argument("--decode", action="store_true", help="auto-encoders: the file holds codes, give raw values")
    parser.add_argument("--encoding", default="", help="of a table that is no UTF-8, for example cp1251; found out by itself if left out")
    parser.add_argument("--out", type=Path, help="write the answers to this .csv file")
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
        raw = read_examples(given.file, given.invert, given.encoding)
        batch = SETTINGS["batch_size"]
        outputs = torch.cat([model(normalise(raw[first : first + batch])).float() for first in range(0, len(raw), batch)])
    if task == "classification":
        say_classes(outputs.softmax(1), given.top, given.out)
        return
    values = in_own_units(outputs)
    if given.out is None:
        write_rows(values, None)
    else:
        write_table(["example", *CLASS_NAMES], [[number, *row.tolist()] for number, row in enumerate(values, start=1)], given.out)


if __name__ == "__main__":
    main()
