"""What somebody asks a model: an input to which its download is to say something. A worker answers (`predictions`), and it is forgotten.

    asked/<row's id>/input.*      what was given, until it is answered, or nobody waits any more

A person has one question at a time: the next takes the place of the one before. The model's code is run, so only downloads that were made
here are asked, and only when their bytes are those recorded.
"""

from __future__ import annotations

import shutil
import time
import zipfile
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models.signals import post_delete
from django.dispatch import receiver

from search_engine.base.errors import BadInput
from search_engine.bundle.answering import ending
from search_engine.bundle.answers import InputForm, NotAskable, form_of

from ..core.models import Job, ModelArtefact, OwnerService, Prediction, Worker
from .bell import ring
from .clock import after
from .files import bundle_file
from .idleness import idle_workers
from .sharing import join_owner

MOST_TEXT = 1_000_000
"""Bytes of a row or a few."""
KEPT_SECONDS = 600.0
"""So long an answer is kept, and a question waits."""


class TooLarge(Exception):
    """More was given than is taken; the text says how much is."""


def form(model: ModelArtefact) -> InputForm:
    """What the model takes. Raises NotAskable, with the reason, where nothing can be asked of it here."""
    if not model.bundle_path:
        raise NotAskable(model.reason or "it has no download")
    if not model.bundle_sha256:
        raise NotAskable("its download is about to be put in place: try again in a moment")
    if model.bundle_damage:
        raise NotAskable(f"its download is damaged: {model.bundle_damage}")
    if model.run.experiment.imported is not None:
        raise NotAskable(
            "it came with a run that was opened here, and code that comes from elsewhere is not run: download it, and use its predict.py "
            "where you trust it"
        )
    return _form(str(bundle_file(model.run_id, model.bundle_sha256)), model.bundle_sha256)


@lru_cache(maxsize=256)
def _form(path: str, sha256: str) -> InputForm:
    """What lies under a digest never changes."""
    try:
        with open(path, "rb") as archive:
            return form_of(archive)
    except OSError:
        raise NotAskable("its download cannot be read") from None
    except (zipfile.BadZipFile, NotImplementedError, KeyError, ValueError, TypeError):
        raise NotAskable("its download does not say what it takes") from None


def most_bytes(asked: InputForm) -> int:
    """Of what may be given to a model."""
    return MOST_TEXT if asked.kind == "row" else int(settings.NASCOPE_TRY_BYTES)


def ask(owner: Any, model: ModelArtefact, name: str, pieces: Iterable[bytes] | None, *, invert: bool = False) -> Prediction:
    """Store the question and ring. `pieces` None asks for the download's own sample; `name` is what its owner calls the file.

    Raises NotAskable, BadInput (field "file") where the model takes no such file, TooLarge."""
    asked = form(model)
    file = "" if pieces is None else f"input{ending(asked, name)}"
    key = uuid4()
    try:
        if pieces is not None:
            _write(folder(key) / file, pieces, most_bytes(asked))
        with transaction.atomic():
            join_owner(owner.pk)
            # Of two questions at once the second waits, and takes the place of the first.
            OwnerService.objects.select_for_update().get(owner_id=owner.pk)
            forget(Prediction.objects.filter(owner=owner))
            job = Job.objects.create(owner=owner, kind=Job.Kind.PREDICT, source="predict")
            row = Prediction.objects.create(pk=key, owner=owner, model=model, job=job, file=file, invert=invert)
            ring()
        return row
    except BaseException:
        shutil.rmtree(folder(key), ignore_errors=True)
        raise


def _write(path: Path, pieces: Iterable[bytes], most: int) -> None:
    path.parent.mkdir(parents=True, mode=0o700)
    size = 0
    with path.open("xb") as file:
        for piece in pieces:
            size += len(piece)
            if size > most:
                raise TooLarge(f"at most {most:,} bytes are taken here")
            file.write(piece)
    if size == 0:
        raise BadInput("file", "it is empty: there is nothing in it")


def forget(rows: Any) -> int:
    """Remove questions with what was given; whoever answers one stops. Returns how many."""
    jobs = list(rows.values_list("job_id", flat=True))
    Job.objects.filter(pk__in=jobs).delete()
    return len(jobs)


def waits_for(row: Prediction) -> str:
    """Why a queued question is not being answered yet, for people."""
    alive = Worker.objects.filter(last_seen__gte=after(-3 * settings.NASCOPE_HEARTBEAT_SECONDS)).count()
    if alive == 0:
        return "no worker is there: it is answered when one starts"
    if len(idle_workers()) == 0:
        who = "the worker is" if alive == 1 else f"all {alive} workers are"
        return f"{who} at work: yours is taken when the step under way ends"
    return "a worker is about to take it"


# ---------------------------------------------------------------- files


def home() -> Path:
    """Where what was given lies, all of it."""
    return Path(settings.NASCOPE_HOME) / "asked"


def folder(prediction: UUID) -> Path:
    """The question's own."""
    return home() / str(prediction)


@receiver(post_delete, sender=Prediction)
def _remove_with_it(instance: Prediction, **_: object) -> None:
    """However a question is removed, also with its owner or its model."""
    Job.objects.filter(pk=instance.job_id).delete()
    shutil.rmtree(folder(instance.pk), ignore_errors=True)


def housekeep() -> None:
    """What nobody waits for any more, and what was left by who was killed."""
    forget(Prediction.objects.filter(created__lt=after(-KEPT_SECONDS)))
    known = {str(key) for key in Prediction.objects.values_list("pk", flat=True)}
    for path in home().glob("*"):
        if path.name not in known and time.time() - path.stat().st_mtime > KEPT_SECONDS:
            shutil.rmtree(path, ignore_errors=True)


# ---------------------------------------------------------------- its end


def end(job: Job, reason: str, result: dict[str, Any] | None = None) -> None:
    """The question is answered, or will not be. What was given goes."""
    state = Prediction.State.FAILED if reason else Prediction.State.DONE
    for key in Prediction.objects.filter(job=job).values_list("pk", flat=True):
        Prediction.objects.filter(pk=key).update(state=state, reason=reason, result=result, file="")
        transaction.on_commit(lambda key=key: shutil.rmtree(folder(key), ignore_errors=True))  # type: ignore[misc]
