"""Tiny ImageNet from its unpacked archive: 200 classes, 500 + 50 colour photographs of 64 x 64 pixels of each.

Source: Stanford CS231n, "Tiny ImageNet Visual Recognition Challenge" (2015). Its test pictures have no labels: the official validation
pictures are the test part here, and the run's seed divides the training pictures.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from ..base.errors import BadInput
from ..base.lazy import lazy_module
from ..spaces.data_shape import DataShape
from .base import Array, DatasetConfig, DatasetEntry
from .damage import named_damage
from .decoded import decoded
from .enlarging import copies_field
from .label_subset import LEFT_OUT
from .official_split import OfficialSplit

if TYPE_CHECKING:
    from .readers import tiny_imagenet as reader
else:
    reader = lazy_module("search_engine.datasets.readers.tiny_imagenet")

FOLDER = "tiny-imagenet-200"
ALL = 200
THESIS = 100
INPUT = (3, 64, 64)


class TinyImageNetConfig(DatasetConfig):
    spares_test = DatasetConfig.spares_test | {"examples", "copies"}

    classes: int = Field(
        default=ALL, ge=2, le=ALL, title="Classes used",
        description="the first so many classes of wnids.txt. The master's thesis used 100, and does not say which: "
        "100 here are the first ones",
    )
    validation_share: float = Field(
        default=0.2, ge=0.01, le=0.9, title="Validation share",
        description="share of the training images that chooses the structure; the others fit the weights",
    )
    examples: int = Field(
        default=0, ge=0, le=100_000, title="Training images used",
        description="use only so many of these classes' training images, every class in proportion, before they are split; 0 = all, "
        "500 a class",
    )
    copies: int = copies_field()

    def used(self, declared: int) -> int:
        there = declared * self.classes // ALL
        return min(self.examples or there, there) * self.copies


def _shape(config: TinyImageNetConfig) -> DataShape:
    return DataShape(INPUT, config.classes)


class TinyImageNet(OfficialSplit):
    """The archive's folder."""

    name = "tiny_imagenet"

    def __init__(self, config: TinyImageNetConfig, folder: Path) -> None:
        super().__init__(validation_share=config.validation_share, examples=config.examples, copies=config.copies)
        self.config = config
        self._folder = folder

    def shape(self) -> DataShape:
        return _shape(self.config)

    @cached_property
    def _all_ids(self) -> tuple[str, ...]:
        with named_damage():
            ids = reader.read_classes(self._folder)
        if len(ids) < self.config.classes:
            raise BadInput("dataset_options", f"classes: {self._folder / reader.WNIDS} lists {len(ids)}; ask for at most so many")
        return ids

    @property
    def _ids(self) -> tuple[str, ...]:
        return self._all_ids[: self.config.classes]

    @property
    def class_names(self) -> tuple[str, ...]:
        with named_damage():
            return reader.class_words(self._folder, self._ids)

    def _load(self, part: Literal["train", "test"]) -> tuple[Array, Array]:
        """The test part has the pictures of all classes in the order of their list, so that its indices are those of the official list."""
        with named_damage():
            if part == "train":
                listing = reader.training_pictures(self._folder, self._ids)
                name = f"{self.name}-train-{len(self._ids)}"
            else:
                listing = reader.test_pictures(self._folder, self._all_ids)
                name = f"{self.name}-test"
            images = decoded(name, [str(listing.folder), listing.fingerprint()], listing.shape(3, reader.SIZE), listing.read)
        return images, np.where(listing.labels < self.config.classes, listing.labels, LEFT_OUT)


ENTRY = DatasetEntry(
    id="tiny_imagenet",
    title="Tiny ImageNet (64 x 64)",
    description="110,000 labelled colour photographs of 200 kinds of things (unpack tiny-imagenet-200.zip in the data folder); the "
    "official validation pictures are the test part. NAScope never ran on the real files, only on made ones of the same layout.",
    source="http://cs231n.stanford.edu/tiny-imagenet-200.zip (Stanford CS231n, 2015), from ImageNet (Deng et al., 2009)",
    licence="none given; ImageNet's terms allow non-commercial research and education",
    provides="samples",
    config=TinyImageNetConfig,
    open=lambda config, data_dir: TinyImageNet(config, data_dir / FOLDER),
    shape=DataShape(INPUT, ALL),
    shape_from=_shape,
    files=tuple(f"{FOLDER}/{name}" for name in ("wnids.txt", "words.txt", "val/val_annotations.txt")),
    test_reader="search_engine.datasets.readers.tiny_imagenet",
    sizes={"train and validation": 100_000, "test": 10_000},
)
