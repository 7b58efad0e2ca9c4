"""The folder of a run of the command line into the one file."""

from __future__ import annotations

import os
import time
from pathlib import Path

from ..base import disk
from ..base.errors import BadInput
from ..base.quoting import shortened
from ..search.local_run import EVENTS
from .bounds import USUAL, Bounds
from .form import Manifest, here
from .recorded_events import read_events
from .run_folder import describe, name_of
from .writing import Writer, files_of, pieces_of


def export_folder(folder: Path, target: Path, bounds: Bounds = USUAL) -> Manifest:
    """Write the run in `folder` to `target`, whole or not at all. Raises BadInput where it is no run, has not ended, or its events do not
    fit together; then nobody would read the file."""
    record = describe(folder, bounds)
    events = sum(map(len, read_events(folder / EVENTS, EVENTS, record.versions.get("nascope", ""), bounds)))
    record = record.model_copy(update={"events": events})
    if target.exists():
        raise BadInput("out", f"{shortened(str(target))} is there already: name another file")
    writer = Writer()
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with temporary.open("xb") as file:
            for name, path in [(EVENTS, folder / EVENTS), *files_of(folder)]:
                for piece in writer.add(f"{record.folder}/{name}", pieces_of(path)):
                    file.write(piece)
            manifest = Manifest.model_validate({
                "kind": "run", "name": name_of(record), "made": time.time(), **here(), "runs": [record.model_dump()],
                "files": writer.files,
            })  # fmt: skip
            for piece in writer.end(manifest):
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except OSError as error:
        if disk.is_full(error):
            raise
        raise BadInput("out", f"{shortened(str(target))} cannot be written: {error.strerror or error}") from None
    finally:
        temporary.unlink(missing_ok=True)
    return manifest.sealed()
