"""Whether probabilities mean what they say: the reliability of a classifier's answers, and the expected calibration error.

Answers are put into bins of equal width by the probability of the answered class; in each the mean probability stands beside the share of
right answers, and the error is their mean absolute difference, weighted by examples. Source: C. Guo, G. Pleiss, Y. Sun, K. Weinberger, "On
Calibration of Modern Neural Networks", ICML 2017 (arXiv 1706.04599), section 2, with its 15 bins; after M. Naeini, G. Cooper, M.
Hauskrecht, AAAI 2015.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ..datasets.base import Array

BINS = 15


class Reliability:
    """Sums over examples: `sums` (3, BINS) float64: examples, probabilities of the answers, right answers.

    Bin number b (from 0) has the probabilities in (b / BINS, (b + 1) / BINS].

    >>> reliability = Reliability()
    >>> reliability.add(torch.tensor([[0.0, 9.0], [0.0, 9.0]]), torch.tensor([1, 0]))
    >>> found = reliability.figures()
    >>> round(found["error"], 3), found["bins"][-1]["examples"], found["bins"][-1]["accuracy"]
    (0.5, 2, 0.5)
    """

    def __init__(self) -> None:
        self.sums: Array = np.zeros((3, BINS), dtype=np.float64)

    def add(self, outputs: torch.Tensor, targets: torch.Tensor) -> None:
        """A batch: logits (B, classes), true classes (B,)."""
        shares, answers = outputs.detach().cpu().double().softmax(1).max(1)
        places = (shares * BINS).ceil().long().clamp(1, BINS) - 1
        right = (answers == targets.cpu()).double()
        for row, weights in zip(self.sums, (torch.ones_like(shares), shares, right), strict=True):
            row += torch.bincount(places, weights=weights, minlength=BINS).numpy()

    def figures(self) -> dict[str, Any]:
        """`error`, `examples`, and `bins`: of each its bounds, number of examples, mean probability and share of right answers (both 0
        where it is empty)."""
        examples, shares, right = self.sums
        total = float(examples.sum())
        counts = np.maximum(examples, 1.0)
        bins = [
            {"from": place / BINS, "to": (place + 1) / BINS, "examples": int(examples[place]),
             "confidence": float(shares[place] / counts[place]), "accuracy": float(right[place] / counts[place])}
            for place in range(BINS)
        ]
        error = float(np.abs(shares - right).sum() / total) if total else 0.0
        return {"error": error, "examples": int(total), "bins": bins}
