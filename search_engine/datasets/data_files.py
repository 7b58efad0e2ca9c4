"""What the files of a data set hold: the digest of each, by which a run knows its data again.

A file is read for its digest once, as long as it stays the same to the file system (path, size, times, inode): asking again costs one look
at its entry. Files that come with a package are named by their place in it.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from ..base.errors import BadInput
from ..base.unreadable import in_words, is_lasting
from .base import DatasetEntry

log = logging.getLogger(__name__)

Digests = dict[str, str]
"""A file's name -> the SHA-256 of its bytes."""


def places(entry: DatasetEntry, data_dir: Path) -> dict[str, Path]:
    """Where the files of a data set lie, by their names: those under the data directory, and those of packages that are installed.

    >>> from search_engine.datasets.digits import ENTRY
    >>> [(name, path.is_file()) for name, path in places(ENTRY, Path("unused")).items()]
    [('sklearn/datasets/data/digits.csv.gz', True)]
    """
    root = entry.folder or data_dir
    # Own sets have files of the same names: the id keeps them apart where a run has several.
    found = {f"{entry.id}/{name}" if entry.own else name: root / name for name in entry.files}
    for name in entry.package_files:
        package, _, rest = name.partition("/")
        spec = find_spec(package)
        if spec is not None and spec.submodule_search_locations:
            found[name] = Path(spec.submodule_search_locations[0]) / rest
    return found


def digests(entry: DatasetEntry, data_dir: Path) -> Digests:
    """Of every file that is there. Raises BadInput(field "dataset", code "unreadable_data") naming one that cannot be read; what is absent
    is left out: whoever opens the data set says what to put where."""
    found = {}
    for name, path in places(entry, data_dir).items():
        try:
            found[name] = digest_of(path)
        except FileNotFoundError:
            continue
        except OSError as error:
            if not is_lasting(error):
                raise
            log.error("the file %s of the data set '%s' cannot be read: %s", path, entry.id, error)
            raise BadInput(
                "dataset",
                f"the file {name} of the data set '{entry.id}' cannot be read: {in_words(error)}; let whoever runs this program read it, "
                "or put the original file there",
                code="unreadable_data",
            ) from error
    return found


def looks(entry: DatasetEntry, data_dir: Path) -> dict[str, tuple[int, ...]]:
    """What the file system says of every file that is there, without reading any: other numbers where one was changed."""
    found = {}
    for name, path in places(entry, data_dir).items():
        with contextlib.suppress(OSError):
            found[name] = _identity(path)
    return found


def digest_of(path: Path) -> str:
    """The SHA-256 of a file's bytes. Raises OSError where they cannot be read."""
    return _digest(path, _identity(path))


def _identity(path: Path) -> tuple[int, ...]:
    """What changes with a file's content, as far as a file system knows."""
    seen = os.stat(path)
    return seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino, seen.st_dev


@lru_cache(maxsize=256)
def _digest(path: Path, identity: tuple[int, ...]) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
