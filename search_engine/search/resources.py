"""What a run's pieces share in one process: its space, its data set, its split. Opened at first use and cached.

The cache is bounded and keyed by content, so that a worker which serves many runs on one data set reads its files once.
"""

from __future__ import annotations

import importlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..config import CheckedRun
from ..datasets.base import DatasetEntry, Objective, Samples, SearchData, Table
from ..errors import BadInput
from ..genomes import canonical_json
from ..spaces.base import DataShape, SearchSpace


def load_object(path: str) -> Any:
    """The object named by `module:name`."""
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)


@lru_cache(maxsize=4)
def _open(dataset_id: str, options: str, data_dir: Path) -> Samples | Table | Objective:
    from .. import registry

    entry: DatasetEntry = registry.dataset(dataset_id)
    entry.check_files(data_dir)
    return entry.open(entry.config.model_validate_json(options), data_dir)


@lru_cache(maxsize=4)
def _split(dataset_id: str, options: str, data_dir: Path, seed: int) -> SearchData:
    samples = _open(dataset_id, options, data_dir)
    if not isinstance(samples, Samples):
        raise BadInput("dataset", f"the data set '{dataset_id}' has no samples to train on", code="incompatible")
    return samples.search_data(seed)


class Resources:
    """Lazily opened parts of one checked run."""

    def __init__(self, checked: CheckedRun, data_dir: Path) -> None:
        self.checked = checked
        self.data_dir = data_dir
        self._options = canonical_json(checked.dataset_options[0].model_dump(mode="json"))

    @property
    def dataset(self) -> Samples | Table | Objective:
        return _open(self.checked.dataset.id, self._options, self.data_dir)

    @property
    def search_data(self) -> SearchData:
        """Train and validation parts of the run's split."""
        return _split(self.checked.dataset.id, self._options, self.data_dir, self.checked.config.seed)

    @property
    def shape(self) -> DataShape:
        known = self.checked.dataset.shape
        return known if known is not None else self.dataset.shape()

    @property
    def space(self) -> SearchSpace[Any]:
        if not hasattr(self, "_space"):
            self._space: SearchSpace[Any] = self.checked.space.space(self.checked.space_options, self.shape)
        return self._space
