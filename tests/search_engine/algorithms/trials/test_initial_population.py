"""One initial population for every arm: whoever searches, whatever else is drawn, however many trials are open."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from search_engine.algorithms.base import Context
from search_engine.algorithms.hierarchical_evolution.search import HierarchicalEvolution, HierarchicalEvolutionConfig
from search_engine.catalogue import registry
from search_engine.catalogue.config import check
from search_engine.events import EventLog, Notice
from search_engine.search.local_run import LocalRun
from search_engine.spaces.data_shape import DataShape

POPULATION = 8


def searched(folder: Path, algorithm: str, options: dict[str, Any], seed: int = 5) -> tuple[str, list[str]]:
    """The digest that the run says, and its first architectures in ask order."""
    config = {"algorithm": algorithm, "space": "sequence", "seed": seed, "budget": {"trials": POPULATION + 6}, "options": options}
    out = folder / f"{algorithm}-{seed}-{len(list(folder.iterdir()))}"
    LocalRun(check(config), folder, out).run()
    rows = [json.loads(line) for line in (out / "events.jsonl").read_text().splitlines()]
    said = [row["data"]["message"] for row in rows if row["kind"] == "notice" and row["data"]["name"] == "initial_population"]
    born = [row["data"]["genome_hash"] for row in rows if row["kind"] == "candidate_born"]
    assert len(said) <= 1
    return said[0] if said else "", born[:POPULATION]


def test_two_algorithms_begin_with_the_same_individuals(tmp_path: Path) -> None:
    shared = {"shared_start": True, "population": POPULATION, "sample": 3}
    aging = searched(tmp_path, "regularized_evolution", shared)
    found = [
        searched(tmp_path, "evo_nas", shared),
        searched(tmp_path, "evo_nas", {**shared, "training": "reinforce", "mutation_probability": 0.9}),
        searched(tmp_path, "regularized_evolution", {**shared, "window": 4, "mutation_probability": 0.5}),
    ]
    assert all(each == aging for each in found) and "digest" in aging[0]
    assert searched(tmp_path, "regularized_evolution", shared, seed=6)[0] != aging[0]


def test_without_it_everybody_begins_for_himself(tmp_path: Path) -> None:
    """The control: the policy's first individuals are its own."""
    own = {"population": POPULATION, "sample": 3}
    first, second = searched(tmp_path, "regularized_evolution", own), searched(tmp_path, "evo_nas", own)
    assert first[0] == second[0] == "" and first[1] != second[1]


@pytest.mark.parametrize("algorithm", ["hierarchical_evolution", "codeepneat"])
def test_whoever_has_an_initial_population_has_the_option(algorithm: str) -> None:
    assert "shared_start" in registry.algorithm(algorithm).config.model_fields


def test_hierarchical_evolution_begins_with_shared_motifs() -> None:
    entry = registry.space("hierarchical")
    space = entry.space(entry.config(), DataShape((1, 8, 8), 10))
    found = []
    for draws, tournament in ((0, 0.05), (9, 0.5)):
        options = HierarchicalEvolutionConfig(shared_start=True, initial=3, tournament=tournament)
        log = EventLog("run")
        phase = HierarchicalEvolution()
        phase.begin(Context(space=space, options=options, seed=2, rng=random.Random(draws), metric="reward", log=log), None)
        genomes = [phase.ask()[0].genome.key for _ in range(3)]
        [said] = [event.payload.message for event in log.drain() if isinstance(event.payload, Notice)]
        found.append((said, genomes))
    assert found[0] == found[1] and len(set(found[0][1])) == 3
