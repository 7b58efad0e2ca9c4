"""The run's mutex."""

from __future__ import annotations

from uuid import UUID

from django.db import connection, transaction
from django.db.models import UUIDField

from .models import RunCounter
from .statements import Given, Select

_LOCK = Select(lambda: RunCounter.objects.select_for_update().filter(run_id=Given("run", UUIDField())))


def lock_run(run_id: UUID) -> RunCounter:
    """Lock the run until the end of the transaction and return its counter row.

    Every transaction that changes a run's state, jobs or events calls this first, so locks are taken in one order and cannot
    deadlock. On SQLite an IMMEDIATE transaction already holds the one write lock. Raises RunCounter.DoesNotExist if the run is gone.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("a run is locked inside a transaction")
    found = next(_LOCK.instances(run=run_id), None)
    if found is None:
        raise RunCounter.DoesNotExist(f"there is no run {run_id}")
    return found
