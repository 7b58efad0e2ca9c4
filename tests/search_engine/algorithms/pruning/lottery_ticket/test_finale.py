"""The finale of a lottery ticket: it must not invent an effect that the search did not find."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from search_engine.catalogue.config import check_new
from search_engine.search.local_run import LocalRun

WITHIN = 0.02
TICKET, REINITIALISED = 0.969, 0.958
"""Test accuracy by the search's own recipe on digits, 7.3 % of the weights: means of .967 .969 .971 and .962 .951 .962, seeds 0, 1, 2."""


def finished(folder: Path, seed: int, training: dict[str, Any]) -> tuple[float, float]:
    """Test accuracy of the ticket and of the same mask over weights drawn anew."""
    values = {
        "algorithm": "lottery_ticket", "datasets": ["digits"], "seed": seed, "options": {"target_share": 0.075, "controls": []},
        "finale": {"export": False, "redundancy": False, "training": training},
    }  # fmt: skip
    result = LocalRun(check_new(values), folder, folder).run()
    (ticket,), (again, _) = result["best"], result["baseline"]
    assert "7.3 %" in ticket["title"] and "re-initialised" in again["title"]
    return ticket["metrics"]["test_accuracy"], again["metrics"]["test_accuracy"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [3, 4, 5])
def test_the_finale_shows_what_the_search_s_own_training_shows(tmp_path: Path, seed: int) -> None:
    """Seeds that the figures were not made with. Measured: ticket .967 .964 .969, re-initialised .958 .947 .964."""
    ticket, again = finished(tmp_path, seed, {})
    assert abs(ticket - TICKET) <= WITHIN
    assert abs(again - REINITIALISED) <= WITHIN


@pytest.mark.slow
def test_another_recipe_makes_another_effect(tmp_path: Path) -> None:
    """The house's recipe, which architectures that are trained from scratch get: the gap that it shows is its own."""
    house = {
        "epochs": 12, "batch_size": 64, "optimizer": "sgd", "learning_rate": 0.05, "final_learning_rate": 0.0005, "momentum": 0.9,
        "weight_decay": 3e-4, "gradient_clip": 5.0, "augment": "auto",
    }
    found = [finished(tmp_path / str(seed), seed, house) for seed in (3, 4)]
    assert fmean(ticket - again for ticket, again in found) > 0.15
