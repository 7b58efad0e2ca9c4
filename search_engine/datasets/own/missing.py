"""Texts that stand for a missing cell."""

from __future__ import annotations

MISSING = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "none", "?", "-", "--", ".", "...", "nil", "missing", "<na>"})
"""Compared without spaces around, in lower case."""


def is_missing(text: str) -> bool:
    """
    >>> is_missing(" N/A "), is_missing("0")
    (True, False)
    """
    return text.strip().lower() in MISSING
