"""What a message quotes of what somebody gave: enough to recognise it, never the whole of it."""

from __future__ import annotations

LONGEST = 60
"""Characters of a value that a message shows."""
_END = 15
"""Of these, those from its end."""


def shown(value: object) -> str:
    """`value` as a message quotes it: as Python writes it (so that what a terminal would obey is visible), shortened in the middle.

    >>> shown("lottery"), shown(0.5), shown(["a", 1])
    ("'lottery'", '0.5', "['a', 1]")
    >>> shown("x" * 201)
    "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx ... xxxxxxxxxxxxxxx' (201 characters)"
    """
    text = repr(f"{value[: LONGEST - _END]} ... {value[-_END:]}" if isinstance(value, str) and len(value) > LONGEST else value)
    if isinstance(value, str):
        return text if len(value) <= LONGEST else f"{text} ({len(value):,} characters)"
    return text if len(text) <= LONGEST else f"{text[: LONGEST - _END]} ... {text[-_END:]} ({len(text):,} characters)"


def shortened(text: str, longest: int = 2 * LONGEST) -> str:
    """A name (of a field, of a path) without quotation marks, or a whole message, shortened in the same way.

    >>> shortened("options.population"), len(shortened("y" * 5000)) < 150
    ('options.population', True)
    """
    return text if len(text) <= longest else f"{text[: longest - _END]} ... {text[-_END:]}"
