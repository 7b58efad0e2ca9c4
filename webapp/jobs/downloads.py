"""A model's download held against what is recorded of it: whenever it is read, and from time to time (`scrub`).

The zip lies under its digest. The folder that it was packed from lies beside it: where the zip is damaged and the folder gives the recorded
bytes, the zip is made whole from it. What is recorded never changes; where nothing here gives those bytes, the model's row says what is
wrong, and its owner may wish that a worker makes the network again from the record (`rebuild`).
"""

from __future__ import annotations

import io
import logging
from pathlib import Path

from django.conf import settings
from django.db import Error, transaction
from django.db.models.functions import Now

from search_engine.base import disk

from ..core import room
from ..core.locks import lock_run
from ..core.models import Job, ModelArtefact, Run, RunCounter
from ..events.store import append, ops
from . import files
from .bell import ring
from .recorded import Damaged, Reading
from .sharing import join_owner

log = logging.getLogger(__name__)

CHUNK = 1 << 20
NEVER_PLACED = "the run ended before it was put in place"


def reading(model: ModelArtefact) -> Reading:
    """The zip of a model, to be read through its digest. Raises Damaged."""
    if not model.bundle_sha256:
        raise Damaged(NEVER_PLACED)
    return Reading(files.bundle_file(model.run_id, model.bundle_sha256), model.bundle_sha256, model.bundle_size)


def opened(model: ModelArtefact) -> io.BufferedReader:
    """The zip of a model, its bytes found as recorded, to be read from its beginning. A damaged one is first made whole, if that is
    possible. Raises Damaged where it cannot be made whole from what lies beside it."""
    try:
        file = _whole(model)
    except Damaged as damaged:
        settle(model, str(damaged))
        if model.bundle_damage:
            raise Damaged(model.bundle_damage) from None
        file = _whole(model)
    else:
        try:
            settle(model, "")
        except Error as error:
            # When it was looked at is not worth a download: a full database still lets everybody read.
            if not room.says_full(error):
                file.close()
                raise
    return file


def _whole(model: ModelArtefact) -> io.BufferedReader:
    through = reading(model)
    while through.read(CHUNK):
        pass
    through.file.seek(0)
    return through.file


def settle(model: ModelArtefact, damage: str) -> None:
    """Store what was found of the zip just now ("" = it is whole), after the attempt to make a damaged one whole from its folder. What
    changes is said in the run's record."""
    if damage and _restored(model):
        log.warning("the download of model %s was damaged (%s) and is packed again", model.pk, damage)
        damage = ""
    changed = damage != model.bundle_damage
    model.bundle_damage = damage
    found = {"bundle_damage": damage, "bundle_checked": Now(), **({} if damage else {"rebuild": "", "rebuild_reason": ""})}
    of_this = ModelArtefact.objects.filter(pk=model.pk, bundle_sha256=model.bundle_sha256)
    if not changed:
        of_this.update(**found)
        return
    with transaction.atomic():
        try:
            counter = lock_run(model.run_id)
        except RunCounter.DoesNotExist:
            return
        of_this.update(**found)
        name = model.title or f"model {model.index + 1}"
        message = f"the download of {name} is damaged: {damage}" if damage else f"the download of {name} is whole again"
        append(counter, [ops("damaged" if damage else "whole", message)])


def _restored(model: ModelArtefact) -> bool:
    """Whether the folder beside it gives the recorded bytes; then the zip is in place again. Raises OSError where the disk is full."""
    folder = bundle_folder(model)
    if not model.bundle_sha256 or folder is None:
        return False
    try:
        path, sha256 = files.pack_bundle(model.run_id, folder)
    except OSError as error:
        if disk.is_full(error):
            # Not damage: there is only no room to pack it again.
            raise
        log.warning("the download of model %s could not be packed again: %s", model.pk, error)
        return False
    if sha256 == model.bundle_sha256:
        return True
    path.unlink(missing_ok=True)
    return False


def bundle_folder(model: ModelArtefact) -> Path | None:
    """The folder that the zip was packed from, if it is there and lies where models lie."""
    home = Path(settings.NASCOPE_HOME).resolve()
    folder = (home / model.bundle_path).resolve()
    inside = model.bundle_path and folder.is_relative_to(home)
    return folder if inside and folder.is_dir() else None


class NotPossible(Exception):
    """The download cannot be made again; the text says why."""


def request_rebuild(model: ModelArtefact) -> None:
    """Ask the workers to make the damaged download of `model` again; a second wish changes nothing. Raises NotPossible."""
    if not model.bundle_damage:
        raise NotPossible("its download is not known to be damaged")
    if model.run.state not in Run.TERMINAL:
        raise NotPossible("its run has not ended yet")
    done = Job.objects.filter(run_id=model.run_id, source=f"final:{model.index}").first()
    if done is None:
        raise NotPossible("the record lacks the work that made it")
    with transaction.atomic():
        wished = ModelArtefact.objects.filter(pk=model.pk).exclude(rebuild=ModelArtefact.Rebuild.WAITING)
        if not wished.update(rebuild=ModelArtefact.Rebuild.WAITING, rebuild_reason=""):
            return
        join_owner(done.owner_id)
        device = {"": "any", "cpu": "any"}.get(model.run.device, model.run.device)
        # It belongs to no run, as an estimate: the run has ended, and none of its jobs may be taken any more.
        Job.objects.create(
            owner_id=done.owner_id, kind=Job.Kind.REBUILD, source=f"rebuild:{model.index}", device=device,
            spec={"model": str(model.pk), "work": done.spec},
        )
        ring()
