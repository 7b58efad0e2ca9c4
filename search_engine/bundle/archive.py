"""A bundle as one zip file: equal folders give equal bytes."""

from __future__ import annotations

import hashlib
import os
import zipfile
from pathlib import Path

_DATE = (1980, 1, 1, 0, 0, 0)
"""The earliest that zip can say: no file's time reaches the archive."""


def write_archive(folder: Path, target: Path, root: str = "model") -> str:
    """Pack the files of `folder` under the folder `root` of the zip file `target`, atomically; returns its SHA-256."""
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            for path in sorted(item for item in folder.rglob("*") if item.is_file()):
                info = zipfile.ZipInfo(f"{root}/{path.relative_to(folder).as_posix()}", _DATE)
                info.compress_type = zipfile.ZIP_DEFLATED
                info.external_attr = 0o644 << 16
                info.create_system = 3
                archive.writestr(info, path.read_bytes())
        with temporary.open("rb") as written:
            # Whoever records the digest must find the bytes after a power cut.
            os.fsync(written.fileno())
            digest = hashlib.file_digest(written, "sha256").hexdigest()
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
    return digest
