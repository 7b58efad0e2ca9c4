"""An archive, the folder of a run or such a folder in a zip, brought into a folder of its own and checked: the same three steps for all.

    unpacked = unpack(path, into)      # into/runs/0/events.jsonl, model/, ...
    unpacked.manifest.runs[0].config

Whatever does not fit is one BadInput whose field names the file; the folder `into` is the caller's to remove then.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from ..base.errors import BadInput
from ..base.memory import in_words
from ..base.quoting import shortened
from ..search.local_run import EVENTS, STATE
from .bounds import USUAL, Bounds
from .form import MANIFEST, Manifest, RunRecord, belongs, here, read_manifest
from .run_folder import describe, name_of
from .writing import files_of
from .zip_files import ZipFiles, opened

Tell = Callable[[float, str], None]
"""How much is done, 0 to 1, and of what. May raise, to end it."""
Origin = Literal["archive", "folder", "zipped folder"]
_RUN = "runs/0"


def silent(done: float, words: str) -> None:
    """Tells nobody."""


@dataclass(frozen=True)
class Unpacked:
    """What was brought in."""

    manifest: Manifest
    folder: Path
    origin: Origin
    """`archive`: its digests were found right. The others have none."""


def unpack(path: Path, into: Path, bounds: Bounds = USUAL, tell: Tell = silent) -> Unpacked:
    """Raises BadInput, or what `tell` raises. Their events are read by `recorded_events`."""
    into.mkdir(parents=True)
    if path.is_dir():
        return _from_folder(path, into, bounds)
    try:
        with opened(path, bounds) as files:
            if MANIFEST in files.names:
                return _from_archive(files, into, bounds, tell)
            return _from_zipped_folder(files, into, bounds, tell)
    except FileNotFoundError:
        raise BadInput("file", f"there is no {shortened(str(path))}: give the folder of a run, or an exported file") from None
    except (PermissionError, IsADirectoryError) as error:
        raise BadInput("file", f"{shortened(str(path))} cannot be read: {error.strerror}") from None


# ---------------------------------------------------------------- the one file


def _from_archive(files: ZipFiles, into: Path, bounds: Bounds, tell: Tell) -> Unpacked:
    manifest = read_manifest(files.read(MANIFEST, bounds.text_bytes))
    folders = {run.folder for run in manifest.runs}
    for name in files.names:
        if name != MANIFEST and name not in manifest.files:
            raise BadInput(name, "the manifest does not list it: the file was changed; export it again", code="damaged")
    for name in manifest.files:
        if name not in files.names:
            raise BadInput(name, "the manifest lists it, and it is not there: the file was cut or changed; export it again", code="damaged")
        if not belongs(name, folders):
            raise BadInput(name, "no file of that name belongs to a run", code="unsafe")
    copied = _Copied(files.bytes, tell)
    for name, record in manifest.files.items():
        if files.copy(name, into / name, copied.more) != record.sha256:
            raise BadInput(name, "its SHA-256 is not that of the manifest: it is damaged; export it again", code="damaged")
    return Unpacked(manifest, into, "archive")


class _Copied:
    """Bytes that were copied, told as a share of all."""

    def __init__(self, total: int, tell: Tell) -> None:
        self._total, self._tell, self._done = max(1, total), tell, 0

    def more(self, size: int) -> None:
        self._done += size
        self._tell(min(1.0, self._done / self._total), f"unpacking: {in_words(self._done)} of {in_words(self._total)}")


# ---------------------------------------------------------------- the folder of a run


def _from_zipped_folder(files: ZipFiles, into: Path, bounds: Bounds, tell: Tell) -> Unpacked:
    roots = sorted({name.rpartition("/")[0] for name in files.names if name.rpartition("/")[2] == EVENTS})
    if len(roots) != 1:
        what = f"it holds no {EVENTS}" if not roots else f"it holds {len(roots)} of them ({', '.join(roots[:3])})"
        words = f"{what}: give a file that was exported, or a zip of the one folder that `run --out` wrote"
        raise BadInput(EVENTS, words, code="not_a_run")
    root = f"{roots[0]}/" if roots[0] else ""
    wanted = {}
    for name in files.names:
        inside = name.removeprefix(root)
        if name.startswith(root) and (inside == STATE or belongs(f"{_RUN}/{inside}", {_RUN})):
            wanted[name] = inside
    copied = _Copied(files.bytes, tell)
    for name, inside in wanted.items():
        files.copy(name, into.joinpath(_RUN, *PurePosixPath(inside).parts), copied.more)
    return _described(into, bounds, "zipped folder")


def _from_folder(path: Path, into: Path, bounds: Bounds) -> Unpacked:
    total = 0
    (into / _RUN).mkdir(parents=True)
    for name, source in [(name, path / name) for name in (EVENTS, STATE)] + list(files_of(path)):
        if not source.exists():
            # Said with the others that lack.
            continue
        if source.is_symlink() or not source.is_file():
            raise BadInput(name, "it is a link or a folder: only files are read", code="unsafe")
        total += source.stat().st_size
        if total > bounds.bytes:
            raise BadInput("file", f"the folder has more than {in_words(bounds.bytes)}, the most that is read", code="too_large")
        target = into / _RUN / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    return _described(into, bounds, "folder")


def _described(into: Path, bounds: Bounds, origin: Origin) -> Unpacked:
    folder = into / _RUN
    record = describe(folder, bounds)
    # Of it the config was wanted; what would go on from it is over.
    os.unlink(folder / STATE)
    return Unpacked(as_manifest(record, {EVENTS: folder / EVENTS, **dict(files_of(folder))}), into, origin)


def as_manifest(record: RunRecord, found: Mapping[str, Path]) -> Manifest:
    """What an archive would say of one run with these files, which have no digests."""
    files = {f"{_RUN}/{name}": {"size": path.stat().st_size, "sha256": "0" * 64} for name, path in found.items()}
    return Manifest.model_validate({
        "kind": "run", "name": name_of(record), "made": time.time(), **here(), "runs": [record.model_dump()], "files": files,
    })  # fmt: skip
