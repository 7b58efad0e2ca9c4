"""What the finale trains by: the entry's recipe, written into a new run; single fields replaced; what that means, said before and after."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from search_engine.base.errors import BadInput
from search_engine.base.training_config import TrainingChanges, TrainingConfig
from search_engine.catalogue import registry
from search_engine.catalogue.advice import advice
from search_engine.catalogue.config import check, check_new
from search_engine.catalogue.recipes import HOUSE, changes, overridden, recipe, sentences, what_it_does
from search_engine.search import final_work
from search_engine.search.local_run import LocalRun

ALGORITHMS = sorted(registry.algorithms())


def config(algorithm: str, **more: Any) -> dict[str, Any]:
    """Of a run on samples."""
    trials = "trials" in registry.algorithm(algorithm).needs
    return {"algorithm": algorithm, **({"budget": {"trials": 5}} if trials else {}), **more}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_new_run_says_how_it_is_finished(algorithm: str) -> None:
    """Whole, so that a later version's recipe changes nothing; and what is written is the recipe itself."""
    new = check_new(config(algorithm))
    given = new.config.finale.training.given
    written = set(TrainingConfig.model_fields) - {"class_weights"}
    assert set(given) == (written if new.finishes else set()), "weights of classes are written where there are any"
    again = check(new.config.model_dump(mode="json"))
    assert again.finale_training == new.finale_training == recipe(new)
    assert changes(again) == {}
    assert what_it_does(new.algorithm) in sentences(new)[0]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_completed_config_is_a_config(algorithm: str) -> None:
    """Whatever it says that does nothing there: who takes it from a run gets the same run."""
    entry, tried = registry.algorithm(algorithm), 0
    for space in registry.spaces_for(entry):
        fitting = registry.datasets_for(entry, space)
        for dataset in {(item.input_kind, item.task, item.provides): item for item in reversed(fitting)}.values():
            values = config(algorithm, space=space.id, datasets=[dataset.id] * entry.domains.least)
            if entry.domains.least > 1:
                del values["datasets"]
            new = check_new(values)
            assert check_new(new.config.model_dump(mode="json")).config == new.config, (space.id, dataset.id)
            tried += 1
    assert tried


@pytest.mark.parametrize(
    ("given", "trials", "finale"),
    [
        ({"algorithm": "random", "space": "macro_1d", "datasets": ["basic_motions_1d"]}, 50, 200),
        ({"algorithm": "random", "space": "macro_1d", "datasets": ["japanese_vowels_1d"]}, 13, 50),
        ({"algorithm": "random", "space": "macro_1d", "datasets": ["basic_motions_1d"], "training": {"epochs": 3}}, 3, 200),
        ({"algorithm": "random", "space": "macro_1d", "datasets": ["basic_motions_1d"], "training": {"steps": 9}}, 3, 12),
        ({"algorithm": "random", "space": "plain", "datasets": ["wine"]}, 3, 12),
    ],
)
def test_few_examples_are_passed_often_where_nobody_says_how_often(given: dict[str, Any], trials: int, finale: int) -> None:
    new = check_new({**given, "budget": {"trials": 5}})
    assert (new.config.training.epochs, new.finale_training.epochs) == (trials, finale)
    assert any("few examples" in sentence for sentence in advice(new)) == (finale > HOUSE.epochs)


@pytest.mark.parametrize("algorithm", ["darts", "random", "lottery_ticket"])
def test_classes_that_the_search_weighs_its_finale_weighs_too(algorithm: str) -> None:
    weighted = {"class_weights": "balanced"}
    new = check_new(config(algorithm, training=weighted))
    assert recipe(new).class_weights == new.finale_training.class_weights == new.config.finale.training.given["class_weights"] == "balanced"
    plain = check_new(config(algorithm, training=weighted, finale={"training": {"class_weights": "none"}}))
    again = check(plain.config.model_dump(mode="json"))
    assert plain.finale_training.class_weights == again.finale_training.class_weights == "none"
    assert changes(again) == {"class_weights": ("balanced", None)}


