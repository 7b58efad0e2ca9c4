"""A database that went away, told apart from one that refuses a statement: the first is no failure of what was being done."""

from __future__ import annotations

from django.db import InterfaceError, OperationalError, connection

_ENDED = ("57P01", "57P02", "57P03", "25P03")
"""PostgreSQL ends a session because it is shut down or crashed, takes none because it begins, or a transaction stood still for too long."""


def went_away(error: BaseException) -> bool:
    """Whether `error` is a connection breaking, or not being made. This thread's is closed then: the next statement makes a new one. Call
    it outside of transactions."""
    if not isinstance(error, (OperationalError, InterfaceError)) or not _broke(error):
        return False
    connection.close()
    return True


def _broke(error: BaseException) -> bool:
    # Not by the connection: at the end of a transaction Django may have made a new one already.
    cause = error.__cause__
    if cause is None or not hasattr(cause, "sqlstate"):
        return connection.connection is None or not connection.is_usable()
    state = cause.sqlstate
    # Without a state the driver speaks, not the server; class 08 is of connections.
    return not state or state.startswith("08") or state in _ENDED
