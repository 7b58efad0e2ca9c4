"""A stored set, opened: parts of a split by the run's seed, encoded with what the training part knows."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np

from ...base.errors import BadInput
from ...spaces.data_shape import Categories, DataShape, Preprocessing
from ..base import Array, FinalePass, Part, Samples, SearchData
from ..damage import named_damage
from ..folds import apart, folds_of
from ..splits import Indices
from ..statistics import image_preprocessing
from ..transformation import Transformation
from ..vectors import standardising
from .encoding import encoded, fitted_columns, place_names, target_rule
from .findings import Manifest
from .missing import MISSING
from .splitting import POOL, TEST, TRAIN, VALIDATION, chosen_by


def shape_of(manifest: Manifest) -> DataShape:
    """With the places of the columns of categories, for spaces that take each column as a whole."""
    first, columns = 0, []
    for column in manifest.layout:
        if column.kind == "category" and column.categories:
            columns.append(Categories(first, column.width))
        first += column.width
    return DataShape(tuple(manifest.shape), len(manifest.class_names), manifest.task, tuple(columns))


class OwnSamples(Samples):
    """The set of `manifest` in `folder`. Pictures and series are mapped, not read."""

    def __init__(self, manifest: Manifest, folder: Path, validation_share: float) -> None:
        self._manifest, self._folder, self._share = manifest, folder, validation_share

    def shape(self) -> DataShape:
        return shape_of(self._manifest)

    def _array(self, name: str, *, mapped: bool = False) -> Array:
        with named_damage():
            found: Array = np.load(self._folder / name, mmap_mode="r" if mapped else None, allow_pickle=False)
        return found

    def _named(self, name: str) -> Array | None:
        return self._array(name) if name in self._manifest.arrays else None

    @cached_property
    def _targets(self) -> Array:
        return self._array("targets.npy")

    @cached_property
    def _roles(self) -> Array:
        return self._array("roles.npy")

    @cached_property
    def _inputs(self) -> Array:
        return self._array("inputs.npy", mapped=True)

    @cached_property
    def _cells(self) -> tuple[Array, Array]:
        rows = len(self._targets)
        numbers, codes = self._named("numbers.npy"), self._named("codes.npy")
        return (
            np.zeros((rows, 0), dtype=np.float64) if numbers is None else numbers,
            np.zeros((rows, 0), dtype=np.int32) if codes is None else codes,
        )

    @cached_property
    def _pool(self) -> Indices:
        """What is divided by the run's seed."""
        return np.flatnonzero(self._roles == POOL).astype(np.int64)

    def search_data(self, seed: int) -> SearchData:
        if (self._roles == VALIDATION).any():
            train = np.flatnonzero((self._roles == POOL) | (self._roles == TRAIN))
            return self._divided(train.astype(np.int64), np.flatnonzero(self._roles == VALIDATION).astype(np.int64))
        pool, split, name = self._pool, self._manifest.split, self._manifest.id
        kind = split.kind if split.kind != "own" else ("stratified" if self._manifest.task == "classification" else "random")
        groups, order = self._named("groups.npy"), self._named("order.npy")
        try:
            rest, chosen = chosen_by(
                kind, self._targets[pool], self._share, None if groups is None else groups[pool], None if order is None else order[pool],
                name, "validation", seed,
            )
        except BadInput as error:
            raise BadInput("dataset_options", f"validation: {error.message}") from None
        return self._divided(pool[rest], pool[chosen])

    def fold_data(self, seed: int, count: int, fold: int) -> SearchData:
        kind, pool, name = self._manifest.split.kind, self._pool, self._manifest.id
        if kind == "time" or (self._roles == VALIDATION).any():
            why = "is ordered in time" if kind == "time" else "has a validation part of its own"
            message = f"the data set '{name}' {why}, so it cannot be divided into folds: leave this at 1"
            raise BadInput("folds", message, code="incompatible")
        if kind == "group":
            groups = self._array("groups.npy")[pool]
            names = np.unique(groups)
            # Real numbers are dealt out as they come: groups have no classes.
            own = apart(folds_of(names.astype(np.float64), count, name, seed), fold)[1]
            inside = np.isin(groups, names[own])
            return self._divided(pool[~inside], pool[inside])
        return self._divided(*(pool[item] for item in apart(folds_of(self._targets[pool], count, name, seed), fold)))

    def _divided(self, train: Indices, validation: Indices) -> SearchData:
        fitted = self._fitted(train)
        part = self._part(train, fitted)
        return SearchData(
            dataset=self._manifest.id,
            shape=self.shape(),
            train=part,
            validation=self._part(validation, fitted),
            preprocessing=self._preprocessing(part.inputs),
            class_names=tuple(self._manifest.class_names),
            feature_names=self._feature_names(),
            transformation=fitted,
        )

    def _feature_names(self) -> tuple[str, ...]:
        return place_names(self._manifest.layout) if self._manifest.kind == "vector" else ()

    def _fitted(self, train: Indices) -> Transformation:
        """What the training part, and nothing else, says of cells and targets."""
        manifest = self._manifest
        numbers, codes = self._cells if manifest.layout else (np.zeros((0, 0)), np.zeros((0, 0)))
        return Transformation(
            columns=fitted_columns(manifest.layout, numbers[train], codes[train]) if manifest.layout else [],
            width=sum(column.width for column in manifest.layout),
            missing_texts=sorted(MISSING),
            decimal=manifest.decimal,
            target=target_rule(manifest.target, manifest.class_names, self._targets[train]),
        )

    def _part(self, indices: Indices, fitted: Transformation) -> Part:
        return Part(self._encoded(indices, fitted), self._answers(indices, fitted), indices)

    def _encoded(self, indices: Indices, fitted: Transformation) -> Array:
        if not self._manifest.layout:
            return np.asarray(self._inputs[indices])
        numbers, codes = self._cells
        return encoded(fitted.columns, self._manifest.layout, numbers[indices], codes[indices])

    def _answers(self, indices: Indices, fitted: Transformation) -> Array:
        targets = self._targets[indices]
        if targets.dtype.kind != "f":
            return targets
        rule = fitted.target
        scaled: Array = ((targets - rule.mean) / rule.std).astype(np.float32)[:, None]
        return scaled

    def _preprocessing(self, inputs: Array) -> Preprocessing:
        """Fitted to the training part."""
        if self._manifest.kind == "image":
            return image_preprocessing(inputs, 255.0)
        if inputs.ndim == 3:
            flat = np.ascontiguousarray(inputs.transpose(0, 2, 1)).reshape(-1, inputs.shape[1])
            return standardising(flat)
        return standardising(inputs)

    def open_test(self, key: FinalePass) -> Part:
        """Of a table only the targets and the places: `prepared` encodes it with what a run has fitted."""
        if not isinstance(key, FinalePass):
            raise TypeError("the test split opens only to the finale")
        indices = np.flatnonzero(self._roles == TEST).astype(np.int64)
        inputs = np.zeros((len(indices), 0), np.float32) if self._manifest.layout else np.asarray(self._inputs[indices])
        return Part(inputs, self._targets[indices], indices)

    def prepared(self, part: Part, data: SearchData) -> Part:
        fitted = data.transformation
        assert fitted is not None
        return replace(part, inputs=self._encoded(part.indices, fitted), labels=self._answers(part.indices, fitted))

    @property
    def kept_bytes(self) -> int:
        return sum(array.nbytes for array in self._cells) if self._manifest.layout else 0
