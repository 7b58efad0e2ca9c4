"""From a file of any kind to a draft: which reader is for it, by its first bytes, then by its name."""

from __future__ import annotations

import hashlib
import os
import stat
import zipfile
from pathlib import Path

from ...base.errors import BadInput
from ...base.memory import in_words
from .bounds import Bounds
from .choices import Choices
from .draft import Draft, Tell
from .findings import Findings, Source
from .split_draft import balance, say_balance
from .table_draft import table_draft
from .text_table import read_text_table
from .unpacking import head

FORMATS = "CSV or TSV (also gzipped), Parquet, a zip of pictures, .npz or .npy arrays, idx, or time series (.npz, .ts)"

ONE_PICTURE = "one picture: put pictures into a zip, in a folder for each class"
KNOWN = {
    b"\x89PNG": ONE_PICTURE,
    b"\xff\xd8\xff": ONE_PICTURE,
    b"%PDF": "a PDF",
    b"\xd0\xcf\x11\xe0": "an old Excel or Word file: save it as CSV",
    b"\x7fELF": "a program",
    b"\x80\x04\x95": "a pickle, which can run anything when it is opened and is never read",
    b"\x89HDF": "HDF5: save the arrays as .npz",
    b"Rar!": "a RAR archive: pack it as zip",
    b"7z\xbc\xaf": "a 7z archive: pack it as zip",
}
"""First bytes of what people give by mistake -> what it is."""


def read_draft(path: Path, name: str, choices: Choices, bounds: Bounds, tell: Tell) -> Draft:
    """Raises BadInput naming what is wrong and what would be right."""
    begun = head(path, bounds, 512)
    lower = name.lower().removesuffix(".gz")
    if begun.startswith(b"PAR1") or lower.endswith((".parquet", ".pq")):
        from .parquet_table import read_parquet

        draft = table_draft(read_parquet(path, choices, bounds, tell), choices, bounds, tell)
    elif begun.startswith(b"PK\x03\x04") or begun.startswith(b"PK\x05\x06"):
        draft = _of_zip(path, choices, bounds, tell)
    elif begun.startswith(b"\x93NUMPY"):
        from .array_file import read_npy

        draft = read_npy(path, choices, bounds, tell)
    elif begun[:2] == b"\0\0" and begun[2:3] in (b"\x08", b"\x09", b"\x0b", b"\x0c", b"\x0d", b"\x0e"):
        raise BadInput("file", "an idx file alone has pictures or labels, not both: put the files of pictures and of labels into one zip")
    elif lower.endswith(".ts") or begun.lstrip().lower().startswith((b"@problemname", b"@timestamps", b"@univariate")):
        from .series_text import read_ts

        draft = read_ts({name: path}, choices, bounds, tell)
    else:
        _refuse_known(begun)
        draft = table_draft(read_text_table(path, name, choices, bounds, tell), choices, bounds, tell)
    say_balance(draft)
    return draft


def _of_zip(path: Path, choices: Choices, bounds: Bounds, tell: Tell) -> Draft:
    from .archive import Archive

    try:
        with zipfile.ZipFile(path) as archive:
            files = Archive(archive, bounds)
            if files.names and all(item.endswith(".npy") for item in files.names):
                from .array_file import read_npz

                return read_npz(path, choices, bounds, tell)
            if any(item.lower().endswith(".ts") for item in files.names):
                from .series_text import read_ts_archive

                return read_ts_archive(files, choices, bounds, tell)
            if files.is_idx():
                from .idx_archive import read_idx

                return read_idx(files, choices, bounds, tell)
            from .picture_archive import read_pictures

            return read_pictures(path, files, choices, bounds, tell)
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise BadInput("file", f"the zip is damaged or cut short: {error}", code="damaged_data") from None


def _refuse_known(begun: bytes) -> None:
    for mark, words in KNOWN.items():
        if begun.startswith(mark):
            raise BadInput("file", f"this is {words}; give {FORMATS}", code="unknown_format")


def source_of(path: Path, name: str, bounds: Bounds) -> Source:
    """Size and digest of the file itself. Raises BadInput where it is no ordinary one, or larger than the bounds."""
    try:
        state = os.stat(path)
    except OSError as error:
        raise BadInput("file", f"{name[:80]} cannot be read: {error.strerror}", code="missing_data") from None
    if not stat.S_ISREG(state.st_mode):
        raise BadInput("file", f"{name[:80]} is no ordinary file; a folder of pictures is packed as a zip", code="unknown_format")
    if state.st_size == 0:
        raise BadInput("file", "the file is empty", code="damaged_data")
    if state.st_size > bounds.bytes:
        raise BadInput("file", f"it has {in_words(state.st_size)}; at most {in_words(bounds.bytes)} are read", code="too_large")
    with path.open("rb") as file:
        return Source(name=name, bytes=state.st_size, sha256=hashlib.file_digest(file, "sha256").hexdigest())


def findings_of(draft: Draft, source: Source) -> Findings:
    return Findings(
        kind=draft.kind, task=draft.task, format=draft.format, rows=len(draft.targets), columns=draft.columns, target=draft.target,
        class_names=draft.class_names, balance=balance(draft), split=draft.split, shape=list(draft.shape), samples=draft.samples,
        notices=draft.notices, source=source,
    )
