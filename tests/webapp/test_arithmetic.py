"""Workers record what computed a run; one that computes otherwise says so, once, and the run is marked."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from django.db import transaction

from search_engine.primitives.native.choice import TORCH
from webapp.core.locks import lock_run
from webapp.core.models import Event, Run
from webapp.jobs.arithmetic import Arithmetics

from .builders import make_run

pytestmark = pytest.mark.django_db(transaction=True)

HERE = {"torch": torch.__version__, "cpu_capability": torch.backends.cpu.get_cpu_capability()}


def slice_of(worker: Arithmetics, run: Run, depthwise: bool = False) -> None:
    """A slice as `slices` does it, without its work."""
    arithmetic = worker.of(run.pk, "cpu")
    with arithmetic.active():
        if depthwise:
            arithmetic._decides.kernel()
    with transaction.atomic():
        worker.settle(lock_run(run.pk))
    run.refresh_from_db()


def said(run: Run) -> list[str]:
    found = Event.objects.filter(run=run, kind="ops").values_list("data", flat=True)
    return [data["message"] for data in found if data["what"] == "diverged"]


def test_the_first_slice_records_and_workers_of_one_machine_agree() -> None:
    run, one, other = make_run(), Arithmetics(), Arithmetics()
    slice_of(one, run)
    assert run.arithmetic == HERE
    slice_of(other, run)
    slice_of(one, run, depthwise=True)
    assert run.arithmetic == {**HERE, "depthwise": TORCH}
    slice_of(other, run, depthwise=True)
    assert run.reproducible and said(run) == []


def test_a_worker_of_another_machine_says_so_once(monkeypatch: pytest.MonkeyPatch) -> None:
    run, one, other = make_run(), Arithmetics(), Arithmetics()
    slice_of(one, run)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "NEON")
    slice_of(other, run)
    slice_of(other, run)
    assert not run.reproducible and "NEON instead of" in run.reproducible_note and said(run) == [run.reproducible_note]
    assert run.arithmetic == HERE, "what it began with"


def test_nothing_is_asked_where_nothing_is_new(django_assert_num_queries: Any) -> None:
    run, worker = make_run(), Arithmetics()
    slice_of(worker, run)
    with transaction.atomic():
        counter = lock_run(run.pk)
        with django_assert_num_queries(0):
            worker.of(run.pk, "cpu")
            worker.settle(counter)


def test_a_phase_begins_with_what_another_worker_has_recorded() -> None:
    run, one, other = make_run(), Arithmetics(), Arithmetics()
    slice_of(other, run)
    Run.objects.filter(pk=run.pk).update(arithmetic={**HERE, "depthwise": "c-0123456789ab"})
    assert other.of(run.pk, "cpu").recorded == {}
    assert other.of(run.pk, "cpu", again=True).recorded["depthwise"] == "c-0123456789ab"
    slice_of(one, run, depthwise=True)
    assert "depthwise convolutions by torch instead of c-0123456789ab" in run.reproducible_note
