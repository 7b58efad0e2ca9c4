"""The lists of the administration: a moment in their address that names no zone is one of ours (UTC), said before the database is asked.

Django hands such a moment on and complains of it in the log, for whatever somebody types behind `?date_joined__gte=`.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from django.contrib.admin import ModelAdmin
from django.contrib.admin.utils import NotRelationField, get_fields_from_path
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import FieldDoesNotExist
from django.db.models import DateTimeField
from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_naive, make_aware

COMPARED = frozenset({"exact", "gt", "gte", "lt", "lte", "in"})
"""The look-ups that take a moment as it is; others (`date`, `year`, ...) take parts of one, which have no zone."""


class Moments(ChangeList):
    """Django's own list, which reads every moment with a zone."""

    def get_filters_params(self, params: Any = None) -> dict[str, list[str]]:
        found: dict[str, list[str]] = super().get_filters_params(params)
        return {key: [_with_zone(text) for text in texts] if self._is_moment(key) else texts for key, texts in found.items()}

    def _is_moment(self, key: str) -> bool:
        head, _, last = key.rpartition("__")
        try:
            field = get_fields_from_path(self.model, head if head and last in COMPARED else key)[-1]
        except (FieldDoesNotExist, NotRelationField):
            return False
        return isinstance(field, DateTimeField)


def _with_zone(text: str) -> str:
    """One moment or several with commas between; what is none stays as it is, and is refused where it is read.

    >>> _with_zone("0001-01-01"), _with_zone("2026-01-02 10:00,x"), _with_zone("2026-01-02T10:00+02:00")
    ('0001-01-01T00:00:00+00:00', '2026-01-02T10:00:00+00:00,x', '2026-01-02T10:00+02:00')
    """
    return ",".join(_one(part) for part in text.split(","))


def _one(text: str) -> str:
    try:
        moment = parse_datetime(text)
    except ValueError:
        return text
    return make_aware(moment).isoformat() if moment is not None and is_naive(moment) else text


@cache
def with_moments(kind: type[ModelAdmin[Any]]) -> type[ModelAdmin[Any]]:
    """A page of the administration whose list is one of these."""

    def get_changelist(self: Any, request: Any, **kwargs: Any) -> type[ChangeList]:
        return Moments

    return type(kind.__name__, (kind,), {"get_changelist": get_changelist, "__module__": kind.__module__})
