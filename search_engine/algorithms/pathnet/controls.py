"""What the transfer of PathNet is compared with: a later task learned once more, each time with one thing changed.

A frozen path helps the next task in two ways: by what it learned, and because the network is wider with it. The second way needs no
learning at all, so a task that is faster than from scratch shows nothing by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from search_engine.base.lazy import lazy_module
from search_engine.base.observation import observed
from search_engine.events import ControlScored
from search_engine.spaces.genomes import Genome

from ..base import Finalist
from .population import Population
from .search import LETTERS, ControlName, PathNetTask, in_words

if TYPE_CHECKING:
    from search_engine.spaces.modular import Path
    from search_engine.supernets import modular_network

    from . import kept_weights
else:
    kept_weights = lazy_module("search_engine.algorithms.pathnet.kept_weights")


class PathNetControl(PathNetTask):
    """A later task once more under one changed condition, for as many tournaments as the comparison needs. It draws no picture."""

    control = True
    condition: ClassVar[ControlName]
    changed: ClassVar[str]
    """The condition in words, behind "task B"."""
    ahead: ClassVar[str]
    """What it means where the search did better than this control."""
    behind: ClassVar[str]
    """And where it did not."""

    def __init__(self, task: int) -> None:
        super().__init__(task)
        self.name = f"{self.condition} {task + 1}"
        self.title = f"Control: task {LETTERS[task]} {self.changed}"
        self.paired_with = task

    @property
    def transfer(self) -> dict[str, float] | None:
        """What the task itself gave; None where the search was cut before it."""
        records: list[dict[str, float]] = self.kept["records"]
        return records[self.task] if self.task < len(records) else None

    @property
    def horizon(self) -> int:
        """All tournaments, to see how many the threshold needs; where the task itself missed it, as many as it had."""
        if self.transfer is None:
            return 0
        return self.options.generations if self.transfer["reached"] else int(self.transfer["tournaments"])

    def _introduce(self) -> None:
        """It speaks when it is over."""

    def _say_frame(self, tournament: list[int]) -> None:
        """The picture stays that of the search."""

    def _conclude(self) -> None:
        own, transfer = self._record(), self.transfer
        if transfer is None:
            return
        remark = self.ahead if _better(transfer, own) else self.behind
        message = f"Task {LETTERS[self.task]} {self.changed}: {in_words(own)}. In the search: {in_words(transfer)}. {remark}"
        values = {"task": float(self.task), **own, **{f"transfer_{name}": value for name, value in transfer.items()}}
        self.context.emit(ControlScored(name=self.condition, title=self.title, message=observed(message), values=values), self.done)

    def best(self) -> list[Finalist]:
        return []

    def handover(self) -> None:
        return None


class FromScratch(PathNetControl):
    """Nothing was learned before, nothing is frozen."""

    condition = "from_scratch"
    changed = "from scratch"
    ahead = "The search was ahead. That need not be learned: a frozen path also makes the network wider; see the width control."
    behind = "The search was not ahead: what came before did not help."

    def _earlier(self) -> list[Path]:
        return []

    def _restore(self, network: modular_network.ModularSupernet) -> None:
        """All weights stay as they were drawn."""


class WidthControl(PathNetControl):
    """The same modules are frozen (and always active, if that is the variant), but as they were drawn."""

    condition = "width_control"
    changed = "with an untrained frozen path"
    ahead = "The search was ahead, which the wider network does not explain. Whether it is learned transfer, several seeds would say."
    behind = "The search was not ahead: a wider network would explain as much."

    def _restore(self, network: modular_network.ModularSupernet) -> None:
        """The frozen modules keep their fresh weights."""


class FineTune(PathNetControl):
    """The network of the task before, trained on as a whole: no evolution, nothing frozen, and what it had learned is overwritten."""

    condition = "fine_tune"
    changed = "by training on the whole network of the task before"
    ahead = "The search was ahead of plain training of the old network, and overwrote nothing."
    behind = "The search was not ahead: plain training needed no search, but it overwrote what the old network had learned."

    def _earlier(self) -> list[Path]:
        return []

    def _restore(self, network: modular_network.ModularSupernet) -> None:
        if self.transfer is not None:
            kept_weights.restore(network, self.kept["weights"], kept_weights.module_names(network, self._before()))

    def _population(self) -> Population:
        """Two copies that stay what they are: a tournament is then 2 T minibatches of plain training."""
        if self.transfer is None:
            return super()._population()
        return Population([self._before()] * 2, self.space.config.modules, mutates=False)

    def _before(self) -> Path:
        return self.space.modules_of(Genome.from_json(self.kept["finalists"][self.task - 1]["genome"]))


CONTROLS: dict[ControlName, type[PathNetControl]] = {"from_scratch": FromScratch, "width_control": WidthControl, "fine_tune": FineTune}


def _better(first: dict[str, float], second: dict[str, float]) -> bool:
    """Whether the first record reached the threshold sooner or, where neither reached it, a higher fitness."""
    return _standing(first) > _standing(second)


def _standing(record: dict[str, float]) -> tuple[float, float]:
    return (1.0, -record["tournaments"]) if record["reached"] else (0.0, record["fitness"])
