"""How much each class counts in a training loss, so that a rare one is not drowned by a common one.

"balanced" as in scikit-learn (`compute_class_weight`): n / (classes x examples of the class), which gives every class the same weight in
sum and the mean example the weight 1. A class without an example has weight 0. Of scores they are no part.
"""

from __future__ import annotations

import numpy as np

from ..datasets.base import Array


def balanced(labels: Array, classes: int) -> Array:
    """(classes,) float32, of class numbers (n,).

    >>> [round(weight, 3) for weight in balanced(np.array([0, 0, 0, 1]), 2).tolist()]
    [0.667, 2.0]
    """
    counts = np.bincount(labels, minlength=classes)
    occurring = np.count_nonzero(counts)
    return np.where(counts > 0, len(labels) / (occurring * np.maximum(counts, 1)), 0.0).astype(np.float32)
