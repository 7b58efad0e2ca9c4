"""What a run's pieces share in one process: its space, its data set, its split. Opened at first use and cached.

The cache is bounded and keyed by content, so that a worker which serves many runs on one data set reads its files once.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from ..base.errors import BadInput
from ..catalogue.config import CheckedRun
from ..datasets.base import DatasetEntry, Objective, Samples, SearchData, Table
from ..spaces.base import SearchSpace
from ..spaces.data_shape import DataShape
from ..spaces.genomes import canonical_json


@lru_cache(maxsize=8)
def _open(dataset_id: str, options: str, data_dir: Path) -> Samples | Table | Objective:
    from ..catalogue import registry

    entry: DatasetEntry = registry.dataset(dataset_id)
    entry.check_files(data_dir)
    return entry.open(entry.config.model_validate_json(options), data_dir)


@lru_cache(maxsize=8)
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
        self._options = [canonical_json(options.model_dump(mode="json")) for options in checked.dataset_options]

    def dataset_of(self, domain: int) -> Samples | Table | Objective:
        """The data set of one domain."""
        return _open(self.checked.datasets[domain].id, self._options[domain], self.data_dir)

    def data_of(self, domain: int) -> SearchData:
        """Train and validation parts of one domain's split."""
        return _split(self.checked.datasets[domain].id, self._options[domain], self.data_dir, self.checked.config.seed)

    @property
    def dataset(self) -> Samples | Table | Objective:
        """The first domain's data set."""
        return self.dataset_of(0)

    @property
    def search_data(self) -> SearchData:
        """The first domain's train and validation parts."""
        return self.data_of(0)

    @property
    def domains(self) -> list[SearchData]:
        """Train and validation parts of every domain, in order."""
        return [self.data_of(domain) for domain in range(len(self.checked.datasets))]

    @property
    def shapes(self) -> tuple[DataShape, ...]:
        """What each domain's data look like."""
        known = [entry.shape_of(options) for entry, options in zip(self.checked.datasets, self.checked.dataset_options, strict=True)]
        return tuple(self.data_of(domain).shape if shape is None else shape for domain, shape in enumerate(known))

    @property
    def space(self) -> SearchSpace[Any]:
        if not hasattr(self, "_space"):
            self._space: SearchSpace[Any] = self.checked.space.space(self.checked.space_options, self.shapes[0], self.shapes)
        return self._space
