"""Digits and the idx data sets: content, sealed test split, and clear errors for files that are missing or damaged."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from search_engine.base.errors import BadInput, MissingData
from search_engine.catalogue import registry
from search_engine.catalogue.config import check
from search_engine.datasets.base import Part, Samples
from search_engine.datasets.digits import Digits, DigitsConfig
from search_engine.datasets.idx_file import read_idx
from search_engine.datasets.idx_images import FILES, IdxConfig, IdxImages
from search_engine.datasets.readers import idx as standalone
from search_engine.search.sealed import open_test
from search_engine.spaces.data_shape import DataShape
from tests import small_mnist as small_mnist_files
from tests.absent import need_data
from tests.small_mnist import idx_bytes


@pytest.fixture
def small_mnist(tmp_path: Path) -> Path:
    """A data directory with an `mnist` of 200 + 40 images in the official format."""
    return small_mnist_files.write(tmp_path, train=200, test=40)


def open_mnist(folder: Path, **options: object) -> IdxImages:
    return IdxImages("mnist", tuple("0123456789"), IdxConfig.model_validate(options), folder / "mnist")


# ---- digits


def test_digits_are_those_of_scikit_learn() -> None:
    from sklearn.datasets import load_digits

    bunch = load_digits()
    digits = Digits(DigitsConfig())
    data, test = digits.search_data(0), open_test(digits)
    for part in (data.train, data.validation, test):
        assert np.array_equal(part.inputs[:, 0], bunch.images[part.indices])
        assert np.array_equal(part.labels, bunch.target[part.indices])


def test_the_digits_test_split_is_fixed_and_apart() -> None:
    digits = Digits(DigitsConfig())
    test = open_test(digits)
    assert len(test) == round(0.25 * 1797)
    validations = []
    for seed in (0, 1):
        data = digits.search_data(seed)
        parts = [set(part.indices.tolist()) for part in (data.train, data.validation, test)]
        assert sum(len(part) for part in parts) == len(set.union(*parts)) == 1797
        validations.append(parts[1])
    assert validations[0] != validations[1]


def test_preprocessing_is_fitted_to_the_training_part() -> None:
    data = Digits(DigitsConfig()).search_data(3)
    inputs = data.train.inputs / data.preprocessing.scale
    assert data.preprocessing.mean[0] == pytest.approx(inputs.mean(), abs=1e-12)
    assert data.preprocessing.std[0] == pytest.approx(inputs.std(), abs=1e-12)


def test_the_validation_share_is_honoured_and_bounded() -> None:
    half = Digits(DigitsConfig(validation_share=0.5)).search_data(0)
    assert abs(len(half.train) - len(half.validation)) <= 1
    with pytest.raises(BadInput, match="validation_share"):
        check({"algorithm": "random", "space": "cell", "dataset_options": [{"validation_share": 2}], "budget": {"trials": 1}})


def test_the_test_split_needs_the_finales_pass(small_mnist: Path) -> None:
    opened: list[Samples] = [Digits(DigitsConfig()), open_mnist(small_mnist)]
    for samples in opened:
        with pytest.raises(TypeError, match="finale"):
            samples.open_test(None)  # type: ignore[arg-type]
        assert not [name for name in vars(samples.search_data(0)) if "test" in name]


# ---- idx


def test_idx_images_split_the_training_file_and_keep_the_test_file(small_mnist: Path) -> None:
    data = open_mnist(small_mnist, validation_share=0.25).search_data(0)
    assert (len(data.train), len(data.validation)) == (150, 50)
    assert not set(data.train.indices) & set(data.validation.indices)
    assert data.train.inputs.shape[1:] == (1, 28, 28) and data.train.inputs.dtype == np.uint8
    test = open_test(open_mnist(small_mnist))
    assert test.indices.tolist() == list(range(40))


def test_fewer_images_can_be_asked_for(small_mnist: Path) -> None:
    data = open_mnist(small_mnist, examples=100, validation_share=0.2).search_data(0)
    assert (len(data.train), len(data.validation)) == (80, 20)
    assert np.bincount(data.validation.labels).tolist() == [2] * 10


def test_the_readers_agree(small_mnist: Path) -> None:
    images, labels = standalone.read_test(small_mnist / "mnist")
    test = open_test(open_mnist(small_mnist))
    assert np.array_equal(images, test.inputs) and np.array_equal(labels, test.labels)


def test_a_missing_file_says_what_to_put_where(small_mnist: Path) -> None:
    (small_mnist / "mnist" / FILES["test"][1]).unlink()
    with pytest.raises(MissingData, match=r"t10k-labels-idx1-ubyte\.gz") as caught:
        open_mnist(small_mnist)
    assert "NASCOPE_DATA" in str(caught.value) and str(small_mnist) in str(caught.value)
    with pytest.raises(MissingData, match="NASCOPE_DATA"):
        registry.dataset("fashion_mnist").check_files(small_mnist)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not gzip at all", "cannot be unpacked"),
        (gzip.compress(b"\x00\x00\x08"), "does not start like an idx file"),
        (gzip.compress(b"PNG\x00" + bytes(40)), "does not start like an idx file"),
        (gzip.compress(idx_bytes(np.zeros(5))), "in 1 dimensions"),
        (gzip.compress(b"\x00\x00\x0d\x03" + bytes(12)), "type 0x0d"),
        (gzip.compress(b"\x00\x00\x08\x03\x00\x00"), "ends inside its header"),
        (gzip.compress(b"\x00\x00\x08\x03" + b"\xff" * 12), "its header claims"),
        (gzip.compress(idx_bytes(np.zeros((2, 28, 28)))[:-1]), "there are 1567"),
        (gzip.compress(idx_bytes(np.zeros((2, 28, 28))) + b"x"), "there are more"),
        (gzip.compress(idx_bytes(np.random.RandomState(0).randint(0, 255, (9, 28, 28))))[:-400], "cannot be unpacked"),
    ],
    # An archive holds the second it was made in, and test processes must agree on the names.
    ids=[f"damage{number}" for number in range(10)],
)
def test_a_damaged_file_is_named_with_its_damage(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=message) as caught:
        read_idx(path, dimensions=3)
    assert caught.value.field == "dataset" and str(path) in caught.value.message


def test_files_that_do_not_belong_together_are_refused(small_mnist: Path) -> None:
    (small_mnist / "mnist" / FILES["train"][1]).write_bytes(gzip.compress(idx_bytes(np.arange(7) % 10)))
    with pytest.raises(BadInput, match="200 images and 7 labels"):
        open_mnist(small_mnist).search_data(0)


@pytest.mark.parametrize("name", ["fashion_mnist", "mnist"])
def test_the_real_files(name: str, data_dir: Path) -> None:
    entry = registry.dataset(name)
    need_data(data_dir, *entry.files)
    entry.check_files(data_dir)
    samples = entry.open(entry.config(), data_dir)
    assert isinstance(samples, Samples)
    data, test = samples.search_data(0), open_test(samples)
    assert (len(data.train), len(data.validation), len(test)) == (50_000, 10_000, 10_000)
    assert len(np.unique(data.train.labels)) == 10
    assert data.preprocessing.mean[0] == pytest.approx({"fashion_mnist": 0.2860, "mnist": 0.1307}[name], abs=2e-3)


# ---- some of the classes


def test_a_subset_of_the_classes_is_a_data_set_of_its_own() -> None:
    """Numbered anew in the order given, split from the same sealed test split."""
    everything, some = Digits(DigitsConfig()), Digits(DigitsConfig(labels=(7, 2, 5)))
    assert some.shape() == DataShape((1, 8, 8), 3) and registry.dataset("digits").shape_of(some.config) == some.shape()
    data, test = some.search_data(0), open_test(some)
    assert data.class_names == ("7", "2", "5") and data.shape == some.shape()
    digit_of = {int(index): int(label) for part in _parts(everything) for index, label in zip(part.indices, part.labels, strict=True)}
    for part in (data.train, data.validation, test):
        assert set(part.labels.tolist()) == {0, 1, 2}
        assert [(7, 2, 5)[label] for label in part.labels] == [digit_of[int(index)] for index in part.indices]
    sealed = open_test(everything)
    assert set(test.indices) == set(sealed.indices[np.isin(sealed.labels, (2, 5, 7))])
    assert len(data.train) + len(data.validation) + len(test) == sum(label in (2, 5, 7) for label in digit_of.values())


def _parts(digits: Digits) -> list[Part]:
    data = digits.search_data(0)
    return [data.train, data.validation, open_test(digits)]


def test_no_classes_named_means_all_of_them_unchanged() -> None:
    plain, empty = Digits(DigitsConfig()).search_data(5), Digits(DigitsConfig(labels=())).search_data(5)
    assert np.array_equal(plain.train.labels, empty.train.labels) and np.array_equal(plain.train.indices, empty.train.indices)
    assert plain.class_names == empty.class_names == tuple("0123456789")


def test_idx_images_take_a_subset_of_the_classes_too(small_mnist: Path) -> None:
    some = open_mnist(small_mnist, labels=[4, 0], examples=30)
    data, test = some.search_data(0), open_test(some)
    assert len(data.train) + len(data.validation) == 30 and data.class_names == ("4", "0")
    images, labels = standalone.read_test(small_mnist / "mnist")
    assert np.array_equal(test.inputs, images[test.indices])
    assert [(4, 0)[label] for label in test.labels] == labels[test.indices].tolist() and len(test) == 8


@pytest.mark.parametrize("labels", [[3], [3, 3], [3, 10], [-1, 3]])
def test_labels_that_name_no_task_are_refused(labels: list[int]) -> None:
    with pytest.raises(BadInput, match="labels"):
        check({"algorithm": "random", "space": "cell", "dataset_options": [{"labels": labels}], "budget": {"trials": 1}})
