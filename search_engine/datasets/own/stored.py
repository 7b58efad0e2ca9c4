"""The folder of stored sets: each lies in a folder named by its digest, written whole or not at all.

The folder is `own` in `base.home.home()`, or the one that NASCOPE_OWN names: NAScope writes there, unlike into the folder of
data files, which it only reads.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from ...base.errors import BadInput
from ...base.home import home
from ..data_files import digest_of
from .findings import Manifest

MANIFEST = "set.json"
KEEPERS = "keepers"
"""In a set's folder: an empty file for everybody who keeps it. Equal files brought by the browser and on the command line are one set."""
FORMAT = 1
PREFIX = "own-"
_ID = re.compile(r"own-[0-9a-f]{16}")
MOST_MANIFEST = 2**26
TEMPORARY = (".import-", ".part-", ".removed-")
ABANDONED = 86400.0
"""Seconds after which a temporary folder is nobody's any more."""


def own_folder() -> Path:
    """Where stored sets lie: NASCOPE_OWN, else `own` in `home()`."""
    given = os.environ.get("NASCOPE_OWN")
    return Path(given) if given else home() / "own"


def is_own(name: str) -> bool:
    """Whether an id is one of a stored set, be it there or not."""
    return _ID.fullmatch(name) is not None


def set_folder(name: str, folder: Path | None = None) -> Path | None:
    """Where the set with that id lies; None where there is none."""
    if not is_own(name):
        return None
    for path in sorted((folder or own_folder()).glob(f"{name.removeprefix(PREFIX)}*")):
        if (path / MANIFEST).is_file():
            return path
    return None


def manifest(name: str, folder: Path | None = None) -> Manifest | None:
    """What is kept of the set with that id; None where there is none, or where its `set.json` is of another version."""
    place = set_folder(name, folder)
    return None if place is None else _read(place)


def manifests(folder: Path | None = None) -> list[Manifest]:
    """All stored sets, the oldest first."""
    root = folder or own_folder()
    found = [_read(path.parent) for path in root.glob(f"[0-9a-f]*/{MANIFEST}")] if root.is_dir() else []
    return sorted((item for item in found if item is not None), key=lambda item: (item.made, item.id))


def hold(name: str, keeper: str, folder: Path | None = None) -> None:
    """Keep the set for `keeper`, until it is removed for it. Raises BadInput(field "dataset") where there is none."""
    kept = _place(name, folder) / KEEPERS
    kept.mkdir(exist_ok=True)
    (kept / keeper).touch()


def remove(name: str, keeper: str, folder: Path | None = None) -> list[str]:
    """Delete a set, unless others than `keeper` keep it, too: their names are returned. Runs that used it stay what they are; they cannot
    go on. Raises BadInput(field "dataset") where there is none."""
    place = _place(name, folder)
    (place / KEEPERS / keeper).unlink(missing_ok=True)
    others = sorted(path.name for path in (place / KEEPERS).glob("*"))
    if others:
        return others
    # Out of sight at once: a reader finds all of it or nothing.
    away = Path(tempfile.mkdtemp(prefix=".removed-", dir=place.parent))
    place.rename(away / place.name)
    shutil.rmtree(away, ignore_errors=True)
    return []


def _place(name: str, folder: Path | None) -> Path:
    found = set_folder(name, folder)
    if found is None:
        raise BadInput("dataset", f"there is no stored data set '{name}'", code="unknown_id")
    return found


def _read(place: Path) -> Manifest | None:
    with contextlib.suppress(OSError):
        state = (place / MANIFEST).stat()
        return _parsed(place / MANIFEST, state.st_size, state.st_mtime_ns, state.st_ino)
    return None


@lru_cache(maxsize=256)
def _parsed(path: Path, *identity: int) -> Manifest | None:
    if identity[0] > MOST_MANIFEST:
        return None
    try:
        return Manifest.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, ValidationError):
        return None


@contextlib.contextmanager
def writing(folder: Path) -> Iterator[Path]:
    """A new folder beside the sets, on the same file system, that is gone afterwards unless `put` moved it to its name."""
    folder.mkdir(parents=True, exist_ok=True)
    begun = Path(tempfile.mkdtemp(prefix=".part-", dir=folder))
    try:
        yield begun
    finally:
        shutil.rmtree(begun, ignore_errors=True)


def sweep(folder: Path) -> None:
    """Remove what imports that were killed left behind: what is older than any import may take."""
    for path in folder.glob(".*-*"):
        with contextlib.suppress(OSError):
            if path.name.startswith(TEMPORARY) and time.time() - path.stat().st_mtime > ABANDONED:
                shutil.rmtree(path, ignore_errors=True)


def write_array(path: Path, array: np.ndarray[Any, Any]) -> None:
    np.save(path, array, allow_pickle=False)


def write_rows(path: Path, dtype: str, shape: tuple[int, ...], fill: Callable[[Callable[[bytes], Any]], None]) -> None:
    """An array that never lies in memory: `fill` is given a function that takes the bytes of the next rows."""
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": dtype, "fortran_order": False, "shape": shape})
        begun = file.tell()
        fill(file.write)
        if file.tell() - begun != int(np.prod(shape, dtype=object)) * np.dtype(dtype).itemsize:
            raise AssertionError(f"{path} was promised {shape} and got {file.tell() - begun} bytes")


def put(begun: Path, form: Callable[[str, dict[str, str]], Manifest], content: Any, folder: Path) -> Manifest:
    """Name what lies in `begun` by its content, write its `set.json`, and move it to its place. `content` (JSON) is hashed with the arrays;
    `form` makes the manifest of (digest, arrays). An equal set that is there already stays, and is given back."""
    arrays = {path.name: digest_of(path) for path in sorted(begun.iterdir())}
    text = json.dumps([FORMAT, content, arrays], sort_keys=True, ensure_ascii=True, allow_nan=False)
    digest = hashlib.sha256(text.encode()).hexdigest()
    target = folder / digest
    kept = _read(target)
    if kept is not None:
        return kept
    made = form(digest, arrays)
    (begun / MANIFEST).write_text(made.model_dump_json(indent=1) + "\n", encoding="utf-8")
    begun.chmod(0o755)
    if target.exists():
        # A set.json that nobody can read any more.
        shutil.rmtree(target)
    begun.rename(target)
    return made
