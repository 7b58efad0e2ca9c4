"""What people bring and nobody tells them: unequal classes, inputs that say nothing, examples that repeat."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from search_engine.catalogue import registry
from search_engine.datasets.base import Part, Samples, SearchData
from search_engine.datasets.review import overlap, review
from search_engine.spaces.data_shape import DataShape, Preprocessing


def part(inputs: Any, labels: Any) -> Part:
    inputs = np.asarray(inputs, dtype=np.float32)
    return Part(inputs, np.asarray(labels, dtype=np.int64), np.arange(len(inputs)))


def data(train: Part, validation: Part, names: tuple[str, ...] = ("no", "yes"), features: tuple[str, ...] = ()) -> SearchData:
    shape = DataShape(train.inputs.shape[1:], len(names))
    width = train.inputs.shape[1]
    plain = Preprocessing(scale=1.0, mean=(0.0,) * width, std=(1.0,) * width)
    return SearchData("made", shape, train, validation, plain, names, features)


def drawn(count: int, seed: int = 0, width: int = 3) -> Any:
    return np.random.default_rng(seed).normal(size=(count, width))


def of_two(train: Part, validation: Part | None = None, **more: Any) -> list[str]:
    return review(data(train, validation or part(drawn(20, 9), [0, 1] * 10), **more))


def test_nothing_is_said_of_sound_data() -> None:
    assert of_two(part(drawn(100), [0, 1] * 50)) == []


def test_two_classes_at_two_per_cent() -> None:
    (said,) = review(data(part(drawn(200), [1] * 4 + [0] * 196), part(drawn(50, 1), [1] + [0] * 49)))
    assert said.startswith("The classes are unequal: 98 % of the examples are 'no', 2 % are 'yes'.")
    assert "has an accuracy of 0.98" in said


@pytest.mark.parametrize(("minority", "told"), [(40, False), (26, False), (25, True)])
def test_a_warning_begins_where_one_class_has_three_times_the_other(minority: int, told: bool) -> None:
    train = part(drawn(100), [1] * minority + [0] * (100 - minority))
    validation = part(drawn(100, 1), [1] * minority + [0] * (100 - minority))
    assert bool(review(data(train, validation))) == told


def test_a_class_without_an_example() -> None:
    (said,) = of_two(part(drawn(100), [0, 1] * 50), names=("no", "yes", "perhaps"))
    assert said == "There is no example of 1 class of 3: 'perhaps'."


def test_inputs_that_are_all_the_same() -> None:
    said = of_two(part(np.zeros((100, 1, 4, 4)), [0, 1] * 50), part(np.zeros((20, 1, 4, 4)), [0, 1] * 10))
    assert said[0] == "Every training input is the same: nothing can be learnt from the inputs."
    assert "99 training examples of 100 repeat the inputs of another, 50 of them with another class." in said


def test_features_that_never_change_are_named() -> None:
    inputs = drawn(100)
    inputs[:, 1] = 7
    (said,) = of_two(part(inputs, [0, 1] * 50), features=("age", "planet", "income"))
    assert said == "1 feature never changes in the training part: planet."


def test_a_channel_that_never_changes() -> None:
    inputs = np.random.default_rng(0).normal(size=(100, 3, 2, 2))
    inputs[:, 2] = 0
    other = np.random.default_rng(1).normal(size=(20, 3, 2, 2))
    (said,) = of_two(part(inputs, [0, 1] * 50), part(other, [0, 1] * 10))
    assert said == "1 channel of the images never changes in the training part."


def test_repeats_within_and_between_the_parts() -> None:
    train, validation = part(np.concatenate([drawn(99), drawn(1)]), [0, 1] * 50), part(drawn(20), [0, 1] * 10)
    said = of_two(train, validation)
    assert said == [
        "1 training example of 100 repeats the inputs of another, 1 of them with another class.",
        "20 validation examples of 20 (100 %) stand in the training part too: there a validation score rewards learning by heart.",
    ]
    (leak,) = overlap(data(train, part(drawn(20, 5), [0, 1] * 10)), part(np.concatenate([drawn(2), drawn(8, 7)]), [0] * 10))
    assert leak == "2 examples of the 10 in the test part (20 %) stand in the training part too: on them the test says little."


BUNDLED = [entry.id for entry in registry.datasets().values() if entry.provides == "samples" and not entry.files]


@pytest.mark.parametrize("dataset", BUNDLED)
def test_of_the_bundled_data_only_what_is_so_is_said(dataset: str, tmp_path: Any) -> None:
    entry = registry.dataset(dataset)
    samples = entry.open(entry.config(), tmp_path)
    assert isinstance(samples, Samples)
    assert review(samples.search_data(0)) == []
