"""MorphNet: the rule round by round, the finished model it begins with, and the promises that hold on digits at stated seeds."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from search_engine.algorithms.given import GivenModel, place_weights
from search_engine.algorithms.morphnet import ENTRY, begins_with
from search_engine.algorithms.morphnet.bench import WidthBench
from search_engine.algorithms.morphnet.controls import MorphNetControls
from search_engine.algorithms.morphnet.options import MorphNetConfig
from search_engine.algorithms.morphnet.records import Round, ranked
from search_engine.algorithms.morphnet.search import MorphNet
from search_engine.base.errors import BadInput
from search_engine.base.given_config import GivenConfig
from search_engine.bundle.reopened import reopen
from search_engine.catalogue import registry
from search_engine.catalogue.config import check
from search_engine.search.local_run import LocalRun
from search_engine.spaces.data_shape import DataShape
from search_engine.supernets.resized_network import build

from .runs import CNN, QUICK, context, digits, local_run, through

STRONG = {"factor": 30.0, "threshold": 0.5}
"""Prunes within an epoch."""


def kinds(events: list[Any], kind: str) -> list[Any]:
    return [event.payload for event in events if event.payload.kind == kind]


def test_a_round_shrinks_and_trains_from_scratch() -> None:
    phase, given = MorphNet(), context(digits(), STRONG)
    events = through(phase, given)
    [one] = phase.rounds
    assert one.before == phase.bench.widths == {"features.0.0": 8, "features.1.0": 12, "hidden.0.0": 16}
    assert one.cost_alive < 1 and one.multiplier == 1.0 and one.after == one.alive
    assert phase.done == phase.horizon == 2 * phase.bench.steps(1)
    [best] = phase.best()
    assert best.genome.content["widths"] == one.after and best.value == one.score
    said = kinds(events, "derived")
    assert [item.genome["content"]["widths"] for item in said] == [{}, one.after]
    assert said[1].changed_edges == sum(one.after[name] != width for name, width in one.before.items())


def test_every_block_is_drawn_with_its_threshold_and_its_widths() -> None:
    given = context(digits(), {**STRONG, "expand_to": 0.9})
    charts = {chart.name: chart for chart in kinds(through(MorphNet(), given), "charts")[-1].charts}
    assert set(charts) == {"importance", "widths", "cost", "losses"}
    assert [item.name for item in charts["importance"].series] == ["features.0.0", "features.1.0", "hidden.0.0"]
    assert charts["importance"].marks[0].value == 0.5
    assert [item.name for item in charts["widths"].series] == ["before", "alive", "expanded"]
    assert "ω = " in charts["widths"].note


def test_the_layers_of_a_round_are_drawn_around_the_threshold() -> None:
    phase = MorphNet()
    frames = kinds(through(phase, context(digits(), STRONG)), "widths")
    [one], last = phase.rounds, frames[-1]
    [network] = last.networks
    assert last.threshold == 0.5 == last.ends[12] and network.value == one.score and frames[-2].networks[0].value is None
    assert {layer.name: layer.before for layer in network.layers} == one.before
    assert {layer.name: layer.after for layer in network.layers} == one.alive
    assert {layer.name for layer in network.layers if layer.held} == set(one.floors)
    for layer in network.layers:
        assert sum(layer.counts[:12]) == sum(value <= 0.5 for value in one.importance[layer.name])
        assert sum(layer.counts) == layer.before
    # While it shrinks, too: scales begin at 1, all alive.
    assert len(frames) > 3 and all(sum(layer.counts[:12]) == 0 for layer in frames[0].networks[0].layers)
    assert network.cost == one.cost_alive < 1


def test_rounds_go_on_from_the_widths_before_and_expand_to_the_target() -> None:
    phase = MorphNet()
    through(phase, context(digits(), {**STRONG, "rounds": 2, "expand_to": 0.8}))
    first, second = phase.rounds
    assert second.before == first.after
    for one in phase.rounds:
        assert one.multiplier > 1 and 0.6 < one.cost_after <= 0.8
    assert [item.genome.content["widths"] for item in phase.best()] == [one.after for one in ranked(phase.rounds)]


def test_without_a_strength_nothing_is_pruned() -> None:
    phase = MorphNet()
    through(phase, context(digits(), {"factor": 0.0}))
    assert phase.rounds[0].cost_after == 1.0 and phase.best()[0].genome == phase.bench.genome


def test_what_happened_is_said() -> None:
    held = kinds(through(MorphNet(), context(digits(), {"factor": 300.0, "threshold": 0.9, "floor": 0.5})), "notice")
    assert [notice.name for notice in held] == ["floor_held"] and "50 % of them" in held[0].message
    none = kinds(through(MorphNet(), context(digits(), {"factor": 1e-6})), "notice")
    assert [notice.name for notice in none] == ["nothing_pruned"]


def test_of_equal_scores_the_cheaper_network_is_better() -> None:
    def one(number: int, cost: float, score: float | None) -> Round:
        return Round(number, 1.0, {}, {}, 1.0, {}, 1.0, cost, cost, {}, [], [], 0, 0.5, score)

    found = ranked([one(0, 0.9, 0.8), one(1, 0.3, 0.8), one(2, 0.1, 0.7), one(3, 0.1, None)])
    assert [item.number for item in found] == [1, 0, 2]


def test_uniform_shrinking_costs_the_same() -> None:
    bench = WidthBench(context(digits()))
    for share in (0.1, 0.37, 0.8, 1.0):
        widths = bench.uniform(share * bench.cost(bench.widths))
        assert 0.9 * share < bench.share(widths) <= share
        ratios = [widths[name] / width for name, width in bench.widths.items()]
        assert max(ratios) - min(ratios) < 0.2


def test_trainings_of_equal_widths_are_equal_wherever_they_stand() -> None:
    first, second = WidthBench(context(digits())), WidthBench(context(digits()))
    torch.manual_seed(1)
    one = first.training({"features.0.0": 2, "features.1.0": 3, "hidden.0.0": 4})
    first.shrinking(first.widths, 1.0, 0).advance()
    torch.manual_seed(2)
    other = second.training({"features.0.0": 2, "features.1.0": 3, "hidden.0.0": 4})
    for _ in range(2):
        one.advance(), other.advance()
    states = [trainer.network.state_dict() for trainer in (one, other)]
    assert all(torch.equal(value, states[1][name]) for name, value in states[0].items())


def test_the_controls_train_alike_and_know_what_was_trained() -> None:
    options = {**STRONG, "controls": True, "sweep": [1e-6, 30.0, 3000.0]}
    search, controls = MorphNet(), MorphNetControls()
    through(search, context(digits(), options))
    events = through(controls, context(digits(), options), search.handover())
    said = {item.name: item for item in kinds(events, "control")}
    assert set(said) == {"uniform", "sweep"}
    assert said["uniform"].values["found"] == search.rounds[0].score
    # The strength of the search itself is not tried again, nor are the widths that it found.
    assert said["sweep"].values["trained_at_30"] == search.rounds[0].score
    assert said["sweep"].values["cost_at_1e-06"] == 1.0 and "nothing was pruned" in said["sweep"].message
    assert said["sweep"].values["trained_at_1e-06"] == said["uniform"].values["seed"]
    assert controls.done < controls.horizon
    assert [report.name for report in kinds(events, "report")] == ["sweep"]


def test_a_network_without_normalisation_is_refused_before_anything_is_trained() -> None:
    plain = {**CNN, "options": {**CNN["options"], "batch_norm": False}}
    with pytest.raises(BadInput, match="'gamma' needs batch normalisations") as refusal:
        MorphNet().begin(context(digits(), space=plain), None)
    assert refusal.value.field == "options.regulariser"
    MorphNet().begin(context(digits(), {"regulariser": "morphnet_group_lasso_flops"}, space=plain), None)


def test_a_network_is_drawn_that_has_something_to_shrink() -> None:
    """Half of the perceptrons have no normalisation."""
    for seed in range(4):
        bench = WidthBench(context(digits(), space={"of": "mlp"}, seed=seed))
        assert bench.genome.content["genome"]["batch_norm"] == "yes"


# ---- a finished model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained network of the space `plain`."""
    out = tmp_path_factory.mktemp("plain")
    values = {
        "algorithm": "random", "space": "blueprint", "datasets": ["digits"], "budget": {"trials": 1},
        "space_options": {"filters_min": 6, "filters_max": 10, "dense_min": 8, "dense_max": 16},
        "training": {"epochs": 1, "train_examples": 128},
        "finale": {"baselines": 0, "redundancy": False, "onnx": False, "training": {"epochs": 2}},
    }
    result = LocalRun(check(values), out, out / "run").run()
    assert result["status"] == "completed", result
    return out / "run" / "model"


