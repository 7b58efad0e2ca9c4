"""Pictures in class folders: FOLDER/CLASS/picture.png, one folder for each class. Needs numpy and Pillow.

Classes are numbered in the order of their names, and so are the pictures of a class: the order is the same on every machine. A folder is
listed whole, and every picture of it read, or one clear error says which file is wrong and what would be right.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .pictures import ENDINGS, read_picture


@dataclass(frozen=True)
class Limits:
    """What is read at most."""

    files: int = 500_000
    classes: int = 10_000
    bytes: int = 2**32
    """Of all pictures together, as uint8."""


@dataclass(frozen=True)
class Listing:
    """Pictures of a folder, not yet read."""

    folder: Path
    class_names: tuple[str, ...]
    files: tuple[str, ...]
    """Paths under the folder, with slashes."""
    labels: np.ndarray[Any, np.dtype[np.int64]]
    """(n,) the class of each."""

    def shape(self, channels: int, size: tuple[int, int] | None = None, limits: Limits | None = None) -> tuple[int, int, int, int]:
        """(n, channels, height, width) that reading will give; the size is that of the first picture unless one is given.

        Raises ValueError where that would be more than the limits allow, before anything is read but the first picture."""
        height, width = size or read_picture(self.folder / self.files[0], channels).shape[1:]
        shape = (len(self.files), channels, height, width)
        needed, most = int(np.prod(shape, dtype=object)), (limits or Limits()).bytes
        if needed > most:
            raise ValueError(
                f"{self.folder}: {shape[0]:,} pictures of {height} x {width} pixels take {needed:,} bytes; at most {most:,} are read: use "
                "fewer or smaller pictures"
            )
        return shape

    def read(self, out: np.ndarray[Any, np.dtype[np.uint8]]) -> None:
        """Fill `out` (n, channels, height, width), as `shape` said. Raises ValueError naming the picture that is wrong."""
        for place, name in enumerate(self.files):
            out[place] = read_picture(self.folder / name, out.shape[1], out.shape[2:])

    def fingerprint(self) -> list[tuple[str, int, int]]:
        """(path, bytes, time of change in ns) of each picture: what a decoded copy of them belongs to."""
        states = [(name, (self.folder / name).stat()) for name in self.files]
        return [(name, state.st_size, state.st_mtime_ns) for name, state in states]


def class_folders(folder: Path, inside: str = "", classes: tuple[str, ...] | None = None, limits: Limits | None = None) -> Listing:
    """The pictures in FOLDER/CLASS/`inside`/; `classes` names the folders that are used, in the order of their numbers (default: all).

    Names that begin with a dot are passed over. Raises ValueError for a folder without classes, a class without pictures, a file that is no
    picture by its name, a link that leads out of the folder, and more of anything than the limits allow.
    """
    limits = limits or Limits()
    root = folder.resolve()
    if not root.is_dir():
        raise ValueError(f"there is no folder {folder}")
    names = classes if classes is not None else _classes(folder, root, limits)
    files: list[str] = []
    labels: list[int] = []
    for label, name in enumerate(names):
        place = folder / name / inside if inside else folder / name
        if not place.is_dir():
            raise ValueError(f"there is no folder {place}; every class needs one with its pictures")
        own = []
        for entry in _entries(place, root):
            if not entry.name.lower().endswith(ENDINGS):
                raise ValueError(f"{entry.path} is no picture by its name; there may be only {', '.join(ENDINGS)} in a class's folder")
            own.append(entry.name)
            if len(files) + len(own) > limits.files:
                raise ValueError(f"{folder} holds more than {limits.files:,} pictures, which is the most that is read")
        if not own:
            raise ValueError(f"the class folder {place} holds no picture; remove it, or put pictures ({', '.join(ENDINGS)}) there")
        prefix = f"{name}/{inside}/" if inside else f"{name}/"
        files += [prefix + item for item in sorted(own)]
        labels += [label] * len(own)
    return Listing(folder, tuple(names), tuple(files), np.array(labels, dtype=np.int64))


def _classes(folder: Path, root: Path, limits: Limits) -> tuple[str, ...]:
    names: list[str] = []
    for entry in _entries(folder, root):
        if not entry.is_dir():
            raise ValueError(f"{entry.path} is no folder; {folder} may hold class folders only, one for each class")
        names.append(entry.name)
        if len(names) > limits.classes:
            raise ValueError(f"{folder} holds more than {limits.classes:,} class folders, which is the most that is read")
    if len(names) < 2:
        raise ValueError(f"{folder} holds {len(names)} class folder(s); at least two are needed, with the pictures of a class in each")
    return tuple(sorted(names))


def _entries(place: Path, root: Path) -> Iterator[os.DirEntry[str]]:
    """What stands in a folder, in no order. A link must stay inside `root`."""
    with os.scandir(place) as found:
        for entry in found:
            if entry.name.startswith("."):
                continue
            if entry.is_symlink():
                refuse_leading_out(Path(entry.path), root)
            yield entry


def refuse_leading_out(path: Path, root: Path) -> None:
    """Raise ValueError where `path` is a link that leads out of `root`."""
    if path.is_symlink() and not path.resolve().is_relative_to(root):
        raise ValueError(f"{path} is a link that leads out of {root}; put the file itself there")
