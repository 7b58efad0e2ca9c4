"""A checkpoint's file is what was written, or it is refused: by the digest that a caller kept, or by its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from search_engine.base import checkpoint
from search_engine.base.errors import CheckpointDamaged, CheckpointOutdated, TrialFailure
from search_engine.base.migrations import expecting, migrated
from search_engine.search.starting_weights import inherit, keep, weights_file
from tests.damage import DAMAGE, unreadable

TREE = {"step": 3, "weights": np.arange(6.0).reshape(2, 3), "names": ["a", "b"], "best": None}
FILES = [item for item in DAMAGE if item is not unreadable]


@pytest.mark.parametrize("sealed", [True, False], ids=["its own", "the caller's"])
@pytest.mark.parametrize("damage", FILES, ids=lambda damage: damage.__name__)
def test_every_damage_is_found_by_either_digest(tmp_path: Path, damage: Callable[[Path], None], sealed: bool) -> None:
    path = tmp_path / "state"
    digest = checkpoint.write(path, TREE, sealed=sealed)
    kept = None if sealed else digest
    assert checkpoint.read(path, kept, sealed=sealed)["step"] == 3
    damage(path)
    with pytest.raises(CheckpointDamaged):
        checkpoint.read(path, kept, sealed=sealed)


def test_a_seal_covers_every_byte_that_says_something(tmp_path: Path) -> None:
    path = tmp_path / "state"
    checkpoint.write(path, TREE, sealed=True)
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        try:
            read = checkpoint.read(path, sealed=True)
        except CheckpointDamaged:
            continue
        # A space of the header may be another character that JSON skips: what it says is the same.
        assert read["step"] == 3 and np.array_equal(read["weights"], TREE["weights"]) and read["names"] == TREE["names"]


def test_another_checkpoint_in_its_place_is_found_by_the_callers_digest_only(tmp_path: Path) -> None:
    digest = checkpoint.write(tmp_path / "state", TREE, sealed=True)
    checkpoint.write(tmp_path / "state", {**TREE, "step": 4}, sealed=True)
    assert checkpoint.read(tmp_path / "state", sealed=True)["step"] == 4
    with pytest.raises(CheckpointDamaged, match="does not have the digest"):
        checkpoint.read(tmp_path / "state", digest)


def test_a_file_that_was_not_sealed_is_not_taken_for_one_that_was(tmp_path: Path) -> None:
    checkpoint.write(tmp_path / "state", TREE)
    with pytest.raises(CheckpointDamaged, match="does not hold what was written"):
        checkpoint.read(tmp_path / "state", sealed=True)


def test_an_outline_is_the_tree_without_its_arrays(tmp_path: Path) -> None:
    digest = checkpoint.write(tmp_path / "state", {**TREE, "tensor": torch.ones(2)})
    assert checkpoint.outline(tmp_path / "state", digest) == {**TREE, "weights": None, "tensor": None}
    with pytest.raises(CheckpointDamaged):
        checkpoint.outline(tmp_path / "state", "0" * 64)


@pytest.mark.parametrize("damage", FILES, ids=lambda damage: damage.__name__)
def test_weights_that_are_damaged_are_no_genome_s_fault(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    network = torch.nn.Linear(2, 2)
    keep(network, tmp_path, 3)
    assert inherit(torch.nn.Linear(2, 2), tmp_path, 3, [""]) == 2
    damage(tmp_path / weights_file(3))
    with pytest.raises(TrialFailure, match="the weights of trial 3, from which this one starts: ") as failed:
        inherit(network, tmp_path, 3, [""])
    assert failed.value.machine


def test_weights_of_another_trial_are_refused(tmp_path: Path) -> None:
    network = torch.nn.Linear(2, 2)
    keep(network, tmp_path, 4)
    (tmp_path / weights_file(4)).rename(tmp_path / weights_file(3))
    with pytest.raises(TrialFailure, match="trial 3, from which this one starts: their file holds those of trial 4"):
        inherit(network, tmp_path, 3, [""])


def test_a_state_is_taken_through_every_step_to_the_present_version() -> None:
    steps = {1: lambda state: {**state, "two": 2}, 2: lambda state: {**state, "three": state["two"] + 1}}
    assert migrated("the run", {"one": 1}, 1, 3, steps) == {"one": 1, "two": 2, "three": 3}
    assert migrated("the run", {"one": 1}, 3, 3, steps) == {"one": 1}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (1, "version 1, and this version of NAScope goes on from 2 to 3"),
        (4, "version 4, by a newer NAScope; this one goes on from 3"),
        (None, "version None, and this version of NAScope goes on from 2 to 3"),
    ],
)
def test_a_version_without_a_way_is_refused_with_its_reason(found: object, said: str) -> None:
    with pytest.raises(CheckpointOutdated, match=f"the run was saved with state {said}"):
        migrated("the run", {}, found, 3, {2: dict, 0: dict})


def test_a_form_that_nobody_announced_is_refused_too() -> None:
    other_form = "trial 3 was saved in another form than this version of NAScope expects"
    for wrong in (lambda: {}["weights"], lambda: int("x"), lambda: torch.nn.Linear(1, 1).load_state_dict({})):
        with pytest.raises(CheckpointOutdated, match=other_form), expecting("trial 3"):
            wrong()
    with pytest.raises(RuntimeError, match="the cable"), expecting("trial 3"):
        raise RuntimeError("the cable was pulled")