@pytest.mark.parametrize("algorithm", ["lottery_ticket", "darts", "random", "variational"])
def test_one_field_of_the_recipe_can_be_replaced(algorithm: str) -> None:
    new = check_new(config(algorithm, finale={"training": {"learning_rate": 0.02}}))
    assert new.finale_training.model_dump() == {**recipe(new).model_dump(), "learning_rate": 0.02}
    (said,) = [sentence for sentence in advice(new) if "recipe" in sentence]
    assert "learning_rate 0.02 instead of" in said and new.algorithm.other_recipe in said
    assert said in sentences(new), "the run's page says it too"


def test_the_ticket_s_recipe_is_that_of_a_round() -> None:
    options = {"steps": 40, "rewind_step": 4, "optimizer": "sgd", "learning_rate": 0.1, "momentum": 0.5, "weight_decay": 1e-3}
    found = recipe(check(config("lottery_ticket", options=options)))
    assert found == TrainingConfig(
        steps=36, epochs=12, batch_size=60, optimizer="sgd", learning_rate=0.1, final_learning_rate=0.1, momentum=0.5, weight_decay=1e-3,
        gradient_clip=0, augment="none",
    )


def test_a_length_in_epochs_replaces_one_in_steps() -> None:
    assert check(config("lottery_ticket", finale={"training": {"epochs": 2}})).finale_training.steps == 0


def test_a_search_by_trials_finishes_as_it_tried() -> None:
    """Not by another optimiser than the one under which the candidate was the best; longer, and on everything."""
    training = {"optimizer": "adam", "learning_rate": 0.002, "augment": "none", "train_examples": 128, "channels": 4}
    found = recipe(check(config("random", training=training)))
    assert (found.optimizer, found.learning_rate, found.augment, found.epochs) == ("adam", 0.002, "none", 12)
    assert (found.train_examples, found.channels) == (0, 0)
    assert recipe(check(config("random", training={"epochs": 40}))).epochs == 40
    assert recipe(check(config("random"))) == HOUSE


def test_a_recipe_that_does_not_fit_is_refused_by_its_field() -> None:
    with pytest.raises(BadInput) as caught:
        check(config("darts", finale={"training": {"learning_rate": -1}}))
    assert caught.value.field == "finale.training.learning_rate"


def test_the_changes_are_made_from_the_training_itself() -> None:
    assert list(TrainingChanges.model_fields) == list(TrainingConfig.model_fields)
    assert TrainingChanges().given == {}


def test_all_entrants_are_trained_by_the_one_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ticket, its re-initialised mask and the dense network."""
    seen: list[TrainingConfig] = []
    trainer = final_work.FinalWork._make_trainer

    def spy(self: Any, network: Any, training: TrainingConfig) -> Any:
        seen.append(training)
        return trainer(self, network, training)

    monkeypatch.setattr(final_work.FinalWork, "_make_trainer", spy)
    quick = registry.algorithm("lottery_ticket").quick
    values = {"algorithm": "lottery_ticket", **quick, "options": {**quick["options"], "controls": []}}
    checked = check_new({**values, "finale": {"export": False, "redundancy": False}})
    LocalRun(checked, tmp_path, tmp_path).run()
    assert len(seen) == 3 and set(map(repr, seen)) == {repr(recipe(checked))}


@pytest.mark.parametrize("algorithm", ["lottery_ticket", "darts"])
def test_the_result_says_which_fields_of_the_recipe_a_person_replaced(algorithm: str, tmp_path: Path) -> None:
    quick = registry.algorithm(algorithm).quick
    finale = {**quick["finale"], "export": False, "redundancy": False, "baselines": 0}
    checked = check_new({"algorithm": algorithm, **quick, "finale": {**finale, "training": {"epochs": 1, "learning_rate": 0.02}}})
    LocalRun(checked, tmp_path, tmp_path).run()
    said = json.loads((tmp_path / "result.json").read_text())["other_recipe"]
    own = recipe(checked)
    assert said["fields"]["learning_rate"] == {"own": own.learning_rate, "used": 0.02}
    assert said["fields"]["epochs"]["used"] == 1
    assert set(said["fields"]) == {"epochs", "learning_rate"} | ({"steps"} if own.steps else set())
    assert said["meaning"] == next(sentence for sentence in sentences(checked) if "recipe has it" in sentence)
    assert checked.algorithm.other_recipe in said["meaning"]


@pytest.mark.parametrize("algorithm", ["darts", "evidence"])
def test_a_finale_by_the_method_s_own_recipe_says_nothing_of_another(algorithm: str) -> None:
    assert overridden(check_new(config(algorithm))) is None
