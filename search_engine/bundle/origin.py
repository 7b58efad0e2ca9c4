"""What a bundle must know of the run that its network comes from."""

from __future__ import annotations

from typing import Any, Protocol


class Origin(Protocol):
    """A checked run, as far as the card, the manifest and the test split need it (`catalogue.config.CheckedRun` is one)."""

    @property
    def config(self) -> Any:
        """The run config: seed, threads, together, budget, finale."""

    @property
    def algorithm(self) -> Any:
        """The entry: id, title, source."""

    @property
    def options(self) -> Any:
        """The algorithm's own, a pydantic model."""

    @property
    def space(self) -> Any:
        """The entry: id, title, source."""

    @property
    def datasets(self) -> list[Any]:
        """The entries, one per domain."""

    @property
    def dataset_options(self) -> list[Any]:
        """Theirs, pydantic models."""
