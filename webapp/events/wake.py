"""Wake-ups: hints that a run has something new. A lost hint costs a second of latency and never data.

SQLite needs none (readers watch `PRAGMA data_version`), PostgreSQL's NOTIFY rides in the writing transaction, Redis is told after
the commit.
"""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Func, TextField, Value

from ..core import driver, redis
from ..core.statements import Given

CHANNEL = "nascope_events"
Kind = Literal["data_version", "notify", "redis"]


def kind() -> Kind:
    """Which wake-up this installation uses."""
    chosen = settings.NASCOPE_WAKEUP
    if chosen == "auto":
        return "notify" if connection.vendor == "postgresql" else "data_version"
    if chosen not in ("data_version", "notify", "redis"):
        raise ValueError(f"NASCOPE_WAKEUP is '{chosen}': use auto, data_version, notify or redis")
    return chosen  # type: ignore[no-any-return]


def announce(run_id: UUID) -> None:
    """Say, inside the writing transaction, that `run_id` has news."""
    how = kind()
    if how == "notify":
        driver.rows("SELECT pg_notify(%s, %s)", [CHANNEL, str(run_id)])
    elif how == "redis":
        transaction.on_commit(lambda: redis.publish(CHANNEL, str(run_id)))


def notification(run_id: Given) -> Func:
    """`announce` on PostgreSQL, as part of another statement."""
    return Func(Value(CHANNEL), run_id, function="pg_notify", output_field=TextField())
