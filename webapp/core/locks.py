"""The run's mutex."""

from __future__ import annotations

from uuid import UUID

from .models import RunCounter


def lock_run(run_id: UUID) -> RunCounter:
    """Lock the run until the end of the transaction and return its counter row.

    Every transaction that changes a run's state, jobs or events calls this first, so locks are taken in one order and cannot
    deadlock. On SQLite an IMMEDIATE transaction already holds the one write lock. Raises RunCounter.DoesNotExist if the run is gone.
    """
    return RunCounter.objects.select_for_update().get(run_id=run_id)
