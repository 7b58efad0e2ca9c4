"""Arrays from a .npz file that anybody may have made. Needs numpy alone.

Every header is read and checked before any buffer is made, so neither a false claim nor a compressed flood of zeros takes memory; objects
are never unpickled.
"""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

MOST_BYTES = 2**32
"""Bytes of all wanted arrays together, unpacked, that are read at most."""
KINDS = {"i": "whole numbers", "u": "whole numbers from 0", "f": "real numbers", "U": "texts"}


def read_arrays(path: Path, wanted: Mapping[str, tuple[str, int]], most_bytes: int = MOST_BYTES) -> dict[str, np.ndarray[Any, Any]]:
    """The arrays `wanted` of the file, by name: each (kinds of its type, as in `numpy.dtype.kind`; its number of dimensions).

    Raises ValueError with the file's name where it is no .npz, is damaged, lacks an array or has one of another kind, or would need more
    than `most_bytes`.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            sizes = [_checked(archive, path, name, *form) for name, form in wanted.items()]
            if sum(sizes) > most_bytes:
                raise ValueError(f"{path}: its arrays would take {sum(sizes):,} bytes, at most {most_bytes:,} are read")
            found = {}
            for name in wanted:
                with archive.open(f"{name}.npy") as file:
                    found[name] = np.lib.format.read_array(file, allow_pickle=False)
            return found
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise ValueError(f"{path} is damaged or no .npz file of numpy: {error}; put the original file there") from None


def listed(path: Path, most: int = 100) -> dict[str, tuple[tuple[int, ...], np.dtype[Any]]]:
    """Shape and type of every array of the file by name, from the headers alone. Raises ValueError where it is no .npz, is damaged or has
    more than `most`."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if len(names) > most:
                raise ValueError(f"{path} has {len(names):,} arrays; at most {most} are looked at")
            found = {}
            for name in names:
                with archive.open(name) as file:
                    shape, kind, _ = read_header(file, path, name.removesuffix(".npy"))
                found[name.removesuffix(".npy")] = shape, kind
            return found
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise ValueError(f"{path} is damaged or no .npz file of numpy: {error}; put the original file there") from None


def read_header(file: IO[bytes], path: Path, name: str) -> tuple[tuple[int, ...], np.dtype[Any], int]:
    """(shape, type, bytes of the header) at the beginning of a .npy file. Raises ValueError."""
    try:
        version = np.lib.format.read_magic(file)
        read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
        shape, _, kind = read(file)
    except (ValueError, KeyError) as error:
        raise ValueError(f"{path}: the header of '{name}' cannot be read: {error}") from None
    return shape, kind, file.tell()


def _checked(archive: zipfile.ZipFile, path: Path, name: str, kinds: str, dimensions: int) -> int:
    """Bytes of the array's values, from its header alone."""
    member = f"{name}.npy"
    if member not in archive.namelist():
        there = ", ".join(sorted(item.removesuffix(".npy") for item in archive.namelist())[:10])
        raise ValueError(f"{path} has no array '{name}'; it has: {there or 'none'}")
    with archive.open(member) as file:
        shape, kind, begun = read_header(file, path, name)
    if kind.hasobject:
        raise ValueError(
            f"{path}: '{name}' holds Python objects, which are never read (series of unequal lengths are saved so): bring all examples to "
            "one shape and save them as numbers"
        )
    if kind.kind not in kinds or len(shape) != dimensions:
        right = " or ".join(dict.fromkeys(KINDS[item] for item in kinds))
        raise ValueError(f"{path}: '{name}' is {kind} of shape {shape}; it must hold {right} in {dimensions} dimension(s)")
    size = math.prod(shape) * kind.itemsize
    if size == 0:
        raise ValueError(f"{path}: '{name}' is empty (shape {shape})")
    claimed = archive.getinfo(member).file_size - begun
    if claimed != size:
        raise ValueError(f"{path} is damaged: the header of '{name}' promises {size:,} bytes, there are {max(claimed, 0):,}")
    return size
