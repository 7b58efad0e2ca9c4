"""Random architectures beside the best one: several, different, of about its size, for every search that finishes networks anew."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from search_engine.algorithms.base import Finalist
from search_engine.catalogue.config import FinaleConfig, check
from search_engine.search import random_baselines as module
from search_engine.search.local_run import LocalRun
from search_engine.search.phase_work import finalist_tree
from search_engine.search.random_baselines import CLOSE, TITLE, random_baselines
from search_engine.search.resources import Resources

SMALL = {"epochs": 1, "train_examples": 64, "channels": 4, "layers": 1}


def found(count: int, seed: int = 0, **where: Any) -> tuple[Resources, Any, list[Finalist]]:
    values = {"algorithm": "random", "space": "nb201", "datasets": ["digits"], "budget": {"trials": 1}, **where}
    checked = check({**values, "seed": seed, "finale": {"baselines": count}})
    resources = Resources(checked, Path("unused"))
    own = resources.space.sample(random.Random(5))
    return resources, own, random_baselines(checked, resources, finalist_tree(Finalist(own)))


@pytest.mark.parametrize("space", ["nb201", "mlp", "macro"])
def test_they_are_different_and_of_about_the_size_of_the_best_one(space: str) -> None:
    resources, own, drawn = found(3, space=space)
    size = module._parameters(resources.checked, resources, own)
    sizes = [module._parameters(resources.checked, resources, item.genome) for item in drawn]
    assert size and len({resources.space.hash(genome) for genome in (own, *(item.genome for item in drawn))}) == 4
    assert all(other and max(other / size, size / other) <= 1 + CLOSE for other in sizes)
    assert {item.title for item in drawn} == {TITLE}


def test_without_the_match_they_would_be_of_other_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    resources, own, _ = found(0)
    size = module._parameters(resources.checked, resources, own)
    draws = [resources.space.sample(random.Random(seed)) for seed in range(40)]
    sizes = [module._parameters(resources.checked, resources, genome) for genome in draws]
    assert size and sum(max(other / size, size / other) <= 1 + CLOSE for other in sizes if other) < 20


def test_they_follow_from_the_seed() -> None:
    drawn = [[item.genome for item in found(3, seed=seed)[2]] for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_where_few_are_close_the_nearest_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes 1, 2, 3, ... in the order of drawing, beside one of size 40: after 20 draws those of 20, 19 and 18."""
    order = iter([40.0, *map(float, range(1, 100))])
    monkeypatch.setattr(module, "_parameters", lambda *args: next(order))
    monkeypatch.setattr(module, "DRAWS", 20)
    resources, _, drawn = found(3)
    rng = random.Random(module.derive_seed(0, "baseline"))
    expected = [resources.space.sample(rng) for _ in range(20)]
    assert [item.genome for item in drawn] == [expected[place] for place in (19, 18, 17)]


def test_a_space_that_has_no_more_gives_fewer() -> None:
    _, _, drawn = found(20, space="sequence", datasets=["learn_to_count"], space_options={"n": 2})
    assert len(drawn) == 3


@pytest.mark.parametrize(("algorithm", "options"), [("regularized_evolution", {}), ("nas_rl", {"batch": 2, "hidden": 8})])
def test_a_search_by_trials_gets_them_too(algorithm: str, options: dict[str, Any], tmp_path: Path) -> None:
    finale = {"export": False, "redundancy": False, "training": SMALL, "baselines": 2}
    values = {"algorithm": algorithm, "options": options, "space": "nb201", "datasets": ["digits"], "budget": {"trials": 2}}
    result = LocalRun(check({**values, "training": SMALL, "finale": finale}), tmp_path, tmp_path).run()
    assert [item["title"] for item in result["baseline"]] == [TITLE, TITLE]
    assert all("test_accuracy" in item["metrics"] for item in result["baseline"])


def test_a_table_s_are_read_from_it(tables: Path, tmp_path: Path) -> None:
    values = {"algorithm": "regularized_evolution", "space": "nb201", "datasets": ["nb201_cifar10"], "budget": {"trials": 50}}
    result = LocalRun(check(values, tables), tables, tmp_path).run()
    sizes = [item["metrics"]["parameters"] for item in (*result["best"], *result["baseline"])]
    assert len(sizes) == 4 and all(max(size / sizes[0], sizes[0] / size) <= 1 + CLOSE for size in sizes)


def test_configs_of_runs_made_before_had_one_or_none() -> None:
    assert [FinaleConfig.model_validate(given).baselines for given in ({}, {"baseline": True}, {"baseline": False})] == [3, 1, 0]
