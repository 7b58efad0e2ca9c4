"""Trials scored by k folds: what is averaged, what is charged, that a kill changes nothing, and that one split misleads where k do not."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import Field

from search_engine.base import checkpoint
from search_engine.base.errors import BadInput, TrialFailure
from search_engine.base.generators import derive_seed
from search_engine.base.measures import of_fold, over_folds_sd
from search_engine.catalogue import registry
from search_engine.catalogue.config import CheckedRun, check, check_new
from search_engine.catalogue.idle import idle
from search_engine.datasets.base import DatasetConfig, DatasetEntry, FinalePass, Part, Samples, SearchData
from search_engine.datasets.folds import apart, fold_sizes, folds_of
from search_engine.search import resources
from search_engine.search.coordinator import Coordinator
from search_engine.search.fold_work import FoldWork, declared_trial_cost
from search_engine.search.local_run import LocalRun
from search_engine.search.open_work import open_work
from search_engine.search.resources import Resources
from search_engine.search.work import WorkSpec, run_slice
from search_engine.spaces.data_shape import DataShape
from search_engine.spaces.genomes import Genome
from search_engine.training.trainer import Trainer
from tests.search_engine import toys

QUICK: dict[str, Any] = {
    "space": "two_convolutions", "space_options": {"first_filters": [2, 4], "second_filters": [2, 4]}, "datasets": ["digits"],
    "training": {"epochs": 2, "train_examples": 192}, "finale": {"baselines": 0, "export": False, "redundancy": False},
}
FOLDS = 3


def checked_run(**more: Any) -> CheckedRun:
    return check_new({"algorithm": "grid", "folds": FOLDS, **QUICK, **more})


def spec_of(checked: CheckedRun, filters: str = "2-4") -> WorkSpec:
    space = Resources(checked, Path("unused")).space
    genome = space.from_string(filters)
    return WorkSpec(kind="trial", index=0, arguments={"genome": genome.to_json(), "hash": space.hash(genome), "fidelity": {}})


def finished(checked: CheckedRun, spec: WorkSpec) -> FoldWork:
    work = open_work(checked, spec, Path("unused"), Path("unused"))
    run_slice(work, 1e9)
    assert isinstance(work, FoldWork) and work.failure is None and work.finished
    return work


def test_the_score_is_the_mean_over_the_folds_and_each_fold_is_kept() -> None:
    checked = checked_run()
    metrics = finished(checked, spec_of(checked)).outcome()["metrics"]
    own = [metrics[of_fold("val_accuracy", fold)] for fold in range(FOLDS)]
    assert len(set(own)) > 1, "folds that score alike prove nothing"
    assert metrics["val_accuracy"] == statistics.fmean(own) and metrics[over_folds_sd("val_accuracy")] == statistics.stdev(own)


def test_each_fold_is_a_training_of_its_own_on_its_own_data() -> None:
    """By hand: the same networks, data and seeds, one fold after the other."""
    import torch

    from search_engine.base.lazy import load_object
    from search_engine.search.trial_work import genome_training
    from search_engine.training.trainer import Trainer

    checked = checked_run(training={"epochs": 1, "train_examples": 128, "augment": "none"})
    spec = spec_of(checked)
    work = open_work(checked, spec, Path("unused"), Path("unused"))
    assert isinstance(work, FoldWork)
    run_slice(work, 1e9)
    by_hand, again = [], open_work(checked, spec, Path("unused"), Path("unused"))
    space, genome = Resources(checked, Path("unused")).space, Genome.from_json(spec.arguments["genome"])
    digits = registry.dataset("digits").open(registry.dataset("digits").config(), Path("unused"))
    assert isinstance(digits, Samples) and isinstance(again, FoldWork)
    training = genome_training(checked.config.training, space, genome, {})
    with again.generators.active():
        for fold in range(FOLDS):
            network: torch.nn.Module = load_object(checked.space.builder)(space, genome, "trial", training)
            trainer = Trainer(network, digits.fold_data(0, FOLDS, fold), training, seed=derive_seed(again.seed, "fold", fold))
            while not trainer.finished:
                trainer.advance()
            by_hand.append(trainer.metrics()["val_accuracy"])
    assert by_hand == [work.outcome()["metrics"][of_fold("val_accuracy", fold)] for fold in range(FOLDS)]


def test_every_example_outside_the_test_part_is_validated_on_once_and_all_trainings_are_charged(tmp_path: Path) -> None:
    checked = checked_run(budget={"trials": 4}, training={"epochs": 1})
    coordinator = Coordinator(checked, tmp_path, tmp_path)
    [spec, *_] = coordinator.advance().opened
    assert coordinator.rounds is not None
    declared = coordinator.rounds.open[0].declared
    work = finished(checked, spec)
    cost = work.cost
    assert (cost.forward_backward, cost.forward) == (declared.forward_backward, declared.forward)
    # 1,348 images are no test images: each is trained on by k - 1 networks and scores one.
    assert (cost.forward, cost.forward_backward) == (1348, (FOLDS - 1) * 1348)
    alone = Coordinator(checked_run(budget={"trials": 4}, training={"epochs": 1}, folds=1), tmp_path, tmp_path)
    alone.advance()
    assert alone.rounds is not None and alone.rounds.open[0].declared.forward_backward == 1011


def test_what_is_declared_counts_copies_and_uneven_folds() -> None:
    checked = checked_run()
    data = Resources(checked, Path("unused")).search_data
    twice = Part(*(np.concatenate([part, part]) for part in (data.train.inputs, data.train.labels, data.train.indices)))
    enlarged = SearchData(data.dataset, data.shape, twice, data.validation, data.preprocessing, data.class_names)
    training = checked.config.training.model_copy(update={"epochs": 1, "train_examples": 0})
    sizes = fold_sizes(1348, 5)
    assert sizes == [270, 270, 270, 269, 269]
    cost = declared_trial_cost(training, enlarged, 5)
    assert (cost.forward_backward, cost.forward) == (2 * sum(1348 - size for size in sizes), 1348)


def test_a_kill_at_any_unit_changes_nothing() -> None:
    """Packed and opened anew after every single unit: equal events, equal metrics, equal cost."""
    checked = checked_run(training={"epochs": 1, "train_examples": 128})
    spec = spec_of(checked)
    whole = open_work(checked, spec, Path("unused"), Path("unused"))
    said = run_slice(whole, 1e9)
    pieces, work = [], open_work(checked, spec, Path("unused"), Path("unused"))
    while True:
        pieces += run_slice(work, 0.0)
        if work.finished:
            break
        kept = checkpoint.unpack(checkpoint.pack(work.state_dict()))
        work = open_work(checked, spec, Path("unused"), Path("unused"))
        work.load_state_dict(kept)
    assert [event.payload for event in pieces] == [event.payload for event in said]
    for name in ("status", "metrics", "cost"):
        assert work.outcome()[name] == whole.outcome()[name]
    # Epochs are numbered through, so that no two figures of a trial have one place.
    assert [event.step for event in said] == [1, 2, 3]


def test_a_fold_that_fails_fails_the_trial_and_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    checked = checked_run(training={"epochs": 1, "train_examples": 128})
    work = open_work(checked, spec_of(checked), Path("unused"), Path("unused"))
    assert isinstance(work, FoldWork)
    advance = Trainer.advance

    def fails_in_the_second(trainer: Trainer) -> None:
        if work.fold == 1:
            raise TrialFailure("planted")
        advance(trainer)

    monkeypatch.setattr(Trainer, "advance", fails_in_the_second)
    run_slice(work, 1e9)
    assert work.failure is not None and work.failure.reason == f"fold 2 of {FOLDS}: planted"
    assert work.outcome()["status"] == "failed"


def test_a_search_says_at_what_its_scores_were_taken_and_its_finale_is_as_ever(tmp_path: Path) -> None:
    results = {}
    for folds in (1, FOLDS):
        out = tmp_path / str(folds)
        checked = checked_run(folds=folds, space_options={"first_filters": [2], "second_filters": [2, 4]})
        results[folds] = LocalRun(checked, out, out).run()
        events = [json.loads(line)["data"] for line in (out / "events.jsonl").read_text().splitlines()]
        best = [event for event in events if event["kind"] == "incumbent"][-1]
        said = best["fidelity"]["text"]
        assert said.startswith("mean of 3 folds, each trained for 2 epochs") if folds > 1 else said.startswith("trained for 2 epochs")
        planes = [event for event in events if event["kind"] == "plane"]
        assert planes and bool(planes[-1]["deviations"]) == (folds > 1)
    assert [results[folds]["folds"] for folds in results] == [1, FOLDS]
    # One network for each finalist, on the run's own split.
    for result in results.values():
        assert result["status"] == "completed" and "test_accuracy" in result["best"][0]["metrics"]
        assert not any("fold" in name for name in result["best"][0]["metrics"])


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"algorithm": "darts", "folds": 3}, "folds", "does not use it"),
        ({"algorithm": "grid", "space": "nb201", "datasets": ["nb201_cifar10"], "folds": 3}, "folds", "does not: leave this at 1"),
        ({"algorithm": "deepswarm", "folds": 3}, "folds", "one network, not one for each fold"),
        ({**QUICK, "algorithm": "grid", "folds": 3, "together": 4}, "folds", "one split for all"),
        ({**QUICK, "algorithm": "grid", "folds": 21}, "folds", "less than or equal to 20"),
        ({**QUICK, "algorithm": "grid", "folds": 0}, "folds", "greater than or equal to 1"),
    ],
)
def test_where_nothing_can_be_folded_it_is_refused(values: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(BadInput) as caught:
        check_new(values)
    assert caught.value.field == field and (words in caught.value.message or "leave this at 1" in caught.value.message)


def test_searches_without_trials_do_not_offer_it() -> None:
    offered = {
        name: "folds" not in idle(registry.algorithm(name), registry.space(space), registry.dataset("digits"))
        for name, space in (("grid", "mlp"), ("codeepneat", "blueprint"), ("darts", "cell"), ("wann", "neuron_graph"))
    }
    assert offered == {"grid": True, "codeepneat": True, "darts": False, "wann": False}


# ---------------------------------------------------------------- a planted split that misleads


class ContraryConfig(DatasetConfig):
    shape_of: int = Field(default=8, ge=8, le=8)


class Contrary(Samples):
    """Bars that lie or stand, 8 x 8 pixels with noise, 400 outside the test part, of which 40 are contrary: they have the other label. The
    single split's validation part holds those 40 and nothing else, so whoever learns the rule well scores worst there."""

    def __init__(self, config: ContraryConfig) -> None:
        rng = np.random.RandomState(7)
        count = 500
        labels = np.arange(count) % 2
        images = rng.randint(0, 110, size=(count, 1, 8, 8))
        for place in range(count):
            line = rng.randint(1, 7)
            at: Any = (0, line) if labels[place] else (0, slice(None), line)
            images[(place, *at)] += 90
        self.contrary = np.arange(40)
        self.labels = labels.astype(np.int64)
        self.labels[self.contrary] = 1 - self.labels[self.contrary]
        self.images = images.clip(0, 255).astype(np.uint8)
        self.pool, self.test = np.arange(400), np.arange(400, 500)

    def shape(self) -> DataShape:
        return DataShape((1, 8, 8), 2)

    def part(self, indices: Any) -> Part:
        return Part(self.images[indices], self.labels[indices], indices)

    def divided(self, train: Any, validation: Any) -> SearchData:
        from search_engine.datasets.statistics import image_preprocessing

        one = self.part(self.pool[train])
        scale, other = image_preprocessing(one.inputs, 255.0), self.part(self.pool[validation])
        return SearchData("contrary", self.shape(), one, other, scale, ("0", "1"))

    def search_data(self, seed: int) -> SearchData:
        return self.divided(np.arange(40, 400), self.contrary)

    def fold_data(self, seed: int, count: int, fold: int) -> SearchData:
        return self.divided(*apart(folds_of(self.labels[self.pool], count, "contrary", seed), fold))

    def open_test(self, key: FinalePass) -> Part:
        return self.part(self.test)


