"""The sweep over the shared weight, by class and drawn, and the controls beside it."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from search_engine.algorithms.base import Finalist
from search_engine.algorithms.wann.controls import Controls, image_of, train_controls
from search_engine.algorithms.wann.four_numbers import finish
from search_engine.algorithms.wann.shared_weight import BY_CLASS, CNN, EXAMPLES, LINEAR, SWEEP, WEIGHTS, right_by_class, swept
from search_engine.catalogue import registry
from search_engine.events import decode_floats
from search_engine.search.sealed import open_test
from search_engine.spaces.neuron_genes import reference
from search_engine.spaces.neuron_genes.genes import Genes
from search_engine.spaces.neuron_graph import NeuronGraphConfig, NeuronGraphSpace

from .test_search import DIGITS, begin, run, search_data

SMALL_NET = Genes.from_content({"inputs": 2, "outputs": 2, "hidden": [[5, "gauss"]], "edges": [[2, 1, 3, 1], [7, 2, 5, 1], [8, 5, 4, 1]]})


def test_the_sweep_counts_right_answers_by_class_as_the_plain_loop_does() -> None:
    rng = np.random.RandomState(0)
    features, labels = rng.normal(size=(60, 2)), rng.randint(0, 2, 60)
    inputs = torch.from_numpy(np.concatenate([np.ones((1, 60)), features.T]))
    right = right_by_class(SMALL_NET, inputs, torch.from_numpy(labels), 3)
    for place, weight in enumerate(WEIGHTS):
        answers = reference.logits(SMALL_NET, features, weight).argmax(axis=1)
        assert right[place].tolist() == [int(((answers == labels) & (labels == number)).sum()) for number in range(3)]
    arrays = swept(right, labels)
    assert arrays[EXAMPLES].tolist() == [60] and np.isnan(arrays[BY_CLASS][:, 2]).all(), "nobody is of the third class"
    shares = np.bincount(labels, minlength=2) / 60
    assert arrays[BY_CLASS][:, :2] @ shares == pytest.approx(arrays[SWEEP])


def test_the_report_has_the_sweep_and_the_controls_of_the_same_split() -> None:
    phase = begin(0, population=32, generations=30, batch_size=400)
    run(phase)
    data, test = search_data(0), open_test(DIGITS)
    finished = finish(phase.space, phase.best()[0], data, 0, "cpu")
    before = torch.get_rng_state()
    with torch.no_grad():
        parts = {"val": finished.score("val", data.validation), "test": finished.score("test", test)}
    assert torch.equal(torch.get_rng_state(), before), "the controls draw from generators of their own"
    drawn = {split: {name: value for name, value in figures.items() if isinstance(value, np.ndarray)} for split, figures in parts.items()}
    assert finished.report is not None
    report = finished.report(drawn)  # type: ignore[arg-type]
    curve, by_class = report.charts
    tuned = finished.figures["tuned_weight"]
    assert [mark.value for mark in curve.marks] == [tuned]
    lines = {item.name: decode_floats(item.y) for item in curve.series}
    assert lines["test"][WEIGHTS.index(tuned)] == pytest.approx(parts["test"]["tuned"])
    assert lines["training"].max() == lines["training"][WEIGHTS.index(tuned)], "which chose it"
    # The floats of the numbers of weights that the search used are the sweep's own.
    of_search = [lines["test"][WEIGHTS.index(weight)] for weight in (-2, -1, -0.5, 0.5, 1, 2)]
    assert lines["test, at the search's weights"].tolist() == pytest.approx(of_search)
    assert [item.name for item in by_class.series] == list(data.class_names) and by_class.form == "map"
    assert report.values["test_small_cnn"] > 0.9 and report.values["test_linear_regression"] > 0.9
    assert "449 test examples" in report.message and "200 steps" in report.message
    again = finish(phase.space, phase.best()[0], data, 0, "cpu")
    with torch.no_grad():
        repeated = again.score("test", test)
    assert all(np.array_equal(repeated[name], drawn["test"][name]) for name in (SWEEP, BY_CLASS, LINEAR, CNN))


def test_linear_regression_is_the_least_squares_solution() -> None:
    rng = np.random.RandomState(1)
    features, labels = rng.normal(size=(200, 3)).astype(np.float32), rng.randint(0, 4, 200)
    found = train_controls(features, labels, 4, None, 0)
    with_constant = np.concatenate([np.ones((200, 1)), features], axis=1)
    # The normal equations: what is left is orthogonal to every feature.
    assert with_constant.T @ (np.eye(4)[labels] - with_constant @ found.coefficients) == pytest.approx(np.zeros((4, 4)), abs=1e-4)
    assert np.isnan(found.cnn_accuracy(features, labels)) and found.cnn_parameters == 0


def test_linear_regression_answers_the_largest_value() -> None:
    controls = Controls(np.array([[0.0, 0.5], [1.0, 0.0]]), None, None)
    # The first class has the feature itself, the second always a half.
    assert controls.linear_accuracy(np.array([[0.2], [0.9], [0.4]], np.float32), np.array([1, 0, 0])) == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("shape", "image"), [((1, 8, 8), (1, 8, 8)), ((3, 32, 20), (3, 16, 16)), ((13,), None), ((1, 3, 9), None)],
)
def test_only_images_that_can_be_pooled_twice_have_a_convolutional_control(
    shape: tuple[int, ...], image: tuple[int, int, int] | None
) -> None:
    assert image_of(shape, 16) == image


def test_vectors_have_a_linear_control_alone_and_it_is_said() -> None:
    entry = registry.dataset("wine")
    samples = entry.open(entry.config(), None)
    data, test = samples.search_data(0), open_test(samples)
    space = NeuronGraphSpace(NeuronGraphConfig(), data.shape)
    genome = space.sample(random.Random(0))
    finished = finish(space, Finalist(genome, finish="as_is"), data, 0, "cpu")
    parts = {split: finished.score(split, part) for split, part in (("val", data.validation), ("test", test))}  # type: ignore[arg-type]
    assert finished.report is not None
    report = finished.report(parts)  # type: ignore[arg-type]
    assert sorted(report.values) == ["test_linear_regression", "val_linear_regression"]
    assert report.values["test_linear_regression"] > 0.9 and "no convolutional network" in report.message
    assert finished.cost.forward_backward == 400 * min(256, len(data.train))
