"""Splits of own data: what they promise, and that they are fixed by the content."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from search_engine.base.errors import BadInput
from search_engine.datasets.own import entry as entries
from search_engine.datasets.own.samples import OwnSamples
from search_engine.datasets.own.splitting import POOL, TEST, TRAIN, VALIDATION, own_roles
from tests.search_engine.datasets.own.made_files import csv, draft_of, kept, people


def opened(path: Path, folder: Path, share: float = 0.25, **choices: object) -> OwnSamples:
    made = kept(path, folder, **choices)
    entry = entries.entry(made.id, folder)
    assert entry is not None
    options = {"validation_share": share} if "validation_share" in entry.config.model_fields else {}
    samples = entry.open(entry.config(**options), Path("unused"))
    assert isinstance(samples, OwnSamples)
    return samples


def grouped(path: Path) -> Path:
    rows = [(f"p{row % 12}", row * 0.5, row % 5, "ab"[row % 2]) for row in range(120)]
    return csv(path, ["patient", "a", "b", "y"], rows)


def test_no_group_lies_in_two_parts_whatever_the_seed(tmp_path: Path) -> None:
    path = grouped(tmp_path / "groups.csv")
    draft = draft_of(path)
    assert draft.split.kind == "group" and draft.split.column == "patient" and draft.groups is not None
    samples = opened(path, tmp_path / "own")
    for seed in range(4):
        data = samples.search_data(seed)
        test = np.flatnonzero(draft.roles == TEST)
        groups = [set(draft.groups[part].tolist()) for part in (data.train.indices, data.validation.indices, test)]
        assert all(groups) and sum(map(len, groups)) == 12
        for fold in range(3):
            folded = samples.fold_data(seed, 3, fold)
            assert not set(draft.groups[folded.train.indices]) & set(draft.groups[folded.validation.indices])
    assert samples.search_data(0).train.indices.tolist() != samples.search_data(1).train.indices.tolist()


def test_time_goes_forward_from_training_to_validation_to_the_test(tmp_path: Path) -> None:
    rng = np.random.RandomState(1)
    days = rng.permutation(100)
    rows = [(f"2020-{1 + day // 28:02d}-{1 + day % 28:02d}", row * 0.5, "ab"[row % 2]) for row, day in enumerate(days)]
    path = csv(tmp_path / "time.csv", ["when", "a", "y"], rows)
    samples = opened(path, tmp_path / "own", split="time", split_column="when")
    draft = draft_of(path, split="time", split_column="when")
    data, test = samples.search_data(7), np.flatnonzero(draft.roles == TEST)
    assert days[data.train.indices].max() < days[data.validation.indices].min() <= days[data.validation.indices].max() < days[test].min()
    assert len(test) == 20 and len(data.validation) == 20 and samples.search_data(8).train.indices.tolist() == data.train.indices.tolist()
    with pytest.raises(BadInput, match="ordered in time"):
        samples.fold_data(0, 3, 0)


def test_one_moment_lies_in_one_part(tmp_path: Path) -> None:
    path = csv(tmp_path / "time.csv", ["t", "a", "y"], [(row // 15, row * 0.5, "ab"[row % 2]) for row in range(90)])
    draft = draft_of(path, split="time", split_column="t")
    assert int((draft.roles == TEST).sum()) == 30, "the 18 latest, and the others of their two moments"


def test_parts_of_the_owner_are_kept(tmp_path: Path) -> None:
    names = ["train", "train", "val", "test"]
    rows = [(row * 0.5, row % 5, names[row % 4], "ab"[row // 4 % 2]) for row in range(80)]
    path = csv(tmp_path / "own.csv", ["a", "b", "split", "y"], rows)
    draft = draft_of(path)
    assert draft.split.kind == "own" and [int((draft.roles == role).sum()) for role in (POOL, TRAIN, VALIDATION, TEST)] == [0, 40, 20, 20]
    samples = opened(path, tmp_path / "own")
    data = samples.search_data(3)
    assert [index % 4 for index in data.validation.indices] == [2] * 20 and {index % 4 for index in data.train.indices} == {0, 1}
    with pytest.raises(BadInput, match="validation part of its own"):
        samples.fold_data(0, 3, 0)
    assert draft_of(path, split="stratified", types={"split": "dropped"}).split.kind == "stratified"


def test_parts_without_validation_leave_it_to_the_seed() -> None:
    assert own_roles(np.array(["Training", "test", "training"])).tolist() == [POOL, TEST, POOL]  # type: ignore[union-attr]
    assert own_roles(np.array(["train", "other"])) is None and own_roles(np.array(["train", "val"])) is None


def test_classes_are_in_proportion_and_real_targets_at_random(tmp_path: Path) -> None:
    path = people(tmp_path / "people.csv", 200)
    draft = draft_of(path)
    share = draft.targets.mean()
    assert abs(draft.targets[draft.roles == TEST].mean() - share) < 0.02
    assert draft_of(path, target="income").split.kind == "random"
    assert draft_of(path, seed=1).roles.tolist() != draft.roles.tolist() == draft_of(path).roles.tolist()


def test_the_same_file_and_choices_are_one_set_and_any_other_split_is_another(tmp_path: Path) -> None:
    path, folder = people(tmp_path / "people.csv"), tmp_path / "own"
    first = kept(path, folder)
    again = kept(path, folder, title="other words for it", target="rich")
    assert again == first and len([item for item in folder.iterdir() if not item.name.startswith(".")]) == 1
    others = [kept(path, folder, seed=1), kept(path, folder, types={"code": "dropped"}), kept(path, folder, test_share=0.3),
              kept(path, folder, validation_share=0.3)]
    changed = people(tmp_path / "changed.csv", change=lambda row, cells: cells.__setitem__(2, 7.5) if row == 5 else None)
    assert len({first.digest, kept(changed, folder).digest, *(item.digest for item in others)}) == 6
