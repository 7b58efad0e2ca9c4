"""The cells of a table in a text file, as spreadsheets write them. NumPy alone.

With or without names in the first line or a byte-order mark; in UTF-8, UTF-16 or an older code page; with commas, semicolons or tabs; with
decimal points or commas.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from columns import MISSING, is_missing

SEPARATORS = (";", "\t", ",", "|")
CODE_PAGES = ("cp1251", "cp1252", "cp1250", "cp1253", "cp1254", "cp866", "shift_jis", "gb18030")
"""What is tried where a file is no UTF-8: that in which most of the known names occur is taken."""
MOST_BYTES = 2**31
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
SPACES = re.compile(r"(?<=\d)[ \u00a0\u2009\u202f](?=\d{3}(\D|$))")
GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
DECIMAL_COMMA = re.compile(r"[+-]?(\d*|\d{1,3}(\.\d{3})+),\d*([eE][+-]?\d+)?")


@dataclass
class Table:
    """Rows of cells with their line numbers, and the names of their columns where the file gives them."""

    names: list[str] | None
    rows: list[list[str]]
    lines: list[int]
    separator: str
    missing: Sequence[str] = MISSING
    decimal: str = ""
    """"," or "." where the model's own table says it; else it is found out cell by cell."""


def read_text(path: Path, known: Sequence[str] = (), encoding: str = "") -> str:
    """The file as text. `known` are words of the model by which a code page is recognised; `encoding` says it instead.

    Raises ValueError where the bytes are no text.
    """
    data = path.read_bytes()
    if len(data) > MOST_BYTES:
        raise ValueError(f"it has {len(data):,} bytes; at most {MOST_BYTES:,} are read")
    try:
        text = data.decode(encoding) if encoding else _decoded(data, known)
    except UnicodeDecodeError:
        raise ValueError(f"it is no text in {encoding or 'an encoding that is known here'}: save it as CSV in UTF-8") from None
    except LookupError:
        raise ValueError(f"there is no encoding '{encoding}': give one as utf-8, utf-16 or cp1251") from None
    text = text.removeprefix("\ufeff")
    if "\0" in text:
        raise ValueError("it is no text: it holds zero bytes (a spreadsheet's own file? save it as CSV)")
    return text


def _decoded(data: bytes, known: Sequence[str]) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16")
    head = data[:2000]
    if head.count(0) > len(head) // 4:
        # UTF-16 without its mark: every second byte of a table of digits is zero.
        return data.decode("utf-16-be" if head[:1] == b"\0" else "utf-16-le")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    texts = []
    for page in CODE_PAGES:
        try:
            texts.append(data.decode(page))
        except UnicodeDecodeError:
            continue
    words = [word for word in known if not word.isascii()]
    return max(texts, key=lambda text: sum(word in text for word in words)) if texts else data.decode("utf-8")


def read_table(path: Path, known: Sequence[str], places: int, encoding: str = "", words: Sequence[str] = ()) -> Table:
    """`known` are the names of the model's columns (none where they have no names), `places` how many it takes, `words` other texts that
    it knows. Raises ValueError, OSError."""
    text = read_text(path, [*known, *words], encoding)
    told = re.match(r"sep=(.)\r?\n", text, re.IGNORECASE)
    if told:
        # A first line that Excel itself reads and writes.
        text = text[told.end() :]
    first = "".join(text.splitlines(keepends=True)[:50])
    names = {plain(name) for name in known}
    separator = told.group(1) if told else max(SEPARATORS, key=lambda item: _fits(first, item, names, places))
    csv.field_size_limit(10_000_000)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    rows, lines = [], []
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append([cell.strip() for cell in row])
                lines.append(reader.line_num + bool(told))
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num}: {error}") from None
    header = rows[0] if rows and is_header(rows[0], names, separator, set(words)) else None
    if header is not None:
        rows, lines = rows[1:], lines[1:]
    if not rows:
        raise ValueError("it holds no rows of numbers")
    return _without_empty_columns(Table(header, rows, lines, separator), places)


def _fits(text: str, separator: str, names: set[str], places: int) -> tuple[int, bool, float, int]:
    """How well a file is divided by a separator: known names in its first line, the right number of columns, rows of equal length."""
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True) if any(row)]
    except csv.Error:
        return (0, False, 0.0, 0)
    if not rows:
        return (0, False, 0.0, 0)
    widths = [len(row) for row in rows]
    common = max(set(widths), key=widths.count)
    return (len({plain(cell) for cell in rows[0]} & names), common == places, widths.count(common) / len(widths) * (common > 1), -common)


def plain(name: str) -> str:
    """A name as names are compared: without case, spaces around, and kinds of space inside."""
    return " ".join(name.replace("_", " ").split()).casefold()


