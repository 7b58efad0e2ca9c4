"""Time series as vectors: what the file holds, how it is described, what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from search_engine.base.errors import BadInput
from search_engine.catalogue import registry
from search_engine.catalogue.config import check
from search_engine.datasets.base import Samples
from search_engine.datasets.time_series import FOLDER, Form, StatisticsConfig, described, feature_names
from search_engine.search.resources import Resources
from search_engine.search.sealed import open_test
from search_engine.spaces.data_shape import DataShape
from tests.absent import need_data

SETS = ("italy_power_demand", "basic_motions", "japanese_vowels")
NAMES = ("Badminton", "Running", "Standing", "Walking")


def motions(folder: Path, **changes: Any) -> Path:
    """A `basic_motions` file of 40 + 8 random series."""
    rng = np.random.RandomState(0)
    arrays = {
        "x_train": rng.normal(size=(40, 6, 100)).astype(np.float32), "y_train": np.array([NAMES[place % 4] for place in range(40)]),
        "x_test": rng.normal(size=(8, 6, 100)).astype(np.float32), "y_test": np.array([NAMES[3 - place % 4] for place in range(8)]),
    }
    path = folder / FOLDER / "BasicMotions.npz"
    path.parent.mkdir(exist_ok=True)
    np.savez(path, **{**arrays, **changes})
    return path


def opened(name: str, folder: Path, **options: Any) -> Samples:
    entry = registry.dataset(name)
    samples = entry.open(entry.config.model_validate(options), folder)
    assert isinstance(samples, Samples)
    return samples


def test_the_official_parts_stay_apart_and_classes_are_numbered_by_name(tmp_path: Path) -> None:
    with np.load(motions(tmp_path)) as file:
        arrays = dict(file)
    samples = opened("basic_motions", tmp_path, features="values", validation_share=0.3)
    data, test = samples.search_data(0), open_test(samples)
    assert (len(data.train), len(data.validation)) == (28, 12) and data.class_names == NAMES and data.shape == DataShape((600,), 4)
    for part in (data.train, data.validation):
        assert np.array_equal(part.inputs, arrays["x_train"].reshape(40, 600)[part.indices])
        assert [NAMES[label] for label in part.labels] == arrays["y_train"][part.indices].tolist()
    assert np.array_equal(test.inputs, arrays["x_test"].reshape(8, 600)) and test.labels.tolist() == [3, 2, 1, 0] * 2
    # Standardised by the training part.
    assert data.preprocessing.mean[7] == pytest.approx(float(data.train.inputs[:, 7].mean()), abs=1e-6)
    assert data.feature_names[0] == "channel 0 time 0" and data.feature_names[-1] == "channel 5 time 99"


def test_statistics_are_their_formulas() -> None:
    series = np.array([[[1.0, 2.0, 3.0, 6.0], [5.0, 5.0, 5.0, 5.0]]])
    found = described(series, StatisticsConfig(bins=2))[0]
    # Mean 3; squares 4 + 1 + 0 + 9 = 14, a quarter is 3.5; differences 2 + 1 + 0 + 3; three of four in the lower half.
    assert found.tolist() == pytest.approx([3.0, 3.5**0.5, 1.5, 0.75, 0.25, 5.0, 0.0, 0.0, 1.0, 0.0])
    assert feature_names(Form(2, 4, 2), StatisticsConfig(bins=2)) == tuple(
        f"channel {channel} {name}" for channel in (0, 1) for name in ("mean", "deviation", "mean difference", "bin 0", "bin 1")
    )
    assert feature_names(Form(1, 2, 2), StatisticsConfig(features="values")) == ("time 0", "time 1")


@pytest.mark.parametrize("options", [{}, {"bins": 10}, {"features": "values"}])
@pytest.mark.parametrize("name", SETS)
def test_the_shape_is_known_before_the_file_is_read(name: str, options: dict[str, Any], tmp_path: Path) -> None:
    entry = registry.dataset(name)
    if name == "italy_power_demand" and "bins" in options:
        options = {**options, "features": "statistics"}
    config = entry.config.model_validate(options)
    form_shape = entry.shape_of(config)
    assert form_shape is not None
    sizes = {"italy_power_demand": (1, 24), "basic_motions": (6, 100), "japanese_vowels": (12, 25)}[name]
    assert form_shape.input == described(np.zeros((1, *sizes)), config).shape[1:]


def test_descriptions_are_no_other_test_part(tmp_path: Path) -> None:
    """Whoever looks at the test series by their values and then by their statistics has looked twice."""
    entry = registry.dataset("basic_motions")
    assert {entry.test_part(entry.config.model_validate(options)) for options in ({}, {"bins": 5}, {"features": "values"})} == {entry.id}


def test_bins_without_statistics_are_refused() -> None:
    config = {"algorithm": "adddel", "datasets": ["basic_motions"], "dataset_options": [{"features": "values", "bins": 3}]}
    with pytest.raises(BadInput, match="bins are statistics"):
        check(config)


def holes(values: np.ndarray) -> np.ndarray:
    values = values.copy()
    values[3, 2, 90:] = np.nan
    return values


@pytest.mark.parametrize(("changes", "message"), [
    ({"x_train": np.array([*[np.zeros((6, 90)), np.zeros((6, 100))] * 20, None], dtype=object)[:40]}, "of unequal lengths are saved so"),
    ({"x_train": holes(np.zeros((40, 6, 100)))}, "1 of the 40 series in x_train have values that are no numbers, first number 3"),
    ({"x_train": np.zeros((40, 6, 99))}, "have 6 channel.* of length 99; 'basic_motions' has 6 of length 100"),
    ({"x_train": np.zeros((40, 600))}, "must hold real numbers in 3 dimension"),
    ({"x_train": np.zeros((39, 6, 100))}, "x_train has 39 series and y_train 40 classes"),
    ({"y_train": np.array(["one"] * 40)}, "y_train names 1 classes"),
    ({"y_train": np.array(["one", "two"] * 20)}, "names 2 classes; 'basic_motions' has 4"),
    ({"y_test": np.array(["Swimming"] * 8)}, "y_test has the class 'Swimming', of which there is no training series"),
])
def test_what_is_wrong_with_a_file_is_said(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    path = motions(tmp_path, **changes)
    samples = opened("basic_motions", tmp_path)
    with pytest.raises(BadInput, match=message) as caught:
        samples.search_data(0)
        open_test(samples)
    assert str(path) in caught.value.message and caught.value.code == "damaged_data"


def test_too_many_values_are_refused_where_each_is_tried_alone(tmp_path: Path) -> None:
    motions(tmp_path)
    config = {"algorithm": "adddel", "datasets": ["basic_motions"], "dataset_options": [{"features": "values"}]}
    with pytest.raises(BadInput, match="600 features are too many"):
        _ = Resources(check(config), tmp_path).space


@pytest.mark.parametrize(("name", "counts"), list(zip(SETS, [(50, 17, 1029), (30, 10, 40), (202, 68, 370)], strict=True)))
def test_the_real_files(name: str, counts: tuple[int, ...], data_dir: Path) -> None:
    entry = registry.dataset(name)
    need_data(data_dir, *entry.files)
    samples = opened(name, data_dir)
    data, test = samples.search_data(0), open_test(samples)
    assert (len(data.train), len(data.validation), len(test)) == counts
    assert (len(data.train) + len(data.validation), len(test)) == (entry.sizes["train and validation"], entry.sizes["test"])
    # A class is the mean that lies nearest: far better than guessing, so series and labels belong together.
    def seen(inputs: np.ndarray) -> np.ndarray:
        return (inputs - np.array(data.preprocessing.mean)) / np.array(data.preprocessing.std)

    centres = np.array([seen(data.train.inputs)[data.train.labels == label].mean(0) for label in range(data.shape.classes)])
    nearest = ((seen(test.inputs)[:, None] - centres[None]) ** 2).sum(2).argmin(1)
    assert (nearest == test.labels).mean() > 0.7
