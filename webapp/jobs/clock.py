"""The database's clock. Leases are compared on one clock, whatever the machines' own clocks say."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import DateTimeField, ExpressionWrapper
from django.db.models.functions import Now


def after(seconds: float) -> ExpressionWrapper:
    """The database's time `seconds` from now (negative: ago)."""
    return ExpressionWrapper(Now() + timedelta(seconds=seconds), output_field=DateTimeField())
