"""Readers of files know nothing of NAScope and raise ValueError; here it becomes the error that people see."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..base.errors import BadInput


@contextmanager
def named_damage() -> Iterator[None]:
    """Inside, a ValueError of a reader (its text names the file) becomes BadInput(field "dataset", code "damaged_data").

    >>> with named_damage():
    ...     raise ValueError("a.npz is damaged")
    Traceback (most recent call last):
    search_engine.base.errors.BadInput: dataset: a.npz is damaged
    """
    try:
        yield
    except BadInput:
        raise
    except (ValueError, OSError) as error:
        raise BadInput("dataset", str(error), code="damaged_data") from None
