"""The contract suite: every registered algorithm, on its default space and data set, without knowing which one it is (`--algorithm ID`:
that one alone).

A new algorithm is run by it as soon as it is registered; its entry's `quick` says what a run of seconds is.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from search_engine.base.errors import BadInput
from search_engine.catalogue import registry
from search_engine.catalogue.config import check, check_new, parse
from search_engine.events import FRAME_KINDS, PICTURES
from search_engine.search.local_run import LocalRun
from search_engine.spaces.tasks import SCORES
from tests.golden.expect import assert_golden
from tests.golden.searches import built_in, quick
from tests.narrower import NARROWER
from tests.search_engine import toys

ALGORITHMS = sorted(registry.algorithms())


def run(out: Path, values: dict[str, Any], *, reloads: bool, slice_seconds: float = 1e9) -> dict[str, Any]:
    local = LocalRun(check_new(values, out), out, out, slice_seconds=slice_seconds)
    local.reloads = reloads
    return local.run()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One whole run per algorithm, in one slice each piece of work; made once."""
    folders: dict[str, Path] = {}

    def get(algorithm: str) -> Path:
        if algorithm not in folders:
            folder = tmp_path_factory.mktemp(algorithm)
            result = run(folder, quick(algorithm), reloads=False)
            assert result["status"] == "completed", result["reason"]
            folders[algorithm] = folder
        return folders[algorithm]

    return get


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_reload_after_every_slice_gives_equal_bits(algorithm: str, undisturbed: Any, tmp_path: Path) -> None:
    """Slices of one unit, each from a fresh object and the checkpoint's bytes: the same science, the same result."""
    run(tmp_path, quick(algorithm), reloads=True, slice_seconds=0)
    whole = undisturbed(algorithm)
    assert toys.science(tmp_path / "events.jsonl") == toys.science(whole / "events.jsonl")
    results = [json.loads((folder / "result.json").read_text()) for folder in (tmp_path, whole)]
    for result in results:
        result["budget"].pop("seconds")
    assert results[0] == results[1]


@pytest.mark.parametrize("algorithm", [name for name in ALGORITHMS if built_in(name)])
def test_the_science_is_the_golden_one(algorithm: str, undisturbed: Any) -> None:
    """What the search says has not moved since its numbers were last meant to."""
    assert_golden(f"quick/{algorithm}", toys.science(undisturbed(algorithm) / "events.jsonl"))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_another_seed_gives_another_search(algorithm: str, undisturbed: Any, tmp_path: Path) -> None:
    """The search itself, not what is trained after it: so it needs no download, which costs more than many a search."""
    values = quick(algorithm, seed=4)
    run(tmp_path, {**values, "finale": {**values["finale"], "export": False}}, reloads=False)
    searched = [
        [row for row in toys.science(folder / "events.jsonl") if not row[0].startswith("final:")]
        for folder in (tmp_path, undisturbed(algorithm))
    ]
    assert searched[0] and searched[0] != searched[1]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_run_ends_with_a_finalist_a_score_and_a_model(algorithm: str, undisturbed: Any) -> None:
    folder = undisturbed(algorithm)
    result = json.loads((folder / "result.json").read_text())
    assert result["best"] and result["stop_reason"] in ("budget", "horizon", "exhausted")
    # The score of the run's task: a regression and a reconstruction have r2 instead.
    assert any({f"val_{score}", f"test_{score}"} <= set(result["best"][0]["metrics"]) for score in SCORES.values())
    assert result["model"] == "model/" and list((folder / "model").rglob("model.py"))
    space = registry.space(result["space"])
    assert result["best"][0]["genome"]["space"] == space.id


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_finalist_that_brings_weights_is_trained_by_a_recipe_of_its_method(algorithm: str, undisturbed: Any) -> None:
    """What was found for a start under one training is not shown under another: who retrains from weights of the search says by what."""
    folder, entry = undisturbed(algorithm), registry.algorithm(algorithm)
    rows = map(json.loads, (folder / "events.jsonl").read_text().splitlines())
    retrained = {row["data"]["index"] for row in rows if row["kind"] == "finalist" and row["data"]["finish"] == "retrain"}
    bring = {index for index in retrained if (folder / "artefacts" / f"final-{index}.safetensors").exists()}
    assert entry.recipe or not bring, "set AlgorithmEntry.recipe (docs/add-an-algorithm.md)"
    assert not (retrained and entry.finisher), "who has a finisher trains nothing in the finale"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_charge_is_what_the_events_say(algorithm: str, undisturbed: Any) -> None:
    """Samples are charged, and no science payload holds a time."""
    folder = undisturbed(algorithm)
    result = json.loads((folder / "result.json").read_text())
    assert result["budget"]["samples"] > 0
    # A budget of what nobody counts would never end the search.
    assert (result["budget"]["flops"] > 0) == ("flops" in registry.algorithm(algorithm).budgets)
    for line in (folder / "events.jsonl").read_text().splitlines():
        row = json.loads(line)
        if row["kind"] == "trial_told":
            assert row["data"]["cost"]["seconds"] == 0


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_what_it_draws_is_declared(algorithm: str, undisturbed: Any) -> None:
    """Every live picture of the run is in its entry's `structure`, so that the browser knows their order; the first one is there."""
    said = {json.loads(line)["kind"] for line in (undisturbed(algorithm) / "events.jsonl").read_text().splitlines()}
    declared = registry.algorithm(algorithm).structure
    drawn = {name for name, kinds in PICTURES.items() if said & set(kinds) & FRAME_KINDS}
    assert drawn <= set(declared), "what is drawn must be declared"
    assert declared and said & set(PICTURES[declared[0]]), "what is declared first must be drawn"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_hyper_parameter_is_documented_and_bounded(algorithm: str) -> None:
    """What the form shows: a description and a default for each; numbers have a range; choices are listed."""
    schema = registry.algorithm(algorithm).config.model_json_schema()
    for name, field in schema["properties"].items():
        assert field.get("description"), name
        assert "default" in field, name
        kinds = [field, *field.get("anyOf", [])]
        for kind in kinds:
            if kind.get("type") in ("integer", "number"):
                assert {"minimum", "exclusiveMinimum"} & set(kind), f"{name} has no lower bound"
                assert {"maximum", "exclusiveMaximum"} & set(kind), f"{name} has no upper bound"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_unknown_option_is_refused_by_name(algorithm: str) -> None:
    with pytest.raises(BadInput, match="no such option"):
        parse("options", registry.algorithm(algorithm).config, {"not_an_option": 1})


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_combination_that_is_offered_passes_the_check(algorithm: str) -> None:
    rows = [row for row in registry.compatibility() if row["algorithm"] == algorithm]
    assert rows
    for row in rows:
        budget = {"trials": 5} if "trials" in row["budgets"] else {"samples": 1000}
        datasets = [row["dataset"]] * registry.algorithm(row["algorithm"]).domains.least
        options = NARROWER.get((row["space"], row["dataset"]), {})
        check({"algorithm": row["algorithm"], "space": row["space"], "space_options": options, "datasets": datasets, "budget": budget})


def test_registry_and_configs_import_without_torch() -> None:
    code = (
        "import sys; from search_engine.catalogue import registry; from search_engine.commands import listing; "
        "listing.algorithms(); listing.spaces(); "
        "heavy = [name for name in ('torch', 'sklearn', 'onnx', 'django') if name in sys.modules]; assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

