"""CSV and TSV: which encoding, which separator, which decimal sign, is there a header; every guess is said."""

from __future__ import annotations

import codecs
import csv
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

from ...base.errors import BadInput
from ...base.lazy import lazy_module
from .bounds import Bounds
from .choices import Choices
from .draft import Tell
from .findings import Note
from .missing import MISSING, is_missing
from .tables import RawColumn, Table, as_column, joined
from .unpacking import head, unpacked

pd: Any = lazy_module("pandas")

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
LONGEST_LINE = 2**22
"""Characters of the first line that are looked at."""
BLOCK = 50_000
"""Rows that are read at a time."""
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


def read_text_table(path: Path, name: str, choices: Choices, bounds: Bounds, tell: Tell) -> Table:
    """Raises BadInput(field "file", "encoding" or "separator") where it is no table."""
    notices: list[Note] = []
    encoding = _encoding(path, choices, bounds, tell, notices)
    first = _lines(head(path, bounds, LONGEST_LINE), encoding)
    if not first:
        raise BadInput("file", "the file is empty", code="damaged_data")
    most = max(first[0].count(sign) for sign in (*SEPARATORS, choices.separator or ","))
    if most >= bounds.columns:
        raise BadInput("file", f"its first line has {most + 1:,} columns or more; at most {bounds.columns:,} are read", code="too_large")
    # A long cell is a text that will be no category; the library's own limit would end the reading.
    csv.field_size_limit(LONGEST_LINE)
    try:
        separator = choices.separator or _separator(first, name)
        rows = list(islice(csv.reader(first, delimiter=separator, skipinitialspace=True), 20))
    except csv.Error as error:
        raise BadInput("file", f"it is no table: {error}", code="damaged_data") from None
    decimal = choices.decimal or _decimal(rows, separator)
    if decimal == "," and choices.decimal is None:
        notices.append(Note(code="decimal", message="Numbers are read with a decimal comma (3,5)."))
    header = not all(_is_number(cell, decimal) or is_missing(cell) for cell in rows[0])
    names = _names(rows[0] if header else ["" for _ in rows[0]], notices)
    if len(names) < 2:
        raise BadInput("separator", "only one column was found; a table has a target and something to predict it from: name the separator")
    if len(rows) - header < 1:
        raise BadInput("file", "there is a header and no row under it", code="damaged_data")
    wide = next((place for place, row in enumerate(rows[header:], 1 + header) if row and len(row) != len(names)), None)
    if wide is not None:
        raise BadInput("file", f"line {wide} has {len(rows[wide - 1])} cells, the first line has {len(names)}; every line must have as "
                               "many",
                       code="damaged_data")
    if not header:
        notices.append(Note(code="no_header", message="The first line holds numbers, so it is no header: columns are called by their "
                                                      "places."))
    columns = _cells(_Form(path, encoding, separator, decimal, names, header, bounds), tell)
    said = {"utf-8-sig": "UTF-8 with a byte-order mark"}.get(encoding, encoding.upper())
    return Table(columns, f"{SEPARATORS.get(separator, repr(separator))} between cells, {said}", notices, decimal)


@dataclass(frozen=True)
class _Form:
    """How the file is to be read."""

    path: Path
    encoding: str
    separator: str
    decimal: str
    names: list[str]
    header: bool
    bounds: Bounds

    def frames(self, tell: Tell, share: tuple[float, float], only: list[int] | None = None) -> Iterator[Any]:
        """The rows, BLOCK at a time, each column of the type that its cells there have; `only` some columns, as texts."""
        texts = sorted({form for text in MISSING for form in (text, text.upper(), text.capitalize())} | {"NaN", "<NA>"})
        more = {} if only is None else {"usecols": only, "dtype": "str"}
        try:
            with unpacked(self.path, self.bounds, tell, "reading the table", share) as file, warnings.catch_warnings():
                # With index_col=False pandas only warns of lines that have too many cells, and drops them.
                warnings.simplefilter("error", pd.errors.ParserWarning)
                yield from pd.read_csv(
                    file, sep=self.separator, header=0 if self.header else None, names=self.names, index_col=False, na_values=texts,
                    keep_default_na=False, decimal=self.decimal, encoding=self.encoding, skipinitialspace=True, chunksize=BLOCK,
                    low_memory=False, **more,
                )
        except (pd.errors.ParserError, pd.errors.ParserWarning, pd.errors.EmptyDataError) as error:
            said = " ".join(str(error).replace("Error tokenizing data. C error: ", "").split())
            if "out of memory" in said:
                raise MemoryError from None
            raise BadInput("file", f"it is no table with equal lines: {said}", code="damaged_data") from None
        except UnicodeError as error:
            raise BadInput("encoding", f"it cannot be read as {self.encoding}: {error}", code="damaged_data") from None


