"""The scores of a finished network, batch by batch: between two of them the work may stop, and go on from `state_dict` with equal bits.

The batches are those of `training.evaluation`, on the CPU, whoever asks for them. Whoever opens a test part hands it in; nothing is opened
here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ..datasets.base import Array, Part, SearchData
from ..spaces.tasks import TaskName

if TYPE_CHECKING:
    import torch
    from torch import nn

    from ..training.by_class import Confusion
    from ..training.collected import Collected
    from ..training.evaluation import Scoring


@dataclass(frozen=True)
class Look:
    """One way through one part."""

    split: Literal["val", "test"]
    place: int
    """Of its data set among those of the network."""
    part: Part
    data: SearchData
    network: nn.Module | None = None
    """What is scored batch by batch. None: `scorer` scores the whole part at once."""
    scorer: Callable[[], Mapping[str, float | Array]] | None = None
    task: TaskName = "classification"
    by_class: bool = False
    """Whether the answers of each class are counted."""
    collect: bool = False
    """Whether the answers themselves are kept."""


class Judging:
    """All looks, one after the other: `figures` and `counts` of each are known once it is `finished`."""

    def __init__(self, looks: Sequence[Look]) -> None:
        self.looks = list(looks)
        self.figures: list[dict[str, Any]] = []
        """Of each look that is done: what its scorer gave (numbers, and arrays to be drawn), or score and loss."""
        self.counts: list[Array | None] = []
        """Of each look that is done: the answers by class (`training.by_class.Confusion`), where they are counted."""
        self.answers: list[Array | None] = []
        """Of each look that is done: the outputs (n, outputs), where they are kept."""
        self._collected: Collected | None = None
        self._scoring: Scoring | None = None
        self._confusion: Confusion | None = None

    @property
    def finished(self) -> bool:
        return len(self.figures) == len(self.looks)

    def advance(self) -> None:
        """One batch of the look that is under way, or the whole of one that has a scorer."""
        import torch

        look = self.looks[len(self.figures)]
        if look.network is None:
            assert look.scorer is not None
            with torch.no_grad():
                self._end(look.scorer(), None)
            return
        scoring = self._opened(look, look.network)
        was_training = look.network.training
        look.network.eval()
        scoring.batch()
        look.network.train(was_training)
        if scoring.finished:
            self._end(scoring.tally.figures(), None if self._confusion is None else self._confusion.counts)

    def _opened(self, look: Look, network: nn.Module) -> Scoring:
        if self._scoring is None:
            from ..training.batches import DevicePart
            from ..training.by_class import Confusion
            from ..training.collected import Collected
            from ..training.evaluation import Scoring

            self._confusion = Confusion(len(look.data.class_names)) if look.by_class else None
            self._collected = Collected() if look.collect else None
            part = DevicePart(look.part, look.data.preprocessing, "cpu")
            self._scoring = Scoring(network, part, look.task, seen=self._see)
        return self._scoring

    def _see(self, outputs: torch.Tensor, targets: torch.Tensor) -> None:
        if self._confusion is not None:
            self._confusion.add(outputs, targets)
        if self._collected is not None:
            self._collected.add(outputs, targets)

    def _end(self, figures: Mapping[str, float | Array], counts: Array | None) -> None:
        self.figures.append(dict(figures))
        self.counts.append(counts)
        self.answers.append(None if self._collected is None else self._collected.outputs)
        self._scoring, self._confusion, self._collected = None, None, None

    def state_dict(self) -> dict[str, Any]:
        under_way = None if self._scoring is None else self._scoring.state_dict()
        return {
            "figures": [dict(item) for item in self.figures], "counts": list(self.counts), "scoring": under_way,
            "confusion": None if self._confusion is None else self._confusion.counts.copy(),
            "answers": list(self.answers), "collected": None if self._collected is None else self._collected.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.figures, self.counts = [dict(item) for item in state["figures"]], list(state["counts"])
        # A state of before answers were kept: those of the looks that were done are not known.
        self.answers = list(state.get("answers", [None] * len(self.figures)))
        if state["scoring"] is not None:
            look = self.looks[len(self.figures)]
            assert look.network is not None
            self._opened(look, look.network).load_state_dict(state["scoring"])
            if self._confusion is not None:
                self._confusion.counts = state["confusion"]
            if self._collected is not None and state.get("collected") is None:
                # Answers that nobody kept cannot be made up: this look is assessed by its counts alone.
                self._collected = None
            elif self._collected is not None:
                self._collected.load_state_dict(state["collected"])
