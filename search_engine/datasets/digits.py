"""Handwritten digits as scikit-learn bundles them: 1,797 images of 8 x 8 pixels, grey values 0 to 16, ten classes.

Source: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI repository (1998), its test file. No official split
comes with it: a quarter is set aside for the test once and for all; the run's seed divides only the rest.
"""

from __future__ import annotations

import gzip
import zlib
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from ..base.errors import BadInput, MissingData
from ..spaces.data_shape import DataShape
from .base import Array, DatasetConfig, DatasetEntry, FinalePass, Part, Samples, SearchData
from .folds import apart, folds_of
from .label_subset import DESCRIPTION as LABELS_DESCRIPTION
from .label_subset import LEFT_OUT, TenLabels, kept_names, relabelled, with_opened_labels
from .splits import Indices, stratified_split
from .statistics import image_preprocessing

TEST_SHARE = 0.25
GREY_LEVELS = 16.0
SHAPE = DataShape(input=(1, 8, 8), classes=10)
TABLE = (1797, 65)
"""Rows and columns of the file: 64 grey values and the class."""


class DigitsConfig(DatasetConfig):
    validation_share: float = Field(
        default=0.25,
        ge=0.05,
        le=0.9,
        title="Validation share",
        description="share of the non-test images that chooses the structure; the others fit the weights",
    )
    labels: TenLabels = Field(default=(), title="Classes", description=LABELS_DESCRIPTION)

    def opened(self) -> dict[str, Any]:
        return with_opened_labels(super().opened())


def _shape(config: DigitsConfig) -> DataShape:
    return DataShape(SHAPE.input, len(config.labels) or SHAPE.classes)


def _read() -> tuple[Array, Array]:
    """Images (1797, 1, 8, 8) uint8 and labels (1797,) int64.

    The file is read in place: importing scikit-learn for it would take seconds of a search's start.
    """
    package = find_spec("sklearn")
    if package is None or not package.submodule_search_locations:
        raise MissingData("dataset", "the data set 'digits' comes with scikit-learn: pip install scikit-learn")
    path = Path(package.submodule_search_locations[0]) / "datasets" / "data" / "digits.csv.gz"
    if not path.is_file():
        raise MissingData("dataset", f"scikit-learn lacks its file {path}: pip install --force-reinstall scikit-learn")
    try:
        with gzip.open(path, "rt", encoding="ascii") as file:
            table = np.loadtxt(file, delimiter=",", dtype=np.float64, ndmin=2)
        if table.shape != TABLE:
            raise ValueError(f"it has {table.shape[0]} rows of {table.shape[1]} numbers, not {TABLE[0]} of {TABLE[1]}")
    except (gzip.BadGzipFile, EOFError, zlib.error, ValueError) as error:
        again = "pip install --force-reinstall scikit-learn"
        raise BadInput("dataset", f"{path} is damaged: {error}; {again}", code="damaged_data") from None
    return table[:, :64].astype(np.uint8).reshape(-1, 1, 8, 8), table[:, 64].astype(np.int64)


class Digits(Samples):
    """The digits, split by `DigitsConfig`.

    >>> Digits(DigitsConfig(labels=(3, 8))).search_data(seed=0).class_names
    ('3', '8')
    """

    def __init__(self, config: DigitsConfig) -> None:
        self.config = config
        self._images, self._digits = _read()
        self._labels = relabelled(self._digits, config.labels)

    def shape(self) -> DataShape:
        return _shape(self.config)

    @cached_property
    def _sealed(self) -> tuple[Indices, Indices]:
        """Indices of (train and validation, test): the same for every seed, and for a subset of the classes a part of the same."""
        pool, test = stratified_split(self._digits, TEST_SHARE, "digits", "test")
        return pool[self._labels[pool] != LEFT_OUT], test[self._labels[test] != LEFT_OUT]

    def _part(self, indices: Indices) -> Part:
        return Part(inputs=self._images[indices], labels=self._labels[indices], indices=indices)

    def search_data(self, seed: int) -> SearchData:
        pool = self._sealed[0]
        return self._divided(*stratified_split(self._labels[pool], self.config.validation_share, "digits", "validation", seed))

    def fold_data(self, seed: int, count: int, fold: int) -> SearchData:
        return self._divided(*apart(folds_of(self._labels[self._sealed[0]], count, "digits", seed), fold))

    def _divided(self, train: Indices, validation: Indices) -> SearchData:
        """Both are positions in what is not the test part."""
        pool = self._sealed[0]
        part = self._part(pool[train])
        return SearchData(
            dataset="digits",
            shape=self.shape(),
            train=part,
            validation=self._part(pool[validation]),
            preprocessing=image_preprocessing(part.inputs, GREY_LEVELS),
            class_names=kept_names(tuple(str(digit) for digit in range(10)), self.config.labels),
        )

    def open_test(self, key: FinalePass) -> Part:
        if not isinstance(key, FinalePass):
            raise TypeError("the test split opens only to the finale")
        return self._part(self._sealed[1])


ENTRY = DatasetEntry(
    id="digits",
    title="Handwritten digits (8 x 8)",
    description="1,797 grey images of handwritten digits, bundled with scikit-learn: nothing to download.",
    source="UCI Optical Recognition of Handwritten Digits (Alpaydin and Kaynak, 1998), through scikit-learn",
    licence="CC BY 4.0",
    provides="samples",
    config=DigitsConfig,
    open=lambda config, data_dir: Digits(config),
    shape=SHAPE,
    shape_from=_shape,
    package_files=("sklearn/datasets/data/digits.csv.gz",),
    sizes={"train and validation": 1348, "test": 449},
)
