"""What an accuracy hides: answers counted by class, and the figures that follow from the counts.

Definitions as in scikit-learn (`balanced_accuracy_score`, `f1_score(average="macro", zero_division=0)`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch

from ..datasets.base import Array
from ..events import ClassScores


class Confusion:
    """Answers by class: `counts` (classes, classes + 1) int64, rows are the true classes, columns the answers; the last column counts
    answers that are no class of the data (a network may have more outputs).

    >>> confusion = Confusion(2)
    >>> confusion.add(torch.tensor([[9.0, 1.0], [9.0, 1.0], [9.0, 1.0]]), torch.tensor([0, 0, 1]))
    >>> confusion.counts.tolist()
    [[2, 0, 0], [1, 0, 0]]
    """

    def __init__(self, classes: int) -> None:
        self.counts: Array = np.zeros((classes, classes + 1), dtype=np.int64)

    def add(self, outputs: torch.Tensor, targets: torch.Tensor) -> None:
        """Count a batch: `outputs` (B, classes), `targets` (B,)."""
        classes = len(self.counts)
        places = targets.cpu() * (classes + 1) + outputs.argmax(1).cpu().clamp(max=classes)
        self.counts += torch.bincount(places, minlength=self.counts.size).reshape(self.counts.shape).numpy()


def class_scores(counts: Array, split: Literal["val", "test"], names: Sequence[str], domain: int = 0) -> ClassScores:
    """Figures of a confusion (`Confusion.counts`) with at least one example.

    >>> always_first = class_scores(np.array([[98, 0, 0], [2, 0, 0]]), "test", ("no", "yes"))
    >>> always_first.accuracy, always_first.balanced_accuracy, always_first.recall, always_first.majority, always_first.majority_share
    (0.98, 0.5, [1.0, 0.0], 'no', 0.98)
    """
    examples, answers, right = counts.sum(1), counts.sum(0)[:-1], counts.diagonal()
    occurring = examples > 0
    recall = right[occurring] / examples[occurring]
    # A class that neither occurs nor is answered has no F1.
    met = occurring | (answers > 0)
    f1 = 2 * right[met] / (examples[met] + answers[met])
    each = iter(recall.tolist())
    return ClassScores(
        split=split,
        domain=domain,
        classes=list(names),
        examples=examples.tolist(),
        recall=[next(each) if there else None for there in occurring.tolist()],
        accuracy=float(right.sum() / examples.sum()),
        balanced_accuracy=float(recall.mean()),
        macro_f1=float(f1.mean()),
        majority=names[int(examples.argmax())],
        majority_share=float(examples.max() / examples.sum()),
    )
