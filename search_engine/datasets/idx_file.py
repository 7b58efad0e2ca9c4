"""Reading idx files (LeCun's format for MNIST and its successors), plain or gzipped, without trusting them.

Format: two zero bytes, a type byte (0x08 = unsigned byte), the number of dimensions, each dimension as a big-endian 32-bit
integer, then the values. Source: http://yann.lecun.com/exdb/mnist/, "THE IDX FILE FORMAT".
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np

from ..base.errors import BadInput

_UNSIGNED_BYTE = 0x08
_LARGEST = 2**31
"""Bytes of values that are read at most: a damaged header must not exhaust the memory."""


def read_idx(path: Path, dimensions: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The uint8 array in `path`, which must have that many dimensions.

    Raises BadInput(field "dataset") naming the file where it is not gzip, is cut short, too long or not idx of unsigned bytes.
    """
    try:
        with gzip.open(path, "rb") as file:
            return read_idx_stream(file, path, dimensions)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise _damaged(path, f"it cannot be unpacked ({error})") from None


def read_idx_stream(
    file: IO[bytes] | gzip.GzipFile, path: Path, dimensions: int | None, most: int = _LARGEST
) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The same from an open stream; `path` is its name in an error. `dimensions` None takes what the header says, `most` are the bytes of
    values that are read."""
    head = file.read(4)
    if len(head) < 4 or head[:2] != b"\x00\x00":
        raise _damaged(path, "it does not start like an idx file")
    wanted = head[3] if dimensions is None else dimensions
    if head[2] != _UNSIGNED_BYTE or head[3] != wanted:
        raise _damaged(path, f"it holds type 0x{head[2]:02x} in {head[3]} dimensions, expected unsigned bytes in {wanted}")
    sizes = file.read(4 * wanted)
    if len(sizes) < 4 * wanted:
        raise _damaged(path, "it ends inside its header")
    shape = struct.unpack(f">{wanted}I", sizes)
    expected = math.prod(shape)
    if not 0 < expected <= most:
        raise _damaged(path, f"its header claims the shape {shape}")
    # One byte more than promised shows a file that is too long, without reading what follows.
    values = file.read(expected + 1)
    if len(values) != expected:
        found = "more" if len(values) > expected else str(len(values))
        raise _damaged(path, f"its header promises {expected} values, there are {found}")
    # A copy, because torch takes only writable memory without complaint.
    return np.frombuffer(values, dtype=np.uint8).reshape(shape).copy()


def _damaged(path: Path, why: str) -> BadInput:
    return BadInput("dataset", f"{path} is damaged: {why}; put the original file there", code="damaged_data")
