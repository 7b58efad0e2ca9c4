"""A finalist with a value says what that value was measured at: a search's score never stands beside another as if they were equal."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from search_engine.algorithms.base import AlgorithmEntry, SteadyConfig
from search_engine.base.measures import MEASURES, measure_of
from search_engine.catalogue import registry

ALGORITHMS = Path(__file__).parents[3] / "search_engine" / "algorithms"
BY_THE_LOOP = {"trials/ranking.py", "base.py"}
"""Trials: the loop knows their training."""


def test_every_value_of_a_finalist_comes_with_its_fidelity() -> None:
    bare = []
    for path in ALGORITHMS.rglob("*.py"):
        place = path.relative_to(ALGORITHMS).as_posix()
        if place in BY_THE_LOOP:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Finalist", "Incumbent", "Champion"):
                given = {keyword.arg for keyword in node.keywords}
                if "value" in given and "fidelity" not in given:
                    bare.append(f"{place}:{node.lineno}")
    assert not bare, f"say what the value was measured at (fidelity=...): {bare}"


def test_every_entry_s_measure_has_a_unit() -> None:
    entries = [*registry.algorithms().values(), *registry.datasets().values()]
    for entry in entries:
        if entry.metric:
            assert measure_of(entry.metric, entry.metric_unit).unit
    assert all(measure.unit and measure.name for measure in MEASURES.values())


def test_an_entry_without_a_unit_is_refused() -> None:
    given = {
        "id": "moody", "title": "", "family": "sampling", "summary": "", "source": "", "needs": frozenset(), "space_needs": frozenset(),
        "config": SteadyConfig, "phases": list,
    }
    with pytest.raises(ValueError, match="moody: nobody says in which unit 'val_mood' is"):
        AlgorithmEntry(**given, metric="val_mood")  # type: ignore[arg-type]
    assert AlgorithmEntry(**given, metric="val_mood", metric_unit="smiles").metric_unit == "smiles"  # type: ignore[arg-type]
