"""What becomes of a person's own data set, from the wish to upload to its removal. Every change is a guarded UPDATE: of two that come at
once one wins, and the other is told the present state."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import BigIntegerField, Case, F, Sum, When
from django.db.models.functions import Now
from django.db.models.signals import post_delete
from django.dispatch import receiver

from search_engine.datasets.own.choices import Choices
from search_engine.datasets.own.stored import manifest, own_folder
from search_engine.datasets.own.stored import remove as remove_stored

from ..core import room
from ..core.models import Dataset, DatasetUse, Job, Run
from . import own_files
from .bell import ring
from .clock import after
from .sharing import join_owner

State = Dataset.State
KEEPER = "browser"
"""By which name people's sets are kept in the folder of stored sets, which the command line has, too."""
SOURCE = "import"
"""What its jobs are called."""
CANCELLED = {Dataset.Purpose.DATA: "cancelled: examine it again, or remove it", Dataset.Purpose.RUN: "cancelled: upload it again"}


class NotNow(Exception):
    """The set is in a state in which this cannot be done; `args[0]` says why, `state` which."""

    def __init__(self, why: str, state: str) -> None:
        super().__init__(why)
        self.state = state


class NoRoom(Exception):
    """It may not be taken in: `code` says for whom there is no room, the text why and what would help."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code


# ---------------------------------------------------------------- room


def taken(owner: Any | None = None) -> int:
    """Bytes that are, or were promised to be, on the disk for uploads and what is kept: of one person, or of all."""
    rows = Dataset.objects.all() if owner is None else Dataset.objects.filter(owner=owner)
    kept = Case(When(state=State.READY, then=F("stored")), default=F("size"), output_field=BigIntegerField())
    return int(rows.aggregate(total=Sum(kept))["total"] or 0)


def to_come() -> int:
    """Bytes of open uploads that are promised and not there yet."""
    open_ = Dataset.objects.filter(state=State.UPLOADING).aggregate(total=Sum(F("size") - F("received")))
    return int(open_["total"] or 0)


def need_room(owner: Any, size: int) -> None:
    """Raises NoRoom where `size` more bytes would be too many: in one file, of one person, of all, or for the disk."""
    if size > settings.NASCOPE_UPLOAD_BYTES:
        raise NoRoom("too_large", f"a file of {_mb(size)} is larger than {_mb(settings.NASCOPE_UPLOAD_BYTES)}, the most that is taken here")
    if Dataset.objects.filter(owner=owner, state=State.UPLOADING).count() >= settings.NASCOPE_OPEN_UPLOADS:
        raise NoRoom("too_many", f"{settings.NASCOPE_OPEN_UPLOADS} of your uploads are unfinished: finish or cancel one first")
    have = taken(owner)
    if have + size > settings.NASCOPE_OWNER_BYTES:
        most = _mb(settings.NASCOPE_OWNER_BYTES)
        raise NoRoom("quota", f"you have {_mb(have)} of data here, and {_mb(size)} more would be beyond {most}: remove a data set first")
    if taken() + size > settings.NASCOPE_DATA_BYTES:
        most = _mb(settings.NASCOPE_DATA_BYTES)
        raise NoRoom("no_space", f"this server keeps {most} of people's data, and has no room for {_mb(size)} more")
    if room.free_bytes() - to_come() - size < settings.NASCOPE_MIN_FREE_BYTES:
        raise NoRoom("no_space", f"the disk has no room for {_mb(size)} more: free some space where files lie, then try again")


def _mb(size: int) -> str:
    return f"{size / 1e6:,.1f} MB" if size < 1e9 else f"{size / 1e9:,.1f} GB"


# ---------------------------------------------------------------- uploading


def begin(
    owner: Any, size: int, file_name: str, title: str = "", previous: Dataset | None = None, purpose: str = Dataset.Purpose.DATA
) -> Dataset:
    """A new upload. As a later version of `previous` it begins with its title and its choices. Raises NoRoom. In a transaction of the
    caller's, or in its own."""
    with transaction.atomic():
        need_room(owner, size)
        again: dict[str, Any] = {}
        if previous is not None:
            again = {"previous": previous, "version": previous.version + 1, "choices": previous.choices}
        title = (title or (previous.title if previous is not None else "") or Path(file_name).stem or file_name)[:120]
        row = Dataset.objects.create(owner=owner, size=size, file_name=file_name, title=title, purpose=purpose, touched=Now(), **again)
        own_files.begin(row.pk)
        row.refresh_from_db()
    return row


def note_received(row: Dataset, received: int) -> None:
    """Bytes that are there now. All of them: a worker looks at what is in them."""
    Dataset.objects.filter(pk=row.pk, state=State.UPLOADING).update(received=received, touched=Now())
    if received >= row.size:
        _to_work(row.pk, (State.UPLOADING,), State.UPLOADED, progress={"done": 0.0, "text": "waiting for a worker"})


def examine_again(row: Dataset, choices: Choices) -> None:
    """Look at it under these choices. Raises NotNow."""
    chosen = choices.model_dump(mode="json", exclude_defaults=True)
    if not own_files.source(row.pk).is_file():
        raise NotNow("its upload is not here any more: upload it again", row.state)
    waiting = {"done": 0.0, "text": "waiting for a worker"}
    title = {"title": choices.title} if choices.title else {}
    if not _to_work(row.pk, (State.EXAMINED, State.FAILED), State.UPLOADED, progress=waiting, reason="", choices=chosen, **title):
        raise NotNow("it can be examined again once nobody works at it, and until it is kept", _state(row))


def keep(row: Dataset) -> None:
    """Store it as it was examined. Raises NotNow."""
    waiting = {"done": 0.0, "text": "waiting for a worker"}
    if not _to_work(row.pk, (State.EXAMINED,), State.KEEPING, progress=waiting, reason=""):
        raise NotNow("what is kept is what was examined", _state(row))


