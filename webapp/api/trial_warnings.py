"""What makes the figures of a run's trials say less than they seem to, as its events said it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from webapp.core.models import Event


def trial_warnings(run_id: UUID, **of: Any) -> dict[int, list[str]]:
    """Trial -> sentences, of the trials that have any; `of` narrows the events (`step__in`: numbers of trials). One query."""
    doubted = Event.objects.filter(run_id=run_id, kind="trial_told", data__has_key="warnings", **of)
    return {data["number"]: data["warnings"] for data in doubted.values_list("data", flat=True)}
