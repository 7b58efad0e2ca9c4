"""The run's config, checked against what is installed."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from uuid import UUID

from django.conf import settings

from search_engine.catalogue.config import CheckedRun, check

from .models import Run


@lru_cache(maxsize=64)
def checked_run(run_id: UUID) -> CheckedRun:
    """The run's config with ids resolved. A run's config never changes. Raises BadInput or MissingData where it cannot run here."""
    return check(Run.objects.values_list("config", flat=True).get(pk=run_id), Path(settings.NASCOPE_DATA))


@lru_cache(maxsize=64)
def described_run(run_id: UUID) -> CheckedRun:
    """The same, whether its data are here or not: what its events mean. Raises BadInput."""
    return check(Run.objects.values_list("config", flat=True).get(pk=run_id))
