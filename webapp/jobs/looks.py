"""What there is to see of a data set: worked out by a worker, which may open files, once, and kept for whoever may see the set."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F

from search_engine.base.errors import BadInput
from search_engine.base.release import __version__
from search_engine.catalogue import registry
from search_engine.datasets.base import DatasetEntry
from search_engine.datasets.data_files import looks
from search_engine.datasets.look import RULE, look
from search_engine.spaces.genomes import canonical_json, digest

from ..core.models import DatasetLook, Job
from ..events.store import StaleFence
from .bell import ring
from .session import Session
from .sharing import charge_service, join_owner


def known(entry: DatasetEntry) -> DatasetLook | None:
    """The answer, or the open question, for the set as its files are now."""
    return DatasetLook.objects.filter(key=_key(entry)).first()


def request(owner: Any, entry: DatasetEntry) -> DatasetLook:
    """Ask a worker, unless it is known or asked already. One that failed is asked again."""
    found = known(entry)
    if found is not None and found.state != "failed":
        return found
    try:
        with transaction.atomic():
            if found is not None:
                found.delete()
            row = DatasetLook.objects.create(dataset=entry.id, key=_key(entry))
            join_owner(owner.pk)
            Job.objects.create(owner=owner, kind=Job.Kind.LOOK, source="look", spec={"look": str(row.pk)})
            ring()
    except IntegrityError:
        # Somebody else asked this moment.
        row = DatasetLook.objects.get(key=_key(entry))
    return row


def _key(entry: DatasetEntry) -> str:
    asked = {"dataset": entry.id, "files": looks(entry, Path(settings.NASCOPE_DATA)), "rule": RULE, "release": __version__}
    return digest(canonical_json(asked))


def run_look(session: Session, job: Job) -> None:
    """Work out the answer. Raises StaleFence if the lease was lost meanwhile."""
    started = time.perf_counter()
    row = DatasetLook.objects.filter(pk=job.spec["look"]).first()
    result, reason = None, ""
    if row is not None:
        try:
            result = look(registry.dataset(row.dataset), Path(settings.NASCOPE_DATA)).model_dump(mode="json")
        except BadInput as error:
            reason = error.message
        session.progressed()
    elapsed = time.perf_counter() - started
    with transaction.atomic():
        held = Job.objects.filter(pk=job.pk, fence=job.fence, state=Job.State.LEASED)
        state = Job.State.FAILED if reason else Job.State.TAKEN
        if not held.update(state=state, runnable=False, lease_until=None, reason=reason, served_seconds=F("served_seconds") + elapsed):
            raise StaleFence("the lease was lost")
        charge_service(job, elapsed, None)
        DatasetLook.objects.filter(pk=job.spec["look"]).update(state="failed" if reason else "done", reason=reason, result=result)
