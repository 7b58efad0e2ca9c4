"""Following schemata: it changes nothing of a search, its account is that of the real selection, and it goes on after a reload."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from search_engine.algorithms.base import Context, Result
from search_engine.algorithms.trials.regularized_evolution import RegularizedEvolution, RegularizedEvolutionConfig
from search_engine.algorithms.trials.schemata.choosing import MOST, chosen
from search_engine.algorithms.trials.schemata.selecting import proportional, with_replacement
from search_engine.base.errors import BadInput
from search_engine.catalogue.config import check
from search_engine.events import Cost, EventLog, SchemataPart, decode_floats
from search_engine.search.local_run import LocalRun
from search_engine.spaces.data_shape import DataShape
from search_engine.spaces.sequence import SequenceConfig, SequenceSpace
from tests.search_engine import toys

WINE = {"space": "neuron_graph", "datasets": ["wine"]}
COUNTING = {"space": "sequence", "datasets": ["learn_to_count"], "space_options": {"n": 6}}
SEARCHES: dict[str, dict[str, Any]] = {
    "regularized_evolution": {
        **COUNTING, "budget": {"trials": 24},
        "options": {"population": 6, "sample": 3, "crossover": 0.5, "mutation_probability": 0.2, "window": 3},
    },
    "evo_nas": {**COUNTING, "budget": {"trials": 16}, "options": {"population": 5, "sample": 2, "hidden": 8, "batch": 4}},
    "wann": {**WINE, "options": {"population": 12, "generations": 6, "batch_size": 50}},
    "pathnet": {"options": {"population": 6, "generations": 8, "minibatches": 2, "threshold": 0.0, "controls": []}},
    "codeepneat": {
        "options": {"generations": 3, "networks": 2, "blueprints": 2, "modules": 4, "module_species": 2},
        "space_options": {"filters_min": 2, "filters_max": 6, "dense_min": 8, "dense_max": 16},
        "training": {"epochs": 1, "train_examples": 64},
    },
    "hierarchical_evolution": {
        "options": {"initial": 3}, "budget": {"trials": 7}, "training": {"epochs": 1, "train_examples": 64, "channels": 2, "layers": 2},
    },
}


def said(folder: Path, algorithm: str, most: int, *, reloads: bool = False) -> list[Any]:
    """The science of a search that follows so many, its finale included."""
    values = SEARCHES[algorithm]
    finale = {"baselines": 0, "export": False, "training": {"epochs": 1, "train_examples": 64, "channels": 2, "layers": 2}}
    config = {"algorithm": algorithm, "seed": 3, "finale": finale, **values, "options": {**values["options"], "schemata": most}}
    local = LocalRun(check(config, folder), folder, folder, slice_seconds=0 if reloads else 1e9)
    local.reloads = reloads
    local.run()
    return toys.science(folder / "events.jsonl")


def parts(rows: list[Any]) -> list[SchemataPart]:
    return [SchemataPart.model_validate(part) for row in rows if row[2] == "schemata" for part in json.loads(row[4])["parts"]]


FAST = ("regularized_evolution",)


@pytest.mark.parametrize("algorithm", [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in SEARCHES])
def test_it_changes_nothing_and_goes_on_after_a_reload(algorithm: str, tmp_path: Path) -> None:
    followed, plain, again = (tmp_path / name for name in ("followed", "plain", "again"))
    rows = said(followed, algorithm, 40)
    found = parts(rows)
    assert found and all(len(part.schemata) == len(decode_floats(part.bound)) <= 40 for part in found)
    assert [row for row in rows if row[2] != "schemata"] == said(plain, algorithm, 0)
    assert said(again, algorithm, 40, reloads=True) == rows
    for part in found:
        gaps = decode_floats(part.expected) - decode_floats(part.redrawn) - 4 * decode_floats(part.error)
        # A share of nothing drawn has no error: it may be as little as the rule of three says.
        assert (gaps <= 3 * part.births / part.redraws / min(part.births, 20) + 1e-3).all()


def phase(seed: int, **options: Any) -> RegularizedEvolution:
    found = RegularizedEvolution()
    config = RegularizedEvolutionConfig(population=20, sample=5, **options)
    space = SequenceSpace(SequenceConfig(n=6), DataShape((1,), 2))
    found.begin(Context(space=space, options=config, seed=seed, rng=random.Random(seed), metric="reward", log=EventLog("run")), None)
    return found


def evolve(found: RegularizedEvolution, trials: int) -> None:
    hidden = found.context.space.sample(random.Random(99))
    for number in range(trials):
        [proposal] = found.ask()
        shared = sum(proposal.genome.content[key] == label for key, label in hidden.content.items())
        found.tell([Result(number, proposal.genome, "completed", {"reward": 0.1 + shared / 6}, Cost())])


def test_s_is_that_of_the_tournament_and_not_of_fitness() -> None:
    found = phase(0)
    evolve(found, 60)
    values = [individual.value for individual in found.living]
    best = max(values)
    share = Counter(found._parent().value == best for _ in range(4000))[True] / 4000
    of_best = [value == best for value in values]
    tournament, by_fitness = with_replacement(values, 5)[of_best].sum(), proportional(values)[of_best].sum()
    assert share == pytest.approx(tournament, abs=0.03) and abs(share - by_fitness) > 0.1


@pytest.mark.slow
def test_counts_over_many_searches_keep_to_their_bounds() -> None:
    """The account as it runs, selection by selection: over 60 searches the sum of counts is not below that of bounds."""
    gaps, sizes = [], []
    for seed in range(60):
        found = phase(seed, schemata=60)
        evolve(found, 100)
        frames = [event.payload for event in found.context.log.drain() if event.kind == "schemata"]
        gap = 0.0
        for frame in frames:
            for part in frame.parts:  # type: ignore[union-attr]
                following, bound = decode_floats(part.following), decode_floats(part.bound)
                gap += float((following - bound).sum()) / len(following)
        gaps.append(gap)
        sizes.append(len(frames))
    assert set(sizes) == {4}
    assert np.mean(gaps) > -2 * np.std(gaps) / len(gaps) ** 0.5


def test_what_is_followed_is_bounded_and_grows_from_the_champion() -> None:
    rng = random.Random(0)
    population = [{place: rng.randrange(5) for place in range(80)} for _ in range(60)]
    values = [float(sum(genes[place] == 0 for place in range(3))) for genes in population]
    leader = values.index(max(values))
    found = chosen(population, values, leader, MOST)
    assert len(found) == len(set(found)) == MOST and {schema.order for schema in found} == {1, 2, 3}
    assert all(schema.matches(population[leader]) for schema in found if schema.order > 1)
    few = chosen(population, values, leader, 7)
    assert len(few) == 7


def test_a_space_without_decisions_is_refused_by_name() -> None:
    found = RegularizedEvolution()
    config = RegularizedEvolutionConfig(schemata=10)
    space = toys.BitsSpace(toys.BitsConfig(bits=8), DataShape((1,), 2))
    with pytest.raises(BadInput, match="'bits' is no list of decisions") as refused:
        found.begin(Context(space=space, options=config, seed=0, rng=random.Random(0), metric="reward", log=EventLog("run")), None)
    assert refused.value.field == "options.schemata"
