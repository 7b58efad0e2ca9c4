"""A linear model with Gaussian noise of which only some features matter, and features that stand for two others at once.

y = 2 x_0 + 2 x_1 + 1 x_3 + ... + noise. With one proxy, x_2 = x_0 + x_1 + 0.4 e: alone it explains more of y than any true feature, so
a rule that only adds takes it first and keeps it, although with x_0 and x_1 there it says nothing more. With p proxies they are features
2 to p + 1; the relevant ones beyond the first two come behind them.
"""

from __future__ import annotations

import numpy as np
from pydantic import Field, model_validator

from ..base.generators import derive_seed
from ..spaces.data_shape import DataShape
from .base import Array, DatasetConfig, DatasetEntry
from .vectors import VectorSamples

TEST_SHARE = 0.25
PROXY_NOISE = 0.4
STRONG, WEAK = 2.0, 1.0
"""Coefficients of the first two relevant features and of the others."""


class LinearGaussianConfig(DatasetConfig):
    features: int = Field(default=15, ge=1, le=200, title="Features", description="how many features there are, relevant or not")
    relevant: int = Field(default=3, ge=1, le=200, title="Relevant features", description="how many of the features y depends on")
    proxies: int = Field(
        default=1, ge=0, le=20, title="Proxies",
        description="features x_0 + x_1 + 0.4 e, which stand for two relevant ones without being relevant themselves",
    )
    noise: float = Field(
        default=0.5, ge=0.001, le=10, title="Noise", description="standard deviation of the Gaussian noise that is added to every y"
    )
    examples: int = Field(
        default=400, ge=16, le=20_000, title="Examples", description="how many examples are drawn; a quarter of them is the test part"
    )
    validation_share: float = Field(
        default=1 / 3, ge=0.05, le=0.9, title="Validation share",
        description="share of the non-test examples that is kept from the fit; the others fit the weights",
    )
    data_seed: int = Field(default=0, ge=0, lt=2**31, title="Seed of the data", description="another number draws other examples")

    @model_validator(mode="after")
    def _fits(self) -> LinearGaussianConfig:
        if self.proxies and self.relevant < 2:
            raise ValueError("a proxy is the sum of two relevant features: give at least 2 relevant ones, or no proxy")
        if self.relevant + self.proxies > self.features:
            raise ValueError(
                f"{self.relevant} relevant features and {self.proxies} proxies do not fit into {self.features} features: give more features"
            )
        return self


def support(config: LinearGaussianConfig) -> tuple[int, ...]:
    """The features that y depends on."""
    first = min(2, config.relevant)
    return (*range(first), *range(2 + config.proxies, config.proxies + config.relevant))


def draw(config: LinearGaussianConfig, examples: int) -> tuple[Array, Array]:
    """Features (examples, d) and targets (examples, 1), float64."""
    generator = np.random.RandomState(derive_seed("linear_gaussian", config.data_seed) % 2**32)
    x: Array = generator.randn(examples, config.features)
    for proxy in range(2, 2 + config.proxies):
        x[:, proxy] = x[:, 0] + x[:, 1] + PROXY_NOISE * x[:, proxy]
    weights = [STRONG if place < 2 else WEAK for place in range(config.relevant)]
    y = x[:, support(config)] @ np.array(weights) + config.noise * generator.randn(examples)
    return x, y[:, None]


def _open(config: LinearGaussianConfig) -> VectorSamples:
    x, y = draw(config, config.examples)
    return VectorSamples(
        "linear_gaussian", x, y, names=("y",), validation_share=config.validation_share, test_share=TEST_SHARE, standardise=False
    )


def _shape(config: LinearGaussianConfig) -> DataShape:
    return DataShape(input=(config.features,), classes=1, task="regression")


ENTRY = DatasetEntry(
    id="linear_gaussian",
    title="Linear model with proxies",
    description="A linear function of a few of many features with Gaussian noise, and a feature that imitates two others: nothing to "
    "download, and the right features are known.",
    source="a feature-selection plant with a proxy feature; linear-Gaussian model as in C. Bishop, Pattern Recognition and Machine "
    "Learning (2006), chapter 3",
    licence="none needed: a formula",
    provides="samples",
    config=LinearGaussianConfig,
    open=lambda config, data_dir: _open(config),
    input_kind="vector",
    shape=_shape(LinearGaussianConfig()),
    shape_from=_shape,
    metric="val_r2",
    sizes={"train and validation": 300, "test": 100},
    task="regression",
)
