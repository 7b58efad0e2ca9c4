"""y = tanh(x0) + noise with ten features that say nothing (O. Bakhteev, PhD thesis 2020, the synthetic example of structure selection).

A constant, a function of the first feature and a function of all features compete: too simple, right, and able to fit the noise.
"""

from __future__ import annotations

import numpy as np
from pydantic import Field

from ..base.generators import derive_seed
from ..spaces.data_shape import DataShape
from .base import DatasetConfig, DatasetEntry
from .vectors import VectorSamples

TEST_SHARE = 0.5
SHAPE = DataShape(input=(11,), classes=1, task="regression")


class ThesisToyConfig(DatasetConfig):
    """Options of the thesis's synthetic example."""

    examples: int = Field(
        default=200, ge=12, le=100_000, title="Examples",
        description="How many objects in all; half of them are the test part. With the defaults 50 fit the weights, as in the thesis.",
    )
    validation_share: float = Field(
        default=0.5, ge=0.05, le=0.9, title="Validation share",
        description="Share of the objects outside the test part that scores what was found.",
    )
    features: int = Field(
        default=11, ge=2, le=1000, title="Features",
        description="Independent standard normal features; only the first one matters. Thesis: 11.",
    )
    noise: float = Field(default=0.5, ge=0, le=100, title="Noise", description="Standard deviation of the normal noise on y. Thesis: 0.5.")
    data_seed: int = Field(
        default=0, ge=0, lt=2**31, title="Data seed", description="Which draw of the objects; the run's seed only splits them.",
    )


def thesis_toy(config: ThesisToyConfig) -> VectorSamples:
    """x (n, features) and y (n, 1), float32."""
    rng = np.random.default_rng(derive_seed("thesis_toy", config.data_seed))
    x = rng.standard_normal((config.examples, config.features))
    y = np.tanh(x[:, :1]) + config.noise * rng.standard_normal((config.examples, 1))
    return VectorSamples(
        "thesis_toy", x, y, names=("y",), validation_share=config.validation_share, test_share=TEST_SHARE, standardise=False,
    )


ENTRY = DatasetEntry(
    id="thesis_toy",
    title="One feature of eleven",
    description="y = tanh(x0) + noise beside ten useless features, 50 objects to fit: simple, right and over-rich functions compete.",
    source="the synthetic example of O. Bakhteev's PhD thesis 'Bayesian selection of the structure of deep learning models' (2020); "
    "made by the program",
    licence="made by the program",
    provides="samples",
    config=ThesisToyConfig,
    open=lambda config, data_dir: thesis_toy(config),
    input_kind="vector",
    shape=SHAPE,
    shape_from=lambda config: DataShape((config.features,), 1, "regression"),
    task="regression",
    metric="val_r2",
    sizes={"train and validation": 100, "test": 100},
)
