"""A finalist that is trained several times, on more than the training part, or as an ensemble (`search.several_work`)."""

from __future__ import annotations

import json
import math
import random
import shutil
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from search_engine.base.errors import BadInput
from search_engine.catalogue.config import FinaleConfig, RunConfig, check, check_new
from search_engine.catalogue.idle import said
from search_engine.commands import main
from search_engine.datasets.base import Part
from search_engine.datasets.both_parts import both_parts
from search_engine.search import final_work
from search_engine.search.final_work import FinalWork
from search_engine.search.forecast import Plan, Profile, Situation, work_left
from search_engine.search.forecast.known import Known
from search_engine.search.forecast.parts import Piece
from search_engine.search.local_run import LocalRun
from search_engine.search.open_work import open_work
from search_engine.search.resources import Resources
from search_engine.search.several_work import SeveralWork, chosen_by, over_seeds
from search_engine.search.work import WorkSpec
from tests.search_engine import toys

TRAINING = {"epochs": 2, "batch_size": 32}


def config(dataset: str = "wine", **finale: Any) -> dict[str, Any]:
    """A small network of the plain space, finished so."""
    given = {"baselines": 0, "onnx": False, "redundancy": False, **finale, "training": {**TRAINING, **finale.get("training", {})}}
    return {"algorithm": "given_architecture", "space": "plain", "datasets": [dataset], "seed": 3, "finale": given}


def run(out: Path, **finale: Any) -> dict[str, Any]:
    result = LocalRun(check(config(**finale)), out, out).run()
    assert result["status"] == "completed", result["reason"]
    return result


def metrics(result: dict[str, Any]) -> dict[str, float]:
    found: dict[str, float] = result["best"][0]["metrics"]
    return found


def model_events(out: Path) -> list[dict[str, Any]]:
    rows = [json.loads(row) for row in (out / "events.jsonl").read_text().splitlines()]
    return [row["data"] for row in rows if row["kind"] == "model"]


def digests(folder: Path) -> dict[str, str]:
    files: dict[str, str] = json.loads((folder / "manifest.json").read_text())["files"]
    return files


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("three")
    return out, run(out, seeds=3)


