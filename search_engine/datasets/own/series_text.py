"""Time series as text, `.ts`: one series a line, channels apart by colons, values by commas, the class (or the number) last.

Format: the UCR and UEA archives, https://www.timeseriesclassification.com; sktime and aeon read the same. Lines that begin with @ say what
the series are, those with # are remarks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

import numpy as np

from ...base.errors import BadInput
from ..base import Array
from .archive import Archive
from .bounds import Bounds
from .choices import Choices
from .draft import Draft, Tell
from .example_arrays import of_arrays
from .unpacking import unpacked

MOST_HEAD = 500
LONGEST_LINE = 2**26


def read_ts(files: dict[str, Path], choices: Choices, bounds: Bounds, tell: Tell) -> Draft:
    """Files by what they are called. Raises BadInput(field "file") naming the line that is wrong."""
    found = {}
    for name, path in files.items():
        with unpacked(path, bounds, tell, "reading the series", (0.0, 0.4)) as file:
            found[name] = _parsed(iter(lambda: file.readline(LONGEST_LINE), b""), name, bounds)
    return _draft(found, choices, bounds, tell)


def read_ts_archive(files: Archive, choices: Choices, bounds: Bounds, tell: Tell) -> Draft:
    """The .ts files of a zip: one, or two that are called …_TRAIN.ts and …_TEST.ts."""
    names = [name for name in files.names if name.lower().endswith(".ts")]
    if len(names) > 2:
        raise BadInput("file", f"the zip has {len(names)} .ts files; give one, or one called …_TRAIN.ts and one called …_TEST.ts",
                       code="damaged_data")
    return _draft({name: _parsed(iter(files.read(name).splitlines()), name, bounds) for name in names}, choices, bounds, tell)


def _draft(found: dict[str, tuple[Array, list[str], str]], choices: Choices, bounds: Bounds, tell: Tell) -> Draft:
    parts = None
    if len(found) == 2:
        named = ["test" if PurePosixPath(name).stem.lower().endswith("test") else "train" for name in found]
        if set(named) != {"train", "test"}:
            raise BadInput("file", f"of two .ts files one must be called …_TRAIN.ts and one …_TEST.ts, not {', '.join(found)[:100]}")
        parts = np.concatenate([np.full(len(item[1]), part) for part, item in zip(named, found.values(), strict=True)])
    shapes = {item[0].shape[1:] for item in found.values()}
    if len(shapes) > 1:
        raise BadInput("file", f"the two files have series of different forms: {' and '.join(map(str, shapes))}", code="damaged_data")
    series = np.concatenate([item[0] for item in found.values()])
    labels = np.array([label for item in found.values() for label in item[1]])
    target = next(iter(found.values()))[2]
    chosen = choices.model_copy(update={"target": None, "task": choices.task or ("regression" if target == "target" else "classification")})
    return of_arrays(series, labels, parts, "series in .ts", target, chosen, bounds, tell)


def _parsed(lines: Iterable[bytes], name: str, bounds: Bounds) -> tuple[Array, list[str], str]:
    """(series (n, channels, time) float32, their targets, what a target is: class or target)."""
    short = name[:80]
    numbered = _texts(lines, short)
    target = ""
    for count, (number, line) in enumerate(numbered):
        word, _, rest = line.lower().partition(" ")
        if word == "@classlabel" and rest.strip().startswith("true"):
            target = "class"
        elif word == "@targetlabel" and rest.strip().startswith("true"):
            target = "target"
        elif word == "@timestamps" and rest.strip() == "true":
            raise _wrong(short, number, "series with time stamps are not read: save their values at equal steps")
        elif word == "@data":
            break
        elif not word.startswith("@"):
            raise _wrong(short, number, "before the series stand lines that begin with @, and @data")
        if count >= MOST_HEAD:
            raise _wrong(short, number, f"there is no @data in the first {MOST_HEAD} lines")
    if not target:
        raise BadInput("target", f"{short} says neither '@classLabel true' nor '@targetLabel true': its series have nothing to predict")
    rows: list[Array] = []
    labels: list[str] = []
    form: tuple[int, ...] | None = None
    values_read = 0
    for number, line in numbered:
        *channels, label = line.split(":")
        if not channels:
            raise _wrong(short, number, "it has no colon: values, a colon, the class")
        try:
            series = [np.array(channel.split(","), dtype=np.float32) for channel in channels]
        except ValueError:
            missing = "?" in line.rpartition(":")[0]
            why = "it has a missing value (?): fill gaps first" if missing else "its values must be numbers, apart by commas"
            raise _wrong(short, number, why) from None
        lengths = {len(channel) for channel in series}
        shape = (len(series), len(series[0]))
        form = form or shape
        if len(lengths) > 1 or shape != form:
            raise _wrong(short, number, f"its series have {shape[0]} channel(s) of length {', '.join(map(str, sorted(lengths)))}, the "
                                        f"first ones {form[0]} of {form[1]}: cut or resample all to one length")
        values_read += shape[0] * shape[1]
        if 8 * values_read > bounds.memory or len(rows) >= bounds.rows:
            raise BadInput("file", f"{short} has more series than an import may read", code="too_large")
        rows.append(np.stack(series))
        labels.append(label.strip())
    if not rows:
        raise BadInput("file", f"{short} has no series after @data", code="damaged_data")
    return np.stack(rows), labels, target


def _texts(lines: Iterable[bytes], name: str) -> Iterator[tuple[int, str]]:
    """(number, text) of the lines that say something."""
    for number, line in enumerate(lines, 1):
        try:
            text = line.decode("utf-8-sig").strip()
        except UnicodeDecodeError:
            raise _wrong(name, number, "it is no UTF-8 text") from None
        if text and not text.startswith("#"):
            yield number, text


def _wrong(name: str, number: int, why: str) -> BadInput:
    return BadInput("file", f"{name}, line {number}: {why}", code="damaged_data")
