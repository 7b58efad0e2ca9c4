"""Whether probabilities mean what they say: the reliability of a classifier's answers, and the expected calibration error.

Answers are put into bins of equal width by the probability of the answered class; in each the mean probability stands beside the share of
right answers, and the error is their mean absolute difference, weighted by examples. Source: C. Guo, G. Pleiss, Y. Sun, K. Weinberger, "On
Calibration of Modern Neural Networks", ICML 2017 (arXiv 1706.04599), section 2, with its 15 bins; after M. Naeini, G. Cooper, M.
Hauskrecht, AAAI 2015.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..datasets.base import Array

BINS = 15


def calibration(outputs: Array, labels: Array) -> dict[str, Any]:
    """Of logits (n, classes) and true classes (n,): `error`, `examples`, and `bins`.

    Of each bin its bounds, number of examples, mean probability and share of right answers (both 0 where it is empty). Bin number b
    (from 0) has the probabilities in (b / BINS, (b + 1) / BINS].

    >>> found = calibration(np.array([[0.0, 9.0], [0.0, 9.0]]), np.array([1, 0]))
    >>> round(found["error"], 3), found["bins"][-1]["examples"], found["bins"][-1]["accuracy"]
    (0.5, 2, 0.5)
    """
    exact = outputs.astype(np.float64)
    shares = np.exp(exact - exact.max(axis=1, keepdims=True))
    confidence = 1 / shares.sum(axis=1)
    right = exact.argmax(axis=1) == labels
    places = np.clip(np.ceil(confidence * BINS).astype(np.int64), 1, BINS) - 1
    examples, of_shares, of_right = (
        np.bincount(places, weights=weights, minlength=BINS) for weights in (np.ones(len(labels)), confidence, right.astype(np.float64))
    )
    counts = np.maximum(examples, 1.0)
    bins = [
        {"low": place / BINS, "high": (place + 1) / BINS, "examples": int(examples[place]),
         "confidence": float(of_shares[place] / counts[place]), "accuracy": float(of_right[place] / counts[place])}
        for place in range(BINS)
    ]
    return {"error": float(np.abs(of_shares - of_right).sum() / max(len(labels), 1)), "examples": len(labels), "bins": bins}
