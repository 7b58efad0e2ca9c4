"""Texts of somebody's file that go into a table for others: a spreadsheet runs a cell that begins like a formula.

Source: OWASP, "CSV Injection", https://owasp.org/www-community/attacks/CSV_Injection.
"""

from __future__ import annotations

STARTS = ("=", "+", "-", "@", "\t", "\r")


def neutral(text: str) -> str:
    """The text with an apostrophe in front where a spreadsheet would run it, and without what a terminal would obey. Numbers stay.

    >>> neutral("=cmd|' /C calc'!A0"), neutral("-1.5"), neutral("wine"), neutral("a\\x1b[2J")
    ("'=cmd|' /C calc'!A0", '-1.5', 'wine', 'a[2J')
    """
    plain = "".join(letter for letter in text if letter.isprintable() or letter in "\t\r\n")
    if plain.startswith(STARTS) and not _is_number(plain):
        return f"'{plain}"
    return plain


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
