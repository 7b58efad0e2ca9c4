"""What a run's pieces share in one process: its space, its data set, its split. Opened at first use and cached.

The cache is bounded and keyed by content, so that a worker which serves many runs on one data set reads its files once. What is read for a
run is what the run recorded (`data_record`), or nothing is.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from ..algorithms.given import GivenModel
from ..base.errors import BadInput
from ..catalogue.config import CheckedRun
from ..datasets import data_files
from ..datasets.base import DatasetEntry, Objective, Samples, SearchData, Table
from ..spaces.base import SearchSpace
from ..spaces.data_shape import DataShape
from ..spaces.genomes import canonical_json
from ..spaces.populations import GivenPopulation, check_fits
from . import data_record

Content = tuple[tuple[str, str], ...]
"""Names and digests of the files of a data set."""


def _entry(dataset_id: str) -> DatasetEntry:
    from ..catalogue import registry

    return registry.dataset(dataset_id)


@lru_cache(maxsize=8)
def _open(dataset_id: str, options: str, data_dir: Path, content: Content) -> Samples | Table | Objective:
    entry = _entry(dataset_id)
    entry.check_files(data_dir)
    return entry.open(entry.config.model_validate_json(options), data_dir)


@lru_cache(maxsize=8)
def _split(dataset_id: str, options: str, data_dir: Path, content: Content, seed: int) -> SearchData:
    samples = _open(dataset_id, options, data_dir, content)
    if not isinstance(samples, Samples):
        raise BadInput("dataset", f"the data set '{dataset_id}' has no samples to train on", code="incompatible")
    split = samples.search_data(seed)
    # It may be now that the files were read.
    data_record.compare(dict(content), data_files.digests(_entry(dataset_id), data_dir), dataset_id)
    return split


@lru_cache(maxsize=2)
def _fold(dataset_id: str, options: str, data_dir: Path, content: Content, seed: int, count: int, fold: int) -> SearchData:
    samples = _open(dataset_id, options, data_dir, content)
    assert isinstance(samples, Samples)
    return samples.fold_data(seed, count, fold)


@lru_cache(maxsize=32)
def _review(dataset_id: str, options: str, data_dir: Path, content: Content, seed: int) -> tuple[str, ...]:
    from ..catalogue import registry
    from ..datasets.review import review

    notice = registry.dataset(dataset_id).notice
    return ((notice,) if notice else ()) + tuple(review(_split(dataset_id, options, data_dir, content, seed)))


def forget_opened() -> None:
    """Open everything anew from now on: an id may stand for other data than before."""
    for opened in (_open, _split, _fold, _review):
        opened.cache_clear()


class Resources:
    """Lazily opened parts of one checked run. With `run_dir` its data files are those that the run recorded there (`data_record`): every
    part that is opened raises BadInput(field "dataset", code "changed_data") where one is not."""

    def __init__(self, checked: CheckedRun, data_dir: Path, run_dir: Path | None = None) -> None:
        self.checked = checked
        self.data_dir = data_dir
        self.run_dir = run_dir
        self._options = [canonical_json(options.model_dump(mode="json")) for options in checked.dataset_options]
        self._contents: dict[int, Content] = {}

    def all_files(self) -> data_files.Digests:
        """The digests of the files of all data sets, by their names, as they are now."""
        found: data_files.Digests = {}
        for domain in range(len(self.checked.datasets)):
            found |= self.files_of(domain)
        return found

    def files_of(self, domain: int) -> data_files.Digests:
        """Those of one domain."""
        return data_files.digests(self.checked.datasets[domain], self.data_dir)

    def look_again(self) -> None:
        """What is opened from now on is compared anew: the files may have changed since this was made."""
        self._contents = {}

    def _content(self, domain: int) -> Content:
        """The digests of one domain's files, found as recorded."""
        if domain not in self._contents:
            entry = self.checked.datasets[domain]
            found = data_files.digests(entry, self.data_dir)
            entry.check_files(self.data_dir)
            recorded = data_record.read(self.run_dir) if self.run_dir is not None and found else None
            if recorded is not None:
                data_record.compare(recorded, found, entry.id)
            self._contents[domain] = tuple(sorted(found.items()))
        return self._contents[domain]

    def dataset_of(self, domain: int) -> Samples | Table | Objective:
        """The data set of one domain."""
        return _open(self.checked.datasets[domain].id, self._options[domain], self.data_dir, self._content(domain))

    def data_of(self, domain: int) -> SearchData:
        """Train and validation parts of one domain's split."""
        entry, seed = self.checked.datasets[domain], self.checked.config.seed
        return _split(entry.id, self._options[domain], self.data_dir, self._content(domain), seed)

    def fold_data(self, count: int, fold: int) -> SearchData:
        """The first domain's data with fold number `fold` (from 0) of `count` as the validation part (`datasets.folds`); which are divided
        by the run's seed. Few are kept: each is a copy of the whole."""
        entry, seed = self.checked.datasets[0], self.checked.config.seed
        self.data_of(0)
        return _fold(entry.id, self._options[0], self.data_dir, self._content(0), seed, count, fold)

    def review_of(self, domain: int) -> tuple[str, ...]:
        """What a person should know of one domain's data, in sentences (`datasets.review`)."""
        entry, seed = self.checked.datasets[domain], self.checked.config.seed
        return _review(entry.id, self._options[domain], self.data_dir, self._content(domain), seed)

    @property
    def data_warnings(self) -> list[str]:
        """What there is to know of the data before a score on them is believed, with the data set's title where there are several. Of a
        table or a formula there is nothing."""
        several = len(self.checked.datasets) > 1
        return [
            f"{entry.title}: {sentence}" if several else sentence
            for domain, entry in enumerate(self.checked.datasets)
            if entry.provides == "samples"
            for sentence in self.review_of(domain)
        ]

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
    def given(self) -> GivenModel | None:
        """The finished network that the run begins with, if it does; its weights are those in the run's folder."""
        config = self.checked.config.model
        if config is None:
            return None
        from ..catalogue import registry

        return GivenModel(config, registry.space(config.space), self.shapes[0], self.run_dir)

    @property
    def population(self) -> GivenPopulation | None:
        """The initial population that the run begins with, if it was given one: that in the run's folder."""
        config = self.checked.config.population
        if config is None:
            return None
        check_fits(config, self.space, self.checked.options.initial_population, self.checked.algorithm.title)
        return GivenPopulation(config, self.run_dir)

    @property
    def space(self) -> SearchSpace[Any]:
        if not hasattr(self, "_space"):
            self._space: SearchSpace[Any] = self.checked.space.space(self.checked.space_options, self.shapes[0], self.shapes)
        return self._space
