"""Fashion-MNIST and MNIST from their official idx files: 60,000 + 10,000 grey images of 28 x 28 pixels, ten classes.

Sources: H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST", arXiv 1708.07747 (2017); Y. LeCun, C. Cortes, C. Burges, "The MNIST
database of handwritten digits" (1998). The official test file is the test split; the run's seed divides the training file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from ..base.errors import BadInput, MissingData
from ..spaces.data_shape import DataShape
from .base import Array, DatasetConfig, DatasetEntry
from .idx_file import read_idx
from .label_subset import DESCRIPTION as LABELS_DESCRIPTION
from .label_subset import TenLabels, kept_names, relabelled, with_opened_labels
from .official_split import OfficialSplit

SHAPE = DataShape(input=(1, 28, 28), classes=10)
FILES = {
    "train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
    "test": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
}


class IdxConfig(DatasetConfig):
    spares_test = DatasetConfig.spares_test | {"examples"}

    validation_share: float = Field(
        default=1 / 6,
        ge=0.01,
        le=0.9,
        title="Validation share",
        description="share of the training file that chooses the structure (a sixth = 10,000 images); the others fit the weights",
    )
    examples: int = Field(
        default=0,
        ge=0,
        le=60_000,
        title="Training images used",
        description="use only so many images of the training file, every class in proportion, before it is split; 0 = all 60,000",
    )
    labels: TenLabels = Field(default=(), title="Classes", description=LABELS_DESCRIPTION)

    def used(self, declared: int) -> int:
        return self.examples or declared

    def opened(self) -> dict[str, Any]:
        return with_opened_labels(super().opened())


def _shape(config: IdxConfig) -> DataShape:
    return DataShape(SHAPE.input, len(config.labels) or SHAPE.classes)


class IdxImages(OfficialSplit):
    """One of the data sets in `folder`."""

    def __init__(self, name: str, class_names: tuple[str, ...], config: IdxConfig, folder: Path) -> None:
        super().__init__(validation_share=config.validation_share, examples=config.examples)
        self.name = name
        self.config = config
        self._names = class_names
        self._folder = folder
        for file in (file for pair in FILES.values() for file in pair):
            if not (folder / file).is_file():
                raise MissingData(
                    "dataset",
                    f"the data set '{name}' needs {folder / file}: put the four original files {', '.join(sum(FILES.values(), ()))} there, "
                    "or set NASCOPE_DATA to the folder that holds them",
                )

    def shape(self) -> DataShape:
        return _shape(self.config)

    @property
    def class_names(self) -> tuple[str, ...]:
        return kept_names(self._names, self.config.labels)

    def _load(self, part: Literal["train", "test"]) -> tuple[Array, Array]:
        images = read_idx(self._folder / FILES[part][0], dimensions=3)
        labels = read_idx(self._folder / FILES[part][1], dimensions=1)
        if images.shape[1:] != SHAPE.input[1:]:
            found = f"{self._folder / FILES[part][0]} holds images of {images.shape[1:]}, expected (28, 28)"
            raise BadInput("dataset", found, code="damaged_data")
        if len(images) != len(labels) or labels.max() >= SHAPE.classes:
            raise BadInput(
                "dataset", f"{self._folder}: the {part} files hold {len(images)} images and {len(labels)} labels up to {labels.max()}",
                code="damaged_data",
            )
        return images[:, np.newaxis], relabelled(labels.astype(np.int64), self.config.labels)


def _entry(name: str, title: str, description: str, source: str, licence: str, class_names: tuple[str, ...]) -> DatasetEntry:
    return DatasetEntry(
        id=name,
        title=title,
        description=description,
        source=source,
        licence=licence,
        provides="samples",
        config=IdxConfig,
        open=lambda config, data_dir: IdxImages(name, class_names, config, data_dir / name),
        shape=SHAPE,
        shape_from=_shape,
        files=tuple(f"{name}/{file}" for pair in FILES.values() for file in pair),
        test_reader="search_engine.datasets.readers.idx",
        sizes={"train and validation": 60_000, "test": 10_000},
    )


ENTRY = (
    _entry(
        "fashion_mnist",
        "Fashion-MNIST (28 x 28)",
        "70,000 grey images of clothing in ten classes, harder than digits: best networks reach about 96 %.",
        "https://github.com/zalandoresearch/fashion-mnist (Xiao, Rasul, Vollgraf, 2017)",
        "MIT",
        ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    ),
    _entry(
        "mnist",
        "MNIST (28 x 28)",
        "70,000 grey images of handwritten digits: the classic, easy benchmark.",
        "http://yann.lecun.com/exdb/mnist/ (LeCun, Cortes, Burges, 1998)",
        "CC BY-SA 3.0",
        tuple(str(digit) for digit in range(10)),
    ),
)
