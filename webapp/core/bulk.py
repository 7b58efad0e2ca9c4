"""Many rows in one statement without a model instance for each: instances and their SQL were most of what a large insert took."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from django.db import connection
from django.db.models import AutoField, BigAutoField, Field, Model

from . import driver
from .plain import PLAIN

_PARAMETERS = 900
"""Values of one statement: the least limit of an SQLite is 999."""


class JsonText(str):
    """JSON that is text already: a JSON column takes it as it is."""

    __slots__ = ()


def insert_rows(
    model: type[Model], names: Sequence[str], rows: Sequence[Sequence[Any]], *, unique: Sequence[str] = (), update: Sequence[str] = ()
) -> int:
    """Insert `rows`, each the values of the fields `names` (a foreign key by its column, `run_id`); other fields take the model's default.
    Where a row with equal `unique` fields exists, its fields `update` are changed instead, or, if there are none, nothing is. Returns how
    many rows were inserted or changed."""
    changed = 0
    given, defaults = _writers(model, tuple(names))
    width = len(given) + len(defaults)
    per_statement = _PARAMETERS // width
    for first in range(0, len(rows), per_statement):
        some = rows[first : first + per_statement]
        values: list[Any] = []
        for row in some:
            values += [
                value if write is None or isinstance(value, JsonText) else write(value, connection)
                for write, value in zip(given, row, strict=True)
            ]
            values += [default() for default in defaults]
        changed += driver.changed(_sql(model, tuple(names), len(some), tuple(unique), tuple(update)), values)
    return changed


def _omitted(model: type[Model], names: tuple[str, ...]) -> list[Field[Any, Any]]:
    """Fields that take their default."""
    fields = [field for field in model._meta.concrete_fields if field.attname not in names]
    return [field for field in fields if not field.null and not isinstance(field, AutoField | BigAutoField)]


@lru_cache(maxsize=64)
def _writers(model: type[Model], names: tuple[str, ...]) -> tuple[list[Callable[[Any, Any], Any] | None], list[Callable[[], Any]]]:
    """How each named value is written (None: as it is), and what gives the others."""
    by_name = {field.attname: field for field in model._meta.concrete_fields}
    given: list[Callable[[Any, Any], Any] | None] = [
        None if isinstance(by_name[name], PLAIN) else by_name[name].get_db_prep_save for name in names
    ]
    return given, [_default(field) for field in _omitted(model, names)]


def _default(field: Field[Any, Any]) -> Callable[[], Any]:
    if not field.has_default():
        raise TypeError(f"{field} needs a value")
    return lambda: field.get_db_prep_save(field.get_default(), connection)


@lru_cache(maxsize=1024)
def _sql(model: type[Model], names: tuple[str, ...], rows: int, unique: tuple[str, ...], update: tuple[str, ...]) -> str:
    columns = {field.attname: connection.ops.quote_name(str(field.column)) for field in model._meta.concrete_fields}
    written = [columns[name] for name in names] + [columns[field.attname] for field in _omitted(model, names)]
    row = f"({', '.join(['%s'] * len(written))})"
    table = connection.ops.quote_name(model._meta.db_table)
    # Names of our own tables and columns; every value is a parameter.
    sql = f"INSERT INTO {table} ({', '.join(written)}) VALUES {', '.join([row] * rows)}"  # nosec B608
    if unique:
        changes = ", ".join(f"{columns[name]} = EXCLUDED.{columns[name]}" for name in update)
        keys = ", ".join(columns[name] for name in unique)
        sql += f" ON CONFLICT ({keys}) DO {f'UPDATE SET {changes}' if changes else 'NOTHING'}"  # nosec B608
    return sql
