"""A file held against the digest that is recorded of it, as many bytes at a time as the reader likes: downloads before they are sent, and
everything from time to time (`scrub`)."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path


class Damaged(Exception):
    """A file that is not what is recorded of it; the text says what was found."""


class Reading:
    """One file on its way through the digest."""

    def __init__(self, path: Path, sha256: str, size: int | None = None) -> None:
        """Raises Damaged where the file is not there, cannot be read, or has another length than `size`, where that is recorded."""
        self._sha256 = sha256
        try:
            self.file: io.BufferedReader = path.open("rb")
        except FileNotFoundError:
            raise Damaged("its file is not there") from None
        except OSError as error:
            raise Damaged(f"its file cannot be read: {error.strerror}") from None
        found = self.file.seek(0, io.SEEK_END)
        self.file.seek(0)
        if size is not None and found != size:
            self.file.close()
            raise Damaged(f"its file has {found:,} bytes where {size:,} are recorded")
        self._digest = hashlib.sha256()

    def read(self, most: int) -> int:
        """Take up to `most` bytes; returns how many there were, 0 = that was all. Raises Damaged where they cannot be read, or all of them
        do not give the digest."""
        try:
            data = self.file.read(most)
        except OSError as error:
            self.file.close()
            raise Damaged(f"its file cannot be read: {error.strerror}") from None
        self._digest.update(data)
        if not data and self._digest.hexdigest() != self._sha256:
            self.file.close()
            raise Damaged("its file does not have the digest that is recorded")
        return len(data)
