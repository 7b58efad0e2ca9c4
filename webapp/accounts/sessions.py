"""Sessions in the database, of whose keys only those are looked up that can be one.

A cookie may hold anything, a NUL among it, which PostgreSQL refuses with an error: such a cookie would answer every page with a 500.
"""

from __future__ import annotations

import re

from django.contrib.sessions.backends import db

_KEY = re.compile(r"[a-z0-9]{8,40}")


class SessionStore(db.SessionStore):
    """Django's own, with a stricter look at the key."""

    def _validate_session_key(self, key: str | None) -> bool:
        return bool(key and _KEY.fullmatch(key))
