"""The newest candidates of a run, as columns in birth order."""

from __future__ import annotations

from bisect import bisect_left
from hashlib import blake2b
from typing import Any, Self

MOST = 20_000
SLACK = 2_000
"""So many more are let in before the oldest go, all at once."""
MOST_WORDS = 500
"""Candidates whose reasons, and whose warnings, are kept."""
MOST_OPERATORS = 1_000
"""Names of operators; what comes after is called `OTHER`."""
OTHER = "other"

STATUSES = ("open", "completed", "failed", "cancelled")
COLUMNS = ("number", "born", "told", "value", "samples", "status", "operator", "parents", "same_as", "reused_from", "digest")
STATE = ("metric", "columns", "operators", "reasons", "warnings")


class Candidates:
    """`metric`: the run's fitness. Columns: `told` is 0 while a candidate is open; `same_as` the number of the first one with an equal
    genome that was known, or None; `digest` the genome's hash in 64 bits, by which that is found and which is sent to nobody."""

    def __init__(self, metric: str) -> None:
        self.metric = metric
        self.columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}
        self.operators: list[str] = []
        self.reasons: dict[str, str] = {}
        self.warnings: dict[str, list[str]] = {}
        self._firsts: dict[int, int] = {}

    def born(self, seq: int, data: dict[str, Any]) -> None:
        """`data`: a `CandidateBorn` payload."""
        number = data["number"]
        digest = int.from_bytes(blake2b(data["genome_hash"].encode(), digest_size=8).digest(), "big")
        first = self._firsts.setdefault(digest, number)
        same, operator = None if first == number else first, self._operator(data["operator"])
        row = (number, seq, 0, None, None, 0, operator, data["parents"], same, None, digest)
        for column, value in zip(self.columns.values(), row, strict=True):
            column.append(value)
        if len(self.columns["number"]) >= MOST + SLACK:
            self._drop(SLACK)

    def told(self, seq: int, data: dict[str, Any]) -> None:
        """`data`: a `TrialTold` payload."""
        numbers, number = self.columns["number"], data["candidate"]
        place = bisect_left(numbers, number)
        if place == len(numbers) or numbers[place] != number:
            return
        columns, completed = self.columns, data["status"] == "completed"
        columns["told"][place] = seq
        columns["status"][place] = STATUSES.index(data["status"])
        columns["value"][place] = data["metrics"].get(self.metric) if completed else None
        columns["samples"][place] = data["charged_samples"]
        columns["reused_from"][place] = data.get("reused_from")
        if data.get("reason"):
            _keep(self.reasons, str(number), data["reason"])
        if data.get("warnings"):
            _keep(self.warnings, str(number), data["warnings"])

    def _operator(self, name: str) -> int:
        if name not in self.operators and len(self.operators) >= MOST_OPERATORS:
            name = OTHER
        if name not in self.operators:
            self.operators.append(name)
        return self.operators.index(name)

    def _drop(self, rows: int) -> None:
        for column in self.columns.values():
            del column[:rows]
        self._find_firsts()

    def _find_firsts(self) -> None:
        columns = self.columns
        self._firsts = {}
        for number, same, digest in zip(columns["number"], columns["same_as"], columns["digest"], strict=True):
            self._firsts.setdefault(digest, number if same is None else same)

    def newest(self) -> dict[str, list[Any]]:
        """The columns of the newest MOST."""
        return {name: column[-MOST:] for name, column in self.columns.items()}

    def state(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in STATE}

    def restore(self, state: dict[str, Any]) -> Self:
        for name in STATE:
            setattr(self, name, state[name])
        self._find_firsts()
        return self


def _keep(words: dict[str, Any], number: str, said: Any) -> None:
    words[number] = said
    if len(words) > MOST_WORDS:
        del words[next(iter(words))]
