"""Whole searches on digits: morphed weights travel by file and list of operators, and what comes of them is said."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from search_engine.algorithms.given import place_weights
from search_engine.base import checkpoint
from search_engine.base.errors import BadInput
from search_engine.base.generators import derive_seed
from search_engine.base.training_config import TrainingConfig
from search_engine.bundle.reopened import reopen
from search_engine.catalogue import registry
from search_engine.catalogue.config import CheckedRun, check_new
from search_engine.search.coordinator import Coordinator
from search_engine.search.local_run import LocalRun
from search_engine.search.open_work import open_work
from search_engine.search.resources import Resources
from search_engine.search.starting_weights import ROOM
from search_engine.search.work import WorkSpec, run_slice
from search_engine.spaces.blueprint.layers import BlueprintConfig
from search_engine.spaces.blueprint.space import BlueprintSpace
from search_engine.spaces.data_shape import DataShape
from search_engine.spaces.genomes import Genome, canonical_json
from search_engine.spaces.growing_convnet.adoption import adopted
from search_engine.supernets.growing_network import GrowingNetwork
from search_engine.supernets.morphing.adoption import state_of
from search_engine.training.evaluation import evaluate
from search_engine.training.trainer import Trainer

NO_FILES = Path("no data files")
TRAINING = {"train_examples": 256}


def config(**options: Any) -> dict[str, Any]:
    return {
        "algorithm": "network_morphism", "datasets": ["digits"], "training": TRAINING, "space_options": {"channels": [4, 4]},
        "options": {"steps": 2, "children": 3, "morphs": 2, "seed_epochs": 3, "epochs": 1, **options},
        "finale": {"baselines": 0, "export": False, "redundancy": False, "training": {"epochs": 1, **TRAINING}},
    }


def events(out: Path, kind: str) -> list[dict[str, Any]]:
    return [said["data"] for line in (out / "events.jsonl").read_text().splitlines() if (said := json.loads(line))["kind"] == kind]


def searched(values: dict[str, Any], out: Path, weights: bytes | None = None) -> dict[str, Any]:
    result = LocalRun(check_new(values), NO_FILES, out, weights=weights).run()
    assert result["status"] == "completed", result["reason"]
    return result


def test_every_child_begins_where_its_parent_ended(tmp_path: Path) -> None:
    """To a tenth of a point, measured by the trial itself: copies are disturbed, as by default."""
    values = config(children=4, morphs=3)
    searched({**values, "space_options": {"channels": [4, 4], "max_megaflops": 20, "max_parameters": 500_000}}, tmp_path)
    networks = events(tmp_path, "morphisms")[-1]["networks"]
    grown = [item for item in networks if item["parent"] is not None]
    assert len(grown) == 8 and all(item["state"] == "trained" for item in grown)
    assert all(abs(item["grown"] - item["before"]) <= 0.001 for item in grown)
    assert sum(len(item["morphs"]) for item in grown) == 6 * 3
    told = {item["number"]: item["metrics"] for item in events(tmp_path, "trial_told")}
    assert all(told[item["candidate"]]["val_accuracy_grown"] == item["grown"] for item in grown)
    assert events(tmp_path, "champion")


def driven(checked: CheckedRun, out: Path, order: random.Random | None = None, weights: bytes | None = None) -> tuple[list[str], Path]:
    """What a search says whose open work is done in another order, as several workers would; and a copy of all weights that it kept."""
    out.mkdir()
    if weights is not None:
        place_weights(weights, out)
    coordinator, kept = Coordinator(checked, NO_FILES, out), out / "kept"
    said: list[str] = []
    outcomes: dict[str, dict[str, Any]] = {}
    while coordinator.status == "running":
        step = coordinator.advance(outcomes, seconds=1000.0)
        outcomes = {}
        said += [event.payload.model_dump_json() for event in step.events]
        for name in step.obsolete:
            (out / name).unlink()
        opened: list[WorkSpec] = list(step.opened)
        if order is not None:
            order.shuffle(opened)
        for spec in opened:
            work = open_work(checked, spec, NO_FILES, out)
            while not work.finished:
                run_slice(work, 0.5)
            work.place()
            outcomes[spec.source] = work.outcome()
            if spec.kind == "trial":
                shutil.copytree(out / ROOM, kept, dirs_exist_ok=True)
    assert coordinator.status == "completed", coordinator.reason
    return said, kept


def of_kind(said: list[str], kind: str) -> list[dict[str, Any]]:
    return [found for text in said if (found := json.loads(text))["kind"] == kind]


def test_one_child_is_training_on_to_the_bit(tmp_path: Path) -> None:
    """Hill climbing with one child per step is never worse than continuing to train, because it is that: the same weights by hand."""
    checked = check_new(config(children=1, steps=3))
    said, kept = driven(checked, tmp_path / "run")
    born, told = of_kind(said, "candidate_born"), of_kind(said, "trial_told")
    assert len(told) == 4 and len({item["genome_hash"] for item in born}) == 1
    data = Resources(checked, NO_FILES, tmp_path).search_data
    space = checked.space.space(checked.space_options, data.shape)
    training = TrainingConfig(**{**checked.config.training.model_dump(), "epochs": 1})
    for number in (1, 2, 3):
        network = GrowingNetwork(space.network(Genome.from_json(born[number]["genome"])))
        network.load_state_dict(checkpoint.read(kept / f"trial-{number - 1}.safetensors", sealed=True)["weights"])
        start = canonical_json({"trial": number - 1, "parts": [""], "morphs": []})
        seed = derive_seed(checked.config.seed, "trial", born[number]["genome_hash"], canonical_json(born[number]["fidelity"]), start)
        trainer = Trainer(network, data, training, seed=seed)
        while not trainer.finished:
            trainer.advance()
        assert trainer.metrics()["val_accuracy"] == told[number]["metrics"]["val_accuracy"]
        left = checkpoint.read(kept / f"trial-{number}.safetensors", sealed=True)["weights"]
        assert all(torch.equal(value, left[name]) for name, value in network.state_dict().items())
        assert told[number]["metrics"]["val_accuracy_grown"] == told[number - 1]["metrics"]["val_accuracy"]


@pytest.mark.parametrize("options", [{}, {"choice": "bayesian", "networks": 5, "open_trials": 2, "candidates": 10}])
def test_the_order_in_which_work_is_done_decides_nothing(options: dict[str, Any], tmp_path: Path) -> None:
    checked = check_new(config(**options))
    one, _ = driven(checked, tmp_path / "one")
    other, _ = driven(checked, tmp_path / "two", random.Random(1))
    assert one == other


def found(space: str, out: Path, **options: Any) -> Path:
    """A finished model of that space."""
    training = {"epochs": 1, "train_examples": 256}
    values = {
        "algorithm": "random", "space": space, "space_options": options, "datasets": ["digits"], "budget": {"trials": 1},
        "training": training,
        "finale": {"baselines": 0, "redundancy": False, "onnx": False, "training": training},
    }
    assert LocalRun(check_new(values), NO_FILES, out).run()["status"] == "completed"
    return out / "model"


CHAIN: dict[str, Any] = {"blueprint_nodes": 1, "module_nodes": 1, "dense_min": 8, "dense_max": 16, "filters_min": 2, "filters_max": 6}
GROWABLE: dict[str, dict[str, Any]] = {
    "growing_convnet": {"channels": [4, 4]},
    "plain": {"network": "cnn", "widths": [16], "channels": [4, 4], "batch_norm": True},
    "blueprint": CHAIN,
}


@pytest.mark.parametrize("space", GROWABLE)
def test_a_finished_model_is_grown(space: str, tmp_path: Path) -> None:
    """What it is taken over as computes what it computed, and the search's first figure is its own."""
    model = reopen(found(space, tmp_path / "model", **GROWABLE[space]))
    values = {**config(children=2, steps=1), "model": model.config.model_dump(mode="json"), "space_options": {"max_parameters": 100_000}}
    values["finale"] = {**values["finale"], "baselines": 1}
    out = tmp_path / "run"
    result = searched(values, out, model.weights)
    first, *grown = events(out, "morphisms")[-1]["networks"]
    given = Resources(check_new(values), NO_FILES, out).given
    assert given is not None
    data = Resources(check_new(values), NO_FILES, out).search_data
    own = evaluate(given.network(), data.validation, data.preprocessing)["accuracy"]
    assert first["parent"] is None and first["grown"] == pytest.approx(own, abs=1e-6) and len(grown) == 2
    titles = [item["title"] for item in events(out, "finalist")]
    assert titles[1] == "the grown architecture, from fresh weights" and result["status"] == "completed"
    torch.manual_seed(0)
    taken = adopted(given.space, given.genome)
    network, examples = GrowingNetwork(taken.network), torch.rand(9, 1, 8, 8)
    network.load_state_dict(state_of(taken, given.network()))
    original = given.network()
    with torch.no_grad():
        assert torch.allclose(network.eval()(examples), original.eval()(examples), atol=1e-5)
        if all(node.op != "dropout" for node in taken.network.nodes):
            assert torch.allclose(network.train()(examples), original.train()(examples), atol=1e-5)


