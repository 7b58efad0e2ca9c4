"""What a run is ranked by: another metric picks another network, by its right name; who cannot is refused; a kill changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import nn

from search_engine.base.errors import BadInput
from search_engine.catalogue.config import RunConfig, check, check_new
from search_engine.datasets.base import DatasetConfig, DatasetEntry, FinalePass, Part, Samples, SearchData
from search_engine.search.local_run import LocalRun
from search_engine.search.open_work import open_work
from search_engine.search.resources import Resources
from search_engine.search.work import WorkSpec, run_slice
from search_engine.spaces.base import SpaceEntry
from search_engine.spaces.data_shape import DataShape, Preprocessing
from search_engine.spaces.genomes import Genome
from tests.search_engine import toys

ALWAYS, WATCHFUL = "0", "1"
"""Always answers "no": accuracy .9, balanced accuracy .5. Finds every "yes" and takes a fifth of the others for one: .82 and .9."""


class Answers(nn.Module):
    """What it answers is written in the input; nothing can be learnt."""

    def __init__(self, watchful: bool) -> None:
        super().__init__()
        self.watchful = watchful
        self.nothing = nn.Parameter(torch.zeros(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        yes = x[:, :1] if self.watchful else torch.zeros_like(x[:, :1])
        return torch.cat([1 - yes, yes], 1) * 4 + 0 * self.nothing


def build(space: Any, genome: Genome, stage: str, training: Any) -> nn.Module:
    return Answers(genome.content["bits"] == [1])


class Rare(Samples):
    """Of a hundred ten are "yes"; the input is 1 for each of them and for eighteen others."""

    SHAPE: ClassVar[DataShape] = DataShape((1,), 2)

    def shape(self) -> DataShape:
        return self.SHAPE

    def part(self, shift: int) -> Part:
        labels = np.arange(100) // 90
        inputs = ((labels == 1) | (np.arange(100) < 18)).astype(np.float32)[:, None]
        return Part(inputs, labels, shift + np.arange(100))

    def search_data(self, seed: int) -> SearchData:
        return SearchData("rare", self.SHAPE, self.part(0), self.part(100), Preprocessing(1.0, (0.0,), (1.0,)), ("no", "yes"))

    def open_test(self, key: FinalePass) -> Part:
        return self.part(200)


RARE = DatasetEntry(
    "rare", "Rare", "", "", "", "samples", DatasetConfig, lambda config, path: Rare(), "vector", Rare.SHAPE,
)
TWO = SpaceEntry(
    "two_answers", "Two answers", "", "", toys.BitsConfig, toys.BitsSpace, toys.BitsSpace.offers, frozenset({"vector"}),
    builder="tests.search_engine.search.test_objective:build",
)
CONFIG: dict[str, Any] = {
    "algorithm": "random", "space": "two_answers", "space_options": {"bits": 1}, "datasets": ["rare"], "budget": {"trials": 6},
    "training": {"epochs": 1, "batch_size": 50},
    "finale": {"baselines": 0, "export": False, "redundancy": False, "training": {"epochs": 1}},
}


@pytest.fixture
def planted() -> Iterator[None]:
    with toys.registered(spaces=(TWO,), datasets=(RARE,)):
        yield


def found(folder: Path, **more: Any) -> dict[str, Any]:
    result = LocalRun(check_new({**CONFIG, **more}), folder, folder, slice_seconds=0.0).run()
    assert result["status"] == "completed", result["reason"]
    return result


@pytest.mark.usefixtures("planted")
@pytest.mark.parametrize(
    ("objective", "chosen", "value"),
    [("default", ALWAYS, 0.9), ("accuracy", ALWAYS, 0.9), ("balanced_accuracy", WATCHFUL, 0.9), ("macro_f1", WATCHFUL, None),
     ("auc", WATCHFUL, 0.9), ("log_loss", ALWAYS, None)],
)  # fmt: skip
def test_another_metric_picks_another_network(objective: str, chosen: str, value: float | None, tmp_path: Path) -> None:
    result = found(tmp_path, objective=objective)
    (best,) = result["best"]
    assert best["string"] == chosen
    name = {"default": "accuracy", "log_loss": "neg_log_loss"}.get(objective, objective)
    assert {kind: best["scores"][kind]["metric"] for kind in best["scores"]} == {
        "search": f"val_{name}", "validation": f"val_{name}", "test": f"test_{name}",
    }
    assert {score["direction"] for score in best["scores"].values()} == {"maximise"}
    if value is not None:
        assert best["scores"]["test"]["value"] == pytest.approx(value)
    events = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    told = next(event["data"]["metrics"] for event in events if event["kind"] == "trial_told")
    every = {f"val_{metric}" for metric in ("accuracy", "balanced_accuracy", "macro_f1", "auc", "log_loss")}
    assert every <= set(told) if objective != "default" else every & set(told) == {"val_accuracy"}
    incumbents = [event["data"] for event in events if event["kind"] == "incumbent"]
    assert {item["metric"] for item in incumbents} == {f"val_{name}"}


@pytest.mark.usefixtures("planted")
def test_the_assessment_unmasks_the_majority(tmp_path: Path) -> None:
    """The network that always answers "no" is, figure for figure, the majority."""
    (best,) = found(tmp_path)["best"]
    for part in best["assessment"]["parts"]:
        figures = {model["name"]: {figure["metric"]: figure["value"] for figure in model["figures"]} for model in part["models"]}
        for metric in ("accuracy", "balanced_accuracy", "macro_f1", "auc"):
            assert figures["network"][metric] == pytest.approx(figures["majority"][metric])
        assert part["confusion"]["counts"] == [[90, 0], [10, 0]] and part["wrong"] == 10
        assert [own["precision"] for own in part["classes"]] == [0.9, None]
        assert part["mistakes"][0]["true"] == "yes" and part["mistakes"][0]["row"] == [{"name": "input 1", "value": 1.0}]
    assert [part["split"] for part in best["assessment"]["parts"]] == ["val", "test"]
    events = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    (said,) = [event for event in events if event["kind"] == "assessment"]
    assert not said["science"] and said["source"] == "final:0" and said["data"]["parts"] == best["assessment"]["parts"]


@pytest.mark.usefixtures("planted")
@pytest.mark.parametrize("together", [1, 2])
def test_a_kill_between_any_two_units_changes_nothing(together: int, tmp_path: Path) -> None:
    config = {
        "algorithm": "random", "space": "mlp", "space_options": {"max_layers": 1, "epochs_divisor": 5}, "datasets": ["digits"],
        "budget": {"trials": 2}, "options": {"window": 2}, "objective": "auc", "together": together,
        "training": {"train_examples": 64, "class_weights": "balanced"},
        "finale": {"baselines": 0, "export": False, "redundancy": False, "training": {"train_examples": 64}},
    }
    said = []
    for reloads in (False, True):
        run = LocalRun(check(config), tmp_path, tmp_path / str(reloads), slice_seconds=0.0)
        run.reloads = reloads
        result = run.run()
        assert result["status"] == "completed", result["reason"]
        said.append((toys.science(tmp_path / str(reloads) / "events.jsonl"), result["best"][0]["assessment"]))
    assert said[0] == said[1]


def trial(**more: Any) -> dict[str, Any]:
    """The outcome of one small network."""
    config = {
        "algorithm": "random", "space": "mlp", "datasets": ["digits"], "budget": {"trials": 1}, "training": {"train_examples": 200, **more},
        "objective": "balanced_accuracy",
    }
    checked = check(config)
    space = Resources(checked, Path("unused")).space
    genome = space.from_string("hidden=16 activation=relu batch_norm=no optimizer=sgd learning_rate=0.03 epochs=5")
    spec = WorkSpec(kind="trial", index=0, arguments={"genome": genome.to_json(), "hash": space.hash(genome), "fidelity": {}})
    work = open_work(checked, spec, Path("unused"), Path("unused"))
    run_slice(work, 1e9)
    return work.outcome()["metrics"]  # type: ignore[no-any-return]


def test_weights_of_classes_change_the_training_and_never_what_a_score_is() -> None:
    plain, weighted = trial(), trial(class_weights="balanced")
    assert plain["train_loss"] != weighted["train_loss"]
    for metrics in (plain, weighted):
        # The validation loss is the unweighted one, as the log loss is.
        assert metrics["val_loss"] == pytest.approx(metrics["val_log_loss"], rel=1e-5)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"algorithm": "wann", "datasets": ["digits"], "objective": "auc"}, "by the score that its method defines"),
        ({"algorithm": "evidence", "datasets": ["breast_cancer"], "objective": "auc"}, "it ranks by the log evidence"),
        ({"algorithm": "random", "space": "sequence", "budget": {"trials": 2}, "objective": "accuracy"}, "a table or a formula answers"),
        ({"algorithm": "random", "space": "mlp", "datasets": ["digits"], "budget": {"trials": 2}, "objective": "rmse"},
         "rmse is no metric of a classification"),
        ({"algorithm": "deepswarm", "datasets": ["digits"], "objective": "log_loss"}, "a reward of which 0 is the least"),
    ],
)  # fmt: skip
def test_who_cannot_be_ranked_so_is_refused_before_the_start(config: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput, match=words) as refused:
        check(config)
    assert refused.value.field == "objective"


def test_a_gradient_search_is_scored_by_it_in_the_finale() -> None:
    assert check({"algorithm": "darts", "datasets": ["digits"], "objective": "macro_f1"}).metric == "val_macro_f1"


def test_a_config_without_them_is_written_as_before() -> None:
    made = RunConfig.model_validate({"algorithm": "random"}).model_dump(mode="json")
    assert "objective" not in made and "class_weights" not in made["training"]
    chosen = {"algorithm": "random", "objective": "auc", "training": {"class_weights": "balanced"}}
    given = RunConfig.model_validate(chosen).model_dump(mode="json")
    assert RunConfig.model_validate(given).model_dump(mode="json") == given
    assert given["objective"] == "auc" and given["training"]["class_weights"] == "balanced"
    new = check_new({"algorithm": "darts", "datasets": ["digits"]}).config.model_dump(mode="json")
    assert "objective" not in new and "class_weights" not in new["finale"]["training"]
