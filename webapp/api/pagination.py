"""Keyset pages: a page starts after the last row of the one before, so no list grows slower with its length and no row is seen twice."""

from __future__ import annotations

import base64
import json
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import F, Field, Model, Q, QuerySet
from rest_framework.request import Request

from search_engine.base.errors import BadInput

DEFAULT_LIMIT = 50
MAX_LIMIT = 200


def read_limit(request: Request, default: int = DEFAULT_LIMIT, largest: int = MAX_LIMIT) -> int:
    """`?limit=`. Raises BadInput(field "limit")."""
    return read_int(request, "limit", default, 1, largest)


def read_int(request: Request, name: str, default: int, smallest: int, largest: int) -> int:
    """A whole number from the query string. Raises BadInput naming it."""
    text = request.query_params.get(name, "")
    if not text:
        return default
    try:
        value = int(text)
    except ValueError:
        value = smallest - 1
    if not smallest <= value <= largest:
        raise BadInput(name, f"give a whole number from {smallest} to {largest}, not '{text[:40]}'")
    return value


def keyset_page(request: Request, rows: QuerySet[Any], order: tuple[str, ...]) -> tuple[list[Any], str | None]:
    """One page of `rows` and the cursor of the next.

    `order` names fields as in order_by ("-created", "-id"); together they must be unique. A nullable field sorts its nulls last.
    Raises BadInput(field "cursor") for a cursor that this list did not give.
    """
    limit = read_limit(request)
    after = _read_cursor(request.query_params.get("cursor", ""), rows.model, order)
    if after is not None:
        rows = rows.filter(_after(rows.model, order, after))
    found = list(rows.order_by(*[_sorted(name) for name in order])[: limit + 1])
    more = len(found) > limit
    found = found[:limit]
    return found, _write_cursor(found[-1], order) if more else None


def _sorted(name: str) -> Any:
    # Said outright because SQLite and PostgreSQL disagree about where nulls go.
    return F(name[1:]).desc(nulls_last=True) if name.startswith("-") else F(name).asc(nulls_last=True)


def _field(model: type[Model], name: str) -> Field[Any, Any]:
    """The column that `name`, as in order_by, sorts by."""
    field = model._meta.get_field(name.removeprefix("-"))
    assert isinstance(field, Field), f"a list cannot be sorted by {name}, which is no column of its own"
    return field


def _after(model: type[Model], order: tuple[str, ...], values: list[Any]) -> Q:
    """Rows behind `values` in the order: (a beyond) or (a equal and b beyond) or ..."""
    condition = Q()
    equal = Q()
    for name, value in zip(order, values, strict=True):
        field = name.removeprefix("-")
        if value is None:
            equal &= Q(**{f"{field}__isnull": True})
            continue
        beyond = Q(**{f"{field}__{'lt' if name.startswith('-') else 'gt'}": value})
        if _field(model, name).null:
            beyond |= Q(**{f"{field}__isnull": True})
        condition |= equal & beyond
        equal &= Q(**{field: value})
    return condition


def _write_cursor(row: Model, order: tuple[str, ...]) -> str:
    values = []
    for name in order:
        field = _field(type(row), name)
        value = field.value_from_object(row)
        values.append(None if value is None else value if isinstance(value, int | float) else field.value_to_string(row))
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def _read_cursor(text: str, model: type[Model], order: tuple[str, ...]) -> list[Any] | None:
    if not text:
        return None
    try:
        values = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        fields = [_field(model, name) for name in order]
        return [None if value is None else field.to_python(value) for field, value in zip(fields, values, strict=True)]
    except (ValueError, TypeError, ValidationError):
        raise BadInput("cursor", "this is not a cursor of this list; leave it out to start from the beginning") from None
