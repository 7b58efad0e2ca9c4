"""The usual scorer of a finisher: score and loss of the task, as the network that is shipped gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search_engine.datasets.base import Part, SearchData
from search_engine.spaces.tasks import TaskName
from search_engine.training.evaluation import evaluate

from .base import Scorer, Split

if TYPE_CHECKING:
    import torch


def scorer(network: torch.nn.Module, data: SearchData, task: TaskName) -> Scorer:
    """Scores are taken on the CPU, where a download repeats them bit for bit."""

    def score(split: Split, part: Part) -> dict[str, float]:
        return evaluate(network, part, data.preprocessing, "cpu", task=task)

    return score