def test_a_finished_model_is_compressed(model: Path, tmp_path: Path) -> None:
    """The whole way: its weights begin the shrinking, and what is found is finished, exported and predicts alone."""
    given = reopen(model)
    result = local_run({"options": {**QUICK["options"], **STRONG}, "space_options": {}, "model": given.config.model_dump()}, tmp_path,
                       given.weights)
    assert result["status"] == "completed", result
    [best] = result["best"]
    content = best["genome"]["content"]
    assert content["of"] == "blueprint" and content["genome"] == given.config.genome and content["widths"]
    folder = tmp_path / "run" / "model"
    found = registry.space("resized")
    space = found.space(found.config(), DataShape((1, 8, 8), 10))
    network = build(space, space.from_string(json.dumps(content)), "final", given.config.training)
    loaded = _load(folder)
    assert {name: value.shape for name, value in network.state_dict().items()} == {
        name: value.shape for name, value in loaded.state_dict().items()
    }
    for script in ("evaluate.py",):
        done = subprocess.run([sys.executable, script], cwd=folder, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
    # And it can be compressed again.
    again = reopen(folder)
    place_weights(again.weights, tmp_path)
    once_more = GivenModel(again.config, found, space.shape, tmp_path)
    bench = WidthBench(context(digits(), space={}, given=once_more))
    assert bench.widths == content["widths"]
    narrower = {name: max(1, width - 1) for name, width in bench.widths.items()}
    assert bench.genome_of(narrower).content == {**content, "widths": narrower}


def _load(folder: Path) -> Any:
    spec = importlib.util.spec_from_file_location("found_model", folder / "model.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.load_model()


def test_its_weights_begin_the_shrinking(model: Path, tmp_path: Path) -> None:
    opened = reopen(model)
    place_weights(opened.weights, tmp_path)
    given = GivenModel(opened.config, registry.space("blueprint"), DataShape((1, 8, 8), 10), tmp_path)
    bench = WidthBench(context(digits(), space={}, given=given))
    first = bench.shrinking(bench.widths, 1.0, 0).network.state_dict()
    assert all(torch.equal(value, first[name]) for name, value in (given.state() or {}).items())
    later = bench.shrinking(bench.widths, 1.0, 1).network.state_dict()
    assert not all(torch.equal(value, later[name]) for name, value in first.items())


def test_a_model_whose_widths_cannot_change_is_refused_by_its_layer() -> None:
    config: dict[str, Any] = {"algorithm": "morphnet", "datasets": ["digits"], "space_options": CNN}
    space = registry.space("neuron_graph")
    one = space.space(space.config(), DataShape((1, 8, 8), 10))
    import random

    genome = one.sample(random.Random(0))
    model = GivenConfig(weights="0" * 64, space="neuron_graph", genome=genome.content, input=[1, 8, 8], outputs=10)
    with pytest.raises(BadInput) as refusal:
        check({**config, "model": model.model_dump()})
    assert refusal.value.field == "model" and "the widths of this network cannot be changed" in refusal.value.message
    assert ENTRY.begins_with.endswith(begins_with.__name__)


# ---- promises at stated seeds


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_digits_lose_most_of_their_cost_and_little_accuracy(seed: int) -> None:
    """Strength 1, threshold .1, 8 epochs of SGD at .1: at most 60 % of the FLOPs are left, and what is trained from scratch, in 16 epochs,
    has .95."""
    options = {"shrink_epochs": 8, "train_epochs": 16, "batch_size": 64}
    space = {"of": "plain", "options": {"network": "cnn", "channels": [24, 48], "widths": [48], "batch_norm": True}}
    phase = MorphNet()
    through(phase, context(digits(), options, space, seed))
    [one] = phase.rounds
    assert one.cost_alive <= 0.6
    assert one.score is not None and one.score >= 0.95


@pytest.mark.slow
def test_the_sweep_shows_both_ends() -> None:
    """The weakest penalty prunes nothing; under the strongest the network that is shrunk learns nothing."""
    options = {"shrink_epochs": 8, "train_epochs": 2, "batch_size": 64, "controls": True, "sweep": list(MorphNetConfig().sweep)}
    search, controls = MorphNet(), MorphNetControls()
    through(search, context(digits(), options))
    events = through(controls, context(digits(), options), search.handover())
    values = next(item for item in kinds(events, "control") if item.name == "sweep").values
    assert values["cost_at_0.01"] == 1.0 and values["shrunk_at_0.01"] > 0.9
    assert values["shrunk_at_1000"] < 0.2
