"""Folds: disjoint, covering, even in every class, fixed by the seed, and nothing of the test part in any of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from search_engine.base.errors import BadInput
from search_engine.catalogue import registry
from search_engine.datasets.base import Part, Samples
from search_engine.datasets.folds import apart, fold_sizes, folds_of
from search_engine.search.sealed import open_test
from tests import made_pictures
from tests.search_engine.datasets.test_contract import BUNDLED

IN_SAMPLES = [name for name in BUNDLED if registry.dataset(name).provides == "samples"]


@pytest.mark.parametrize(("examples", "count"), [(10, 2), (10, 3), (11, 4), (7, 7), (1348, 5)])
def test_folds_are_disjoint_covering_and_even(examples: int, count: int) -> None:
    labels = np.random.RandomState(examples).randint(0, 3, size=examples)
    folds = folds_of(labels, count, "a test", 0)
    assert sorted(np.concatenate(folds).tolist()) == list(range(examples))
    # Positions are dealt class by class, so which folds are larger by one is fixed, too.
    assert [len(fold) for fold in folds] == fold_sizes(examples, count) and sum(fold_sizes(examples, count)) == examples
    for label in range(3):
        of_class = [int((labels[fold] == label).sum()) for fold in folds]
        assert max(of_class) - min(of_class) <= 1, "stratified"


def test_folds_hang_on_their_seed_and_count_alone() -> None:
    labels = np.arange(60) % 3
    same = [folds_of(labels, 5, "a test", 4) for _ in range(2)]
    assert all(np.array_equal(one, other) for one, other in zip(*same, strict=True))
    for other in (folds_of(labels, 5, "a test", 5), folds_of(labels, 5, "another", 4)):
        assert not all(np.array_equal(one, two) for one, two in zip(same[0], other, strict=True))
    # Written down once: another order of the numbers would be other runs.
    assert [fold.tolist() for fold in folds_of(np.array([0, 0, 1, 1, 0, 1]), 3, "written down")] == [[3, 0], [5, 1], [2, 4]]


def test_an_order_within_a_fold_says_nothing_of_its_class() -> None:
    """Any prefix of a part is a fair sample of it (`training.train_examples` takes the first ones)."""
    labels = np.repeat(np.arange(10), 100)
    rest, own = apart(folds_of(labels, 4, "a test"), 2)
    for part in (own[:100], rest[:100]):
        assert len(set(labels[part].tolist())) == 10


def test_real_targets_are_dealt_out() -> None:
    folds = folds_of(np.linspace(0, 1, 11)[:, None].astype(np.float32), 3, "a test")
    assert sorted(np.concatenate(folds).tolist()) == list(range(11)) and [len(fold) for fold in folds] == [4, 4, 3]


def test_too_many_folds_are_refused() -> None:
    with pytest.raises(BadInput, match="3 examples cannot be divided into 4 folds; give 2 to 3") as caught:
        folds_of(np.zeros(3, dtype=np.int64), 4)
    assert caught.value.field == "folds"


def rows(part: Part) -> set[bytes]:
    return {part.inputs[place].tobytes() for place in range(len(part))}


def divides_itself(dataset: Samples, copies: int = 1, *, one_source: bool = True) -> None:
    """What `search_data` divides in two `fold_data` divides in k, and nothing else. `one_source`: the places of test examples are numbered
    with the others."""
    count, data = 4, dataset.search_data(3)
    pool = sorted({*data.train.indices.tolist(), *data.validation.indices.tolist()})
    test, validated = rows(open_test(dataset)), []
    shared = len(test & (rows(data.train) | rows(data.validation)))
    seen: set[bytes] = set()
    for fold in range(count):
        own = dataset.fold_data(3, count, fold)
        again = dataset.fold_data(3, count, fold)
        assert np.array_equal(own.train.inputs, again.train.inputs) and np.array_equal(own.validation.indices, again.validation.indices)
        assert sorted({*own.train.indices.tolist(), *own.validation.indices.tolist()}) == pool
        assert not set(own.train.indices.tolist()) & set(own.validation.indices.tolist()), "no image is validated on that was trained on"
        assert len(own.train) == copies * (len(pool) - len(own.validation))
        if one_source:
            assert not set(open_test(dataset).indices.tolist()) & {*own.train.indices.tolist(), *own.validation.indices.tolist()}
        scaled = own.train.inputs[: len(own.train) // copies].astype(np.float64) / own.preprocessing.scale
        axes = (0, *range(2, scaled.ndim))
        if set(own.preprocessing.std) != {1.0}:
            assert np.allclose(scaled.mean(axis=axes), own.preprocessing.mean, atol=1e-6), "normalised by its own training part"
        validated += own.validation.indices.tolist()
        seen |= rows(own.validation)
    assert sorted(validated) == pool
    # Images that happen to be equal are shared with the test part by any division of the rest.
    assert len(seen & test) <= shared, "a fold reaches into the test part"
    assert not np.array_equal(dataset.fold_data(4, count, 0).validation.indices, dataset.fold_data(3, count, 0).validation.indices)


@pytest.mark.parametrize("dataset_id", IN_SAMPLES)
def test_every_bundled_data_set_divides_itself(dataset_id: str) -> None:
    entry = registry.dataset(dataset_id)
    dataset = entry.open(entry.config(), Path("unused"))
    assert isinstance(dataset, Samples)
    divides_itself(dataset)


@pytest.mark.parametrize("copies", [1, 3])
def test_one_with_an_official_test_part_does_and_copies_stay_on_their_side(copies: int, tmp_path: Path) -> None:
    made_pictures.write_cifar10(tmp_path)
    entry = registry.dataset("cifar10")
    dataset = entry.open(entry.config(copies=copies), tmp_path)
    assert isinstance(dataset, Samples)
    divides_itself(dataset, copies, one_source=False)


def test_one_that_does_not_say_how_is_refused() -> None:
    class Silent(Samples):
        def shape(self): ...  # type: ignore[no-untyped-def]
        def search_data(self, seed): ...  # type: ignore[no-untyped-def]
        def open_test(self, key): ...  # type: ignore[no-untyped-def]

    with pytest.raises(BadInput, match="does not say how it is divided"):
        Silent().fold_data(0, 3, 0)
