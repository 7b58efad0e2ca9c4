"""The files of uploads: one under each row's id, whose name nobody chooses, and one writer at a time.

    uploads/<row's id>/source     the bytes that came so far: its length is the upload's offset
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from django.conf import settings

SOURCE = "source"


class Busy(Exception):
    """Another request writes to the file."""


def folder(upload: UUID) -> Path:
    """The upload's own."""
    return uploads() / str(upload)


def uploads() -> Path:
    """Where they lie, all of them."""
    return Path(settings.NASCOPE_HOME) / "uploads"


def source(upload: UUID) -> Path:
    """The file itself."""
    return folder(upload) / SOURCE


def begin(upload: UUID) -> None:
    """Make it, empty."""
    folder(upload).mkdir(parents=True)
    source(upload).touch(mode=0o600)


def received(upload: UUID) -> int:
    """How many bytes are there. Raises FileNotFoundError where the upload is gone."""
    return source(upload).stat().st_size


@contextmanager
def appending(upload: UUID) -> Iterator[BinaryIO]:
    """The file at its end, for this request alone. Raises Busy, or FileNotFoundError. The lock ends with the process that holds it."""
    with source(upload).open("r+b", buffering=0) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy from None
        file.seek(0, os.SEEK_END)
        yield file


def remove(upload: UUID) -> None:
    """The upload with its folder. A second removal finds nothing."""
    shutil.rmtree(folder(upload), ignore_errors=True)


def remove_strays(known: set[str], older_than: float) -> int:
    """Folders of no row: their rows were deleted while somebody wrote. Returns how many. `older_than`: by the file system's clock."""
    gone = 0
    for path in uploads().glob("*"):
        if path.name not in known and path.stat().st_mtime < older_than:
            shutil.rmtree(path, ignore_errors=True)
            gone += 1
    return gone


def remove_left(stored: Path, older_than: float) -> None:
    """What processes left among the stored sets that were killed while they stored or removed one: their folders begin with a dot."""
    for path in stored.glob(".*"):
        if path.stat().st_mtime < older_than:
            shutil.rmtree(path, ignore_errors=True)