CONTRARY = DatasetEntry(
    "contrary", "Contrary", "", "", "", "samples", ContraryConfig, lambda config, path: Contrary(config), shape=DataShape((1, 8, 8), 2)
)


@pytest.fixture
def _contrary() -> Iterator[None]:
    with toys.registered(spaces=(), datasets=(CONTRARY,)):
        yield
    resources._fold.cache_clear()


def ranked(folds: int, seed: int, folder: Path) -> dict[str, float]:
    """The networks of a small plane with the scores by which the search ranks them."""
    checked = check(
        {
            "algorithm": "grid", "seed": seed, "folds": folds, "datasets": ["contrary"], "space": "two_convolutions",
            "space_options": {"first_filters": [1, 16], "second_filters": [1, 16]}, "training": {"epochs": 3, "augment": "none"},
            "finale": {"baselines": 0, "export": False, "redundancy": False, "training": {"epochs": 1}},
        }
    )
    LocalRun(checked, folder, folder).run()
    events = [json.loads(line)["data"] for line in (folder / "events.jsonl").read_text().splitlines()]
    names = {event["number"]: event["string"] for event in events if event["kind"] == "candidate_born"}
    scores = {names[event["candidate"]]: event["metrics"]["val_accuracy"] for event in events if event["kind"] == "trial_told"}
    assert len(scores) == 4
    return scores


@pytest.mark.slow
@pytest.mark.usefixtures("_contrary")
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_single_split_misleads_and_folds_do_not(seed: int, tmp_path: Path) -> None:
    """The wide network learns the rule best, so it answers every contrary example "wrong": the planted split gives it nothing and takes a
    network that learned less; over four folds, each with its share of contrary examples, it is the best."""
    split, folds = ranked(1, seed, tmp_path / "split"), ranked(4, seed, tmp_path / "folds")
    assert split["16-16"] == min(split.values()) and max(split, key=lambda name: split[name]) != "16-16"
    assert max(folds, key=lambda name: folds[name]) == "16-16"
