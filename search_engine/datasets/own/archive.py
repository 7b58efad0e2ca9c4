"""A zip that anybody may have made: its list is checked before anything of it is unpacked, and nothing of it is ever written as a file.

Names that leave the archive, links, encrypted entries, more entries or bytes than the bounds allow, and entries that unpack to more than
they claim are refused. What programs put there by themselves (`__MACOSX`, `.DS_Store`, `Thumbs.db`, names with a dot in front) is passed
over.
"""

from __future__ import annotations

import stat
import zipfile
import zlib
from pathlib import PurePosixPath

from ...base.errors import BadInput
from ...base.memory import in_words
from .bounds import Bounds

PASSED_OVER = ("__MACOSX", "Thumbs.db", "desktop.ini")
MOST_RATIO = 1000
"""How many times larger than packed an entry of more than a megabyte may claim to be: deflate reaches 1032 on nothing but zeros."""


class Archive:
    """The files of a zip, by their names in it, in the order of the names. Raises BadInput(field "file")."""

    def __init__(self, archive: zipfile.ZipFile, bounds: Bounds) -> None:
        self._archive, self._bounds = archive, bounds
        found: dict[str, zipfile.ZipInfo] = {}
        items = archive.infolist()
        if len(items) > bounds.files:
            raise BadInput("file", f"the zip has {len(items):,} entries; at most {bounds.files:,} are read", code="too_large")
        total = 0
        for item in items:
            name = item.filename
            _refuse_name(name, item)
            parts = PurePosixPath(name).parts
            if item.is_dir() or any(part.startswith(".") or part in PASSED_OVER for part in parts):
                continue
            if name in found:
                raise BadInput("file", f"the zip has two entries called {name[:80]!r}", code="damaged_data")
            if item.file_size > 2**20 and item.file_size > MOST_RATIO * max(1, item.compress_size):
                raise BadInput("file", f"{name[:80]!r} in the zip claims to unpack to {in_words(item.file_size)} from "
                               f"{item.compress_size:,} bytes; that is a bomb, or damaged", code="too_large")
            total += item.file_size
            if total > bounds.bytes:
                raise BadInput("file", f"the zip claims to unpack to more than {in_words(bounds.bytes)}, the most that is read",
                               code="too_large")
            found[name] = item
        if not found:
            raise BadInput("file", "the zip is empty", code="damaged_data")
        self._items = dict(sorted(found.items()))
        self.names = list(self._items)

    def read(self, name: str, most: int | None = None) -> bytes:
        """The bytes of one file, at most `most`; never more than the zip's list promised."""
        item = self._items[name]
        limit = min(item.file_size, most if most is not None else item.file_size)
        if most is not None and item.file_size > most:
            raise BadInput("file", f"{name[:80]!r} has {in_words(item.file_size)}; such a file has at most "
                                   f"{in_words(most)}", code="too_large")
        try:
            with self._archive.open(item) as file:
                data = file.read(limit + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
            raise BadInput("file", f"{name[:80]!r} in the zip is damaged: {error}", code="damaged_data") from None
        if len(data) > limit:
            raise BadInput("file", f"{name[:80]!r} in the zip unpacks to more than it claims", code="too_large")
        return data

    def packed_size(self, name: str) -> int:
        return self._items[name].compress_size

    def is_idx(self) -> bool:
        """Whether it holds files in the idx format by their names, as MNIST has them."""
        return bool(self.names) and all("ubyte" in name.lower() or "idx" in name.lower().rpartition(".")[2] for name in self.names)


def _refuse_name(name: str, item: zipfile.ZipInfo) -> None:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if name.startswith(("/", "\\")) or ".." in parts or (len(name) > 1 and name[1] == ":"):
        raise BadInput("file", f"the zip has an entry {name[:80]!r} that leads out of it; pack the folder anew", code="unsafe")
    if stat.S_ISLNK(item.external_attr >> 16):
        raise BadInput("file", f"{name[:80]!r} in the zip is a link; pack the files themselves", code="unsafe")
    if item.flag_bits & 1:
        raise BadInput("file", f"{name[:80]!r} in the zip is encrypted; pack it without a password", code="damaged_data")
