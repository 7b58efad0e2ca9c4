"""CIFAR from its binary files and from the JPEG copy, Tiny ImageNet from its folders: made files of the official layouts, real JPEGs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from search_engine.base.errors import BadInput
from search_engine.catalogue import registry
from search_engine.catalogue.config import check
from search_engine.datasets import cifar
from search_engine.datasets.base import Samples
from search_engine.datasets.readers import cifar_binary, packed_jpegs, tiny_imagenet
from search_engine.search.resources import Resources
from search_engine.search.sealed import open_test
from search_engine.spaces.data_shape import DataShape
from tests import made_pictures as made
from tests.absent import need_data


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decoded copies of a test are its own."""
    monkeypatch.setenv("NASCOPE_HOME", str(tmp_path / "home"))


def opened(name: str, folder: Path, **options: Any) -> Samples:
    entry = registry.dataset(name)
    samples = entry.open(entry.config.model_validate(options), folder)
    assert isinstance(samples, Samples)
    return samples


def all_training(samples: Samples) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and labels of the training and the validation part in the order of the source."""
    data = samples.search_data(0)
    order = np.argsort(np.concatenate([data.train.indices, data.validation.indices]))
    return tuple(np.concatenate([getattr(part, name) for part in (data.train, data.validation)])[order] for name in ("inputs", "labels"))  # type: ignore[return-value]


# ---- the binary version


def test_cifar10_is_what_the_files_hold(tmp_path: Path) -> None:
    train, test = made.write_cifar10(tmp_path)
    samples = opened("cifar10", tmp_path)
    inputs, labels = all_training(samples)
    assert np.array_equal(inputs, train) and labels.tolist() == [place % 10 for place in range(100)]
    data, sealed = samples.search_data(0), open_test(samples)
    assert (len(data.train), len(data.validation)) == (80, 20) and np.bincount(data.validation.labels).tolist() == [2] * 10
    assert np.array_equal(sealed.inputs, test) and sealed.indices.tolist() == list(range(20)) and sealed.inputs.dtype == np.uint8
    assert data.class_names == cifar.NAMES and data.shape == DataShape((3, 32, 32), 10)


def test_colours_stand_one_after_the_other_row_by_row(tmp_path: Path) -> None:
    """The layout as its page has it: label, 1,024 red bytes by rows, 1,024 green ones, 1,024 blue ones."""
    record = bytearray(3073)
    record[0], record[1 + 33], record[1 + 1024], record[1 + 2048 + 31] = 7, 10, 20, 30
    (tmp_path / "one.bin").write_bytes(record)
    images, labels = cifar_binary.read_records(tmp_path / "one.bin", 10)
    assert labels.tolist() == [7] and np.argwhere(images).tolist() == [[0, 0, 1, 1], [0, 1, 0, 0], [0, 2, 0, 31]]
    assert [int(images[tuple(place)]) for place in np.argwhere(images)] == [10, 20, 30]


def test_cifar100_takes_the_fine_classes(tmp_path: Path) -> None:
    train, test = made.write_cifar100(tmp_path)
    samples = opened("cifar100", tmp_path)
    inputs, labels = all_training(samples)
    assert np.array_equal(inputs, train) and labels.tolist() == [place % 100 for place in range(300)]
    assert np.array_equal(open_test(samples).inputs, test)
    assert samples.search_data(0).class_names[42] == "thing_42"
    (tmp_path / cifar.HUNDRED_FOLDER / cifar.FINE_NAMES).write_text("cat\ndog\n")
    with pytest.raises(BadInput, match=r"fine_label_names.txt must name 100 classes, one a line, not 2"):
        opened("cifar100", tmp_path).search_data(0)


@pytest.mark.parametrize(("size", "label", "message"), [
    (0, 0, "has 0 bytes"), (3072, 0, "has 3,072 bytes"), (3074, 0, "has 3,074 bytes"), (3073 * 50_001, 0, "1 to 50,000 records"),
    (3073 * 2, 10, "record 0 has the label 10, there are 10 classes"),
])
def test_a_damaged_batch_is_named(size: int, label: int, message: str, tmp_path: Path) -> None:
    made.write_cifar10(tmp_path)
    path = tmp_path / cifar.TEN_FOLDER / "data_batch_3.bin"
    with path.open("wb") as file:
        file.truncate(size)
        file.write(bytes([label]) if size else b"")
    with pytest.raises(BadInput, match=message) as caught:
        opened("cifar10", tmp_path).search_data(0)
    assert str(path) in caught.value.message and (caught.value.field, caught.value.code) == ("dataset", "damaged_data")


# ---- the JPEG copy


def test_the_jpeg_copy_is_what_pillow_decodes(tmp_path: Path) -> None:
    path = made.write_jpeg_copy(tmp_path)
    samples = opened("cifar10_jpeg", tmp_path)
    inputs, labels = all_training(samples)
    for place, image in enumerate(made.random_pictures(100, 32)):
        (tmp_path / "one.jpg").write_bytes(made.encoded(image, "JPEG", quality=75))
        assert np.array_equal(inputs[place], np.asarray(Image.open(tmp_path / "one.jpg")).transpose(2, 0, 1))
    assert labels.tolist() == [place % 10 for place in range(100)]
    images, own = packed_jpegs.read_test(path.parent)
    sealed = open_test(samples)
    assert np.array_equal(images, sealed.inputs) and own.tolist() == sealed.labels.tolist()


def test_the_jpeg_copy_says_what_it_is_wherever_a_score_is_shown(tmp_path: Path) -> None:
    """In its title, before the start, in the run; the model card has the same sentences (bundle tests)."""
    entry = registry.dataset("cifar10_jpeg")
    assert "JPEG copy" in entry.title and entry.notice.startswith("JPEG copy") and "lossy" in entry.description
    made.write_jpeg_copy(tmp_path)
    checked = check({"algorithm": "random", "space": "cell", "datasets": ["cifar10_jpeg"], "budget": {"trials": 1}})
    assert Resources(checked, tmp_path).data_warnings[0] == entry.notice
    assert not registry.dataset("cifar10").notice


def damaged(**changes: Callable[[np.ndarray], np.ndarray]) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        with np.load(path) as file:
            arrays = {name: file[name] for name in file.files}
        np.savez(path, **{name: changes[name](array) if name in changes else array for name, array in arrays.items()})

    return change


@pytest.mark.parametrize(("damage", "message"), [
    (damaged(train_labels=lambda labels: labels + 3), "train_labels go from 3 to 12"),
    (damaged(train_labels=lambda labels: labels[1:]), "train_offsets must rise from 0 to the"),
    (damaged(train_offsets=lambda offsets: offsets[::-1]), "train_offsets must rise"),
    (damaged(train_offsets=lambda offsets: np.concatenate([offsets[:2], offsets[1:2], offsets[3:]])), "train_offsets must rise"),
    (damaged(train_jpeg=lambda content: content[:-1]), "train_offsets must rise"),
    (damaged(train_jpeg=lambda content: np.zeros_like(content)), "picture 0 of train is no JPEG"),
    (damaged(train_labels=lambda labels: labels.astype(object)), "Python objects"),
    (lambda path: path.write_bytes(path.read_bytes()[:5000]), "damaged or no .npz"),
])
def test_a_damaged_copy_is_named(damage: Callable[[Path], None], message: str, tmp_path: Path) -> None:
    path = made.write_jpeg_copy(tmp_path)
    damage(path)
    with pytest.raises(BadInput, match=message) as caught:
        opened("cifar10_jpeg", tmp_path).search_data(0)
    assert str(path) in caught.value.message and caught.value.code == "damaged_data"
    # Nothing of it is kept.
    assert not list((tmp_path / "home").rglob("*"))[1:]


def test_real_jpegs(tmp_path: Path, data_dir: Path) -> None:
    need_data(data_dir, *registry.dataset("cifar10_jpeg").files)
    made.write_real_subset(tmp_path, data_dir, train=30, test=10)
    samples = opened("cifar10_jpeg", tmp_path)
    inputs, labels = all_training(samples)
    assert inputs.shape == (300, 3, 32, 32) and labels.tolist() == [place // 30 for place in range(300)]
    # Photographs, not noise: neighbours are alike; the sky behind airplanes is bluer than what is behind frogs.
    steps = np.abs(np.diff(inputs.astype(int), axis=3)).mean()
    assert steps < 15
    blue = [inputs[labels == label][:, 2].mean() for label in (0, 6)]
    assert blue[0] > blue[1] + 30 and len(open_test(samples)) == 100


@pytest.mark.slow
def test_all_real_jpegs(data_dir: Path) -> None:
    need_data(data_dir, *registry.dataset("cifar10_jpeg").files)
    samples = opened("cifar10_jpeg", data_dir)
    data, test = samples.search_data(0), open_test(samples)
    assert (len(data.train), len(data.validation), len(test)) == (40_000, 10_000, 10_000)
    assert np.bincount(data.train.labels).tolist() == [4000] * 10 and np.bincount(test.labels).tolist() == [1000] * 10
    # The figures of the official training images are .4914, .4822, .4465 and .247, .2435, .2616.
    assert data.preprocessing.mean == pytest.approx((0.4914, 0.4822, 0.4465), abs=2e-3)
    assert data.preprocessing.std == pytest.approx((0.2470, 0.2435, 0.2616), abs=2e-3)


# ---- Tiny ImageNet


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with all 200 classes."""
    folder = tmp_path_factory.mktemp("tiny")
    made.write_tiny(folder)
    return folder


