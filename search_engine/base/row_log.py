"""The rows of a checkpoint (`base.growing`), in a file beside it that is only appended to.

    <name>.safetensors   the checkpoint: replaced at every commit, small; it says how long the log was and what its digest was
    <name>.rows          one line per commit, the records that came since the one before:
                         [[container, number of the first record, [record, ...]], ...]

The checkpoint is the commit: what stands in the log after the length that it names is a lost commit's, torn or whole, and is cut off by the
next one, as the end of `events.jsonl` is. So a commit costs what it adds, a recovery reads every record once, and there is no moment at
which everything is written at once. The digest is a chain, SHA-256 of (the digest before, the line), so that it goes on without reading.

Records that left their containers stay in the file. Once they take as much room as those that count, `wasteful` says so, and the next
commit begins another file with what counts: so much has been appended until then that it costs no more per commit.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from . import collector
from .errors import CheckpointDamaged
from .growing import Grown, Identity, Stored, View
from .unreadable import is_lasting

SUFFIX = ".rows"
LEAST_WASTE = 1_000_000
"""Bytes of records without a use that nobody minds."""


@dataclass
class _Written:
    """What the file has of one container."""

    number: int
    identity: Identity
    total: int = 0
    """The number that its next record has."""
    records: int = 0
    bytes: int = 0
    first: int = 0
    """The oldest that counts."""
    owner: Grown[Any] | None = None
    """The container itself, once this process wrote it."""

    @property
    def live_bytes(self) -> float:
        return self.bytes * (self.total - self.first) / self.records if self.records else 0.0


class RowLog:
    """A log file and how far it is written. `checkpoint.write` drives it: `refer` for every view, then one `append`.

    >>> import tempfile
    >>> from search_engine.base.growing import GrowingSet
    >>> folder, seen = Path(tempfile.mkdtemp()), GrowingSet()
    >>> seen.add("a")
    >>> log = RowLog(folder, "state.rows")
    >>> reference = log.refer(seen.state_dict())
    >>> log.append()
    >>> (folder / "state.rows").read_text()
    '[[0,0,["a"]]]\\n'
    >>> RowLog.open(folder, log.header()).leaf(*reference)
    ['a']
    """

    def __init__(self, folder: Path, name: str) -> None:
        """A log that is empty; the file is made by the first `append` that has something to write."""
        self.folder, self.name = folder, name
        self.length = 0
        self.digest = ""
        self._written: dict[Identity, _Written] = {}
        self._used: dict[Identity, _Written] = {}
        self._numbers = 0
        self._line: list[bytes] = []
        self._rows: dict[int, tuple[int, list[Any]]] = {}
        """What was read and is not in a container yet: container -> number of the first record, records."""

    @property
    def path(self) -> Path:
        return self.folder / self.name

    @property
    def wasteful(self) -> bool:
        """Whether more of the file is of no use than is."""
        return self.length > 2 * sum(item.live_bytes for item in self._written.values()) + LEAST_WASTE

    # ---------------------------------------------------------------- writing

    def refer(self, view: View[Any]) -> list[int]:
        """What a checkpoint holds in place of `view`: [container, first, total]. The records that the file lacks wait for `append`."""
        identity = view.owner.identity
        written = self._used.get(identity) or self._written.get(identity)
        if written is None:
            written = _Written(self._numbers, identity)
            self._numbers += 1
        self._used[identity] = written
        trees = view.trees(written.total)
        if trees:
            part = b"[%d,%d,%s]" % (written.number, view.total - len(trees), _text(trees))
            self._line.append(part)
            written.records += len(trees)
            written.bytes += len(part)
        written.first, written.total, written.owner = view.first, view.total, view.owner
        return [written.number, view.first, view.total]

    def append(self) -> None:
        """Write what the views since the last call had to add, and forget the containers that were not among them."""
        self._written, self._used = self._used, {}
        line, self._line = self._line, []
        if not line:
            return
        data = b"[" + b",".join(line) + b"]\n"
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.path.open("r+b" if self.length else "wb") as file:
            # A commit that was lost may have left its line.
            file.truncate(self.length)
            file.seek(self.length)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        self.length += len(data)
        self.digest = _chain(self.digest, data)

    def header(self) -> dict[str, Any]:
        """What a checkpoint says of the log."""
        containers = [[item.number, item.total, item.records, item.bytes, item.first] for item in self._written.values()]
        return {"file": self.name, "length": self.length, "digest": self.digest, "numbers": self._numbers, "containers": containers}

    # ---------------------------------------------------------------- reading

    @classmethod
    def open(cls, folder: Path, header: dict[str, Any]) -> RowLog:
        """The log as a checkpoint in `folder` knew it: `leaf` gives its rows, and it can be written on. Raises CheckpointDamaged."""
        name = header["file"]
        if not isinstance(name, str) or Path(name).name != name or not name.endswith(SUFFIX):
            raise CheckpointDamaged(f"{name!r} is no name of a file of rows")
        log = cls(folder, name)
        log._read(header)
        return log

    def follow(self, header: dict[str, Any]) -> None:
        """Go on to where another process has written this log: the containers that this process wrote last take the new records (`leaf`
        then gives the containers themselves). Raises CheckpointDamaged if it is not the same log, written on, or this process read it and
        wrote nothing since; the log is of no use then."""
        unknown = any(item.owner is None for item in self._written.values())
        if header["file"] != self.name or header["length"] < self.length or unknown:
            raise CheckpointDamaged("the checkpoint belongs to another file of rows")
        self._read(header)

    def _read(self, header: dict[str, Any]) -> None:
        begun, known = self.length, {item.number: item for item in self._written.values()}
        data = self._bytes(begun, header["length"])
        lines = data.splitlines(keepends=True)
        digest = self.digest
        for line in lines:
            digest = _chain(digest, line)
        if digest != header["digest"]:
            raise CheckpointDamaged(f"{self.name} does not hold what was recorded")
        with collector.paused():
            self._rows = self._gathered(json.loads(b"[" + b",".join(lines) + b"]"))
        self.length, self.digest, self._numbers = header["length"], digest, header["numbers"]
        self._written = {}
        self._rows = {number: self._rows[number] for number, *_ in header["containers"] if number in self._rows}
        for number, total, records, size, first in header["containers"]:
            before = known.get(number)
            identity = before.identity if before else Identity()
            self._written[identity] = _Written(number, identity, total, records, size, first, before.owner if before else None)

    def _gathered(self, lines: list[Any]) -> dict[int, tuple[int, list[Any]]]:
        """Container -> number of the first record, records: of all lines together."""
        gathered: dict[int, tuple[int, list[Any]]] = {}
        for line in lines:
            for number, first, trees in line:
                start, rows = gathered.get(number, (first, []))
                if first < start + len(rows):
                    raise CheckpointDamaged(f"{self.name} holds record {first} of container {number} twice")
                if first > start + len(rows):
                    # Those between came and went between two commits.
                    start, rows = first, []
                rows += trees
                gathered[number] = (start, rows)
        return gathered

    def _bytes(self, begin: int, end: int) -> bytes:
        """Bytes `begin` .. `end` - 1 of the file, which must be there before any memory is asked for."""
        if end == begin:
            return b""
        try:
            with self.path.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                if not 0 <= begin < end <= size:
                    raise CheckpointDamaged(f"{self.name} has {size} bytes where {end} were recorded")
                file.seek(begin)
                return file.read(end - begin)
        except FileNotFoundError as error:
            raise CheckpointDamaged(f"{self.name} is missing") from error
        except OSError as error:
            if not is_lasting(error):
                raise
            raise CheckpointDamaged(f"{self.name} cannot be read: {error.strerror}") from error

    def leaf(self, number: int, first: int, total: int) -> Stored | Grown[Any]:
        """What stands in a checkpoint's tree where `refer` gave [number, first, total]. Raises CheckpointDamaged if records lack."""
        written = next((item for item in self._written.values() if item.number == number), None)
        if written is None or not 0 <= first <= total:
            raise CheckpointDamaged(f"{self.name} knows no container {number}")
        start, rows = self._rows.pop(number, (total, []))
        if written.owner is not None:
            try:
                written.owner.follow(start, rows, first)
            except ValueError as error:
                raise CheckpointDamaged(f"{self.name}: {error}") from error
            if (written.owner.first, written.owner.total) == (first, total):
                return written.owner
        elif first == total:
            return Stored([], first, written.identity)
        elif start <= first and start + len(rows) == total:
            return Stored(rows[first - start :], first, written.identity)
        raise CheckpointDamaged(f"{self.name} lacks records of container {number}: {first} to {total} were recorded")


def _text(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), default=_number).encode()


def _number(value: Any) -> Any:
    """A NumPy number as Python's own, as everywhere in a checkpoint."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"cannot write a value of type {type(value).__name__} as a row")


def _chain(digest: str, line: bytes) -> str:
    return sha256(digest.encode() + line).hexdigest()
