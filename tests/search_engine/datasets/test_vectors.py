"""Data sets of vectors: what the formulas say, what the bundled tables hold, splits that keep the test part apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from search_engine.base.errors import BadInput
from search_engine.catalogue import registry
from search_engine.catalogue.config import check
from search_engine.datasets.base import Samples
from search_engine.datasets.linear_gaussian import LinearGaussianConfig, draw, support
from search_engine.datasets.polynomial import PolynomialConfig, coefficients
from search_engine.search.sealed import open_test

NAMES = ("breast_cancer", "wine", "polynomial", "linear_gaussian")


def opened(name: str, **options: Any) -> Samples:
    entry = registry.dataset(name)
    samples = entry.open(entry.config(**options), Path())
    assert isinstance(samples, Samples)
    return samples


@pytest.mark.parametrize("name", NAMES)
def test_parts_are_apart_and_the_test_part_is_the_same_for_every_seed(name: str) -> None:
    entry, samples = registry.dataset(name), opened(name)
    assert samples.shape() == entry.shape and entry.licence and entry.source
    test = open_test(samples)
    first, second = samples.search_data(0), samples.search_data(1)
    for data in (first, second):
        parts = [set(part.indices.tolist()) for part in (data.train, data.validation, test)]
        assert sum(map(len, parts)) == len(set().union(*parts)) == sum(entry.sizes.values())
        assert not data.feature_names or len(data.feature_names) == entry.shape.input[0]  # type: ignore[union-attr]
    assert first.train.indices.tolist() != second.train.indices.tolist()
    with pytest.raises(TypeError):
        samples.open_test(None)  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "counts"), [("breast_cancer", [212, 357]), ("wine", [59, 71, 48])])
def test_bundled_tables_are_whole_and_standardised(name: str, counts: list[int]) -> None:
    samples = opened(name)
    data = samples.search_data(0)
    labels = np.concatenate([part.labels for part in (data.train, data.validation, open_test(samples))])
    assert np.bincount(labels).tolist() == counts
    used = data.preprocessing
    seen = (data.train.inputs.astype(np.float64) - used.mean) / used.std
    np.testing.assert_allclose(seen.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(seen.std(0), 1, atol=1e-5)


def test_the_polynomial_has_its_degree_and_its_noise() -> None:
    config = PolynomialConfig(degree=4, noise=0.2, examples=5000)
    data = opened("polynomial", degree=4, noise=0.2, examples=5000).search_data(0)
    x, y = data.train.inputs[:, 0].astype(np.float64), data.train.labels[:, 0]
    assert np.abs(x).max() <= 1
    fit = np.polynomial.legendre.legfit(x, y, 6)
    np.testing.assert_allclose(fit[:5], coefficients(config), atol=0.05)
    np.testing.assert_allclose(fit[5:], 0, atol=0.05)
    assert abs(coefficients(config)[-1]) >= 1
    assert np.std(y - np.polynomial.legendre.legval(x, fit)) == pytest.approx(0.2, rel=0.1)
    assert coefficients(config).tolist() != coefficients(PolynomialConfig(degree=4, data_seed=1)).tolist()


def test_the_proxy_is_the_sum_of_two_relevant_features() -> None:
    config = LinearGaussianConfig(features=8, relevant=4, proxies=2)
    assert support(config) == (0, 1, 4, 5)
    x, y = draw(config, 20_000)
    for proxy in (2, 3):
        assert np.std(x[:, proxy] - x[:, 0] - x[:, 1]) == pytest.approx(0.4, rel=0.05)
    weights = np.linalg.lstsq(x, y[:, 0], rcond=None)[0]
    np.testing.assert_allclose(weights, [2, 2, 0, 0, 1, 1, 0, 0], atol=0.05)
    assert support(LinearGaussianConfig(relevant=1, proxies=0)) == (0,)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"relevant": 1}, "at least 2 relevant"),
        ({"features": 3, "relevant": 3}, "do not fit"),
        ({"noise": 0}, "greater than or equal"),
        ({"examples": 3}, "greater than or equal"),
    ],
)
def test_options_that_do_not_fit_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message) as error:
        check({"algorithm": "adddel", "datasets": ["linear_gaussian"], "dataset_options": [options]})
    assert error.value.field.startswith("dataset_options")
