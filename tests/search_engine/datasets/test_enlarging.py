"""A training part that is made several times as large."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from search_engine.base.errors import BadInput
from search_engine.catalogue import registry
from search_engine.catalogue.config import check
from search_engine.datasets import enlarging
from search_engine.datasets.base import Part, Samples
from search_engine.datasets.enlarging import enlarged
from search_engine.datasets.review import review
from search_engine.search.sealed import open_test
from tests import made_pictures as made


def part(count: int, size: int = 16) -> Part:
    # No black, so that what comes in from outside is seen.
    places = np.arange(count, dtype=np.int64)
    return Part(np.maximum(made.random_pictures(count, size), 1), places % 3, places + 100)


def moves_of(image: np.ndarray) -> dict[bytes, tuple[int, int, bool]]:
    """Every way in which an image may be moved, by its pixels: written out, not computed as the code does."""
    size = image.shape[1]
    reach = size // 8
    found = {}
    for down in range(-reach, reach + 1):
        for right in range(-reach, reach + 1):
            moved = np.zeros_like(image)
            for row in range(size):
                for column in range(size):
                    if 0 <= row - down < size and 0 <= column - right < size:
                        moved[:, row, column] = image[:, row - down, column - right]
            found[moved.tobytes()] = (down, right, False)
            found[moved[:, :, ::-1].tobytes()] = (down, right, True)
    return found


def test_every_copy_is_another_move_of_its_image() -> None:
    own = part(20)
    larger = enlarged(own, 4, "a")
    assert len(larger) == 80 and np.array_equal(larger.inputs[:20], own.inputs)
    assert larger.labels.tolist() == own.labels.tolist() * 4 and larger.indices.tolist() == own.indices.tolist() * 4
    seen = set()
    for place in range(20):
        moves = moves_of(own.inputs[place])
        got = [moves[larger.inputs[place + 20 * copy].tobytes()] for copy in range(4)]
        assert got[0] == (0, 0, False) and len(set(got)) == 4
        seen |= set(got)
    assert {down for down, _, _ in seen} == {right for _, right, _ in seen} == {-2, -1, 0, 1, 2}
    assert {mirrored for _, _, mirrored in seen} == {False, True}


def test_the_draws_depend_on_the_name_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    own = part(30)
    first = enlarged(own, 3, "a").inputs
    assert np.array_equal(first, enlarged(own, 3, "a").inputs) and not np.array_equal(first, enlarged(own, 3, "b").inputs)
    monkeypatch.setattr(enlarging, "CHUNK", 7)
    assert np.array_equal(first, enlarged(own, 3, "a").inputs)


def test_one_copy_is_the_part_itself() -> None:
    own = part(5)
    assert enlarged(own, 1, "a") is own


@pytest.mark.parametrize("copies", [3, 4])
def test_only_the_training_part_grows(copies: int, tmp_path: Path) -> None:
    """The thesis's 3 and 4: validation, test and preprocessing stay, nothing repeats, and the visits to the test part count as the same."""
    made.write_cifar100(tmp_path)
    entry = registry.dataset("cifar100")
    plain, larger = (entry.open(entry.config(copies=number), tmp_path) for number in (1, copies))
    assert isinstance(plain, Samples) and isinstance(larger, Samples)
    before, after = plain.search_data(2), larger.search_data(2)
    assert len(after.train) == copies * len(before.train) and np.array_equal(after.train.inputs[: len(before.train)], before.train.inputs)
    assert np.array_equal(after.validation.inputs, before.validation.inputs) and after.preprocessing == before.preprocessing
    assert np.array_equal(open_test(plain).inputs, open_test(larger).inputs)
    assert review(after) == review(before) and not set(after.train.indices) & set(after.validation.indices)
    assert entry.test_part(entry.config(copies=copies)) == "cifar100"


def test_more_than_the_thesis_is_refused() -> None:
    with pytest.raises(BadInput, match="copies"):
        check({"algorithm": "random", "datasets": ["cifar100"], "dataset_options": [{"copies": 5}], "budget": {"trials": 1}})
