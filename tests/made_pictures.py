"""Data files of the tests' own in the official layouts of CIFAR, Tiny ImageNet and the JPEG copy, and time series as aeon holds them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from search_engine.datasets import cifar, tiny_imagenet

Array = np.ndarray[Any, Any]


def random_pictures(count: int, size: int, seed: int = 0, channels: int = 3) -> Array:
    """(count, channels, size, size) uint8."""
    return np.random.RandomState(seed).randint(0, 256, (count, channels, size, size)).astype(np.uint8)


def encoded(picture: Array, kind: str = "PNG", **options: Any) -> bytes:
    """(channels, height, width) uint8 as the bytes of a file."""
    shown = picture[0] if len(picture) == 1 else picture.transpose(1, 2, 0)
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(shown)).save(file, kind, **options)
    return file.getvalue()


def _records(images: Array, *labels: Sequence[int]) -> bytes:
    return b"".join(bytes([*own, *image.tobytes()]) for image, *own in zip(images, *labels, strict=True))


def write_cifar10(folder: Path, per_batch: int = 20, test: int = 20) -> tuple[Array, Array]:
    """The six binary files; the training and the test pictures, whose labels go 0, 1, ... 9, 0, ..."""
    place = folder / cifar.TEN_FOLDER
    place.mkdir(parents=True)
    train, tested = random_pictures(per_batch * 5, 32), random_pictures(test, 32, seed=1)
    for number, name in enumerate(cifar.BATCHES):
        own = range(number * per_batch, (number + 1) * per_batch)
        (place / name).write_bytes(_records(train[own.start : own.stop], [item % 10 for item in own]))
    (place / cifar.TEN).write_bytes(_records(tested, [item % 10 for item in range(test)]))
    return train, tested


def write_cifar100(folder: Path, train: int = 300, test: int = 100) -> tuple[Array, Array]:
    """The two binary files and the names; labels go 0, 1, ... 99, 0, ..., superclasses are a fifth of them."""
    place = folder / cifar.HUNDRED_FOLDER
    place.mkdir(parents=True)
    parts = random_pictures(train, 32), random_pictures(test, 32, seed=1)
    for name, images in zip(("train.bin", cifar.HUNDRED), parts, strict=True):
        fine = [item % 100 for item in range(len(images))]
        (place / name).write_bytes(_records(images, [item // 5 for item in fine], fine))
    (place / cifar.FINE_NAMES).write_text("".join(f"thing_{number}\n" for number in range(100)))
    return parts


def wnid(number: int) -> str:
    # Not in the order of their numbers: wnids.txt decides, as in the archive.
    return f"n{(number * 7919 + 13) % 10**8:08d}"


def write_tiny(folder: Path, classes: int = 200, train: int = 3, test: int = 1) -> Path:
    """The archive's folder with so many pictures of each class (PNG data under the official names: readers look at the content)."""
    place = folder / tiny_imagenet.FOLDER
    ids = [wnid(number) for number in range(classes)]
    annotations = []
    for number, name in enumerate(ids):
        (place / "train" / name / "images").mkdir(parents=True)
        (place / "train" / name / f"{name}_boxes.txt").write_text("")
        for item in range(train):
            (place / "train" / name / "images" / f"{name}_{item}.JPEG").write_bytes(encoded(tiny_picture(number, item)))
    (place / "val" / "images").mkdir(parents=True)
    for item in range(test):
        for number in range(classes):
            file = f"val_{item * classes + number}.JPEG"
            # From the last class to the first: the order of the list is not that of the classes.
            own = classes - 1 - number
            (place / "val" / "images" / file).write_bytes(encoded(tiny_picture(own, 1000 + item)))
            annotations.append(f"{file}\t{ids[own]}\t0\t32\t44\t62\n")
    (place / "val" / "val_annotations.txt").write_text("".join(annotations))
    (place / "wnids.txt").write_text("".join(f"{name}\n" for name in ids))
    (place / "words.txt").write_text("".join(f"{name}\tthing {number}, other word\n" for number, name in enumerate(ids)))
    return place


def tiny_picture(number: int, item: int) -> Array:
    """(3, 64, 64): noise of few bytes that tells class and picture."""
    pixels = np.zeros((3, 64, 64), dtype=np.uint8)
    pixels[0, :, :] = number
    pixels[1, :8, :8] = random_pictures(1, 8, seed=number * 2000 + item, channels=1)[0, 0]
    pixels[2, item % 64, :] = 255
    return pixels


def write_packed(folder: Path, files: dict[str, list[bytes]], labels: dict[str, Sequence[int]]) -> Path:
    """A `cifar10_jpeg` of these files by part."""
    arrays: dict[str, Any] = {"classes": np.array(cifar.NAMES)}
    for part, own in files.items():
        arrays[f"{part}_jpeg"] = np.frombuffer(b"".join(own), dtype=np.uint8)
        arrays[f"{part}_offsets"] = np.concatenate([[0], np.cumsum([len(item) for item in own])]).astype(np.int64)
        arrays[f"{part}_labels"] = np.asarray(labels[part], dtype=np.uint8)
    path = folder / cifar.JPEG_FOLDER / cifar.JPEG_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **arrays)
    return path


def write_jpeg_copy(folder: Path, train: int = 100, test: int = 30) -> Path:
    """A `cifar10_jpeg` of so many random pictures; labels go 0, 1, ... 9, 0, ..."""
    pictures = {"train": random_pictures(train, 32), "test": random_pictures(test, 32, seed=1)}
    files = {part: [encoded(item, "JPEG", quality=75) for item in own] for part, own in pictures.items()}
    return write_packed(folder, files, {part: [item % 10 for item in range(len(own))] for part, own in pictures.items()})


def write_real_subset(folder: Path, data_dir: Path, train: int, test: int) -> Path:
    """The first so many files of each class of the real JPEG copy, as a `cifar10_jpeg` of its own."""
    files: dict[str, list[bytes]] = {}
    labels: dict[str, list[int]] = {}
    with np.load(data_dir / cifar.JPEG_FOLDER / cifar.JPEG_FILE, allow_pickle=False) as real:
        for part, each in (("train", train), ("test", test)):
            content, offsets, own = real[f"{part}_jpeg"], real[f"{part}_offsets"], real[f"{part}_labels"]
            chosen = [place for label in range(10) for place in np.flatnonzero(own == label)[:each].tolist()]
            files[part] = [content[offsets[place] : offsets[place + 1]].tobytes() for place in chosen]
            labels[part] = own[chosen].tolist()
    return write_packed(folder, files, labels)
