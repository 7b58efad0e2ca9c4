"""Data sets whose makers set their test part aside: the run's seed divides the training part only."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from typing import Literal

import numpy as np

from ..spaces.data_shape import DataShape, Preprocessing
from .base import Array, FinalePass, Part, Samples, SearchData
from .enlarging import enlarged
from .folds import apart, folds_of
from .label_subset import LEFT_OUT
from .splits import Indices, stratified_split, stratified_subset
from .statistics import image_preprocessing


class OfficialSplit(Samples):
    """A subclass says how a part is read; options are given by value, so that each data set describes its own.

    >>> class Stripes(OfficialSplit):
    ...     name, class_names = "stripes", ("dark", "light")
    ...     def shape(self): return DataShape((1, 2, 2), 2)
    ...     def _load(self, part):
    ...         labels = np.arange(20 if part == "train" else 6) % 2
    ...         return np.full((len(labels), 1, 2, 2), 200, dtype=np.uint8) * labels.astype(np.uint8)[:, None, None, None], labels
    >>> data = Stripes(validation_share=0.25).search_data(seed=0)
    >>> len(data.train), len(data.validation)
    (15, 5)
    """

    name: str

    def __init__(self, *, validation_share: float, examples: int = 0, copies: int = 1) -> None:
        """`examples` > 0 uses so many of the training part before it is split; `copies` is how often each training image is used, the first
        time as it is, then moved (`enlarging`)."""
        self._validation_share, self._examples, self._copies = validation_share, examples, copies

    @abstractmethod
    def shape(self) -> DataShape: ...

    @property
    @abstractmethod
    def class_names(self) -> tuple[str, ...]:
        """Of the classes that are used, in the order of their numbers."""

    @property
    def feature_names(self) -> tuple[str, ...]:
        """What the features of a vector are called, where they have names."""
        return ()

    @abstractmethod
    def _load(self, part: Literal["train", "test"]) -> tuple[Array, Array]:
        """Inputs (n, ...) and labels (n,) int64, LEFT_OUT for classes that are not used. Raises BadInput for files that are wrong."""

    def _preprocessing(self, inputs: Array) -> Preprocessing:
        """Fitted to the training part, before it is enlarged."""
        return image_preprocessing(inputs, 255.0)

    @cached_property
    def _training(self) -> tuple[Array, Array]:
        return self._load("train")

    def _part(self, indices: Indices) -> Part:
        inputs, labels = self._training
        # Of a mapped file only the chosen examples come into memory.
        return Part(inputs=np.asarray(inputs[indices]), labels=labels[indices], indices=indices)

    @cached_property
    def _pool(self) -> Indices:
        """Of the official training part, what is used: all that is divided."""
        labels = self._training[1]
        used = np.flatnonzero(labels != LEFT_OUT)
        return used[stratified_subset(labels[used], self._examples, self.name)]

    def search_data(self, seed: int) -> SearchData:
        labels = self._training[1][self._pool]
        return self._divided(*stratified_split(labels, self._validation_share, self.name, "validation", seed))

    def fold_data(self, seed: int, count: int, fold: int) -> SearchData:
        return self._divided(*apart(folds_of(self._training[1][self._pool], count, self.name, seed), fold))

    def _divided(self, train: Indices, validation: Indices) -> SearchData:
        """Both are positions in `_pool`. Copies are made of the training part alone: none of a validation image is trained on."""
        pool = self._pool
        part = self._part(pool[train])
        return SearchData(
            dataset=self.name,
            shape=self.shape(),
            train=enlarged(part, self._copies, self.name),
            validation=self._part(pool[validation]),
            preprocessing=self._preprocessing(part.inputs),
            class_names=self.class_names,
            feature_names=self.feature_names,
        )

    def open_test(self, key: FinalePass) -> Part:
        if not isinstance(key, FinalePass):
            raise TypeError("the test split opens only to the finale")
        inputs, labels = self._load("test")
        used = np.flatnonzero(labels != LEFT_OUT)
        return Part(inputs=np.asarray(inputs[used]), labels=labels[used], indices=used)

    @property
    def kept_bytes(self) -> int:
        inputs = self._training[0]
        return 0 if isinstance(inputs, np.memmap) else inputs.nbytes
