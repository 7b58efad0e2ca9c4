"""With which data a run began: the digests of the files of its data sets, in a file of its folder.

The coordinator writes it before the first trial; whatever opens a data set for the run compares (`resources`): a later slice, another
worker, the finale, a download that is made again. Other bytes are other science, so the run ends there and says which file it was.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

from ..base import checkpoint
from ..base.errors import BadInput, CheckpointDamaged
from ..datasets.data_files import Digests

log = logging.getLogger(__name__)

FILE = "artefacts/data.safetensors"
"""Under the run's folder. It stays with the run's models."""


def write(run_dir: Path, found: Digests) -> None:
    """Record the digests; a run without data files has no record."""
    if found:
        checkpoint.write(run_dir / FILE, {"files": dict(sorted(found.items()))}, sealed=True)


def read(run_dir: Path) -> Digests | None:
    """What was recorded; None where nothing was. Raises BadInput(field "dataset", code "changed_data") where the record is damaged: nobody
    could tell any more whether the data are those that the run began with."""
    path = run_dir / FILE
    # A link that leads nowhere is something, too.
    if not os.path.lexists(path):
        return None
    try:
        kept: Digests = checkpoint.read(path, sealed=True)["files"]
    except CheckpointDamaged as damaged:
        message = f"what this run recorded of its data files cannot be read ({damaged}): put that file back, or start a new run"
        raise BadInput("dataset", message, code="changed_data") from damaged
    return kept


def compare(recorded: Digests, found: Digests, dataset: str) -> None:
    """Raise BadInput(field "dataset", code "changed_data") naming the first file that is no longer the one that was recorded. Files that
    the record does not know are nobody's."""
    for name, digest in found.items():
        before = recorded.get(name, digest)
        if before != digest:
            log.error("the file %s of the data set '%s' has the SHA-256 %s; the run began with %s", name, dataset, digest, before)
            raise BadInput(
                "dataset",
                f"the file {name} of the data set '{dataset}' is not the one that this run began with: it was changed or damaged since. "
                f"Put the original back (its SHA-256 begins with {before[:12]}), or start a new run with the file as it is now",
                code="changed_data",
            )
