"""A polynomial of known degree with noise: which degree does a search find?

x is uniform on [-1, 1] and y = sum over k of c_k P_k(x) + noise, P_k being the Legendre polynomials: they are orthogonal under this
distribution of x, so each degree up to the true one adds c_k^2 / (2 k + 1) to the variance of y and none can stand for another. |c_k| is
drawn from U(0.5, 1.5) and its sign at random; the highest is 1 at least, so that the degree is that of the options.

(C. Bishop, Pattern Recognition and Machine Learning, 2006, sections 1.1 and 3.4, chooses the degree of such a fit by its evidence.)
"""

from __future__ import annotations

import numpy as np
from numpy.polynomial import legendre
from pydantic import Field

from ..base.generators import derive_seed
from ..spaces.data_shape import DataShape
from .base import Array, DatasetConfig, DatasetEntry
from .vectors import VectorSamples

TEST_SHARE = 0.25
SHAPE = DataShape(input=(1,), classes=1, task="regression")


class PolynomialConfig(DatasetConfig):
    degree: int = Field(default=3, ge=0, le=12, title="True degree", description="degree of the polynomial that the data come from")
    noise: float = Field(
        default=0.3, ge=0.001, le=10, title="Noise", description="standard deviation of the Gaussian noise that is added to every y"
    )
    examples: int = Field(
        default=120, ge=16, le=5000, title="Examples", description="how many pairs (x, y) are drawn; a quarter of them is the test part"
    )
    validation_share: float = Field(
        default=0.3, ge=0.05, le=0.9, title="Validation share",
        description="share of the non-test examples that is kept from the fit; the others fit the weights",
    )
    data_seed: int = Field(
        default=0, ge=0, lt=2**31, title="Seed of the data", description="another number draws another polynomial and other noise"
    )


def coefficients(config: PolynomialConfig) -> Array:
    """(degree + 1,) c_k, of the Legendre polynomials."""
    generator = np.random.RandomState(derive_seed("polynomial", "coefficients", config.degree, config.data_seed) % 2**32)
    values: Array = generator.uniform(0.5, 1.5, config.degree + 1) * generator.choice([-1.0, 1.0], config.degree + 1)
    values[-1] = np.sign(values[-1]) * max(1.0, abs(values[-1]))
    return values


def _open(config: PolynomialConfig) -> VectorSamples:
    generator = np.random.RandomState(derive_seed("polynomial", "samples", config.data_seed) % 2**32)
    x = generator.uniform(-1, 1, config.examples)
    y = legendre.legval(x, coefficients(config)) + config.noise * generator.randn(config.examples)
    return VectorSamples(
        "polynomial", x[:, None], y[:, None], names=("y",), validation_share=config.validation_share, test_share=TEST_SHARE,
        standardise=False, feature_names=("x",),
    )


ENTRY = DatasetEntry(
    id="polynomial",
    title="Polynomial with noise",
    description="Points of a polynomial of known degree with Gaussian noise: nothing to download, and the right answer is known.",
    source="C. Bishop, Pattern Recognition and Machine Learning (2006), section 1.1: the example of choosing a polynomial's degree",
    licence="none needed: a formula",
    provides="samples",
    config=PolynomialConfig,
    open=lambda config, data_dir: _open(config),
    input_kind="vector",
    shape=SHAPE,
    metric="val_r2",
    sizes={"train and validation": 90, "test": 30},
    task="regression",
)
