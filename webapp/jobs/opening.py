"""A run opened by a command of this machine instead of an upload: the same import, in the command's own process, without a worker."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from search_engine.base.errors import BadInput
from search_engine.base.quoting import shortened
from search_engine.catalogue import registry

from ..core.models import Dataset, Experiment
from . import own_files, run_imports


def open_here(owner: Any, path: Path, tell: Callable[[float, str], None]) -> Experiment:
    """Make the experiment of the folder of a run, or of an exported file, for `owner`. Raises BadInput naming the file that does not fit;
    then, as after whatever `tell` raises, nothing is left."""
    if not path.exists():
        raise BadInput("file", f"there is no {shortened(str(path))}: give the folder of a run, or an exported file")
    size = path.stat().st_size if path.is_file() else 0
    row = Dataset.objects.create(
        owner=owner, purpose=Dataset.Purpose.RUN, state=Dataset.State.EXAMINING, size=size, received=size,
        file_name=path.resolve().name[-200:] or "run", title="", touched=Now(),
    )
    try:
        own_files.folder(row.pk).mkdir(parents=True)
        # Whoever may use this machine's folders may use the data sets in them.
        return run_imports.bring_in(row, path, tell, knows=lambda name: registry.known_dataset(name) is not None)
    finally:
        with transaction.atomic():
            Dataset.objects.get(pk=row.pk).delete()
