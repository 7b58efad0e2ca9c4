"""What is fitted is fitted to the training part of a run, and to nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from search_engine.datasets.base import FinalePass, Part, SearchData
from search_engine.datasets.own.splitting import TEST
from tests.search_engine.datasets.own.made_files import csv, draft_of, people
from tests.search_engine.datasets.own.test_splits import opened

COLUMNS = ["a", "b", "c", "y"]


def table(path: Path, change: Callable[[int, list[object]], None] = lambda row, cells: None) -> Path:
    rng = np.random.RandomState(2)
    rows = []
    for row in range(150):
        first = "" if row % 9 == 4 else round(float(rng.randn()), 3)
        cells: list[object] = [first, round(10 * float(rng.rand()), 3), "uvw"[rng.randint(3)], round(1000 * float(rng.randn()), 2)]
        change(row, cells)
        rows.append(cells)
    return csv(path, COLUMNS, rows)


def test_part(samples: object, data: SearchData) -> Part:
    """As the finale opens it."""
    return samples.prepared(samples.open_test(object.__new__(FinalePass)), data)  # type: ignore[attr-defined, no-any-return]


test_part.__test__ = False  # type: ignore[attr-defined]


def test_cells_outside_the_training_part_change_nothing_that_is_fitted(tmp_path: Path) -> None:
    samples = opened(table(tmp_path / "t.csv"), tmp_path / "own", split="random")
    data = samples.search_data(0)
    outside = set(range(150)) - set(data.train.indices.tolist())

    def shout(row: int, cells: list[object]) -> None:
        if row in outside:
            cells[0], cells[1], cells[3] = (1e6 if cells[0] != "" else ""), -1e6, 1e6

    other = opened(table(tmp_path / "loud.csv", shout), tmp_path / "own", split="random").search_data(0)
    assert other.dataset != data.dataset
    # The split of a run follows the content of the set: what is compared is a fit to the very same rows.
    loud = opened(table(tmp_path / "loud.csv", shout), tmp_path / "own", split="random")
    fitted, again = samples._fitted(data.train.indices), loud._fitted(data.train.indices)
    assert fitted == again
    assert samples._preprocessing(samples._part(data.train.indices, fitted).inputs) == loud._preprocessing(
        loud._part(data.train.indices, again).inputs
    )


def test_fill_scale_and_target_are_those_of_the_training_rows(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv")
    samples, draft = opened(path, tmp_path / "own"), draft_of(path)
    assert draft.numbers is not None
    for seed in (0, 1):
        data = samples.search_data(seed)
        train, rules = data.train.indices, data.transformation
        assert rules is not None and rules.columns[0].fill == float(np.nanmedian(draft.numbers[train, 0]))
        own = draft.targets[train]
        assert rules.target.mean == pytest.approx(own.mean()) and rules.target.std == pytest.approx(own.std())
        assert data.train.labels.shape == (len(train), 1) and abs(float(data.train.labels.mean())) < 1e-6
        assert np.allclose(data.train.inputs.mean(axis=0), data.preprocessing.mean, atol=1e-6)
        restored = data.validation.labels[:, 0].astype(np.float64) * rules.target.std + rules.target.mean
        assert np.allclose(restored, draft.targets[data.validation.indices], atol=1e-2)
    assert samples.search_data(0).transformation != samples.search_data(1).transformation


def test_the_test_part_is_encoded_with_what_the_run_fitted(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv")
    samples, draft = opened(path, tmp_path / "own"), draft_of(path)
    data = samples.search_data(0)
    part, rules = test_part(samples, data), data.transformation
    assert rules is not None and draft.numbers is not None and part.inputs.shape == (30, 6) and part.inputs.dtype == np.float32
    assert part.indices.tolist() == np.flatnonzero(draft.roles == TEST).tolist()
    missing = np.isnan(draft.numbers[part.indices, 0])
    assert missing.any() and (part.inputs[missing, 0] == np.float32(rules.columns[0].fill)).all()
    assert part.inputs[:, 1].tolist() == missing.astype(float).tolist()
    with pytest.raises(TypeError, match="finale"):
        samples.open_test("please")  # type: ignore[arg-type]


def test_a_category_that_the_training_part_lacks_gives_zeros(tmp_path: Path) -> None:
    roles = draft_of(table(tmp_path / "t.csv")).roles
    inner, outer = int(np.flatnonzero(roles != TEST)[5]), int(np.flatnonzero(roles == TEST)[5])

    def rare(row: int, cells: list[object]) -> None:
        cells[2] = "rare" if row in (inner, outer) else cells[2]

    samples = opened(table(tmp_path / "rare.csv", rare), tmp_path / "own")
    validated = 0
    for seed in range(12):
        data = samples.search_data(seed)
        assert data.transformation is not None
        rule, trained = data.transformation.columns[2], inner in data.train.indices
        assert rule.categories == ["rare", "u", "v", "w"] and ("rare" in rule.known) == trained
        validated += not trained
        for part in (data.train, data.validation, test_part(samples, data)):
            for place in np.flatnonzero(np.isin(part.indices, [inner, outer])):
                assert part.inputs[place, rule.places].tolist() == [float(trained), 0.0, 0.0, 0.0]
    assert 0 < validated < 12


def test_categories_of_the_test_part_alone_are_no_inputs(tmp_path: Path) -> None:
    path = people(tmp_path / "people.csv")
    test = np.flatnonzero(draft_of(path).roles == TEST)
    strange = people(tmp_path / "strange.csv", change=lambda row, cells: cells.__setitem__(3, "only here") if row in test else None)
    draft = draft_of(strange)
    job = next(column for column in draft.layout if column.name == "job")
    assert job.categories == ["cook", "smith", "teacher"] and draft.codes is not None and (draft.codes[test, job.place] == -1).all()
