"""Keyset pages: a page starts after the last row of the one before, so no list grows slower with its length and no row is seen twice.

What comes after a row, in the order of several columns, is not one range of an index: it is the rows equal in all columns but the last and
beyond in that, then those equal in all but the last two, and so on, and where a column may be null the nulls behind each. Each of these is
one range. They are read one after another until the page is full; a single condition with OR makes PostgreSQL read the list from its
beginning, and one with a row comparison does not go with mixed directions and nulls.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from types import GenericAlias
from typing import Annotated, Any
from uuid import UUID

from django.db.models import BigAutoField, BigIntegerField, CharField, DateTimeField, Field, FloatField, Model, QuerySet, UUIDField
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, FiniteFloat, StrictInt, StringConstraints, TypeAdapter, ValidationError
from pydantic import Field as Bounds

from search_engine.base.errors import BadInput

from .queries import Page

Range = dict[str, Any]
"""Lookups that together are one range of the index that serves the order."""


def keyset_page(query: Page, rows: QuerySet[Any], order: tuple[str, ...]) -> tuple[list[Any], str | None]:
    """One page of `rows` and the cursor of the next.

    `order` names columns as in order_by ("-created", "-id"); together they must be unique, and an index must hold them in this order behind
    those that `rows` is filtered by (tests/webapp/test_pages.py asks both databases). A nullable column sorts its nulls last. What `rows`
    selects besides is read for the rows of the page alone. Raises BadInput(field "cursor") for a cursor that this list did not give.
    """
    places = _places(query, rows, order)
    more = len(places) > query.limit
    places = places[: query.limit]
    found = rows.in_bulk([place[0] for place in places])
    # Without those that somebody deleted meanwhile.
    shown = [found[place[0]] for place in places if place[0] in found]
    return shown, _write_cursor(places[-1][1:]) if more else None


def _places(query: Page, rows: QuerySet[Any], order: tuple[str, ...]) -> list[tuple[Any, ...]]:
    """(id, *columns of the order) of one row more than the page has, if there are as many."""
    after = _read_cursor(query.cursor, rows.model, order)
    columns = [name.removeprefix("-") for name in order]
    # In both databases' own order of nulls: within a range the question does not arise, and the index has it too.
    keys = rows.order_by(*order).values_list("pk", *columns)
    found: list[tuple[Any, ...]] = []
    for lookups in _ranges(rows.model, order, after):
        missing = query.limit + 1 - len(found)
        if missing:
            found += keys.filter(**lookups)[:missing]
    return found


def _ranges(model: type[Model], order: tuple[str, ...], after: list[Any] | None) -> Iterator[Range]:
    """The ranges that make up what comes after the row with these values (None: the whole list), in order."""
    columns = [name.removeprefix("-") for name in order]
    nullable = [_field(model, name).null for name in order]
    assert not any(nullable[1:]), "behind another column nulls last is no order that an index has"
    nulls = {f"{columns[0]}__isnull": True}
    if after is None:
        # Of SQLite "is not null" is no range: it would read all the nulls to find that a page is not full.
        yield {f"{columns[0]}__gte": -sys.float_info.max} if nullable[0] else {}
        if nullable[0]:
            yield nulls
        return
    equal = [(f"{column}__isnull", True) if value is None else (column, value) for column, value in zip(columns, after, strict=True)]
    for place in reversed(range(len(order))):
        if after[place] is not None:  # nothing comes after the nulls
            beyond = {f"{columns[place]}__{'lt' if order[place].startswith('-') else 'gt'}": after[place]}
            yield {**dict(equal[:place]), **beyond}
    if nullable[0] and after[0] is not None:
        yield nulls


def _field(model: type[Model], name: str) -> Field[Any, Any]:
    """The column that `name`, as in order_by, sorts by."""
    field = model._meta.get_field(name.removeprefix("-"))
    assert isinstance(field, Field), f"a list cannot be sorted by {name}, which is no column of its own"
    return field


def _write_cursor(values: tuple[Any, ...]) -> str:
    plain = [value.isoformat() if isinstance(value, datetime) else str(value) if isinstance(value, UUID) else value for value in values]
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")


def _text(value: Any) -> Any:
    # A number would be read as seconds since 1970.
    if not isinstance(value, str):
        raise ValueError("give a text")
    return value


def _in_utc(moment: datetime) -> datetime:
    """Databases compare in UTC, in which the first and the last hours of the calendar do not exist."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("there is no such moment in UTC") from None


_KINDS: dict[type[Field[Any, Any]], Any] = {
    DateTimeField: Annotated[AwareDatetime, BeforeValidator(_text), AfterValidator(_in_utc)],
    UUIDField: Annotated[UUID, BeforeValidator(_text)],
    BigAutoField: Annotated[StrictInt, Bounds(ge=-(2**63), le=2**63 - 1)],
    BigIntegerField: Annotated[StrictInt, Bounds(ge=-(2**63), le=2**63 - 1)],
    FloatField: FiniteFloat,
    CharField: Annotated[str, StringConstraints(strict=True, pattern="^[0-9a-f]{1,64}$")],
}
"""By kind of column, what a cursor may hold of it. The texts that lists are sorted by are digests."""


def _read_cursor(text: str, model: type[Model], order: tuple[str, ...]) -> list[Any] | None:
    if not text:
        return None
    kinds: list[Any] = []
    for name in order:
        field = _field(model, name)
        kind = _KINDS[type(field)]
        kinds.append(kind | None if field.null else kind)
    # pydantic's own reader of JSON has bounds of its own for nesting and for numbers.
    row: Any = GenericAlias(tuple, tuple(kinds))
    try:
        return list(TypeAdapter(row).validate_json(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))))
    except (ValueError, ValidationError):
        raise BadInput("cursor", "this is not a cursor of this list; leave it out to start from the beginning") from None
