"""Which workers have nothing to do: those that hold no lease. Nobody says so of himself, so nobody can forget to: whatever a worker went
through, once it holds nothing it is rung for.

A worker looks for work only after its last lease ended. So what is opened meanwhile is either found by that look, or its opener, who asks
here after its commit, finds the worker without a lease and rings.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import DurationField, QuerySet

from ..core.models import Job, Worker
from ..core.statements import Given, Select
from .clock import after


def _idle(seen: Given) -> QuerySet[Worker]:
    # Asked for as a list, not worker by worker: what is under lease is found by the jobs' state, of which few are.
    busy = Job.objects.filter(state=Job.State.LEASED, worker__isnull=False).values("worker_id")
    return Worker.objects.filter(last_seen__gte=after(seen)).exclude(pk__in=busy)


_WORKERS = Select(lambda: _idle(Given("seen", DurationField())).values_list("pk", "device", "called_at"))


def idle_workers() -> list[tuple[UUID, str, bool]]:
    """Id and device of every worker that lives and holds no lease, and whether it is called (`webapp.jobs.roll_call`)."""
    found = _WORKERS.rows(seen=timedelta(seconds=-3 * settings.NASCOPE_HEARTBEAT_SECONDS))
    return [(worker, device, called_at is not None) for worker, device, called_at in found]


def idle_devices() -> list[str]:
    """The device of every worker that lives and holds no lease."""
    return [device for _, device, _ in idle_workers()]
