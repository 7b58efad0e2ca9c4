"""A trial that compresses its network first: what it gives, what it costs, that it goes on from any state, for any workers."""

from __future__ import annotations

import json
import math
import random
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from search_engine.algorithms.codeepneat import search as codeepneat
from search_engine.base import checkpoint
from search_engine.base.compression import Compression
from search_engine.catalogue.config import CheckedRun, check
from search_engine.events import Notice
from search_engine.search.local_run import Interrupted, LocalRun
from search_engine.search.open_work import open_work
from search_engine.search.resources import Resources
from search_engine.search.trial_rounds import compressed_of
from search_engine.search.trial_work import TrialWork, declared_cost
from search_engine.search.work import WorkSpec
from search_engine.spaces.blueprint.space import BlueprintSpace
from search_engine.spaces.genes.graph import OUTPUT
from search_engine.spaces.genomes import Genome

from .test_together import Workers

CHECKED: dict[str, Any] = {
    "algorithm": "codeepneat", "datasets": ["digits"], "space_options": {"filters_min": 4, "filters_max": 12, "dense_max": 40},
    "options": {
        "networks": 3, "blueprints": 2, "modules": 4, "module_species": 2, "generations": 2, "compress": "without_inheritance",
        "compress_steps": 12, "compress_epochs": 0, "compress_strength": 30.0, "compress_learning_rate": 0.2, "compress_threshold": 0.7,
        "shared_start": True, "plain_sample": 1,
    },
    "training": {"epochs": 2, "train_examples": 96, "batch_size": 16},
    "finale": {"baselines": 0, "onnx": False, "redundancy": False, "training": {"epochs": 1, "train_examples": 96}},
}
STRONG = Compression(strength=30.0, steps=12, epochs=0, learning_rate=0.2)


def trial(folder: Path, compress: Compression | None, seed: int = 0, checked: CheckedRun | None = None) -> TrialWork:
    checked = checked or check(CHECKED)
    space = Resources(checked, folder).space
    genome = space.sample(random.Random(seed))
    arguments = {"genome": genome.to_json(), "hash": space.hash(genome), "fidelity": {}}
    if compress is not None:
        arguments["compress"] = compress.to_json()
    work = open_work(checked, WorkSpec(kind="trial", index=0, arguments=arguments), folder, folder)
    assert isinstance(work, TrialWork)
    return work


def finish(work: TrialWork) -> dict[str, Any]:
    with work.generators.active():
        work.begin()
        while not work.finished:
            work.advance()
    return work.outcome()


def space_of(work: TrialWork) -> BlueprintSpace:
    space = work.resources.space
    assert isinstance(space, BlueprintSpace)
    return space


def notices(work: TrialWork) -> dict[str, str]:
    """Messages by name."""
    return {event.payload.name: event.payload.message for event in work.log.drain() if isinstance(event.payload, Notice)}


def test_what_is_scored_is_the_compressed_network_trained_anew(tmp_path: Path) -> None:
    work = trial(tmp_path, STRONG)
    outcome = finish(work)
    before, after = outcome["compressed"]["flops"]
    genome = Genome.from_json(outcome["compressed"]["genome"])
    assert after < 0.9 * before and space_of(work).size_of(genome).flops == after
    # The same network as a trial of its own, with this trial's seed, gives the same bits: its weights were fresh.
    again = trial(tmp_path, None)
    again.genome = genome
    assert finish(again)["metrics"] == outcome["metrics"]


def test_no_strength_changes_nothing(tmp_path: Path) -> None:
    plain = finish(trial(tmp_path, None))
    compressed = finish(trial(tmp_path, Compression(strength=0.0, steps=5, epochs=0, beside=True)))
    assert compressed["compressed"]["flops"][0] == compressed["compressed"]["flops"][1]
    assert compressed["metrics"] == plain["metrics"] == compressed["compressed"]["plain"]


