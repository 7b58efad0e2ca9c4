"""What happens to files: every kind of damage, done to one of them."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path


def flipped(path: Path) -> None:
    """One bit in the middle is another one."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def missing(path: Path) -> None:
    path.unlink()


def replaced(path: Path) -> None:
    """Another file stands there, whole and of the same kind and length."""
    length = path.stat().st_size
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("model/model.py", "print('another model')\n")
    room = length - path.stat().st_size
    if room > 0:
        # The comment at the end of a zip belongs to it.
        with zipfile.ZipFile(path, "a") as archive:
            archive.comment = b" " * min(room, 65_535)


def unreadable(path: Path) -> None:
    """What no user may read, not even the one who may read everything: a link that leads to itself."""
    path.unlink()
    path.symlink_to(path.name)


DAMAGE: list[Callable[[Path], None]] = [flipped, cut, emptied, missing, replaced, unreadable]
