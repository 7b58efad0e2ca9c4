"""Which earlier network a new one may take its first layers from: the longest common beginning.

Source: Byla and Pang, "DeepSwarm", UKCI 2019, section 3.3 and its published code. Different here: a parent counts as "not improved" if no
better by more than 1e-4 (theirs compares floats for equality); and the registry is bounded, the least recently used networks are given up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from search_engine.spaces.node_table import Node

LEAST_IMPROVEMENT = 1e-4
HEAD = "output"
Prefix = tuple[str, ...]


@dataclass
class Kept:
    """A trained network whose weights are kept."""

    trial: int
    layers: list[str]
    """Texts of its nodes in order, and the output."""
    value: float
    bytes: int
    used: int
    """When it was last used, on a clock that counts uses."""
    unimproved: int = 0
    """Reuses in a row that did not improve on it."""


class PrefixRegistry:
    """Longest common beginning -> trial to inherit from.

    Of several networks with that beginning the best is taken, of equals the latest. A network that was reused `patience` times in a row
    without a child that is better is given up, and so are the least recently used beyond `most` networks or `most_bytes` bytes (the
    latest one always stays).
    """

    def __init__(self, patience: int, most: int, most_bytes: int) -> None:
        self.patience, self.most, self.most_bytes = patience, most, most_bytes
        self.kept: dict[int, Kept] = {}
        self._clock = 0
        self._forgotten: list[int] = []
        self._index: dict[Prefix, list[int]] = {}

    def longest(self, nodes: Sequence[Node]) -> tuple[int, int] | None:
        """(trial, number of common layers) for a completed chain, the output counted if all of it is equal; None where nothing is."""
        layers = _layers(nodes)
        for length in range(len(layers), 0, -1):
            trials = self._index.get(tuple(layers[:length]))
            if trials:
                best = max((self.kept[trial] for trial in trials), key=lambda item: (item.value, item.trial))
                best.used = self._tick()
                return best.trial, length
        return None

    def add(self, trial: int, nodes: Sequence[Node], value: float, size: int) -> None:
        """Keep a completed trial's network of `size` bytes."""
        item = Kept(trial, _layers(nodes), value, size, self._tick())
        self._insert(item)
        while len(self.kept) > 1 and (len(self.kept) > self.most or sum(item.bytes for item in self.kept.values()) > self.most_bytes):
            self._drop(min(self.kept.values(), key=lambda item: item.used))

    def reused(self, parent: int, value: float | None) -> None:
        """A child of `parent` reached `value` (None: it failed)."""
        item = self.kept.get(parent)
        if item is None:
            return
        item.unimproved = 0 if value is not None and value > item.value + LEAST_IMPROVEMENT else item.unimproved + 1
        if item.unimproved >= self.patience:
            self._drop(item)

    def give_up(self) -> None:
        """Nobody will inherit any more."""
        for item in list(self.kept.values()):
            self._drop(item)

    def forgotten(self) -> list[int]:
        """Trials given up since the last call, in order."""
        forgotten, self._forgotten = self._forgotten, []
        return forgotten

    def _tick(self) -> int:
        self._clock += 1
        return self._clock

    def _insert(self, item: Kept) -> None:
        self.kept[item.trial] = item
        for length in range(1, len(item.layers) + 1):
            self._index.setdefault(tuple(item.layers[:length]), []).append(item.trial)

    def _drop(self, item: Kept) -> None:
        del self.kept[item.trial]
        self._forgotten.append(item.trial)
        for length in range(1, len(item.layers) + 1):
            prefix = tuple(item.layers[:length])
            self._index[prefix].remove(item.trial)
            if not self._index[prefix]:
                del self._index[prefix]

    def state_dict(self) -> dict[str, Any]:
        return {"kept": [asdict(item) for item in self.kept.values()], "clock": self._clock, "forgotten": self._forgotten}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.kept, self._index = {}, {}
        for tree in state["kept"]:
            self._insert(Kept(**tree))
        self._clock, self._forgotten = state["clock"], list(state["forgotten"])


def _layers(nodes: Sequence[Node]) -> list[str]:
    return [*(node.text for node in nodes), HEAD]
