"""The zip of a model's bundle: a worker packs it when the model is done; it is packed again here only if it got lost."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

from django.conf import settings
from django.http import Http404

from webapp.core.models import ModelArtefact
from webapp.jobs.files import pack_bundle

_CHUNK = 256 * 1024
_building = threading.Lock()


def bundle_zip(model: ModelArtefact) -> Path:
    """Path of the model's zip, built if it is not there yet. Raises Http404 where there is no bundle (any more).

    The archive is deterministic and put in place by a rename.
    """
    home = Path(settings.NASCOPE_HOME).resolve()
    folder = (home / model.bundle_path).resolve()
    if not model.bundle_path or not folder.is_relative_to(home) or not folder.is_dir():
        raise Http404
    path = folder.with_name(f"{folder.name}.zip")
    # One builder at a time in this process; another process's is welcome, equal folders give equal bytes.
    with _building:
        if not path.is_file() or not model.bundle_sha256:
            path, model.bundle_sha256 = pack_bundle(folder)
            model.bundle_size = path.stat().st_size
            ModelArtefact.objects.filter(pk=model.pk).update(bundle_sha256=model.bundle_sha256, bundle_size=model.bundle_size)
    return path


def file_name(model: ModelArtefact) -> str:
    """What the browser saves it as: made of registry ids only, never of what a person typed."""
    run = model.run
    parts = [run.algorithm, run.space, *run.datasets, f"seed{run.seed}", *([str(model.index)] if model.index else [])]
    text = "-".join(parts)
    return "".join(letter if letter.isascii() and (letter.isalnum() or letter in "-_.") else "_" for letter in text) + ".zip"


async def chunks(path: Path) -> AsyncIterator[bytes]:
    """The file in pieces, read in a thread: neither the loop waits for the disk nor the memory holds the file."""
    with path.open("rb") as file:
        while data := await asyncio.to_thread(file.read, _CHUNK):
            yield data