def test_tiny_imagenet_is_what_its_folders_hold(tiny: Path) -> None:
    samples = opened("tiny_imagenet", tiny, validation_share=0.34)
    inputs, labels = all_training(samples)
    assert labels.tolist() == [place // 3 for place in range(600)]
    for place in (0, 1, 2, 3, 299, 599):
        assert np.array_equal(inputs[place], made.tiny_picture(place // 3, place % 3))
    data = samples.search_data(0)
    assert data.class_names[:2] == ("thing 0", "thing 1") and data.shape == DataShape((3, 64, 64), 200)


def test_the_official_validation_pictures_are_the_test_part_in_their_own_order(tiny: Path) -> None:
    test = open_test(opened("tiny_imagenet", tiny, validation_share=0.34))
    assert test.labels.tolist() == list(range(199, -1, -1)) and test.indices.tolist() == list(range(200))
    assert np.array_equal(test.inputs[0], made.tiny_picture(199, 1000))
    images, labels = tiny_imagenet.read_test(tiny / "tiny-imagenet-200")
    assert np.array_equal(images, test.inputs) and labels.tolist() == test.labels.tolist()


def test_the_first_classes_are_a_data_set_of_their_own(tiny: Path) -> None:
    samples = opened("tiny_imagenet", tiny, classes=100, validation_share=0.34)
    inputs, labels = all_training(samples)
    assert len(inputs) == 300 and labels.max() == 99 and samples.shape().classes == 100
    test = open_test(samples)
    # Places in the whole list, so that the download's reader finds them.
    assert test.labels.tolist() == list(range(99, -1, -1)) and test.indices.tolist() == list(range(100, 200))
    assert np.array_equal(tiny_imagenet.read_test(tiny / "tiny-imagenet-200")[0][test.indices], test.inputs)
    entry = registry.dataset("tiny_imagenet")
    assert entry.test_part(entry.config(classes=100)) != entry.id == entry.test_part(entry.config(copies=4))


def test_what_may_be_wrong_with_the_archive(tmp_path: Path) -> None:
    place = made.write_tiny(tmp_path, classes=4)

    def refused(match: str, **options: Any) -> None:
        samples = opened("tiny_imagenet", tmp_path, **{"classes": 4, "validation_share": 0.34, **options})
        with pytest.raises(BadInput, match=match):
            samples.search_data(0)
            open_test(samples)

    refused("lists 4; ask for at most so many", classes=5)
    listed = place / "val" / "val_annotations.txt"
    whole = listed.read_text()
    for line in ("../../secret.JPEG\tn00000013\t0\n", "val_0.JPEG\tn00000013\t0\n", "val_9.JPEG\tn99999999\t0\n", "val_9.JPEG\n"):
        listed.write_text(whole + line)
        refused("val_annotations.txt, line 5: it must give a new picture and a class")
    listed.write_text(whole)
    (tmp_path / "secret").write_bytes(b"")
    (place / "val" / "images" / "val_2.JPEG").unlink()
    refused(r"val_2.JPEG")
    (place / "val" / "images" / "val_2.JPEG").symlink_to(tmp_path / "secret")
    refused(r"val_2.JPEG is a link that leads out")
    (place / "val" / "images" / "val_2.JPEG").unlink()
    (place / "val" / "images" / "val_2.JPEG").write_bytes(made.encoded(made.random_pictures(1, 63)[0]))
    refused(r"val_2.JPEG has 63 x 63 pixels \(height x width\); it must have 64 x 64")
    (place / "wnids.txt").write_text("n00000013\n/etc/passwd\n")
    refused("must list ids like n01443537, each once, not '/etc/passwd'", classes=2)


# ---- files that are not there


@pytest.mark.parametrize("name", ["cifar10", "cifar10_jpeg", "cifar100", "tiny_imagenet"])
def test_absent_files_are_named_before_anything_starts(name: str, tmp_path: Path) -> None:
    config = {"algorithm": "random", "space": "cell", "datasets": [name], "budget": {"trials": 1}}
    with pytest.raises(BadInput, match=registry.dataset(name).files[0]):
        check(config, tmp_path)


@pytest.mark.parametrize("name", ["cifar10", "cifar100", "tiny_imagenet"])
def test_what_never_ran_on_its_real_files_says_so(name: str) -> None:
    assert "never ran on the real files" in registry.dataset(name).description


# ---- of some classes, some images


def test_two_classes_of_cifar(tmp_path: Path) -> None:
    """Deer and trucks, as in the paper on AdaNet."""
    made.write_cifar10(tmp_path)
    samples = opened("cifar10", tmp_path, labels=[4, 9], examples=10)
    data, test = samples.search_data(0), open_test(samples)
    assert data.class_names == ("deer", "truck") and len(data.train) + len(data.validation) == 10
    images, labels = cifar_binary.read_test(tmp_path / cifar.TEN_FOLDER)
    assert np.array_equal(images[test.indices], test.inputs) and [(4, 9)[label] for label in test.labels] == labels[test.indices].tolist()
