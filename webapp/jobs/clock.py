"""The database's clock. Leases are compared on one clock, whatever the machines' own clocks say."""

from __future__ import annotations

import time
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.db.models import DateTimeField, ExpressionWrapper, Q
from django.db.models.functions import Now

from ..core import driver
from ..core.statements import Given


def now() -> float:
    """The database's time, in seconds since 1970. SQLite's is this machine's."""
    if connection.vendor == "sqlite":
        return time.time()
    return float(driver.rows("SELECT extract(epoch FROM statement_timestamp())", [])[0][0])


def after(seconds: float | Given) -> ExpressionWrapper:
    """The database's time `seconds` from now (negative: ago), or so long from now as a statement is given each time (a timedelta)."""
    return ExpressionWrapper(Now() + (seconds if isinstance(seconds, Given) else timedelta(seconds=seconds)), output_field=DateTimeField())


def lease_is_over() -> Q:
    """Of a job: its lease ran out, or reaches further than any that is given now. Such a one is from before the clock was put back; whoever
    lives has renewed his since."""
    return Q(lease_until__lt=Now()) | Q(lease_until__gt=after(2 * settings.NASCOPE_LEASE_SECONDS))
