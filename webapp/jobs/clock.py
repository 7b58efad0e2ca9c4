"""The database's clock. Leases are compared on one clock, whatever the machines' own clocks say."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import DateTimeField, ExpressionWrapper
from django.db.models.functions import Now

from ..core.statements import Given


def after(seconds: float | Given) -> ExpressionWrapper:
    """The database's time `seconds` from now (negative: ago), or so long from now as a statement is given each time (a timedelta)."""
    return ExpressionWrapper(Now() + (seconds if isinstance(seconds, Given) else timedelta(seconds=seconds)), output_field=DateTimeField())
