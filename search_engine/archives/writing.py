"""The one file, written as a stream: what is made of it so far is handed on before the next file is read, and the manifest, which has the
digests of all files, comes last."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from ..search.finale import latency_file
from .form import FILES, FOLDERS, MANIFEST, FileRecord, Manifest

_DATE = (1980, 1, 1, 0, 0, 0)
"""The earliest that zip can say: no file's time reaches the archive."""
PIECE = 1 << 18


class Writer:
    """Files into a stream of bytes. `add` each file, then `end` with the manifest; take what either gives at once."""

    def __init__(self) -> None:
        self._out = _Outlet()
        self._zip = zipfile.ZipFile(self._out, "w", zipfile.ZIP_DEFLATED, compresslevel=6)
        self.files: dict[str, FileRecord] = {}
        """What was added so far."""

    def add(self, name: str, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """A file of the archive."""
        digest, size = hashlib.sha256(), 0
        with self._member(name) as member:
            for piece in pieces:
                digest.update(piece)
                size += len(piece)
                member.write(piece)
                yield from self._out.taken()
        self.files[name] = FileRecord(size=size, sha256=digest.hexdigest())
        yield from self._out.taken()

    def end(self, manifest: Manifest) -> Iterator[bytes]:
        """The manifest, which gets the records of the files, and the end of the zip."""
        text = manifest.model_copy(update={"files": self.files}).sealed().model_dump_json(indent=1)
        with self._member(MANIFEST) as member:
            member.write(text.encode())
        self._zip.close()
        yield from self._out.taken()

    def _member(self, name: str) -> IO[bytes]:
        info = zipfile.ZipInfo(name, _DATE)
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = 0o644 << 16
        info.create_system = 3
        return self._zip.open(info, "w", force_zip64=True)


class _Outlet(io.RawIOBase):
    """What the zip is written to: nobody seeks in it, and it keeps nothing that was taken."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._pieces.append(bytes(data))
        return len(data)

    def taken(self) -> Iterator[bytes]:
        pieces, self._pieces = self._pieces, []
        if pieces:
            yield b"".join(pieces)


def files_of(folder: Path) -> Iterator[tuple[str, Path]]:
    """The files of a run's folder that go with it, by their names in it, in the order of the names; its events, which the web application
    has elsewhere, aside. Links are passed over."""
    found = [folder / name for name in FILES[1:]] + [folder / latency_file("model")]
    for room in FOLDERS:
        found += [path for path in (folder / room).rglob("*") if not any(part.startswith(".") for part in path.relative_to(folder).parts)]
    for path in sorted(found):
        if path.is_file() and not path.is_symlink():
            yield path.relative_to(folder).as_posix(), path


def pieces_of(path: Path) -> Iterator[bytes]:
    """The bytes of a file."""
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece
