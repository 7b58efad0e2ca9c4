"""A run opened by a command of this machine instead of an upload: the same import, in the command's own process, without a worker."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models.functions import Now

from search_engine.base.errors import BadInput
from search_engine.base.quoting import shortened
from search_engine.catalogue import registry

from ..core.models import Dataset, Experiment, Run
from . import own_files, run_imports

SHOWN_AS = "live.json"
"""In the folder of a run that was followed while it ran (`following`): as which row it is opened."""


def open_here(owner: Any, path: Path, tell: Callable[[float, str], None], row_id: UUID | None = None) -> Experiment:
    """Make the experiment of the folder of a run, or of an exported file, for `owner`. `row_id`: as which row it is opened, from which the
    run's id follows; by default as that by which it was followed up to an interruption, or a new one. Raises BadInput naming the file that
    does not fit; then, as after whatever `tell` raises, nothing is left."""
    if not path.exists():
        raise BadInput("file", f"there is no {shortened(str(path))}: give the folder of a run, or an exported file")
    row = row_of(owner, path, row_id or shown_as(owner, path.resolve(), Run.State.PAUSED) or uuid4())
    row.state, row.touched = Dataset.State.EXAMINING, Now()
    row.size = row.received = path.stat().st_size if path.is_file() else 0
    # Of an attempt that was killed.
    Dataset.objects.filter(pk=row.pk).delete()
    row.save(force_insert=True)
    try:
        own_files.folder(row.pk).mkdir(parents=True, exist_ok=True)
        return run_imports.bring_in(row, path, tell, knows=knows)
    finally:
        with transaction.atomic():
            Dataset.objects.get(pk=row.pk).delete()


def row_of(owner: Any, path: Path, row_id: UUID) -> Dataset:
    """What stands for it while it is opened, not written yet."""
    return Dataset(pk=row_id, owner=owner, purpose=Dataset.Purpose.RUN, file_name=path.resolve().name[-200:] or "run", title="")


def knows(name: str) -> bool:
    """Whoever may use this machine's folders may use the data sets in them."""
    return registry.known_dataset(name) is not None


def shown_as(owner: Any, folder: Path, *states: str) -> UUID | None:
    """As which row that folder is opened because its run is here in one of these states, followed up to somewhere; None where it is not."""
    try:
        row_id = UUID(json.loads((folder / SHOWN_AS).read_bytes())["id"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    here = Run.objects.filter(pk=run_imports.run_id(row_id), owner=owner, followed=str(folder), state__in=states)
    return row_id if here.exists() else None
