"""Series of a pulse and its echo: the class is how long the echo takes.

Made for searching operations along time: which class it is cannot be told by what reaches less far than the shorter delay, and nothing
else differs between the classes. Where the pulse stands is drawn for each series, around the middle: far enough from either end that the
distance to an end says nothing.
"""

from __future__ import annotations

import numpy as np
from pydantic import Field, model_validator

from ..base.generators import derive_seed
from ..spaces.data_shape import DataShape
from .base import DatasetConfig, DatasetEntry
from .vectors import VectorSamples

TEST_SHARE = 0.25
SPREAD = 8
"""The pulse stands at one of an eighth of the moments."""


class EchoConfig(DatasetConfig):
    """Options of the series with an echo."""

    examples: int = Field(
        default=800, ge=40, le=100_000, title="Examples", description="How many series in all; a quarter of them is the test part."
    )
    validation_share: float = Field(
        default=0.5, ge=0.05, le=0.9, title="Validation share",
        description="Share of the series outside the test part that scores what was found.",
    )
    length: int = Field(default=128, ge=32, le=4096, title="Length", description="Moments of a series.")
    delays: tuple[int, int] = Field(
        default=(28, 36), title="Delays", description="After how many moments the echo comes in the first class and in the second."
    )
    noise: float = Field(
        default=0.1, ge=0, le=100, title="Noise",
        description="Standard deviation of the normal noise at every moment; pulses have height 1.",
    )
    data_seed: int = Field(
        default=0, ge=0, lt=2**31, title="Data seed", description="Which draw of the series; the run's seed only splits them.",
    )

    @model_validator(mode="after")
    def _two_that_fit(self) -> EchoConfig:
        if self.delays[0] == self.delays[1] or not all(1 <= delay <= self.length // 2 for delay in self.delays):
            raise ValueError(f"delays: two different numbers from 1 to half the length ({self.length // 2}) are needed")
        return self


def echo(config: EchoConfig) -> VectorSamples:
    """x (n, 1, length) float32 and classes (n,), half of each."""
    rng = np.random.default_rng(derive_seed("echo", config.data_seed))
    classes = np.arange(config.examples, dtype=np.int64) % 2
    x = config.noise * rng.standard_normal((config.examples, 1, config.length))
    places = config.length // SPREAD
    first = (config.length - max(config.delays) - places) // 2
    for place, kind in enumerate(classes):
        start = first + rng.integers(places)
        x[place, 0, [start, start + config.delays[kind]]] += 1.0
    return VectorSamples(
        "echo", x, classes, names=tuple(f"after {delay}" for delay in config.delays), validation_share=config.validation_share,
        test_share=TEST_SHARE, standardise=True,
    )


ENTRY = DatasetEntry(
    id="echo",
    title="Pulse and echo",
    description="Series of 128 moments with a pulse and its echo: does it come after 28 moments or after 36? Nothing to download; only "
    "what reaches far along time can tell.",
    source="made by the program",
    licence="made by the program",
    provides="samples",
    config=EchoConfig,
    open=lambda config, data_dir: echo(config),
    input_kind="series",
    shape=DataShape((1, 128), 2),
    shape_from=lambda config: DataShape((1, config.length), 2),
    sizes={"train and validation": 600, "test": 200},
)