def test_its_cost_is_the_trial_s_and_the_comparison_s_is_not(tmp_path: Path) -> None:
    plain = finish(trial(tmp_path, None))
    work = trial(tmp_path, Compression(strength=30.0, steps=12, epochs=0, learning_rate=0.2, beside=True))
    outcome = finish(work)
    assert outcome["cost"]["forward_backward"] == plain["cost"]["forward_backward"] + 12 * 16
    assert outcome["cost"]["flops"] > 12 * 16 * 2 * outcome["compressed"]["flops"][0]
    assert outcome["apart"]["forward_backward"] == plain["cost"]["forward_backward"] and outcome["apart"]["flops"] == plain["cost"]["flops"]
    declared = declared_cost(work.training, 96, len(work.resources.search_data.validation), STRONG)
    assert (declared.forward_backward, declared.forward) == (outcome["cost"]["forward_backward"], outcome["cost"]["forward"])


def test_a_threshold_that_would_empty_a_layer_meets_the_floor_and_it_is_said(tmp_path: Path) -> None:
    work = trial(tmp_path, Compression(strength=0.0, threshold=0.9999, floor=0.25, steps=2, epochs=0, learning_rate=1e-9))
    outcome = finish(work)
    assert outcome["compressed"]["flops"][0] == outcome["compressed"]["flops"][1], "scales begin at 1"
    assert "width_floor" not in notices(work)
    work = trial(tmp_path, Compression(strength=3000.0, threshold=0.9, floor=0.25, steps=4, epochs=0, learning_rate=0.3))
    outcome = finish(work)
    said = notices(work)
    widths = {step.name: step.layer["filters"] for step in space_of(work).plan(work.genome).steps if step.layer}
    assert any(name in said["width_floor"] for name in widths)
    assert all(-(-width // 4) <= outcome["compressed"]["widths"][name] for name, width in widths.items())


def test_histograms_say_what_was_left_of_each_layer(tmp_path: Path) -> None:
    """Where no floor held, the layer is as wide as its upper half of bins; with one, no narrower than it says."""
    for floor in (0.0, 0.6):
        work = trial(tmp_path, Compression(strength=30.0, threshold=0.7, floor=floor, steps=12, epochs=0, learning_rate=0.2))
        outcome = finish(work)["compressed"]
        own = {step.name: step.layer["filters"] for step in space_of(work).plan(work.genome).steps if step.layer}
        found = compressed_of(outcome)
        assert found is not None and {layer.name for layer in found.narrowed} == set(own)
        for layer in found.narrowed:
            alive = sum(layer.counts[len(layer.counts) // 2 :])
            assert (layer.before, layer.after) == (own[layer.name], outcome["widths"][layer.name])
            assert sum(layer.counts) == layer.before
            assert layer.after == (max(alive, 1, math.ceil(floor * layer.before)) if layer.held else alive)
        assert any(layer.after < layer.before for layer in found.narrowed)
        assert not floor or any(layer.held for layer in found.narrowed)


def test_what_an_earlier_version_said_of_a_compression_has_no_layers() -> None:
    tree = {"genome": {"space": "blueprint", "content": {}}, "flops": [2.0, 1.0], "widths": {"2.2": 3}, "plain": None}
    found = compressed_of(tree)
    assert found is not None and found.narrowed == ()


def test_a_network_without_layers_is_trained_as_it_is(tmp_path: Path) -> None:
    work = trial(tmp_path, STRONG)
    edges = {"edges": [[0, OUTPUT]], "nodes": [[OUTPUT, {"dense": [20], "join": "sum"}]]}
    work.genome = Genome("blueprint", {"blueprint": edges, "modules": []})
    outcome = finish(work)
    assert outcome["status"] == "completed" and set(notices(work)) == {"not_compressed"} and outcome["compressed"]["widths"] == {}


def test_it_goes_on_from_any_state_with_equal_bits(tmp_path: Path) -> None:
    compress = Compression(strength=30.0, steps=12, epochs=0, learning_rate=0.2, beside=True)
    undisturbed = finish(trial(tmp_path, compress, seed=2))
    work, units = trial(tmp_path, compress, seed=2), 0
    said = []
    while not work.finished:
        with work.generators.active():
            work.begin()
            work.advance()
        said += work.log.drain()
        if units % 3 == 0:
            state = checkpoint.unpack(checkpoint.pack(work.state_dict()))
            work = trial(tmp_path, compress, seed=2)
            work.load_state_dict(state)
        units += 1
    found = work.outcome()
    for name in ("metrics", "compressed", "cost", "apart"):
        assert found[name] == undisturbed[name]
    assert units >= 12 + 2 * 12 and len({event.key for event in said}) == len(said)


def science(said: dict[Any, str]) -> dict[Any, str]:
    return {key: text for key, text in said.items() if key[2] != "ops"}


@pytest.mark.parametrize("compress", ["without_inheritance", "with_inheritance"])
def test_one_and_three_workers_with_reloads_give_equal_bits(compress: str, tmp_path: Path) -> None:
    checked = check({**CHECKED, "options": {**CHECKED["options"], "compress": compress}})
    first, second = (science(Workers(checked, tmp_path, workers, seed).run()) for workers, seed in ((1, 0), (3, 1)))
    assert first == second and any('"compressed"' in text for text in first.values())


def rows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]


def test_the_model_that_is_handed_out_is_the_compressed_network(tmp_path: Path) -> None:
    """Its genome has the widths; its score is repeated outside, from the download (the run fails otherwise)."""
    result = LocalRun(check(CHECKED), tmp_path, tmp_path / "out").run()
    said = rows(tmp_path / "out")
    [finalist] = [row["data"] for row in said if row["kind"] == "finalist"]
    [model] = [row["data"] for row in said if row["kind"] == "model"]
    best = max((row["data"] for row in said if row["kind"] == "incumbent"), key=lambda data: data["value"])
    born = {row["data"]["number"]: row["data"] for row in said if row["kind"] == "candidate_born"}
    assert finalist["genome"] == best["genome"] != born[best["candidate"]]["genome"]
    assert model["bundle"] and model["genome_hash"] == finalist["genome_hash"] and result["status"] == "completed"
    assert best["fidelity"]["text"].startswith("compressed, then trained")
    timing = [row["data"] for row in said if row["kind"] == "ops" and row["data"]["what"] == "timing"]
    assert timing and {"a", "c", "d", "predicted", "measured"} <= set(timing[-1]["values"])
    notices = [row["data"]["name"] for row in said if row["kind"] == "notice"]
    assert notices.count("initial_population") == 1 and "compressed" in notices


def _often(asked: list[None]) -> bool:
    """True from the 31st call on."""
    asked.append(None)
    return len(asked) > 30


@pytest.mark.slow
def test_a_run_that_was_cut_goes_on_with_equal_bits(tmp_path: Path) -> None:
    LocalRun(check(CHECKED), tmp_path, tmp_path / "whole").run()
    cut, times = tmp_path / "cut", 0
    while True:
        asked: list[None] = []
        try:
            LocalRun(check(CHECKED), tmp_path, cut, resume=times > 0, slice_seconds=0.02).run(stop=partial(_often, asked))
            break
        except Interrupted:
            times += 1
    key = ("source", "step", "kind", "ordinal", "data")
    whole, again = ([[row[name] for name in key] for row in rows(tmp_path / name) if row["science"]] for name in ("whole", "cut"))
    assert times > 1 and sorted(map(json.dumps, whole)) == sorted(map(json.dumps, again))


def test_the_rule_s_options_reach_the_trial() -> None:
    options = codeepneat.CoDeepNeatConfig(compress="without_inheritance", compress_strength=3.0, compress_floor=0.5, compress_steps=700)
    assert options.compression == Compression(strength=3.0, floor=0.5, steps=700)
