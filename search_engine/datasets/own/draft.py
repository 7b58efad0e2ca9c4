"""A data set on its way from a file to the folder: what every reader gives, whatever the file was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..base import Array
from .choices import Task
from .findings import Column, DataKind, LaidOut, Note, Sample, Split

Tell = Callable[[float, str], None]
"""Called often with the share that is done (0 to 1) and what is being done; it may raise, and then nothing stays."""


def silent(done: float, words: str) -> None:
    """Tell nobody."""


@dataclass
class Draft:
    """Examples with targets and a split. `numbers` and `codes` are a table's, `write_inputs` writes those of pictures and series."""

    kind: DataKind
    task: Task
    format: str
    target: str
    class_names: list[str]
    targets: Array
    """(n,) int64 class numbers or float64."""
    roles: Array
    """(n,) uint8, see `splitting`."""
    split: Split
    shape: tuple[int, ...]
    groups: Array | None = None
    """(n,) int64, for a split by groups: which examples belong together."""
    order: Array | None = None
    """(n,) int64, for a split by time: the rank of each in time."""
    columns: list[Column] = field(default_factory=list)
    layout: list[LaidOut] = field(default_factory=list)
    numbers: Array | None = None
    codes: Array | None = None
    write_inputs: Callable[[Path, Tell], None] | None = None
    notices: list[Note] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    decimal: str = "."

    def note(self, code: str, message: str, count: int = 0) -> None:
        self.notices.append(Note(code=code, message=message, count=count))

    def arrays(self) -> dict[str, Any]:
        """What is written besides the inputs of pictures and series, by file name."""
        named = {
            "targets.npy": self.targets, "roles.npy": self.roles, "groups.npy": self.groups, "order.npy": self.order,
            "numbers.npy": self.numbers, "codes.npy": self.codes,
        }
        return {name: array for name, array in named.items() if array is not None}
