"""The table of metrics against scikit-learn, on random answers and where something is not defined."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sk

from search_engine.base.measures import MEASURES
from search_engine.scoring.class_weights import balanced
from search_engine.scoring.metrics import METRICS, OBJECTIVES, of_task, with_ranked
from search_engine.scoring.rules import RULES, measure


def softmax(outputs: np.ndarray) -> np.ndarray:
    shifted = np.exp(outputs - outputs.max(1, keepdims=True))
    return np.asarray(shifted / shifted.sum(1, keepdims=True))


@pytest.mark.parametrize("classes", [2, 3, 7])
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("rounded", [False, True], ids=["distinct", "ties"])
def test_classes_are_measured_as_scikit_learn_does(classes: int, seed: int, rounded: bool) -> None:
    rng = np.random.default_rng(seed)
    targets = np.concatenate([np.arange(classes), rng.choice(classes, 90, p=rng.dirichlet(np.ones(classes)))])
    outputs = rng.normal(size=(len(targets), classes)) + 1.5 * np.eye(classes)[targets] * rng.random((len(targets), 1))
    outputs = outputs.round(0) if rounded else outputs
    found = measure("classification", outputs, targets).values
    answered, given = outputs.argmax(1), softmax(outputs).round(12)
    assert found == pytest.approx({
        "accuracy": sk.accuracy_score(targets, answered),
        "balanced_accuracy": sk.balanced_accuracy_score(targets, answered),
        "macro_f1": sk.f1_score(targets, answered, average="macro", zero_division=0),
        "auc": sk.roc_auc_score(targets, given[:, 1]) if classes == 2 else sk.roc_auc_score(targets, given, multi_class="ovr"),
        "log_loss": sk.log_loss(targets, softmax(outputs), labels=range(classes)),
    }, rel=1e-9)  # fmt: skip


@pytest.mark.parametrize("values", [1, 3])
@pytest.mark.parametrize("seed", range(5))
def test_values_are_measured_as_scikit_learn_does(values: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    targets = rng.normal(size=(50, values)) * np.arange(1, values + 1)
    outputs = targets + rng.normal(size=targets.shape)
    assert measure("regression", outputs, targets).values == pytest.approx({
        "r2": sk.r2_score(targets, outputs, multioutput="variance_weighted"),
        "rmse": np.sqrt(sk.mean_squared_error(targets, outputs)),
        "mae": sk.mean_absolute_error(targets, outputs),
    })  # fmt: skip


def test_a_class_that_never_occurs_leaves_the_auc_out_with_its_reason_and_the_others_as_they_are() -> None:
    rng = np.random.default_rng(3)
    targets, outputs = rng.choice([0, 2], 40), rng.normal(size=(40, 3))
    found = measure("classification", outputs, targets, ("a", "b", "c"))
    assert found.absent == {"auc": "'b' has no example"} and "auc" not in found.values
    answered = outputs.argmax(1)
    with pytest.warns(UserWarning, match="y_pred contains classes not in y_true"):
        assert found.values["balanced_accuracy"] == pytest.approx(sk.balanced_accuracy_score(targets, answered))
    assert found.values["macro_f1"] == pytest.approx(sk.f1_score(targets, answered, average="macro", zero_division=0))


def test_always_the_same_answer_has_an_auc_of_one_half_and_not_of_zero() -> None:
    found = measure("classification", np.zeros((6, 2)), np.array([0, 0, 0, 0, 0, 1])).values
    assert (found["auc"], found["accuracy"], found["balanced_accuracy"]) == (0.5, 5 / 6, 0.5)
    assert found["log_loss"] == pytest.approx(np.log(2))


def test_what_is_not_defined_is_absent_with_its_reason() -> None:
    one = measure("classification", np.zeros((3, 1)), np.zeros(3, dtype=np.int64), ("only",))
    assert one.absent == {"auc": "there is one class only"} and one.values["accuracy"] == 1
    assert measure("regression", np.ones((3, 1)), np.ones((3, 1))).absent == {"r2": "the targets are all the same"}
    sure = measure("classification", np.array([[0.0, -np.inf], [0.0, 1.0]]), np.array([1, 0]))
    assert sure.absent == {"log_loss": "what occurs was given probability 0"}
    nothing = measure("classification", np.full((2, 2), np.nan), np.array([0, 1]))
    assert set(nothing.absent) == {metric.name for metric in of_task("classification")}
    assert measure("regression", np.zeros((0, 1)), np.zeros((0, 1))).absent["mae"] == "there is no example"
    assert measure("regression", np.full((2, 1), 1e200), np.zeros((2, 1))).absent["rmse"] == "the answers are too large to be measured"


def test_a_network_may_have_more_outputs_than_there_are_classes() -> None:
    outputs = np.array([[3.0, 0.0, 9.0], [3.0, 0.0, 0.0], [0.0, 3.0, 0.0]])
    found = measure("classification", outputs, np.array([0, 0, 1]), ("a", "b")).values
    assert found["accuracy"] == 2 / 3 and found["balanced_accuracy"] == 0.75
    assert found["macro_f1"] == pytest.approx((2 / 3 + 1) / 2)


def test_the_table_is_whole_and_what_should_be_small_is_ranked_by_its_negative() -> None:
    assert tuple(METRICS) == OBJECTIVES
    assert {task: list(rules) for task, rules in RULES.items()} == {task: [metric.name for metric in of_task(task)] for task in RULES}
    for metric in METRICS.values():
        assert MEASURES[metric.ranked].direction == "maximise" and MEASURES[metric.ranked].unit == metric.measure.unit
    assert with_ranked({"mae": 3.0}, "mae")["neg_mae"] == -3.0
    assert with_ranked({"auc": 0.7}, "auc") == {"auc": 0.7}


def test_weights_are_those_of_scikit_learn() -> None:
    from sklearn.utils.class_weight import compute_class_weight

    labels = np.random.default_rng(0).choice(4, 200, p=[0.7, 0.2, 0.09, 0.01])
    assert balanced(labels, 4) == pytest.approx(compute_class_weight("balanced", classes=np.arange(4), y=labels))
    assert balanced(np.array([0, 2]), 3).tolist() == [1, 0, 1]
