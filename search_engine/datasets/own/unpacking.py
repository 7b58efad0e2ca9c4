"""Bytes of a file, unpacked if it is gzipped, and never more than the bounds allow: what a header claims costs nothing, what flows is
counted."""

from __future__ import annotations

import gzip
import io
import zlib
from pathlib import Path
from typing import Any, BinaryIO

from ...base.errors import BadInput
from ...base.memory import in_words
from .bounds import Bounds
from .draft import Tell, silent

GZIP = b"\x1f\x8b"


class Unpacked(io.RawIOBase):
    """Read it once, from the beginning. `tell_done(share, words)` is called on the way with the share of the file that was read."""

    def __init__(self, path: Path, bounds: Bounds, tell: Tell = silent, words: str = "reading", share: tuple[float, float] = (0.0, 1.0)):
        self._file = path.open("rb")
        self._size = max(1, path.stat().st_size)
        self._packed = self._file.read(2) == GZIP
        self._file.seek(0)
        self._source: BinaryIO | gzip.GzipFile = gzip.GzipFile(fileobj=self._file) if self._packed else self._file
        self._bounds, self._read, self._name = bounds, 0, path.name
        self._tell, self._words, self._share = tell, words, share

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        try:
            data = self._source.read(min(len(view), 2**20))
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise BadInput("file", f"the gzip file is damaged or cut short: {error}", code="damaged_data") from None
        self._read += len(data)
        if self._read > self._bounds.bytes:
            raise BadInput("file", f"unpacked it has more than {in_words(self._bounds.bytes)}, the most that is read", code="too_large")
        first, last = self._share
        self._tell(first + (last - first) * min(1.0, self._file.tell() / self._size), self._words)
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._source.close()
        self._file.close()
        super().close()


def unpacked(path: Path, bounds: Bounds, tell: Tell = silent, words: str = "reading", share: tuple[float, float] = (0.0, 1.0)) -> BinaryIO:
    """The bytes of a file as a stream. Raises BadInput(field "file") while it is read."""
    return io.BufferedReader(Unpacked(path, bounds, tell, words, share), 2**20)


def head(path: Path, bounds: Bounds, count: int = 2**20) -> bytes:
    """The first bytes, unpacked."""
    with unpacked(path, bounds) as file:
        return file.read(count)
