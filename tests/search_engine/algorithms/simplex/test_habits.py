"""Habits of simplex methods: each fires when it should, says so, can be switched off, and survives a checkpoint."""

from __future__ import annotations

import json

import numpy as np
import pytest

from search_engine.algorithms.simplex.habits import EpochView, Habits, SimplexHabitsConfig, SkipCounter, StableRanking, WarmUp

OPERATIONS = ["none", "skip_connect", "sep_conv_3x3", "dil_conv_3x3", "max_pool_3x3"]
QUIET = SimplexHabitsConfig(skip_limit=0)


def view(epoch: int, weights: list[float] | None = None, derived: list[str] | None = None) -> EpochView:
    row = weights or [0.2] * 5
    return EpochView(
        epoch=epoch, step=10 * epoch, weights={"normal": np.array([row], dtype=np.float32)}, operations={"normal": OPERATIONS},
        derived={"normal": derived or ["sep_conv_3x3"], "reduction": ["skip_connect"] * 8},
    )


def test_warm_up_holds_the_structure_and_says_when_it_lets_go() -> None:
    habits = Habits(SimplexHabitsConfig(warm_up_epochs=3, skip_limit=0))
    assert [habits.hold_structure(epoch) for epoch in range(5)] == [True, True, True, False, False]
    said = [habits.after_epoch(view(epoch)) for epoch in range(1, 6)]
    assert [[notice.name for notice in notices] for notices, _ in said] == [[], [], ["warm_up"], [], []]
    assert all(stop == "" for _, stop in said)
    assert said[2][0][0].step == 30


def test_the_skip_counter_counts_the_normal_cell_and_fires_on_reaching_the_limit() -> None:
    counter = SkipCounter(limit=2, stop=False)
    one, two = ["skip_connect", "sep_conv_3x3"], ["skip_connect", "skip_connect"]
    fired = [counter.after_epoch(view(epoch, derived=cell)) for epoch, cell in enumerate([one, two, two, one, two], start=1)]
    assert [firing is not None for firing in fired] == [False, True, False, False, True]
    assert fired[1] is not None and fired[1].notice.values == {"skips": 2.0, "limit": 2.0} and fired[1].stop == ""


def test_the_darts_plus_stop_ends_the_search() -> None:
    habits = Habits(SimplexHabitsConfig(skip_limit=2, skip_stop=True))
    assert habits.after_epoch(view(1, derived=["skip_connect"])) == ([], "")
    notices, stop = habits.after_epoch(view(2, derived=["skip_connect"] * 2))
    assert [notice.name for notice in notices] == ["skip_counter"] and stop


def test_the_ranking_is_stable_only_if_no_edge_reorders_its_learnable_operations() -> None:
    habit = StableRanking(epochs=2)
    first, reordered = [0.1, 0.2, 0.4, 0.2, 0.1], [0.1, 0.2, 0.2, 0.4, 0.1]
    skip_leads = [0.1, 0.5, 0.2, 0.1, 0.1]
    rows = [first, first, reordered, reordered, first, skip_leads, first]
    fired = [habit.after_epoch(view(epoch, weights=row)) for epoch, row in enumerate(rows, start=1)]
    # Reordering starts the count anew; a skip that overtakes everything does not, it has nothing to learn.
    assert [firing is not None for firing in fired] == [False] * 6 + [True]
    assert fired[-1] is not None and fired[-1].stop


def test_the_warm_up_is_no_stable_ranking() -> None:
    habits = Habits(SimplexHabitsConfig(warm_up_epochs=5, stable_epochs=2, skip_limit=0))
    stops = [habits.after_epoch(view(epoch))[1] for epoch in range(1, 9)]
    # Epochs 6, 7, 8: a ranking, and two epochs in which it did not change.
    assert stops == ["", "", "", "", "", "", "", "stable ranking"]


def test_everything_can_be_switched_off() -> None:
    habits = Habits(QUIET)
    assert habits.habits == [] and not habits.hold_structure(0)
    assert habits.after_epoch(view(1, derived=["skip_connect"] * 8)) == ([], "")


@pytest.mark.parametrize("config", [
    SimplexHabitsConfig(warm_up_epochs=4, skip_limit=2, skip_stop=True, stable_epochs=3), SimplexHabitsConfig(), QUIET,
])
def test_a_restored_habit_says_what_the_original_says(config: SimplexHabitsConfig) -> None:
    rng = np.random.default_rng(0)
    views = [
        view(epoch, weights=[0.1, 0.2, 0.3 + 0.2 * (epoch < 6), 0.4, 0.0], derived=["skip_connect"] * int(rng.integers(0, 3)))
        for epoch in range(1, 12)
    ]
    through = Habits(config)
    expected = [through.after_epoch(item) for item in views]
    for cut in range(1, len(views)):
        before, after = Habits(config), Habits(config)
        for item in views[:cut]:
            before.after_epoch(item)
        after.load_state_dict(json.loads(json.dumps(before.state_dict())))
        assert [after.after_epoch(item) for item in views[cut:]] == expected[cut:]


def test_warm_up_alone_has_no_state() -> None:
    assert WarmUp(3).state_dict() == {}