def is_header(row: Sequence[str], names: set[str], separator: str, words: set[str]) -> bool:
    """Whether a first row is one of names: one of them is known, or it holds neither a number nor a category."""
    if {plain(cell) for cell in row} & names:
        return True
    return not any(_is_number(cell, separator) or cell in words for cell in row) and any(not is_missing(cell) for cell in row)


def _without_empty_columns(table: Table, places: int) -> Table:
    """What a separator at the end of every line makes is no column."""
    width = max(len(row) for row in table.rows)
    while width > 1 and (table.names is not None or width > places):
        named = table.names is not None and len(table.names) >= width and table.names[width - 1] != ""
        if named or any(len(row) >= width and row[width - 1] for row in table.rows):
            break
        width -= 1
    if table.names is not None:
        table.names = table.names[:width] + [""] * (width - len(table.names))
    table.rows = [row[:width] for row in table.rows]
    for row, line in zip(table.rows, table.lines, strict=True):
        if len(row) != width:
            raise ValueError(f"line {line} has {len(row)} cells, others have {width}")
    return table


def _is_number(cell: str, separator: str) -> bool:
    try:
        number(cell, separator)
    except ValueError:
        return False
    return True


def number(cell: str, separator: str, decimal: str = "") -> float:
    """The number in a cell. A comma is a decimal one where commas separate nothing, and where it can be nothing else.

    >>> number("1,5", ";"), number("1.234,5", ";"), number("1 234.5", ","), number("1e-3", ",")
    (1.5, 1234.5, 1234.5, 0.001)
    >>> number("1,234", ",")
    Traceback (most recent call last):
    ValueError: '1,234' may mean two numbers: write it without the comma, or with a decimal point
    """
    text = SPACES.sub("", cell.strip()).replace("\u2212", "-")
    if "," in text:
        fraction, grouped = DECIMAL_COMMA.fullmatch(text), GROUPED.fullmatch(text)
        if fraction and grouped and separator == "," and decimal != ",":
            raise ValueError(f"'{cell}' may mean two numbers: write it without the comma, or with a decimal point")
        if fraction:
            text = text.replace(".", "").replace(",", ".")
        elif grouped:
            text = text.replace(",", "")
    if not NUMBER.fullmatch(text):
        raise ValueError(f"'{cell}' is no number")
    return float(text)


def chosen(table: Table, known: Sequence[str], what: str = "column") -> tuple[list[int], list[str]]:
    """Where each of the model's columns stands in the file, and the names of those in the file that it does not take.

    Without a first line of names they stand in the model's order. Raises ValueError that names what is missing or stands there twice.
    """
    width = len(table.rows[0])
    if table.names is None or not known:
        return list(range(width)), []
    exact = {name: [place for place, cell in enumerate(table.names) if cell == name] for name in known}
    loose = {name: [place for place, cell in enumerate(table.names) if plain(cell) == plain(name)] for name in known}
    places = {name: exact[name] or loose[name] for name in known}
    missing = [name for name in known if not places[name]]
    if missing:
        listed = ", ".join(f"'{name}'" for name in missing[:10]) + (f" and {len(missing) - 10} more" if len(missing) > 10 else "")
        raise ValueError(
            f"the {what}{'s' if len(missing) > 1 else ''} {listed} {'are' if len(missing) > 1 else 'is'} missing; it has "
            f"{', '.join(name or '(no name)' for name in table.names[:30])}"
        )
    twice = [name for name in known if len(places[name]) > 1]
    if twice:
        raise ValueError(f"the {what} '{twice[0]}' stands there {len(places[twice[0]])} times")
    taken = {places[name][0] for name in known}
    return [places[name][0] for name in known], [name for place, name in enumerate(table.names) if place not in taken and name]


def numbers(table: Table, place: int, name: str, may_miss: bool) -> np.ndarray[Any, Any]:
    """The numbers in a column, float64, NaN where one is missing. Raises ValueError naming the line."""
    found = np.empty(len(table.rows))
    for index, row in enumerate(table.rows):
        try:
            found[index] = np.nan if is_missing(row[place], table.missing) else number(row[place], table.separator, table.decimal)
        except ValueError as error:
            raise ValueError(f"line {table.lines[index]}, column '{name}': {error}") from None
        if np.isnan(found[index]) and not may_miss:
            raise ValueError(f"line {table.lines[index]}, column '{name}': there is no number")
    return found


def texts(table: Table, place: int) -> np.ndarray[Any, Any]:
    """The texts in a column, None where one is missing."""
    return np.array([None if is_missing(row[place], table.missing) else row[place] for row in table.rows], dtype=object)
