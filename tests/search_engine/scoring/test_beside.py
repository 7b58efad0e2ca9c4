"""What stands beside a score: simple models against scikit-learn's own, figures by class, mistakes, and the words."""

from __future__ import annotations

import base64
from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics as sk
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from search_engine.datasets.base import Part, SearchData
from search_engine.datasets.transformation import TargetRule, Transformation
from search_engine.scoring import simple_models as simple
from search_engine.scoring.assessing import Given, assess
from search_engine.scoring.class_table import MOST_CLASSES, class_figures, confusion_table
from search_engine.scoring.mistakes import MOST, thumbnail, worst
from search_engine.search.doubts import beside_simple_models
from search_engine.spaces.data_shape import DataShape, Preprocessing

NAMES = ("no", "yes")


def part(inputs: np.ndarray, labels: np.ndarray) -> Part:
    return Part(inputs=inputs.astype(np.float32), labels=labels, indices=1000 + np.arange(len(labels)))


def classes(seed: int = 0, count: int = 400, share: float = 0.1, number: int = 2) -> SearchData:
    rng = np.random.default_rng(seed)

    def own() -> Part:
        labels = rng.choice(number, count, p=[1 - share, *[share / (number - 1)] * (number - 1)])
        return part(rng.normal(size=(count, 5)) * 3 + labels[:, None], labels)

    names = NAMES if number == 2 else tuple(map(str, range(number)))
    return SearchData("planted", DataShape((5,), number), own(), own(), Preprocessing(1.0, (0.0,) * 5, (1.0,) * 5), names)


@pytest.mark.parametrize("number", [2, 3])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_logistic_regression_is_that_of_scikit_learn(number: int, weighted: bool) -> None:
    data = classes(number=number)
    own = simple.simple_models(data, weighted=weighted)[1]
    theirs = make_pipeline(StandardScaler(), LogisticRegression(max_iter=100, class_weight="balanced" if weighted else None))
    theirs.fit(data.train.inputs.astype(np.float64), data.train.labels)
    outputs = own.answers(data.validation.inputs)
    given = np.exp(outputs) / np.exp(outputs).sum(1, keepdims=True)
    assert given == pytest.approx(theirs.predict_proba(data.validation.inputs.astype(np.float64)), abs=1e-4)


def test_the_ridge_regression_and_the_mean_are_of_the_training_part_that_was_used() -> None:
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(60, 4))
    targets = (inputs @ rng.normal(size=(4, 2)) + rng.normal(size=(60, 2))).astype(np.float32)
    own = part(inputs, targets)
    data = SearchData("planted", DataShape((4,), 2, "regression"), own, own, Preprocessing(1.0, (0.0,) * 4, (1.0,) * 4), ())
    mean, ridge = simple.simple_models(data, examples=40)
    assert mean.answers(inputs)[0] == pytest.approx(targets[:40].mean(0)) and mean.note == "of 40 training examples"
    theirs = make_pipeline(StandardScaler(), Ridge(alpha=1.0)).fit(own.inputs[:40].astype(np.float64), targets[:40])
    assert ridge.answers(own.inputs) == pytest.approx(theirs.predict(own.inputs.astype(np.float64)), abs=1e-6)


def test_values_are_said_in_the_target_s_own_units() -> None:
    """A fitted encoding brought them to mean 0 and deviation 1; an error of half a deviation of 80 is one of 40."""
    targets = np.array([[-1.0], [1.0], [0.0], [0.5]], dtype=np.float32)
    own = part(np.zeros((4, 2)), targets)
    fitted = Transformation(columns=[], width=2, missing_texts=[], target=TargetRule(name="pay", kind="number", mean=1000.0, std=80.0))
    plain = SearchData("planted", DataShape((2,), 1, "regression"), own, own, Preprocessing(1.0, (0.0,) * 2, (1.0,) * 2), ())
    data = replace(plain, transformation=fitted)
    given = {"val": Given(own, targets + 0.5, None)}
    (found,) = assess(data, given, simple.simple_models(data))  # type: ignore[arg-type]
    network, mean, _ = ({figure.metric: figure.value for figure in model.figures} for model in found.models)
    assert network["rmse"] == pytest.approx(40) and network["mae"] == pytest.approx(40)
    assert mean["rmse"] == pytest.approx(80 * targets.std())
    assert (found.mistakes[0].true, found.mistakes[0].answered, found.mistakes[0].error) == ("920", "960", pytest.approx(40))
    (unscaled,) = assess(plain, given, simple.simple_models(plain))  # type: ignore[arg-type]
    ours = {figure.metric: figure.value for figure in unscaled.models[0].figures}
    assert ours["r2"] == pytest.approx(network["r2"]) and ours["rmse"] == pytest.approx(0.5)


def test_what_a_bound_cuts_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simple, "MOST_VALUES", 500)
    assert simple.simple_models(classes())[1].note == "fitted on 100 of 400 training examples"
    images = np.zeros((3, 3, 64, 64))
    assert simple.flattened(images).shape == (3, 768)
    monkeypatch.setattr(simple, "ITERATIONS", 1)
    assert simple.simple_models(classes())[1].note.endswith("ended after 1 iterations")


