"""How long something takes, in words: no more digits than an estimate deserves."""

from __future__ import annotations


def about(seconds: float) -> str:
    """As the page writes it, without its "about" (frontend/src/ui/format.ts).

    >>> [about(seconds) for seconds in (7.4, 47, 612, 9000, 200_000)]
    ['7 s', '45 s', '10 min', '2.5 h', '2.3 days']
    """
    if seconds < 90:
        return f"{round(seconds)} s" if seconds < 10 else f"{5 * round(seconds / 5)} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.2g} h" if seconds < 36 * 3600 else f"{seconds / 86400:.2g} days"
