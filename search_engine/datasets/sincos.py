"""y = a0 sin(w0 x) + a1 cos(w1 x) + noise, x uniform on [0, 1] (Gridasov, "Construction of a neural network of optimal complexity", 2019).

The slides give the law and no numbers. 0.1 is taken as the noise's standard deviation; amplitudes (1, 0.5) and frequencies (3, 5) are
ours. On [0, 1] the amplitudes are hardly identified: other pairs fit the data almost as well, so a search is judged by its fit.
"""

from __future__ import annotations

import numpy as np
from pydantic import Field

from ..base.generators import derive_seed
from ..spaces.data_shape import DataShape
from .base import DatasetConfig, DatasetEntry
from .vectors import VectorSamples

TEST_SHARE = 1 / 3
SHAPE = DataShape(input=(1,), classes=1, task="regression")


class SincosConfig(DatasetConfig):
    """Options of the sine and cosine data."""

    examples: int = Field(
        default=600, ge=12, le=100_000, title="Examples",
        description="How many points in all; a third of them is the test part, and the validation share divides the rest.",
    )
    validation_share: float = Field(
        default=0.5, ge=0.05, le=0.9, title="Validation share",
        description="Share of the points outside the test part that chooses the structure.",
    )
    sine_amplitude: float = Field(default=1.0, ge=-100, le=100, title="Amplitude of the sine", description="a0 of the law.")
    cosine_amplitude: float = Field(default=0.5, ge=-100, le=100, title="Amplitude of the cosine", description="a1 of the law.")
    sine_frequency: float = Field(default=3.0, ge=-100, le=100, title="Frequency of the sine", description="w0 of the law.")
    cosine_frequency: float = Field(default=5.0, ge=-100, le=100, title="Frequency of the cosine", description="w1 of the law.")
    noise: float = Field(default=0.1, ge=0, le=100, title="Noise", description="Standard deviation of the normal noise on y.")
    data_seed: int = Field(
        default=0, ge=0, lt=2**31, title="Data seed", description="Which draw of the points; the run's seed only splits them.",
    )


def sincos(config: SincosConfig) -> VectorSamples:
    """x (n, 1) and y (n, 1), float32."""
    rng = np.random.default_rng(derive_seed("sincos", config.data_seed))
    x = rng.uniform(0, 1, (config.examples, 1))
    y = config.sine_amplitude * np.sin(config.sine_frequency * x) + config.cosine_amplitude * np.cos(config.cosine_frequency * x)
    y = y + config.noise * rng.standard_normal(y.shape)
    return VectorSamples(
        "sincos", x, y, names=("y",), validation_share=config.validation_share, test_share=TEST_SHARE, standardise=False,
    )


ENTRY = DatasetEntry(
    id="sincos",
    title="Sine and cosine",
    description="Points of a sum of a sine and a cosine with noise: two amplitudes are the structure, two frequencies the weights.",
    source="the synthetic sample of I. Gridasov's slides 'Construction of a neural network of optimal complexity' (2019)",
    licence="made by the program",
    provides="samples",
    config=SincosConfig,
    open=lambda config, data_dir: sincos(config),
    input_kind="vector",
    shape=SHAPE,
    task="regression",
    metric="val_r2",
    sizes={"train and validation": 400, "test": 200},
)
