"""A statement on its way to the database without Django's cursors: they cost as much as the statement itself does in SQLite (35 of 75
microseconds), and on PostgreSQL they write the values into the SQL, so that the server parses and plans each statement anew.

Same connection, same transaction, same errors (`django.db.Error` and its kin). Whoever watches statements (a test that counts them,
`DEBUG`, an execute wrapper) still sees every one: then they go through Django's cursors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

PREPARED = 64
"""Values of the longest statement that PostgreSQL is asked to remember: longer ones are many rows, of which no two are alike."""


def rows(sql: str, values: Sequence[Any]) -> list[Any]:
    """The rows that `sql` gives; its places for values are written %s."""
    found: list[Any] = _run(sql, values, _all)
    return found


def changed(sql: str, values: Sequence[Any]) -> int:
    """Execute `sql`; returns how many rows it changed."""
    count: int = _run(sql, values, _count)
    return count


def _all(cursor: Any) -> list[Any]:
    return cursor.fetchall()  # type: ignore[no-any-return]


def _count(cursor: Any) -> int:
    return int(cursor.rowcount)


def _run(sql: str, values: Sequence[Any], result: Callable[[Any], Any]) -> Any:
    database = connections[DEFAULT_DB_ALIAS]
    if database.queries_logged or database.execute_wrappers:
        with database.cursor() as cursor:
            cursor.execute(sql, values)
            return result(cursor)
    # What Django's cursors look at before a statement.
    database.close_if_health_check_failed()
    database.ensure_connection()
    database.validate_no_broken_transaction()
    with database.wrap_database_errors:
        return result(_EXECUTE[database.vendor](database, sql, values))


def _sqlite(database: Any, sql: str, values: Sequence[Any]) -> Any:
    return database.connection.execute(_question_marks(sql), values)


@lru_cache(maxsize=2048)
def _question_marks(sql: str) -> str:
    """SQLite's places for values. No statement here holds a per cent sign of its own but `%%`."""
    return sql.replace("%%", "\0").replace("%s", "?").replace("\0", "%")


def _postgresql(database: Any, sql: str, values: Sequence[Any]) -> Any:
    cursor = vars(database).get("nascope_cursor")
    if cursor is None or cursor.connection is not database.connection:
        from psycopg import Cursor

        # The driver's plain cursor sends values beside the SQL. One for all statements of a connection: it remembers how each type of
        # value is written, which a new one finds out again (15 microseconds a statement).
        cursor = database.nascope_cursor = Cursor(database.connection)
    return cursor.execute(sql, values, prepare=len(values) <= PREPARED)


_EXECUTE: dict[str, Callable[[Any, str, Sequence[Any]], Any]] = {"sqlite": _sqlite, "postgresql": _postgresql}