def _to_work(pk: UUID, before: tuple[str, ...], state: str, **fields: Any) -> bool:
    """Move it on and queue a job. Returns whether it was in one of the states `before`."""
    with transaction.atomic():
        row = Dataset.objects.filter(pk=pk, state__in=before)
        if not row.update(state=state, touched=Now(), **fields):
            return False
        owner = Dataset.objects.values_list("owner_id", flat=True).get(pk=pk)
        join_owner(owner)
        Job.objects.create(owner_id=owner, dataset_id=pk, kind=Job.Kind.IMPORT, source=SOURCE)
        ring()
    return True


def cancel(row: Dataset) -> None:
    """End the work at it. What was found before stays. Raises NotNow."""
    with transaction.atomic():
        rows = Dataset.objects.filter(pk=row.pk, state__in=Dataset.AT_WORK)
        found = rows.filter(findings__isnull=False, state=State.KEEPING).update(state=State.EXAMINED, reason="", progress={}, touched=Now())
        if not found and not rows.update(state=State.FAILED, reason=CANCELLED[Dataset.Purpose(row.purpose)], progress={}, touched=Now()):
            raise NotNow("nobody works at it", _state(row))
        _end_jobs(row)


def _end_jobs(row: Dataset) -> None:
    # The fence rises: whoever is at it finds that out within a second.
    held = Job.objects.filter(dataset_id=row.pk, state__in=(Job.State.READY, Job.State.LEASED))
    held.update(state=Job.State.CANCELLED, runnable=False, lease_until=None, fence=F("fence") + 1)


def failed(pk: UUID, reason: str) -> None:
    """The work at it failed. What could not be kept can still be looked at, and its choices changed."""
    ended = {"reason": reason, "progress": {}}
    rows = Dataset.objects.filter(pk=pk)
    if not rows.filter(state=State.KEEPING, findings__isnull=False).update(state=State.EXAMINED, **ended):
        rows.filter(state__in=Dataset.AT_WORK).update(state=State.FAILED, **ended)


def _state(row: Dataset) -> str:
    return Dataset.objects.values_list("state", flat=True).filter(pk=row.pk).first() or "deleted"


# ---------------------------------------------------------------- the end


def registry_ids(owner: Any) -> set[str]:
    """What experiments call the sets that a person has kept."""
    kept = Dataset.objects.filter(owner=owner, state=State.READY, purpose=Dataset.Purpose.DATA)
    return set(kept.values_list("registry_id", flat=True))


def uses(owner: Any, registry_id: str) -> tuple[int, int, int]:
    """How many experiments of theirs use the set, with how many runs, of which how many have not ended."""
    rows = DatasetUse.objects.filter(owner=owner, dataset=registry_id)
    runs = Run.objects.filter(experiment__in=rows.values("experiment_id"))
    return rows.count(), runs.count(), runs.exclude(state__in=Run.TERMINAL).count()


def delete(row: Dataset) -> None:
    """Remove the set and its upload. What equal sets of other people share stays as long as one of them is there. Raises NotNow where runs
    on it have not ended."""
    with transaction.atomic():
        open_ = uses(row.owner, row.registry_id)[2] if row.registry_id else 0
        if open_:
            words = "1 run on it has" if open_ == 1 else f"{open_} runs on it have"
            raise NotNow(f"{words} not ended: cancel or delete them first", row.state)
        _end_jobs(row)
        Dataset.objects.filter(pk=row.pk).delete()


@receiver(post_delete, sender=Dataset)
def _remove_files(instance: Dataset, **_: object) -> None:
    """However a row is deleted (also with its owner), in the same transaction: whoever stores an equal set meanwhile finds it gone, and
    stores it again. What the command line keeps, too, stays."""
    if instance.digest and not Dataset.objects.filter(digest=instance.digest).exists() and manifest(instance.registry_id) is not None:
        remove_stored(instance.registry_id, KEEPER)
    own_files.remove(instance.pk)


def housekeep() -> None:
    """Uploads that nobody goes on with, previews that nobody keeps, and files of no row."""
    for state, hours in ((State.UPLOADING, settings.NASCOPE_UPLOAD_HOURS), *((s, settings.NASCOPE_PREVIEW_HOURS) for s in _LEFT_ALONE)):
        for row in Dataset.objects.filter(state=state, touched__lt=after(-3600 * hours)):
            if state == State.UPLOADING and _goes_on(row):
                continue
            delete(row)
    opened = Dataset.objects.filter(purpose=Dataset.Purpose.RUN, touched__lt=after(-3600 * settings.NASCOPE_PREVIEW_HOURS))
    left = opened.filter(state=State.EXAMINING).exclude(jobs__state__in=(Job.State.READY, Job.State.LEASED))
    for row in [*opened.filter(state=State.READY), *left]:
        # What was opened is an experiment by now, or its command was killed.
        delete(row)
    for row in Dataset.objects.filter(state=State.UPLOADING, received__gte=F("size")):
        # The process that took the last bytes died before it could say so.
        note_received(row, row.received)
    rows = Dataset.objects.exclude(state=State.READY).values_list("pk", flat=True)
    own_files.remove_strays({str(pk) for pk in rows}, time.time() - 3600)
    own_files.remove_left(own_folder(), time.time() - 86_400)


_LEFT_ALONE = (State.EXAMINED, State.FAILED)


def _goes_on(row: Dataset) -> bool:
    """Whether somebody writes to it this moment: one long request may take more than the whole time that is given."""
    try:
        with own_files.appending(row.pk):
            return False
    except own_files.Busy:
        return True
    except FileNotFoundError:
        return False
