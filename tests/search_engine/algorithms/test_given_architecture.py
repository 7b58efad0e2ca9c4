"""The given architecture: an algorithm like another where a run names it, and in no list of searches."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from search_engine.base.errors import BadInput
from search_engine.catalogue import registry
from search_engine.catalogue.architectures import make_space
from search_engine.catalogue.config import check_new
from search_engine.catalogue.plugin_checks import check_algorithm
from search_engine.search.local_run import LocalRun

ID = "given_architecture"
CELL = "|nor_conv_3x3~0|+|none~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_1x1~1|skip_connect~2|"
LITTLE = {"epochs": 1, "train_examples": 64, "channels": 4}


def test_it_is_found_by_its_id_and_offered_nowhere() -> None:
    entry = registry.algorithm(ID)
    check_algorithm(entry, registry.spaces())
    assert ID not in registry.algorithms() and ID not in {row["algorithm"] for row in registry.compatibility()}
    with pytest.raises(BadInput, match="choose one of: random, "):
        registry.algorithm("given")


def config(**more: Any) -> dict[str, Any]:
    finale = {"baselines": 1, "export": False, "redundancy": False, "onnx": False, "training": LITTLE}
    return {"algorithm": ID, "space": "nb201", "datasets": ["digits"], "options": {"architecture": CELL}, "finale": finale, **more}


def test_every_space_that_draws_takes_one_of_its_own() -> None:
    entry = registry.algorithm(ID)
    pairs = [(space, items[0]) for space in registry.spaces_for(entry) if (items := registry.datasets_for(entry, space))]
    assert len(pairs) > 15
    for space, item in pairs:
        shape = item.shape_of(item.config())
        made = make_space(space, {}, shape)
        options = {"architecture": json.dumps(made.sample(random.Random(0)).to_json())}
        found = check_new({"algorithm": ID, "space": space.id, "datasets": [item.id], "options": options})
        assert found.finishes and found.budget is None


@pytest.mark.parametrize(("more", "field"), [
    ({"options": {"architecture": "|a|"}}, "options.architecture"),
    ({"space": "cell"}, "options.architecture"),
    ({"budget": {"samples": 5}}, "budget"),
    ({"finale": {"finalists": 2}}, "finale.finalists"),
    ({"training": {"epochs": 2}}, "training.epochs"),
    ({"datasets": ["learn_to_count"]}, "datasets.0"),
])
def test_what_does_not_fit_or_does_nothing_is_refused(more: dict[str, Any], field: str) -> None:
    with pytest.raises(BadInput) as error:
        check_new(config(**more))
    assert error.value.field == field, str(error.value)


def test_seed_draws_where_none_is_given_and_a_reload_after_every_slice_changes_nothing(tmp_path: Path) -> None:
    def science(run: LocalRun) -> list[str]:
        run.run()
        lines = (run.out / "events.jsonl").read_text().splitlines()
        return [line.partition('"science":true')[2] for line in lines if '"science":true' in line]

    checked = check_new(config(options={}, seed=4))
    whole = LocalRun(checked, tmp_path, tmp_path / "whole")
    again = LocalRun(checked, tmp_path, tmp_path / "again", slice_seconds=0.0)
    again.reloads = True
    assert science(whole) == science(again)
    alone = {"baselines": 0, "export": False, "onnx": False, "redundancy": False, "training": LITTLE}
    found = [LocalRun(check_new(config(options={}, seed=seed, finale=alone)), tmp_path, tmp_path / str(seed)).run() for seed in (4, 5)]
    assert found[0]["best"][0]["string"] != found[1]["best"][0]["string"]
    assert found[0]["best"][0]["title"] == "architecture drawn by the seed"
