"""Which class is taken for which, and how each fares, from the counts of `training.by_class.Confusion`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..datasets.base import Array
from ..events import ClassFigures, ConfusionTable

MOST_CLASSES = 30
"""A table of more classes shows those with the most mistakes."""


def class_figures(counts: Array, names: Sequence[str]) -> list[ClassFigures]:
    """`counts` (classes, classes + 1): rows are true classes, columns answers, the last those that are no class.

    Definitions as in scikit-learn (`precision_recall_fscore_support`), but for what is not defined, which is None and not 0.

    >>> never = class_figures(np.array([[98, 0, 0], [2, 0, 0]]), ["no", "yes"])[1]
    >>> never.examples, never.answers, never.precision, never.recall, never.f1
    (2, 0, None, 0.0, 0.0)
    """
    found = []
    for place, name in enumerate(names):
        examples, answers, right = int(counts[place].sum()), int(counts[:, place].sum()), int(counts[place, place])
        found.append(
            ClassFigures(
                name=name, examples=examples, answers=answers, precision=right / answers if answers else None,
                recall=right / examples if examples else None, f1=2 * right / (examples + answers) if examples + answers else None,
            )
        )
    return found


def confusion_table(counts: Array, names: Sequence[str]) -> ConfusionTable:
    """Bounded to MOST_CLASSES classes; `counts` as of `class_figures`. An answer that is no class stands in the column "none of them",
    where there is one."""
    own = counts[:, :-1]
    shown = np.arange(len(names))
    if len(names) > MOST_CLASSES:
        mistakes = counts.sum(1) + own.sum(0) - 2 * own.diagonal()
        shown = np.sort(np.argsort(-mistakes, kind="stable")[:MOST_CLASSES])
    table = own[np.ix_(shown, shown)]
    classes = [names[place] for place in shown.tolist()]
    return ConfusionTable(classes=classes, counts=table.tolist(), left_out=len(names) - len(shown))
