"""Figures of single steps, as means from one report to the next."""

from __future__ import annotations

from typing import Any


class Means:
    """The mean of every figure over the steps that gave it since the last report. Summed in the order of the steps.

    >>> means = Means()
    >>> means.count(loss=1.0)
    >>> means.count(loss=2.0, reward=5.0)
    >>> means.take()
    {'loss': 1.5, 'reward': 5.0}
    >>> means.take()
    {}
    """

    def __init__(self) -> None:
        self._sums: dict[str, float] = {}
        self._counts: dict[str, int] = {}

    def count(self, **values: float) -> None:
        """Figures of one step."""
        for name, value in values.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
            self._counts[name] = self._counts.get(name, 0) + 1

    def take(self) -> dict[str, float]:
        """The means, in the order in which the figures first came; counting begins anew."""
        found = {name: total / self._counts[name] for name, total in self._sums.items()}
        self._sums, self._counts = {}, {}
        return found

    def state_dict(self) -> dict[str, Any]:
        return {"sums": dict(self._sums), "counts": dict(self._counts)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._sums, self._counts = dict(state["sums"]), dict(state["counts"])
