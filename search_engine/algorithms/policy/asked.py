"""What the policy proposed and has not been told yet. Torch-free."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

from search_engine.spaces.decisions import Choices

from ..trials.kept import Records


@dataclass(frozen=True)
class Asked:
    """One proposal: its choices (a genome may stand for several choice lists, so they are kept) and the policy at that moment."""

    choices: Choices
    drawn: tuple[int, ...]
    """Places that the policy drew itself."""
    log_prob: float
    """Sum of log pi over `drawn`."""
    version: int
    """How many updates the policy had seen."""
    parent: Choices = ()
    """Choices of the parent, where some were copied from one."""

    def to_tree(self) -> list[Any]:
        return [list(self.choices), list(self.drawn), self.log_prob, self.version, list(self.parent)]

    @classmethod
    def from_tree(cls, tree: list[Any]) -> Asked:
        choices, drawn, log_prob, version, parent = tree
        return cls(tuple(choices), tuple(drawn), log_prob, version, tuple(parent))


class OpenProposals:
    """First in, first out: results are told in ask order."""

    def __init__(self) -> None:
        self._waiting: deque[Asked] = deque()

    def add(self, asked: Asked) -> None:
        self._waiting.append(asked)

    def take(self) -> Asked:
        """The proposal that the next result belongs to."""
        return self._waiting.popleft()

    def state_dict(self) -> list[Any]:
        return [asked.to_tree() for asked in self._waiting]

    def load_state_dict(self, state: list[Any]) -> None:
        self._waiting = deque(Asked.from_tree(tree) for tree in state)


def rewarded_trials() -> Records[tuple[Asked, float]]:
    """An empty row of told proposals with their rewards, as a checkpoint keeps it."""
    return Records(lambda pair: [pair[0].to_tree(), pair[1]], lambda tree: (Asked.from_tree(tree[0]), tree[1]))