def test_a_class_that_the_training_part_lacks_gets_probability_0() -> None:
    data = classes(number=3)
    there = data.train.labels < 2
    train = Part(data.train.inputs[there], data.train.labels[there], data.train.indices[there])
    made = simple.simple_models(SearchData("planted", data.shape, train, data.validation, data.preprocessing, data.class_names))
    for model in made:
        assert (model.answers(data.validation.inputs)[:, 2] == -np.inf).all()
    alone = Part(data.train.inputs[:3], np.zeros(3, dtype=np.int64), data.train.indices[:3])
    only = simple.simple_models(SearchData("planted", data.shape, alone, data.validation, data.preprocessing, data.class_names))
    assert [model.name for model in only] == ["majority"]


def test_figures_by_class_are_those_of_scikit_learn_and_absent_where_undefined() -> None:
    rng = np.random.default_rng(1)
    targets, answers = rng.choice(4, 60), rng.choice(3, 60)
    counts = np.zeros((5, 6), dtype=np.int64)
    np.add.at(counts, (targets, answers), 1)
    found = class_figures(counts, list("abcde"))
    precision, recall, f1, support = sk.precision_recall_fscore_support(targets, answers, labels=range(4), zero_division=0)
    for place in range(3):
        own = found[place]
        theirs = (precision[place], recall[place], f1[place], support[place])
        assert (own.precision, own.recall, own.f1, own.examples) == pytest.approx(theirs)
    assert (found[3].precision, found[3].recall, found[3].f1) == (None, 0.0, 0.0)
    assert (found[4].precision, found[4].recall, found[4].f1) == (None, None, None)


def test_of_many_classes_those_with_most_mistakes_are_shown() -> None:
    size = MOST_CLASSES + 10
    counts = np.eye(size, size + 1, dtype=np.int64) * 9
    counts[size - 1, size - 2] = 5
    table = confusion_table(counts, [f"c{place}" for place in range(size)])
    assert len(table.classes) == MOST_CLASSES and table.left_out == 10
    assert table.classes[-2:] == [f"c{size - 2}", f"c{size - 1}"] and table.counts[-1][-2] == 5


def test_the_worst_mistakes_are_the_wrong_answers_of_least_probability_for_the_truth() -> None:
    rng = np.random.default_rng(2)
    outputs, labels = rng.normal(size=(80, 2)) * 3, rng.choice(2, 80)
    own = part(rng.normal(size=(80, 20)), labels)
    found = worst("classification", outputs, own, NAMES, ("age",), 1.0)
    assert len(found) == MOST and [item.error for item in found] == sorted((item.error for item in found), reverse=True)
    wrong = outputs.argmax(1) != labels
    losses = -np.log(np.exp(outputs) / np.exp(outputs).sum(1, keepdims=True))[np.arange(80), labels]
    assert found[0].error == pytest.approx(losses[wrong].max())
    assert found[0].index == 1000 + int(np.flatnonzero(wrong)[losses[wrong].argmax()])
    assert found[0].true != found[0].answered and found[0].confidence is not None and found[0].confidence > 0.5
    assert found[0].row[0].name == "age" and found[0].row[1].name == "input 2" and found[0].more == 8
    values = worst("regression", np.array([[0.0], [5.0], [1.0]]), part(np.zeros((3, 1)), np.zeros((3, 1), dtype=np.float32)), (), (), 1.0)
    assert [(item.index, item.true, item.answered, item.error, item.confidence) for item in values[:2]] == [
        (1001, "0", "5", 5.0, None), (1002, "0", "1", 1.0, None),
    ]  # fmt: skip


def test_a_picture_is_what_was_given_channels_last() -> None:
    image = np.arange(12).reshape(3, 2, 2) * 20
    found = thumbnail(image, 255.0)
    assert (found.height, found.width, found.channels) == (2, 2, 3)
    assert list(base64.b64decode(found.pixels)) == image.transpose(1, 2, 0).reshape(-1).tolist()


def answered(data: SearchData, outputs: np.ndarray) -> dict[str, Given]:
    counts = np.zeros((2, 3), dtype=np.int64)
    np.add.at(counts, (data.validation.labels, outputs.argmax(1)), 1)
    return {"val": Given(data.validation, outputs, counts)}


def test_the_page_says_whose_the_accuracy_is() -> None:
    """Of 1 % a network finds one: .9925 is the majority's, and so it is said; one that a line equals is said too."""
    data = classes(share=0.02)
    rare = np.flatnonzero(data.validation.labels)
    outputs = np.tile([1.0, 0.0], (400, 1))
    outputs[rare[:1]] = [0.0, 1.0]
    (own,) = assess(data, answered(data, outputs), simple.simple_models(data))  # type: ignore[arg-type]
    majority = 1 - len(rare) / 400
    said = beside_simple_models([own])
    assert said[0].startswith(
        f"99 % of the validation part are 'no': of the accuracy {majority + 1 / 400:.4f} always answering that has {majority:.4f}"
    )
    assert own.wrong == len(rare) - 1 and own.models[0].name == "network"
    figures = {model.name: {figure.metric: figure.value for figure in model.figures} for model in own.models}
    assert figures["majority"]["accuracy"] == majority and figures["majority"]["auc"] == figures["majority"]["balanced_accuracy"] == 0.5
    even = classes(share=0.5)
    (lost,) = assess(even, answered(even, np.tile([1.0, 0.0], (400, 1))), simple.simple_models(even))  # type: ignore[arg-type]
    (sentence,) = beside_simple_models([lost])
    assert sentence.startswith("On the validation part a logistic regression has accuracy 0.6450 where the network has 0.5125 and balanced")
    right = np.eye(2)[even.validation.labels]
    (won,) = assess(even, answered(even, right), simple.simple_models(even))  # type: ignore[arg-type]
    assert beside_simple_models([won]) == [] and won.mistakes == []