@pytest.mark.parametrize(
    ("space", "options", "reason"),
    [
        ("plain", {"widths": [16, 16], "activation": "tanh"}, "layer dense1 has tanh behind it"),
        ("plain", {"widths": [900, 900]}, "too large to grow"),
        ("macro", {"layers": 3, "search_channels": 4}, "the space 'macro' cannot be grown"),
    ],
)
def test_a_model_that_cannot_be_grown_is_refused_before_anything_starts(space: str, options: dict[str, Any], reason: str) -> None:
    entry = registry.space(space)
    made: Any = entry.space(entry.config(**options), DataShape((1, 8, 8), 10))
    genome = made.dense() if space == "plain" else made.sample(random.Random(0))
    model = {"weights": "0" * 64, "space": space, "space_options": options, "genome": genome.content, "input": [1, 8, 8], "outputs": 10}
    with pytest.raises(BadInput, match=reason) as caught:
        check_new({**config(), "model": model})
    assert caught.value.field == "model"


def test_a_blueprint_that_joins_is_refused_by_its_layer() -> None:
    space = BlueprintSpace(BlueprintConfig(), DataShape((1, 8, 8), 10))
    rng = random.Random(0)
    genomes = [space.sample(rng) for _ in range(3)]
    for _ in range(60):
        genomes = [space.mutate(genome, rng)[0] for genome in genomes]
        joining = [genome for genome in genomes if any(step.layer is None for step in space.plan(genome).steps)]
        if joining:
            break
    with pytest.raises(BadInput, match=r"layer .*: it (joins|reads) .*only chains can be grown"):
        adopted(space, joining[0])


def test_a_grown_network_is_downloaded_and_predicts_alone(tmp_path: Path) -> None:
    """The bundle is verified in a process of its own, without this package; skips by concatenation and by a sum are in it."""
    values = config(children=3, morphs=8, steps=1, seed_epochs=1)
    values["finale"] = {**values["finale"], "export": True}
    result = searched({**values, "seed": 4}, tmp_path)
    assert (tmp_path / "model" / "model.py").exists(), result
