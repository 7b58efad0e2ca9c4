"""Splits: stratified, disjoint, reproducible; the numbers themselves are pinned, since published runs depend on them."""

from __future__ import annotations

import numpy as np
import pytest

from search_engine.base.errors import BadInput
from search_engine.datasets.splits import permutation, stratified_split, stratified_subset

LABELS = np.repeat(np.arange(4), [10, 21, 33, 7])


def test_parts_are_disjoint_and_complete() -> None:
    rest, chosen = stratified_split(LABELS, 0.3, "x", 1)
    assert sorted([*rest, *chosen]) == list(range(len(LABELS)))
    assert len(chosen) == round(0.3 * len(LABELS))


def test_every_class_is_in_proportion() -> None:
    _, chosen = stratified_split(LABELS, 0.3, "x", 1)
    counts = np.bincount(LABELS[chosen], minlength=4)
    assert np.abs(counts - 0.3 * np.bincount(LABELS)).max() < 1


def test_equal_seeds_give_equal_splits_and_others_do_not() -> None:
    first = stratified_split(LABELS, 0.3, "x", 1)
    again = stratified_split(LABELS, 0.3, "x", 1)
    other = stratified_split(LABELS, 0.3, "x", 2)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert set(first[1]) != set(other[1])


def test_parts_are_shuffled_so_that_a_prefix_is_a_fair_sample() -> None:
    labels = np.repeat(np.arange(2), 500)
    rest, _ = stratified_split(labels, 0.2, "x", 1)
    assert 0.4 < labels[rest[:200]].mean() < 0.6


def test_the_numbers_do_not_change_with_the_library() -> None:
    assert permutation(8, "order", 3).tolist() == [6, 3, 5, 1, 2, 7, 4, 0]


def test_a_subset_is_stratified_and_zero_means_all() -> None:
    assert np.array_equal(stratified_subset(LABELS, 0, "x"), np.arange(len(LABELS)))
    assert np.array_equal(stratified_subset(LABELS, 1000, "x"), np.arange(len(LABELS)))
    subset = stratified_subset(LABELS, 35, "x")
    assert len(set(subset)) == 35
    assert np.abs(np.bincount(LABELS[subset], minlength=4) - 35 / 71 * np.bincount(LABELS)).max() < 1


def test_an_empty_part_is_refused() -> None:
    with pytest.raises(BadInput, match="leaves one part empty"):
        stratified_split(LABELS, 0.001, "x")
