"""One network's redundancy and robustness, measured one evaluation at a time."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from ..base.generators import derive_seed
from ..datasets.base import SearchData
from ..events import Cost, Report
from ..spaces.tasks import SCORES, TaskName
from ..training.batches import DevicePart
from ..training.criterion import Tally
from . import removal
from .charts import Measured, redundancy_report

EXAMPLES = 256
"""Validation examples that every point is measured on (all, where there are fewer): the parts are shuffled, so this is a fair sample."""
SHARES = (0.0, 0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98)
INPUT_NOISE = (0.1, 0.2, 0.4, 0.8, 1.6)
"""Standard deviations, in units of the preprocessed inputs (whose own deviation is about one)."""
WEIGHT_NOISE = (0.05, 0.1, 0.2, 0.4, 0.8)
"""Standard deviations, as a share of the root mean square of each tensor's weights."""
DRAWS = 2
"""Random orders and noises per point."""


@dataclass(frozen=True)
class Point:
    """One evaluation: what is done to the network (or its inputs), how much, and which draw it is."""

    kind: str
    amount: float
    draw: int = 0


def _plan() -> list[Point]:
    points = [Point("intact", 0.0)]
    for share in SHARES[1:]:
        points += [Point("magnitude", share), Point("ard", share), *(Point("random", share, draw) for draw in range(DRAWS))]
    for kind, amounts in (("inputs", INPUT_NOISE), ("weights", WEIGHT_NOISE)):
        points += [Point(kind, amount, draw) for amount in amounts for draw in range(DRAWS)]
    return points


class Study:
    """`advance` does one evaluation (the first also the Fisher information); `report` says what was found. Works on the CPU."""

    def __init__(self, network: nn.Module, data: SearchData, task: TaskName, seed: int) -> None:
        """`network` computes logits or values from preprocessed inputs; it is copied."""
        self._network = copy.deepcopy(network).cpu().eval()
        self._data, self._task, self._seed = data, task, seed
        self._weights = removal.removable(self._network)
        part = DevicePart(data.validation, data.preprocessing, "cpu", EXAMPLES)
        self._inputs, labels = part.take(torch.arange(len(part)))
        self._targets = self._inputs if task == "reconstruction" else labels
        self._plan = _plan()
        self._found: list[list[float]] = []
        """Score and loss of each point done."""
        self._ard: torch.Tensor | None = None
        self.cost = Cost()

    @property
    def done(self) -> int:
        return len(self._found)

    @property
    def total(self) -> int:
        return len(self._plan)

    @property
    def finished(self) -> bool:
        return self.done == self.total

    def advance(self) -> None:
        point = self._plan[self.done]
        inputs, weights = self._inputs, self._weights
        if point.kind in ("magnitude", "ard", "random"):
            weights = removal.without(weights, self._scores(point), point.amount)
        elif point.kind == "inputs":
            inputs = inputs + point.amount * self._noise(point, inputs)
        elif point.kind == "weights":
            weights = {
                name: value + point.amount * value.square().mean().sqrt() * self._noise(point, value, name)
                for name, value in weights.items()
            }
        with torch.no_grad():
            outputs = torch.func.functional_call(self._network, weights, (inputs,))
        tally = Tally(self._task)
        tally.add(outputs.float(), self._targets)
        figures = tally.figures()
        self._found.append([figures[SCORES[self._task]], figures["loss"]])
        self.cost = self.cost.plus(Cost(forward=len(inputs)))

    def _scores(self, point: Point) -> torch.Tensor:
        if point.kind == "magnitude":
            return removal.magnitude_scores(self._weights)
        if point.kind == "random":
            return removal.random_scores(self._weights, self._seed, point.draw)
        if self._ard is None:
            fisher = removal.fisher_diagonal(self._network, self._data, self._task, list(self._weights), self._seed)
            self._ard = removal.ard_scores(self._weights, fisher, len(self._data.train))
            self.cost = self.cost.plus(Cost(forward_backward=min(removal.FISHER_EXAMPLES, len(self._data.train))))
        return self._ard

    def _noise(self, point: Point, like: torch.Tensor, *name: str) -> torch.Tensor:
        # The same directions at every amount: only the amount differs along a curve.
        generator = torch.Generator().manual_seed(derive_seed(self._seed, point.kind, point.draw, *name))
        return torch.randn(like.shape, generator=generator)

    def report(self) -> Report:
        """What was found, once all is measured."""
        rows = [Measured(point.kind, point.amount, score, loss) for point, (score, loss) in zip(self._plan, self._found, strict=True)]
        return redundancy_report(self._task, rows, removal.remaining(self._weights))

    # ---- checkpoints

    def state_dict(self) -> dict[str, Any]:
        return {"found": [list(row) for row in self._found], "cost": self.cost.model_dump()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The Fisher information is measured again where it is still needed: it follows from network and seed."""
        self._found = [list(row) for row in state["found"]]
        self.cost = Cost.model_validate(state["cost"])
        if self._found and not self.finished:
            # Its cost is counted already.
            spent = self.cost
            if any(point.kind == "ard" for point in self._plan[: self.done]):
                self._scores(Point("ard", 0.0))
            self.cost = spent
