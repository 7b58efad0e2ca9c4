"""A checked run, as far as those need it who say something of it (`config.CheckedRun` is one)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from ..base.training_config import TrainingConfig
from ..datasets.base import DatasetEntry

if TYPE_CHECKING:
    from ..spaces.base import SearchSpace


class Checked(Protocol):
    """Its config, and what its ids and options were resolved to."""

    @property
    def config(self) -> Any: ...
    @property
    def algorithm(self) -> Any: ...
    @property
    def options(self) -> Any: ...
    @property
    def space(self) -> Any: ...
    @property
    def space_options(self) -> Any: ...
    @property
    def datasets(self) -> Any: ...
    @property
    def dataset_options(self) -> Any: ...
    @property
    def dataset(self) -> DatasetEntry: ...
    @property
    def finishes(self) -> bool: ...
    @property
    def finale_training(self) -> TrainingConfig: ...


def space_of(checked: Checked) -> SearchSpace[Any] | None:
    """The space of a run; None where the shape of its data is known only once they are read."""
    shapes = [entry.shape_of(options) for entry, options in zip(checked.datasets, checked.dataset_options, strict=True)]
    known = tuple(shape for shape in shapes if shape is not None)
    if len(known) < len(shapes):
        return None
    made: SearchSpace[Any] = checked.space.space(checked.space_options, known[0], known)
    return made