def _cells(form: _Form, tell: Tell) -> list[RawColumn]:
    pieces: list[list[RawColumn]] = [[] for _ in form.names]
    rows = 0
    for frame in form.frames(tell, (0.1, 0.35)):
        rows += len(frame)
        if rows > form.bounds.rows:
            raise BadInput("file", f"it has more than {form.bounds.rows:,} rows, the most that is read", code="too_large")
        for own, name in zip(pieces, form.names, strict=True):
            own.append(as_column(name, frame.pop(name)))
    # Numbers in one block and texts in another: what they looked like is read again.
    mixed = [place for place, own in enumerate(pieces) if len({piece.kind for piece in own if not piece.missing().all()}) > 1]
    if mixed:
        for place in mixed:
            pieces[place] = []
        for frame in form.frames(tell, (0.35, 0.4), mixed):
            for place in mixed:
                pieces[place].append(as_column(form.names[place], frame[form.names[place]]))
    for place, own in enumerate(pieces):
        # One column at a time: its pieces go when it is whole.
        pieces[place] = [joined(own)]
    return [own[0] for own in pieces]


def _encoding(path: Path, choices: Choices, bounds: Bounds, tell: Tell, notices: list[Note]) -> str:
    data = head(path, bounds)
    if choices.encoding is not None:
        try:
            codecs.lookup(choices.encoding)
            "".encode(choices.encoding)
        except LookupError:
            raise BadInput("encoding", f"there is no encoding {choices.encoding!r}; write utf-8, cp1251, latin-1 or the like") from None
        return choices.encoding
    for mark, encoding in ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if data.startswith(mark):
            return encoding
    if b"\0" in data:
        raise BadInput("file", f"this is no text: it begins with {data[:4].hex(' ')}; give CSV, Parquet, a zip, .npz, .npy, idx or .ts",
                       code="damaged_data")
    decoder = codecs.getincrementaldecoder("utf-8")()
    with unpacked(path, bounds, tell, "looking at the encoding", (0.0, 0.1)) as file:
        while block := file.read(2**20):
            try:
                decoder.decode(block)
            except UnicodeDecodeError as error:
                guess = _guessed(block[max(0, error.start - 2000) :][:4000])
                notices.append(
                    Note(code="encoding", message=f"The text is no UTF-8; it is read as {guess}. That is a guess: look at its letters, and "
                         "name another encoding if they are wrong.")
                )
                return guess
    return "utf-8"


def _guessed(data: bytes) -> str:
    """cp1251 where the strange letters stand side by side, as in Russian words; cp1252 where each stands alone, as accents do."""
    strange = [byte >= 0xC0 for byte in data]
    beside = sum(a and b for a, b in pairwise(strange))
    return "cp1251" if beside * 2 > sum(strange) else "cp1252"


def _lines(data: bytes, encoding: str) -> list[str]:
    text = codecs.getincrementaldecoder(encoding)("replace").decode(data)
    lines = text.splitlines(keepends=True)
    if len(data) >= LONGEST_LINE and len(lines) > 1:
        lines = lines[:-1]
    return [line for line in lines if line.strip()][:200]


def _separator(lines: list[str], name: str) -> str:
    if name.lower().removesuffix(".gz").endswith((".tsv", ".tab")):
        return "\t"
    best, most = ",", 0.0
    for separator in SEPARATORS:
        counts = [len(row) for row in islice(csv.reader(lines, delimiter=separator, skipinitialspace=True), 20) if row]
        # Equal lines count more than many cells.
        score = (counts[0] - 1) * (counts.count(counts[0]) / len(counts)) ** 4
        if score > most:
            best, most = separator, score
    return best


def _decimal(rows: list[list[str]], separator: str) -> str:
    cells = [cell.strip() for row in rows for cell in row]
    comma = sum(re.fullmatch(r"[-+]?\d+,\d+", cell) is not None for cell in cells)
    point = sum(re.fullmatch(r"[-+]?\d+\.\d+", cell) is not None for cell in cells)
    return "," if separator != "," and comma > point else "."


def _is_number(cell: str, decimal: str) -> bool:
    return _NUMBER.fullmatch(cell.strip().replace(decimal, ".") if decimal == "," else cell.strip()) is not None


def _names(cells: list[str], notices: list[Note]) -> list[str]:
    names: list[str] = []
    taken: set[str] = set()
    for place, cell in enumerate(cells, 1):
        wanted = name = " ".join(cell.split())[:200] or f"column {place}"
        number = 2
        while name in taken:
            name, number = f"{wanted} ({number})", number + 1
        if name != wanted:
            notices.append(Note(code="names", message=f"The name '{wanted[:60]}' stands twice: a later one is called '{name[:70]}'."))
        names.append(name)
        taken.add(name)
    return names
