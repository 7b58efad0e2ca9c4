"""A table in which a category says which of the other columns counts: the class is whether that column is positive.

Made for searching relations between columns: no sum of functions of single columns can say the class. Each number alone is right little
more often than chance, and the category alone not at all.
"""

from __future__ import annotations

import numpy as np
from pydantic import Field

from ..base.generators import derive_seed
from ..spaces.data_shape import Categories, DataShape
from .base import DatasetConfig, DatasetEntry
from .vectors import VectorSamples

TEST_SHARE = 0.25


class SwitchedColumnConfig(DatasetConfig):
    """Options of the table with a switch."""

    examples: int = Field(
        default=1600, ge=40, le=100_000, title="Examples", description="How many rows in all; a quarter of them is the test part."
    )
    validation_share: float = Field(
        default=0.5, ge=0.05, le=0.9, title="Validation share",
        description="Share of the rows outside the test part that scores what was found.",
    )
    numbers: int = Field(
        default=4, ge=2, le=64, title="Columns of numbers",
        description="Independent standard normal columns; the category names one of them.",
    )
    data_seed: int = Field(
        default=0, ge=0, lt=2**31, title="Data seed", description="Which draw of the rows; the run's seed only splits them.",
    )


def shape(config: SwitchedColumnConfig) -> DataShape:
    """The category's indicators stand first, then the numbers."""
    return DataShape((2 * config.numbers,), 2, columns=(Categories(0, config.numbers),))


def switched_column(config: SwitchedColumnConfig) -> VectorSamples:
    """x (n, 2 * numbers) float32 and classes (n,)."""
    rng = np.random.default_rng(derive_seed("switched_column", config.data_seed))
    which = rng.integers(config.numbers, size=config.examples)
    numbers = rng.standard_normal((config.examples, config.numbers))
    x = np.concatenate([np.eye(config.numbers)[which], numbers], axis=1)
    classes = (numbers[np.arange(config.examples), which] > 0).astype(np.int64)
    names = (*(f"column {number} counts" for number in range(config.numbers)), *(f"column {number}" for number in range(config.numbers)))
    return VectorSamples(
        "switched_column", x, classes, names=("negative", "positive"), validation_share=config.validation_share, test_share=TEST_SHARE,
        standardise=True, feature_names=names, columns=shape(config).columns,
    )


ENTRY = DatasetEntry(
    id="switched_column",
    title="Switched column",
    description="A table of a category and four numbers: the category says which number counts, and its sign is the class. Nothing to "
    "download; only what relates columns to one another can tell.",
    source="made by the program",
    licence="made by the program",
    provides="samples",
    config=SwitchedColumnConfig,
    open=lambda config, data_dir: switched_column(config),
    input_kind="vector",
    shape=shape(SwitchedColumnConfig()),
    shape_from=shape,
    sizes={"train and validation": 1200, "test": 400},
)
