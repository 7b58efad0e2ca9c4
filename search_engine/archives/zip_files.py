"""A zip that anybody may have made: its list is checked before anything of it is unpacked.

Names that leave the archive, links, encrypted members, two of one name, more of them or more bytes than the bounds allow, and members that
unpack to more than they claim are refused. What programs put there by themselves (`__MACOSX`, names with a dot in front) is passed over.
"""

from __future__ import annotations

import hashlib
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from ..base.errors import BadInput
from ..base.memory import in_words
from .bounds import Bounds

PIECE = 1 << 20
MOST_RATIO = 1_000
"""How many times larger than packed a member of more than a megabyte may claim to be: deflate reaches 1032 on nothing but zeros."""
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)


class ZipFiles:
    """The members of a zip by their names."""

    def __init__(self, archive: zipfile.ZipFile, bounds: Bounds) -> None:
        """Raises BadInput naming the member that is refused."""
        self._archive = archive
        self._items: dict[str, zipfile.ZipInfo] = {}
        items = archive.infolist()
        if len(items) > bounds.files:
            raise BadInput("file", f"it has {len(items):,} members; at most {bounds.files:,} are read", code="too_large")
        total = 0
        for item in items:
            _refuse(item)
            parts = PurePosixPath(item.filename).parts
            if item.is_dir() or any(part.startswith(".") or part == "__MACOSX" for part in parts):
                continue
            if item.filename in self._items:
                raise BadInput(item.filename, "the zip has two members of this name: export it again", code="damaged")
            if item.file_size > PIECE and item.file_size > MOST_RATIO * max(1, item.compress_size):
                words = f"it claims to unpack to {in_words(item.file_size)} from {item.compress_size:,} bytes: a bomb, or damaged"
                raise BadInput(item.filename, words, code="too_large")
            total += item.file_size
            if total > bounds.bytes:
                words = f"it claims to unpack to more than {in_words(bounds.bytes)}, the most that is read"
                raise BadInput("file", words, code="too_large")
            self._items[item.filename] = item
        self.bytes = total
        self.names = list(self._items)

    def read(self, name: str, most: int) -> bytes:
        """A short member. Raises BadInput."""
        if self._items[name].file_size > most:
            words = f"it has {in_words(self._items[name].file_size)}; such a file has at most {in_words(most)}"
            raise BadInput(name, words, code="too_large")
        return b"".join(self.pieces(name))

    def copy(self, name: str, target: Path, told: Callable[[int], None]) -> str:
        """Write a member to `target`, which is not there; returns its SHA-256. `told` is called with the bytes of every piece."""
        target.parent.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256()
        with target.open("xb") as file:
            for piece in self.pieces(name):
                file.write(piece)
                digest.update(piece)
                told(len(piece))
        return digest.hexdigest()

    def pieces(self, name: str) -> Iterator[bytes]:
        """A member's bytes, no more than the zip's list promised. Raises BadInput."""
        item = self._items[name]
        left = item.file_size
        try:
            with self._archive.open(item) as file:
                while piece := file.read(PIECE):
                    left -= len(piece)
                    if left < 0:
                        raise BadInput(name, "it unpacks to more than the zip's list claims: a bomb, or damaged", code="too_large")
                    yield piece
        except BadInput:
            raise
        except (*_BROKEN, OSError) as error:
            raise BadInput(name, f"it is damaged ({error}): export it again", code="damaged") from None
        if left:
            raise BadInput(name, "it unpacks to less than the zip's list claims: export it again", code="damaged")


@contextmanager
def opened(path: Path, bounds: Bounds) -> Iterator[ZipFiles]:
    """The zip at `path`. Raises BadInput where it is none, or is refused."""
    try:
        archive = zipfile.ZipFile(path)
    except (*_BROKEN, UnicodeDecodeError):
        words = "it is no zip file that can be read: give an export of NAScope, or the zipped folder of a run; it may have been cut short"
        raise BadInput("file", words, code="not_a_run") from None
    with archive:
        yield ZipFiles(archive, bounds)


def _refuse(item: zipfile.ZipInfo) -> None:
    name = item.filename
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if not name or "\0" in name or "\\" in name or name.startswith("/") or ".." in parts or (parts and ":" in parts[0]):
        raise BadInput(name[:100] or "file", "its name leads out of the archive: such a zip is not read", code="unsafe")
    kind = stat.S_IFMT(item.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise BadInput(name, "it is a link or a device: only files are read", code="unsafe")
    if item.flag_bits & 0x1:
        raise BadInput(name, "it is encrypted: pack it without a password", code="unsafe")
