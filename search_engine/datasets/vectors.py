"""Data sets of vectors or series that are made or read whole, with classes or real targets, split by seed.

The test part is set aside once for all seeds; the run's seed divides only the rest.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from ..base.errors import BadInput
from ..spaces.data_shape import Categories, DataShape, Preprocessing
from .base import Array, FinalePass, Part, Samples, SearchData
from .folds import apart, folds_of
from .splits import Indices, permutation, stratified_split


class VectorSamples(Samples):
    """`inputs` (n, d) or (n, channels, time) float32; `targets` (n,) int64 class numbers or (n, values) float32.

    With `standardise` the features (of series the channels) are brought to mean 0 and deviation 1 of the training part; without, networks
    see them as they are
    (a formula whose parameters mean something in the data's own units).

    >>> inputs, targets = np.arange(40.0).reshape(20, 2), np.arange(20) % 2
    >>> samples = VectorSamples("v", inputs, targets, names=("even", "odd"), validation_share=0.25, test_share=0.2, standardise=True)
    >>> data = samples.search_data(seed=0)
    >>> data.shape, len(data.train), len(data.validation)
    (DataShape(input=(2,), classes=2, task='classification'), 12, 4)
    """

    def __init__(
        self, name: str, inputs: Array, targets: Array, *, names: tuple[str, ...], validation_share: float, test_share: float,
        standardise: bool, feature_names: tuple[str, ...] = (), columns: tuple[Categories, ...] = (),
    ) -> None:
        """`names` are those of the classes, or of the targets' values; `columns` the categorical ones of a table (`DataShape`)."""
        self._name = name
        self._inputs = inputs.astype(np.float32)
        self._regression = targets.dtype.kind == "f"
        self._targets = targets.astype(np.float32) if self._regression else targets.astype(np.int64)
        self._names = names
        self._feature_names = feature_names
        self._columns = columns
        self._validation_share, self._test_share = validation_share, test_share
        self._standardise = standardise

    def shape(self) -> DataShape:
        task = "regression" if self._regression else "classification"
        return DataShape(self._inputs.shape[1:], len(self._names), task, self._columns)  # type: ignore[arg-type]

    def _split(self, positions: Indices, share: float, *seed: object) -> tuple[Indices, Indices]:
        if not self._regression:
            return stratified_split(self._targets[positions], share, *seed)
        chosen = round(share * len(positions))
        if not 0 < chosen < len(positions):
            raise BadInput("dataset_options", f"a share of {share:g} of {len(positions)} examples leaves one part empty")
        order = permutation(len(positions), "split", *seed)
        return order[chosen:], order[:chosen]

    @cached_property
    def _sealed(self) -> tuple[Indices, Indices]:
        """Indices of (train and validation, test), the same for every seed."""
        return self._split(np.arange(len(self._inputs), dtype=np.int64), self._test_share, self._name, "test")

    def _part(self, indices: Indices) -> Part:
        return Part(inputs=self._inputs[indices], labels=self._targets[indices], indices=indices)

    def search_data(self, seed: int) -> SearchData:
        return self._divided(*self._split(self._sealed[0], self._validation_share, self._name, "validation", seed))

    def fold_data(self, seed: int, count: int, fold: int) -> SearchData:
        return self._divided(*apart(folds_of(self._targets[self._sealed[0]], count, self._name, seed), fold))

    def _divided(self, train: Indices, validation: Indices) -> SearchData:
        """Both are positions in what is not the test part."""
        pool = self._sealed[0]
        part = self._part(pool[train])
        return SearchData(
            dataset=self._name,
            shape=self.shape(),
            train=part,
            validation=self._part(pool[validation]),
            preprocessing=self._preprocessing(part.inputs),
            class_names=self._names,
            feature_names=self._feature_names,
        )

    def _preprocessing(self, inputs: Array) -> Preprocessing:
        if not self._standardise:
            width = inputs.shape[1]
            return Preprocessing(scale=1.0, mean=(0.0,) * width, std=(1.0,) * width)
        return standardising(inputs)

    def open_test(self, key: FinalePass) -> Part:
        if not isinstance(key, FinalePass):
            raise TypeError("the test split opens only to the finale")
        return self._part(self._sealed[1])


def standardising(inputs: Array) -> Preprocessing:
    """Brings each feature of `inputs` (n, d), or each channel of (n, channels, time), to mean 0 and deviation 1."""
    values = np.moveaxis(inputs, 1, -1).reshape(-1, inputs.shape[1]).astype(np.float64)
    deviation = values.std(axis=0)
    return Preprocessing(
        scale=1.0,
        mean=tuple(float(item) for item in values.mean(axis=0)),
        # A constant feature stays what it is after centring.
        std=tuple(float(item) if item > 0 else 1.0 for item in deviation),
    )
