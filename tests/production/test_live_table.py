"""A search of the NAS-Bench-201 table end to end on PostgreSQL and Redis, in an installation that has its file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .person import Person
from .stack import Stack

pytestmark = [pytest.mark.services, pytest.mark.slow]


@pytest.fixture(scope="module")
def stack_environment(tables: Path) -> dict[str, str]:
    return {"NASCOPE_DATA": str(tables)}


@pytest.fixture(scope="module", autouse=True)
def crew(stack: Stack) -> Iterator[Stack]:
    stack.staff(workers=2)
    yield stack


def test_a_search_of_the_table(ada: Person) -> None:
    run = ada.start(algorithms=[{"id": "random"}], space="nb201", datasets=["nb201_cifar10"], seeds=[1], budget={"trials": 50})
    watch = ada.watch(run)
    watch.to_the_end()
    stored = watch.same_as_stored()
    shown = ada.get(f"runs/{run}")
    assert (shown["state"], shown["reproducible"]) == ("completed", True), shown["reason"]
    assert shown["charged"]["trials"] == shown["counts"]["candidates"] == 50
    told = [event["data"] for event in stored if event["kind"] == "trial_told"]
    assert shown["search_score"]["value"] == max(trial["metrics"]["val_accuracy"] for trial in told)
    assert [trial["number"] for trial in told] == list(range(50))
    table = ada.get(f"trials?run={run}&order=-value")["results"]
    assert table[0]["value"] == shown["search_score"]["value"]
    assert all(model["bundle"] is None and model["reason"] for model in shown["models"]), "a table trains nothing"
