"""Reliability by hand, and a planted truth: logits whose probabilities are true, and the same ones sharpened."""

from __future__ import annotations

import numpy as np
import pytest

from search_engine.training.calibration import BINS, calibration


def logits(shares: list[list[float]]) -> np.ndarray:
    return np.log(np.array(shares))


def test_three_examples_by_hand() -> None:
    found = calibration(logits([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6]]), np.array([0, 1, 1]))
    by_bin = {place: item for place, item in enumerate(found["bins"]) if item["examples"]}
    assert sorted(by_bin) == [8, 13], "0.6 lies in (8/15, 9/15], 0.9 in (13/15, 14/15]"
    assert by_bin[13]["examples"] == 2 and by_bin[13]["accuracy"] == 0.5 and by_bin[13]["confidence"] == pytest.approx(0.9)
    assert found["error"] == pytest.approx((2 * 0.4 + 0.4) / 3) and found["examples"] == 3


def test_true_probabilities_have_no_error_and_sharpened_ones_have_theirs() -> None:
    rng = np.random.default_rng(0)
    true = rng.uniform(0.5, 1.0, 40_000)
    labels = (rng.uniform(size=len(true)) > true).astype(np.int64)
    outputs = np.log(np.stack([true, 1 - true], axis=1))
    assert calibration(outputs, labels)["error"] < 0.01
    sharp = 3 * outputs
    expected = np.abs(1 / (1 + ((1 - true) / true) ** 3) - true).mean()
    assert calibration(sharp, labels)["error"] == pytest.approx(expected, abs=0.01)
    assert len(calibration(sharp, labels)["bins"]) == BINS


def test_large_logits_do_not_overflow() -> None:
    found = calibration(np.array([[1e6, 0.0], [0.0, -1e6]], dtype=np.float32), np.array([0, 0]))
    assert found["error"] == 0.0 and found["bins"][-1]["examples"] == 2
