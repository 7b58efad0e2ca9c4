"""Files as people have them, made for the tests."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from search_engine.datasets.own.bounds import Bounds
from search_engine.datasets.own.choices import Choices
from search_engine.datasets.own.draft import Draft, silent
from search_engine.datasets.own.findings import Manifest
from search_engine.datasets.own.keeping import keep_draft
from search_engine.datasets.own.reading import findings_of, read_draft, source_of


def draft_of(path: Path, *, bounds: Bounds | None = None, **choices: Any) -> Draft:
    """As the reading process makes it, here."""
    return read_draft(path, path.name, Choices(**choices), bounds or Bounds(), silent)


def kept(path: Path, folder: Path, *, bounds: Bounds | None = None, **choices: Any) -> Manifest:
    """The same, stored."""
    made, bounds = Choices(**choices), bounds or Bounds()
    draft = read_draft(path, path.name, made, bounds, silent)
    return keep_draft(draft, findings_of(draft, source_of(path, path.name, bounds)), made, folder, silent)


def csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]], *, separator: str = ",", encoding: str = "utf-8") -> Path:
    lines = [separator.join(map(str, row)) for row in [header, *rows]]
    path.write_bytes(("\n".join(lines) + "\n").encode(encoding))
    return path


def people(path: Path, rows: int = 120, *, change: Callable[[int, list[object]], None] | None = None) -> Path:
    """An id, a number with gaps, a category, a date, a column that gives the target away, a constant one, and the target; `change` may
    write over the cells of a row."""
    rng = np.random.RandomState(3)
    table: list[list[object]] = []
    for row in range(rows):
        age, job = int(rng.randint(18, 80)), ("cook", "smith", "teacher")[rng.randint(3)]
        income = round(float(rng.rand()) * 1000, 2)
        rich = int(age + 20 * (job == "cook") + 10 * rng.randn() > 50)
        when = f"2021-03-{1 + row % 28:02d}"
        cells: list[object] = [row, "" if rng.rand() < 0.1 else age, income, job, when, "AB"[rich], 1, ("no", "yes")[rich]]
        if change is not None:
            change(row, cells)
        table.append(cells)
    return csv(path, ["id", "возраст", "income", "job", "when", "code", "const", "rich"], table)


def png(pixels: np.ndarray[Any, Any], mode: str | None = None, form: str = "PNG") -> bytes:
    """A picture (height, width) or (height, width, channels) as a file."""
    picture = Image.fromarray(pixels)
    if mode is not None:
        picture = picture.convert(mode)
    kept = io.BytesIO()
    picture.save(kept, format=form)
    return kept.getvalue()


def zipped(path: Path, entries: Sequence[tuple[Any, bytes | str]]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return path


def class_folders(path: Path, each: int = 8, *, around: str = "", size: tuple[int, int] = (8, 8), parts: Sequence[str] = ("",)) -> Path:
    """Noise, a little lighter in the second class."""
    rng = np.random.RandomState(0)
    entries: list[tuple[str, bytes]] = []
    for part in parts:
        for light, name in ((0, "dark"), (60, "light")):
            for number in range(each):
                pixels = rng.randint(0, 150, size, dtype=np.uint8) + np.uint8(light)
                entries.append((f"{around}{part}{name}/{number}.png", png(pixels)))
    return zipped(path, entries)
