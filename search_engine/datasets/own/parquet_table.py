"""Parquet: its own account of rows and columns is checked before anything is read; nested columns are refused."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from ...base.errors import BadInput
from ...base.lazy import lazy_module
from ...base.memory import in_words
from .bounds import Bounds
from .choices import Choices
from .draft import Tell
from .tables import RawColumn, Table, as_column

pa: Any = lazy_module("pyarrow")
pq: Any = lazy_module("pyarrow.parquet")


def read_parquet(path: Path, choices: Choices, bounds: Bounds, tell: Tell) -> Table:
    """Raises BadInput(field "file")."""
    try:
        with pq.ParquetFile(path, thrift_string_size_limit=2**26, thrift_container_size_limit=2**22) as file:
            return _read(file, bounds, tell)
    except (pa.ArrowMemoryError, MemoryError):
        raise MemoryError from None
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, BadInput):
            raise
        raise BadInput("file", f"the Parquet file is damaged or cut short: {error}", code="damaged_data") from None


def _read(file: Any, bounds: Bounds, tell: Tell) -> Table:
    about, schema = file.metadata, file.schema_arrow
    if len(schema.names) > bounds.columns:
        raise BadInput("file", f"it has {len(schema.names):,} columns; at most {bounds.columns:,} are read", code="too_large")
    if about.num_rows > bounds.rows:
        raise BadInput("file", f"it has {about.num_rows:,} rows; at most {bounds.rows:,} are read", code="too_large")
    size = sum(about.row_group(place).total_byte_size for place in range(about.num_row_groups))
    if size > bounds.bytes:
        raise BadInput("file", f"it claims to unpack to {in_words(size)}; at most {in_words(bounds.bytes)} are read", code="too_large")
    twice = next((name for name, count in Counter(schema.names).items() if count > 1), None)
    if twice is not None:
        raise BadInput("file", f"the column name {twice[:60]!r} stands twice; give every column its own", code="damaged_data")
    for field in schema:
        if pa.types.is_nested(field.type):
            raise BadInput("file", f"the column {field.name[:60]!r} holds a {field.type} in each cell; a cell must be a number, a text or "
                                   "a date: spread it out, or leave it away", code="damaged_data")
    if len(schema.names) < 2:
        raise BadInput("file", "it has fewer than two columns; a table has a target and something to predict it from", code="too_small")
    columns: list[RawColumn] = []
    for place, name in enumerate(schema.names):
        if place % 20 == 0:
            tell(0.4 * place / len(schema.names), f"reading column {place + 1:,} of {len(schema.names):,}")
        # One at a time: what came before is already in its own form.
        column = file.read(columns=[name]).column(0)
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        columns.append(as_column(name, column.to_pandas()))
    return Table(columns, "Parquet")
