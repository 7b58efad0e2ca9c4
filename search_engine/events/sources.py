"""The source of an event or of work, as people call it."""

from __future__ import annotations

_WORDS = {"phase": "phase {} of the search", "final": "entrant {} of the finale"}
_SINGLE = {"run": "the search's bookkeeping", "estimate": "the estimate"}


def in_words(source: str) -> str:
    """Phases and entrants are counted from 1; trials have the numbers of their candidates.

    >>> in_words("phase:0"), in_words("trial:12"), in_words("final:1"), in_words("run")
    ('phase 1 of the search', 'trial 12', 'entrant 2 of the finale', "the search's bookkeeping")
    """
    kind, _, number = source.partition(":")
    if kind in _WORDS and number.isdigit():
        return _WORDS[kind].format(int(number) + 1)
    return _SINGLE.get(source, source.replace(":", " "))