@pytest.fixture(scope="module")
def ensemble(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("ensemble")
    return out, run(out, seeds=2, ensemble=True)


def final(checked: Any, folder: Path) -> FinalWork:
    """The finalist's work, begun."""
    genome = Resources(checked, folder).space.sample(random.Random(0))
    arguments = {"genome": genome.to_json(), "finish": "retrain", "role": "finalist", "value": None, "search": [], "domains": [0]}
    work = open_work(checked, WorkSpec(kind="final", index=0, arguments=arguments), folder, folder)
    assert isinstance(work, FinalWork)
    with work.generators.active():
        work.begin()
    return work


def test_each_training_is_the_same_however_many_there_are(three: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    found = metrics(three[1])
    assert metrics(run(tmp_path / "one", export=False))["test_accuracy"] == found["test_accuracy_seed_1"]
    two = metrics(run(tmp_path / "two", seeds=2, export=False))
    for name in ("val_accuracy_seed_1", "val_accuracy_seed_2", "test_accuracy_seed_1", "test_accuracy_seed_2"):
        assert two[name] == found[name]
    assert len({found[f"val_accuracy_seed_{place}"] for place in (1, 2, 3)}) > 1, "different seeds give different networks"


def test_the_scores_of_all_stand_beside_that_of_the_model(three: tuple[Path, dict[str, Any]]) -> None:
    out, result = three
    found = metrics(result)
    tested = [found[f"test_accuracy_seed_{place}"] for place in (1, 2, 3)]
    assert found["test_accuracy_seeds_mean"] == statistics.fmean(tested)
    assert found["test_accuracy_seeds_se"] == pytest.approx(statistics.stdev(tested) / math.sqrt(3))
    validated = [found[f"val_accuracy_seed_{place}"] for place in (1, 2, 3)]
    best = validated.index(max(validated))
    assert (found["val_accuracy"], found["test_accuracy"]) == (validated[best], tested[best])
    [said_of_it] = model_events(out)
    assert said_of_it["visits"] == 3, "each network is one visit"
    scores = {score["kind"]: score for score in said_of_it["scores"]}
    assert scores["validation"]["selected_from"] == 3 and scores["test"]["selected_from"] == 1
    assert "the best by validation of 3 trainings" in scores["test"]["fidelity"]["text"]
    card = (out / "model" / "MODEL_CARD.md").read_text()
    assert "trained 3 times from different seeds, and this is the one with the best validation score" in card


def test_nothing_of_the_test_part_chooses(
    three: tuple[Path, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With other test labels the test scores are others, and the model is the same; and no test part is opened before all are trained."""
    opened: list[int] = []
    real = final_work.open_test

    def shuffled(dataset: Any) -> Part:
        part = real(dataset)
        opened.append(len(members))
        return Part(part.inputs, np.roll(part.labels, 7), part.indices)

    members: list[Any] = []
    trained = SeveralWork._trained

    def counted(work: SeveralWork, trainer: Any) -> None:
        trained(work, trainer)
        members.append(work.members[-1])

    monkeypatch.setattr(final_work, "open_test", shuffled)
    monkeypatch.setattr(SeveralWork, "_trained", counted)
    other = run(tmp_path, seeds=3)
    assert metrics(other)["test_accuracy_seeds_mean"] != metrics(three[1])["test_accuracy_seeds_mean"]
    assert digests(tmp_path / "model")["model.safetensors"] == digests(three[0] / "model")["model.safetensors"]
    assert opened and set(opened) == {3}
    with pytest.raises(ValueError, match="no figure of the validation part"):
        chosen_by("test_accuracy", [{"test_accuracy": 1.0}])


def test_the_best_by_validation_is_chosen_and_of_equals_the_first() -> None:
    assert chosen_by("val_accuracy", [{"val_accuracy": 0.5}, {"val_accuracy": 0.8}, {"val_accuracy": 0.8}]) == 1
    assert chosen_by("val_accuracy", [{}, {}]) == 0
    assert over_seeds("test_r2", [0.25]) == {"test_r2_seed_1": 0.25, "test_r2_seeds_mean": 0.25}




def test_an_ensemble_answers_with_the_mean_of_its_networks_probabilities(ensemble: tuple[Path, dict[str, Any]]) -> None:
    """By hand, from the download alone, in a process that knows nothing else: evaluate.py repeats the score, too."""
    import torch

    from search_engine.bundle.export import _rebuild

    out, result = ensemble
    folder, found = out / "model", metrics(result)
    from safetensors.torch import load_file

    network: Any = _rebuild((folder / "model.py").read_text(), load_file(folder / "model.safetensors"))
    checked = check(config(seeds=2, ensemble=True))
    resources = Resources(checked, out)
    from search_engine.training.batches import DevicePart

    samples: Any = resources.dataset
    test = samples.prepared(final_work.open_test(samples), resources.search_data)
    part = DevicePart(test, resources.search_data.preprocessing, "cpu")
    with torch.no_grad():
        inputs = part.normalise(part.raw)
        each = [member(inputs).double().softmax(1) for member in network.members]
        answers = network(inputs).double().softmax(1)
    assert len(each) == 2 and not torch.equal(each[0], each[1])
    by_hand = (each[0] + each[1]) / 2
    assert torch.allclose(answers, by_hand, atol=1e-6)
    right = (by_hand.argmax(1).numpy() == test.labels).mean()
    assert right == pytest.approx(found["test_accuracy"], abs=1e-12)
    for place, own in enumerate(each, start=1):
        assert (own.argmax(1).numpy() == test.labels).mean() == pytest.approx(found[f"test_accuracy_seed_{place}"], abs=1e-12)
    said_of_it = model_events(out)[0]
    assert said_of_it["visits"] == 3, "two networks and the ensemble"
    assert "val_accuracy" in found and said_of_it["parameters"] == sum(item.numel() for item in network.parameters())
    process = subprocess.run(
        [sys.executable, "evaluate.py"], cwd=folder, capture_output=True, text=True, check=True, env={"PATH": ""}, timeout=120
    )
    assert f"{found['test_accuracy']:.4f}"[:5] in process.stdout


def test_an_ensemble_is_as_large_and_as_slow_as_its_networks_together(
    ensemble: tuple[Path, dict[str, Any]], three: tuple[Path, dict[str, Any]]
) -> None:
    one, both = model_events(three[0])[0], model_events(ensemble[0])[0]
    assert (both["parameters"], both["flops"]) == (2 * one["parameters"], 2 * one["flops"])
    from search_engine.bundle.reopened import reopen

    with pytest.raises(BadInput, match="an ensemble of 2 networks"):
        reopen(ensemble[0] / "model")
    assert reopen(three[0] / "model").config.space == "plain"


def test_the_architecture_of_a_download_is_read_also_of_an_ensemble(
    ensemble: tuple[Path, dict[str, Any]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From its folder, and from a zip of it; trained as the words say."""
    folder = ensemble[0] / "model"
    assert main(["architecture", str(folder)]) == 0
    assert f"hash: {model_events(ensemble[0])[0]['genome_hash']}" in capsys.readouterr().out
    zipped = shutil.make_archive(str(tmp_path / "model"), "zip", folder.parent, "model")
    words = ["--train", "--dataset", "wine", "--epochs", "1", "--seeds", "2", "--train-on", "train_and_validation"]
    words += ["--out", str(tmp_path / "out")]
    settings = [word for name in ("baselines=0", "export=false") for word in ("--set", f"finale.{name}")]
    assert main(["architecture", zipped, *words, *settings]) == 0
    said_of_it = capsys.readouterr().out
    assert "test accuracy of 2 trainings: mean" in said_of_it and "on the training and the validation part" in said_of_it


def test_kills_between_any_commits_change_no_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After every few units the process is gone before the next commit: what goes on is read from the file. That a kill while a bundle is
    written changes nothing, `test_finale` shows."""
    asked: dict[str, Any] = {"seeds": 3, "ensemble": True, "export": False}
    undisturbed = run(tmp_path / "whole", **asked)
    real, begun = LocalRun._commit, {"commits": 0}
    stages: set[tuple[str, int, int]] = set()

    def killed(local: LocalRun) -> None:
        begun["commits"] += 1
        if begun["commits"] % 4 == 0:
            if isinstance(local.work, SeveralWork):
                stages.add((local.work.stage, len(local.work.members), len(local.work.tested)))
            raise KeyboardInterrupt
        real(local)

    monkeypatch.setattr(LocalRun, "_commit", killed)
    checked, out = check(config(**asked)), tmp_path / "killed"
    resume, result = False, None
    while result is None:
        try:
            result = LocalRun(checked, out, out, resume=resume, slice_seconds=0).run()
        except KeyboardInterrupt:
            resume = True
    assert {("finish", place) for place in range(3)} <= {stage[:2] for stage in stages}, "in every training"
    assert len({tested for stage, _, tested in stages if stage == "test"}) > 1, "and between tests"
    assert metrics(result) == metrics(undisturbed)
    assert toys.science(out / "events.jsonl") == toys.science(tmp_path / "whole" / "events.jsonl")


def test_both_parts_are_trained_on_and_the_test_part_never(tmp_path: Path) -> None:
    checked = check(config(train_on="train_and_validation"))
    resources = Resources(checked, tmp_path)
    data, samples = resources.search_data, resources.dataset
    work = final(checked, tmp_path)
    used = work._data
    wanted = [*data.train.indices.tolist(), *data.validation.indices.tolist()]
    assert used.train.indices.tolist() == wanted and len(used.validation) == 0
    test = final_work.open_test(samples)  # type: ignore[arg-type]
    assert not set(wanted) & set(test.indices.tolist())
    assert work.trainer is not None
    [domain] = work.trainer._domains
    assert len(domain._train) == len(wanted)
    raw = domain._train.raw.numpy()
    assert np.array_equal(raw, np.concatenate([data.train.inputs, data.validation.inputs]))
    assert both_parts(data).preprocessing == data.preprocessing, "fitted to the training part, as before"


def test_without_a_validation_part_there_is_one_score_and_nothing_is_studied(tmp_path: Path) -> None:
    result = run(tmp_path, train_on="train_and_validation", seeds=2, redundancy=True)
    found = metrics(result)
    assert not [name for name in found if name.startswith("val_")]
    [said_of_it] = model_events(tmp_path)
    assert [score["kind"] for score in said_of_it["scores"]] == ["test"]
    assert "on the training and the validation part, number 1 of 2" in said_of_it["scores"][0]["fidelity"]["text"]
    assert found["test_accuracy"] == found["test_accuracy_seed_1"], "the first, whatever its test score"
    manifest = json.loads((tmp_path / "model" / "manifest.json").read_text())
    assert manifest["dataset"]["validation_examples"] == 0
    assert manifest["retraining"] == {"train_on": "train_and_validation", "seeds": 2, "ensemble": False}
    kinds = [json.loads(row)["kind"] for row in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert "report" not in kinds and "notice" not in kinds


def test_what_is_not_asked_for_is_not_written() -> None:
    assert not {"train_on", "seeds", "ensemble"} & set(FinaleConfig().model_dump())
    assert FinaleConfig(seeds=2).model_dump()["seeds"] == 2
    before = RunConfig(algorithm="darts").model_dump(mode="json")["finale"]
    assert set(before) == {"finalists", "baselines", "export", "onnx", "redundancy", "seconds", "training"}
    assert RunConfig.model_validate(RunConfig(algorithm="darts", finale={"seeds": 4}).model_dump()).finale.seeds == 4  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({"algorithm": "wann", "finale": {"seeds": 2}}, "finale.seeds", "its finale trains nothing"),
        ({"algorithm": "ard", "finale": {"train_on": "train_and_validation"}}, "finale.train_on", "its finale trains nothing"),
        ({"algorithm": "lottery_ticket", "finale": {"seeds": 2}}, "finale.seeds", "a mask over its own first weights"),
        ({"algorithm": "multipath", "finale": {"seeds": 2}}, "finale.seeds", "several data sets"),
        ({"algorithm": "random", "space": "nb201", "datasets": ["nb201_cifar10"], "budget": {"trials": 2}, "finale": {"seeds": 2}},
         "finale.seeds", "a table or a formula answers"),
        (config(train_on="train_and_validation", training={"early_stop": 2}), "finale.training.early_stop", "none is left"),
        (config(train_on="train_and_validation", training={"train_examples": 20}), "finale.training.train_examples", "leaves examples out"),
        (config(seeds=11), "finale.seeds", "less than or equal to 10"),
    ],
)
def test_what_cannot_work_is_said_before_the_start(given: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(BadInput) as error:
        check_new(given)
    assert error.value.field == field and words in error.value.message


def test_an_ensemble_of_one_is_said_to_be_none() -> None:
    assert said(check(config(ensemble=True))) == ["finale.ensemble has no effect: it needs seeds other than 1."]
    assert not isinstance(_opened(check(config(ensemble=True))), SeveralWork)
    assert isinstance(_opened(check(config(seeds=2))), SeveralWork)


def _opened(checked: Any) -> FinalWork:
    arguments = {"genome": Resources(checked, Path()).space.sample(random.Random(0)).to_json(), "finish": "retrain",
                 "role": "finalist", "value": None, "search": [], "domains": [0]}
    work = open_work(checked, WorkSpec(kind="final", index=0, arguments=arguments), Path(), Path())
    assert isinstance(work, FinalWork)
    return work


def test_the_forecast_counts_every_training() -> None:
    one, four = Plan.of(check(config())), Plan.of(check(config(seeds=4)))
    done = Situation([Piece("final:0", True, 9.0, spent={"finish": 8.0, "test": 1.0}, stage="done")], finale=True, over=True)
    known = Known(one, [Profile.of(one, done)])
    now = Situation([Piece("final:0")], finale=True)
    left = {plan.seeds: sum(item.seconds for item in work_left(plan, now, known) or []) for plan in (one, four)}
    later = left[1] - 8.0
    assert left[4] == pytest.approx(4 * 8.0 + later, rel=0.2)
    longer = Piece("final:0", True, 33.0, spent={"finish": 32.0}, stage="done")
    again = Known(four, [Profile.of(four, Situation([longer], finale=True, over=True))])
    assert again.finish(True) == pytest.approx(known.finish(True)), "what is learnt is of one training"
