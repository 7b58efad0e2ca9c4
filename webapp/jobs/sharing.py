"""Fair sharing: the runnable job with the least weighted service first, by owner, then by run."""

from __future__ import annotations

from django.db.models import BigIntegerField, F, FloatField, Min

from ..core.models import Job, OwnerService, Run, RunCounter
from ..core.statements import Given, Update

_CHARGE = Update(
    lambda: (
        OwnerService.objects.filter(owner_id=Given("owner", BigIntegerField())),
        {"service": F("service") + Given("seconds", FloatField()) / F("weight")},
    )
)


def join_owner(owner_id: int) -> None:
    """Make the owner's row; an owner without living runs returns without credit for the time away."""
    row, _ = OwnerService.objects.get_or_create(owner_id=owner_id)
    if Run.objects.filter(owner_id=owner_id, state=Run.State.RUNNING, followed="").exists():
        return
    others = Run.objects.filter(state__in=Run.ACTIVE, followed="").exclude(owner_id=owner_id).values("owner_id")
    least = OwnerService.objects.filter(owner_id__in=others).aggregate(least=Min("service"))["least"]
    if least is not None and least > row.service:
        OwnerService.objects.filter(pk=row.pk, service__lt=least).update(service=least)


def charge_service(job: Job, seconds: float, counter: RunCounter | None) -> None:
    """Count a slice to its run and its owner. Call inside the slice's transaction, with the run locked; the caller writes `counter`."""
    _CHARGE.execute(owner=job.owner_id, seconds=seconds)
    if counter is not None:
        counter.service += seconds
