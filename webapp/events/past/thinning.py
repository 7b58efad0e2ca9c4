"""Lists that stay bounded while they grow: rows of numbers, thinned evenly, and things said, of which the newest all stay.

Both keep every `stride`-th from the first on, and double the stride when that becomes too much. So what is kept follows from what came and
not from when it was looked at, and a list that was written down goes on as if it had not been.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Self


class ThinnedRows:
    """Rows of `width` values as columns: of any number at most `limit`, the first and the newest always among them."""

    __slots__ = ("columns", "count", "last", "limit", "stride")

    def __init__(self, width: int, limit: int) -> None:
        self.limit = limit
        self.stride = 1
        self.count = 0
        self.columns: list[list[Any]] = [[] for _ in range(width)]
        self.last: Sequence[Any] | None = None
        """The newest row, where the stride leaves it out."""

    def __len__(self) -> int:
        return len(self.columns[0]) + (self.last is not None)

    def add(self, row: Sequence[Any]) -> None:
        """`row` has a value for each column."""
        place = self.count
        self.count = place + 1
        if place % self.stride:
            self.last = row
            return
        self.last = None
        for column, value in zip(self.columns, row, strict=True):
            column.append(value)
        if len(self.columns[0]) >= self.limit:
            self.halve()

    def halve(self) -> None:
        """Every second row goes, except the newest."""
        kept = len(self.columns[0])
        if self.last is None and kept % 2 == 0:
            self.last = [column[-1] for column in self.columns]
        self.columns = [column[::2] for column in self.columns]
        self.stride *= 2

    def whole(self) -> list[list[Any]]:
        """The columns with the newest row."""
        if self.last is None:
            return self.columns
        return [[*column, value] for column, value in zip(self.columns, self.last, strict=True)]

    def state(self) -> dict[str, Any]:
        return {"stride": self.stride, "count": self.count, "columns": self.columns, "last": self.last}

    def restore(self, state: dict[str, Any]) -> Self:
        self.stride, self.count, self.columns, self.last = state["stride"], state["count"], state["columns"], state["last"]
        return self


class ThinnedSayings:
    """Things said, as JSON: the `newest` of them whole, and of those before at most `limit`, evenly. `room` bounds the characters of either
    part, beyond the one that is always kept."""

    __slots__ = ("count", "limit", "newest", "older", "recent", "room", "stride", "weights")

    def __init__(self, newest: int, limit: int, room: int) -> None:
        self.newest, self.limit, self.room = newest, limit, room
        self.stride = 1
        self.count = 0
        """How many have left `recent`."""
        self.older: list[tuple[int, Any]] = []
        self.recent: list[tuple[int, Any]] = []
        """(characters, what was said)."""
        self.weights = [0, 0]

    def add(self, said: Any) -> None:
        weight = len(json.dumps(said))
        self.recent.append((weight, said))
        self.weights[1] += weight
        while len(self.recent) > self.newest or (self.weights[1] > self.room and len(self.recent) > 1):
            self._age()

    def replace(self, said: Any) -> None:
        """Say it in the place of the newest."""
        self.weights[1] -= self.recent.pop()[0]
        self.add(said)

    def _age(self) -> None:
        weight, said = self.recent.pop(0)
        self.weights[1] -= weight
        place = self.count
        self.count = place + 1
        if self.limit == 0 or place % self.stride:
            return
        self.older.append((weight, said))
        self.weights[0] += weight
        while len(self.older) > self.limit or (self.weights[0] > self.room and len(self.older) > 1):
            self.older = self.older[::2]
            self.weights[0] = sum(weight for weight, _ in self.older)
            self.stride *= 2

    def whole(self) -> list[Any]:
        """All that is kept, in order."""
        return [said for _, said in self.older] + [said for _, said in self.recent]

    def state(self) -> dict[str, Any]:
        return {"stride": self.stride, "count": self.count, "older": self.older, "recent": self.recent, "weights": self.weights}

    def restore(self, state: dict[str, Any]) -> Self:
        self.stride, self.count, self.weights = state["stride"], state["count"], state["weights"]
        self.older = [(weight, said) for weight, said in state["older"]]
        self.recent = [(weight, said) for weight, said in state["recent"]]
        return self
