"""Whose turn it is beside somebody's long work: another person's search of one trial waits for the unit under way, and no longer."""

from __future__ import annotations

from typing import Any

import pytest

from search_engine.algorithms.wann import evaluation
from webapp.core.models import Job, Run
from webapp.jobs import advance, sharing, slices
from webapp.jobs.session import Session
from webapp.jobs.tasks import serve_one

from .builders import make_owner, make_run
from .searches import end
from .test_causes import SMALL, STEPS

LONG = 2.0
"""Seconds that a slice of the long work is said to have taken, and SHORT those of any other."""
SHORT = 0.1
ONE_TRIAL: dict[str, Any] = {**SMALL, "budget": {"trials": 1}}
LARGE: dict[str, dict[str, Any]] = {
    "phase": {**STEPS, "options": {"steps": 50, "batch_size": 8}},
    "population": {
        "algorithm": "wann", "datasets": ["digits"], "options": {"population": 40, "generations": 20, "batch_size": 100},
        "finale": {"baselines": 0, "export": False},
    },
    "trial": {**SMALL, "training": {}, "space_options": {}, "budget": {"trials": 2}},
    "group": {
        "algorithm": "grid", "space": "mlp", "space_options": {"max_layers": 1, "epochs_divisor": 1}, "datasets": ["digits"], "together": 4,
        "options": {"window": 4}, "budget": {"trials": 4}, "finale": SMALL["finale"],
    },
}


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch, settings: Any) -> list[tuple[str, str]]:
    """(owner, kind) of every slice, each of one unit of work; the shares are charged by kind and not by the clock."""
    settings.NASCOPE_SLICE_SECONDS = 0.0
    done: list[tuple[str, str]] = []
    real = sharing.charge_service

    def charge(job: Job, elapsed: float, counter: Any) -> None:
        done.append((job.owner.username, job.kind))
        real(job, LONG if job.owner.username == "ada" and job.kind != "advance" else SHORT, counter)

    monkeypatch.setattr(slices, "charge_service", charge)
    monkeypatch.setattr(advance, "charge_service", charge)
    return done


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", LARGE)
def test_another_person_s_one_trial_comes_before_the_second_unit_of_long_work(
    served: list[tuple[str, str]], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A small population is a large one here: it is evaluated in parts.
    monkeypatch.setattr(evaluation, "AT_ONCE", 5_000)
    make_run(LARGE[kind])
    session = Session("cpu")
    try:
        while len([1 for owner, of in served if of != "advance"]) < 3:
            assert serve_one(session)
        before = len(served)
        other = make_run(ONE_TRIAL, owner=make_owner("bob"))
        while Run.objects.get(pk=other.pk).state not in Run.TERMINAL:
            assert serve_one(session)
    finally:
        end([session])
    assert Run.objects.get(pk=other.pk).state == "completed"
    long_work = [of for owner, of in served[before:] if owner == "ada" and of != "advance"]
    assert len(long_work) <= 1, served[before:]
