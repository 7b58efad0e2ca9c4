"""Scores come with what unmasks them: at the end of a run, in its result, its summary, and its download's card."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score, recall_score

from search_engine.catalogue import registry
from search_engine.catalogue.config import check
from search_engine.commands import main
from search_engine.commands.scores import score_lines
from search_engine.events import ClassScores, Cost, Event, Metrics, Notice, TrialTold
from search_engine.search.budget import Meter
from search_engine.search.coordinator import Coordinator
from search_engine.search.doubts import absurd_losses, doubts, of_a_search
from search_engine.search.failures import Failures, sentences
from search_engine.search.phase_work import PhaseWork
from search_engine.search.work import WorkSpec, run_slice
from search_engine.training.by_class import Confusion, class_scores
from tests.search_engine.catalogue.small import small
from tests.small_mnist import write_labelled

RARE = [1] * 6 + [0] * 294, [1] + [0] * 59
"""Labels of the training and of the test file: two classes, one of them 2 %."""


def by_class(counts: Any, split: Any = "test", names: tuple[str, ...] = ("no", "yes")) -> ClassScores:
    counts = np.asarray(counts)
    return class_scores(np.concatenate([counts, np.zeros((len(counts), 1), dtype=counts.dtype)], axis=1), split, names)


@pytest.mark.filterwarnings("ignore:y_pred contains classes")
@pytest.mark.parametrize("seed", range(5))
def test_figures_by_class_are_those_of_scikit_learn(seed: int) -> None:
    import torch

    generator = np.random.default_rng(seed)
    truth, outputs = generator.choice([0, 1, 3], size=80), generator.normal(size=(80, 4))
    confusion = Confusion(4)
    confusion.add(torch.from_numpy(outputs[:50]), torch.from_numpy(truth[:50]))
    confusion.add(torch.from_numpy(outputs[50:]), torch.from_numpy(truth[50:]))
    found, answers = class_scores(confusion.counts, "val", "abcd"), outputs.argmax(1)
    assert found.balanced_accuracy == pytest.approx(balanced_accuracy_score(truth, answers))
    assert found.macro_f1 == pytest.approx(f1_score(truth, answers, average="macro", zero_division=0))
    assert found.recall[2] is None and [item for item in found.recall if item is not None] == pytest.approx(
        recall_score(truth, answers, labels=[0, 1, 3], average=None)
    )
    assert found.accuracy == pytest.approx((truth == answers).mean())


def test_no_better_than_the_largest_class() -> None:
    said = doubts("classification", {"test_accuracy": 0.98}, [by_class([[98, 0], [2, 0]])])
    assert said == [
        "The test accuracy 0.9800 does not exceed that of always answering 'no' (0.9800); the balanced accuracy is 0.5000.",
        "In the test part class 'yes' is never recognised.",
    ]


def test_a_part_with_one_class_says_nothing() -> None:
    """Two classes at 2 % in a small test part: an accuracy of 1.0000 without a word."""
    said = doubts("classification", {}, [by_class([[60, 0], [0, 0]])])
    assert said == [
        "The test part has no example of class 'yes': how well that is recognised is not known.",
        "The test part has one class only, 'no': an accuracy there says nothing.",
    ]


@pytest.mark.parametrize(("loss", "told"), [(0.1, False), (0.69, False), (3.4, False), (3.5, True), (115_875.0, True)])
def test_a_finite_but_absurd_loss_is_told(loss: float, told: bool) -> None:
    said = doubts("classification", {"val_loss": loss}, [by_class([[9, 1], [1, 9]], "val")])
    assert bool(said) == told and (not told or "absurd" in said[0])


def test_an_absurd_regression_is_told() -> None:
    assert doubts("regression", {"test_loss": 5.0, "test_r2": -3.9}, []) == []
    assert "absurd: 101 times" in doubts("regression", {"test_loss": 5.0, "test_r2": -100.0}, [])[0]


def test_each_of_several_data_sets_has_its_own_loss() -> None:
    metrics = {"val_loss": 4.0, "val_loss_1": 0.4, "val_loss_2": 7.6}
    (said,) = absurd_losses("classification", metrics, [10, 2])
    assert said.startswith("Validation loss on data set 2 7.6 nats is absurd")
    assert absurd_losses("classification", {**metrics, "val_loss_2": 3.4}, [10, 2]) == []


def told(tmp_path: Path, losses: list[float], **config: Any) -> list[TrialTold]:
    """What the coordinator says of trials that came back with these validation losses."""
    values = {"algorithm": "random", "space": "mlp", "datasets": ["digits"], "budget": {"trials": len(losses)}, "finale": {"baselines": 0}}
    coordinator = Coordinator(check({**values, **config}), tmp_path, tmp_path)
    outcomes: dict[str, dict[str, Any]] = {}
    found: list[TrialTold] = []
    while len(found) < len(losses):
        step = coordinator.advance(outcomes)
        found += [event.payload for event in step.events if isinstance(event.payload, TrialTold)]
        outcomes = {
            spec.source: {
                "status": "completed", "reason": "", "machine": False, "cost": Cost().model_dump(), "seconds": 0.0,
                "metrics": {"val_loss": losses[spec.index], "val_accuracy": 0.1},
            }
            for spec in step.opened
        }
    return found


def test_an_absurd_loss_of_a_trial_is_told_with_the_trial_and_in_the_summary(tmp_path: Path) -> None:
    first, second = told(tmp_path, [0.7, 115_875.0])
    assert first.warnings == [] and "warnings" not in first.model_dump(), "nothing is written where there is nothing to say"
    assert second.warnings[0].startswith("Validation loss 115,875 nats is absurd: giving all classes the same probability has 2.30.")
    assert second.model_dump()["warnings"] == second.warnings
    failures = Failures()
    for payload in (first, second):
        failures.see(Event(source="run", step=payload.number, payload=payload))
    assert failures.result()["trials_doubted"] == 1
    assert sentences(failures.result()) == ["figures that mean little in 1 of 2 trials:", f"  trial 1: {second.warnings[0]}"]
    again = Failures()
    again.load(failures.result())
    assert again.result() == failures.result()


def test_of_many_absurd_trials_a_few_are_named_and_all_are_counted() -> None:
    failures = Failures()
    for number in range(50):
        charged = {"charged_samples": 0, "charged_trials": number}
        payload = TrialTold(number=number, candidate=number, status="completed", warnings=["Absurd."], **charged)
        failures.see(Event(source="run", step=number, payload=payload))
    first, *others = sentences(failures.result())
    assert first == "figures that mean little in 50 of 50 trials:"
    assert others == [*(f"  trial {place}: Absurd." for place in range(3)), "  and others"]
    assert len(failures.result()["doubts"]) == 20


def test_a_table_s_answers_are_not_doubted(tmp_path: Path) -> None:
    coordinator = Coordinator(check({"algorithm": "random", "space": "sequence", "budget": {"trials": 1}}), tmp_path, tmp_path)
    assert coordinator.doubts({"val_loss": 1e9}) == []


@pytest.mark.parametrize(
    ("task", "values", "classes", "said"),
    [
        ("classification", {"val_loss": 60.0, "train_loss": 0.1}, [10], "Validation loss 60 nats"),
        ("classification", {"val_loss": 0.5, "train_loss": 60.0}, [10], ""),
        ("classification", {"train_loss": 60.0}, [10], "Training loss 60 nats"),
        ("classification", {"train_loss": 30.0, "train_loss_1": 0.5, "train_loss_2": 60.0}, [10, 2], "Training loss on data set 2 60 nats"),
        ("classification", {"train_loss": 60.0}, [2, 10], "Training loss 60 nats"),
        ("classification", {"train_loss": 8.0}, [2, 10], ""),
        ("regression", {"val_loss": 9.0, "val_r2": -100.0}, [1], "Validation loss 9"),
        ("regression", {"val_loss": 2.6}, [1], "Validation loss 2.6 is absurd: 5.2 times that of always answering the mean."),
        ("regression", {"val_loss": 2.4}, [1], ""),
        ("regression", {"val_loss": 2.6, "val_r2": 0.5}, [1], ""),
        ("classification", {"elbo": -1e9}, [10], ""),
    ],
)  # fmt: skip
def test_a_search_by_steps_is_doubted_by_its_validation_loss_or_its_training_loss(
    task: str, values: dict[str, float], classes: list[int], said: str
) -> None:
    found = of_a_search(task, values, classes, 0.5)
    assert (len(found), "".join(found)[: len(said)]) == (bool(said), said)


EXPLODING: dict[str, dict[str, Any]] = {
    "darts": {"space": "primitives_sum", "options": {"steps": 20, "learning_rate": 10.0, "gradient_clip": 0.0}},
    "multipath": {"options": {"steps": 6, "learning_rate": 10.0, "gradient_clip": 0.0}},
    "lottery_ticket": {"options": {"learning_rate": 10.0}},
}
"""By algorithm, with what its losses soon are finite and absurd: a regression that reports no r2, two data sets of which the training loss
alone is reported, networks that a search trains itself."""


@pytest.mark.parametrize("algorithm", sorted(EXPLODING))
def test_an_absurd_loss_of_a_search_by_steps_is_told_once_also_after_a_checkpoint(algorithm: str, tmp_path: Path) -> None:
    changed = EXPLODING[algorithm]
    values = small(algorithm, changed.get("space") or registry.spaces_for(registry.algorithm(algorithm))[0].id) | {"structure_every": 1}
    checked = check({**values, "options": {**values["options"], **changed["options"]}})
    spec = WorkSpec(kind="phase", index=0, arguments={"charged": Meter(checked.budget).state_dict()})
    work = PhaseWork(spec, checked, tmp_path, tmp_path)
    said: list[Notice] = []
    absurd = 0
    while not work.finished:
        for event in run_slice(work, 0.0):
            if isinstance(event.payload, Notice) and event.payload.name == "doubt":
                said.append(event.payload)
            if isinstance(event.payload, Metrics):
                absurd += any(name.endswith("loss") and value > 3 for name, value in event.payload.values.items())
        state, work = work.state_dict(), PhaseWork(spec, checked, tmp_path, tmp_path)
        work.load_state_dict(state)
    assert absurd > 1 and len(said) == 1 and " is absurd: " in said[0].message
    failures = Failures()
    failures.see(Event(source="phase:0", step=1, payload=said[0]))
    assert sentences(failures.result()) == [said[0].message]


def result_of(data: Path, out: Path, monkeypatch: pytest.MonkeyPatch, *more: str) -> dict[str, Any]:
    monkeypatch.setenv("NASCOPE_DATA", str(data))
    labels = ["--set", "data.labels=[0, 1]"]
    small = ["--set", "finale.onnx=false", "--set", "finale.redundancy=false"]
    where = ["--algorithm", "random", "--space", "mlp", "--dataset", "mnist", "--budget", "trials=1", "--out", str(out)]
    assert main(["run", *where, *labels, *small, "--set", "space.epochs_divisor=10", *more]) == 0
    return json.loads((out / "result.json").read_text())  # type: ignore[no-any-return]


def test_two_classes_at_two_per_cent_from_the_files_to_the_card(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_labelled(tmp_path / "data", *RARE)
    result = result_of(data, tmp_path / "run", monkeypatch)
    (sentence,) = result["data_warnings"]
    assert "98 % of the examples are '0', 2 % are '1'" in sentence
    (best,) = result["best"]
    assert best["scores"]["test"]["metric"] == "test_accuracy"
    assert {item["split"]: item["majority_share"] for item in best["by_class"]}["test"] == pytest.approx(59 / 60)
    assert best["metrics"]["test_balanced_accuracy"] <= best["metrics"]["test_accuracy"]
    assert sentence in best["warnings"] and any("does not exceed that of always answering '0'" in item for item in best["warnings"])
    said, before = capsys.readouterr()
    assert f"note on the data: {sentence}" in before, "said before the start"
    assert sentence in said and "balanced accuracy" in said and "note: " in said
    assert all(line in said for line in score_lines(best))
    card = (tmp_path / "run" / "model" / "MODEL_CARD.md").read_text()
    assert sentence in card and "balanced accuracy" in card and "always answering '0' has 0.9833" in card
    manifest = json.loads((tmp_path / "run" / "model" / "manifest.json").read_text())
    assert manifest["warnings"] == best["warnings"] and manifest["by_class"] == best["by_class"]
    assert manifest["scores"] == {kind: item for kind, item in best["scores"].items() if item}
    events = [json.loads(line) for line in (tmp_path / "run" / "events.jsonl").read_text().splitlines()]
    assert [item["data"]["message"] for item in events if item["kind"] == "notice" and item["data"]["name"] == "data"] == [sentence]


def test_images_that_are_all_the_same_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = write_labelled(tmp_path / "data", [0, 1] * 100, [0, 1] * 20, blank=True)
    result = result_of(data, tmp_path / "run", monkeypatch, "--set", "finale.export=false")
    assert result["data_warnings"][0] == "Every training input is the same: nothing can be learnt from the inputs."
    assert any("stand in the training part too: on them the test says little" in item for item in result["best"][0]["warnings"])


def test_check_says_it_without_a_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    data = write_labelled(tmp_path, *RARE)
    monkeypatch.setenv("NASCOPE_DATA", str(data))
    where = ["--algorithm", "random", "--space", "mlp", "--dataset", "mnist", "--set", "data.labels=[0, 1]"]
    assert main(["check", *where, "--budget", "trials=1"]) == 0
    said, notes = capsys.readouterr()
    first, *units = said.splitlines()
    assert first == "random on mnist, mlp, seed 0: could be started"
    wanted = ["one step of a trial", "one step of the final training", "one download that is written"]
    assert [unit.partition(":")[0] for unit in units] == wanted
    assert "note on the data: The classes are unequal: 98 % of the examples are '0', 2 % are '1'." in notes
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mnist"], "nothing was written"
    assert main(["check", *where]) == 2 and "budget" in capsys.readouterr().err
    assert main(["check", "--algorithm", "random", "--space", "mlp", "--dataset", "digits", "--budget", "trials=1"]) == 0
    assert "note on the data" not in capsys.readouterr().err
