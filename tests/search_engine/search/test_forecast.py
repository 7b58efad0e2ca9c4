"""What is said of the time left, on recorded runs: no clock is read, so equal recordings give equal figures (benchmarks/forecasts.py)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from benchmarks import forecasts
from benchmarks.forecast_replay import FOLDER, Recording, play, recordings, said
from search_engine.catalogue.config import check
from search_engine.search.forecast import (
    Forecast,
    Known,
    Left,
    Piece,
    Plan,
    Profile,
    Situation,
    TrialPlan,
    forecast,
    work_left,
    worth_a_range,
)
from search_engine.search.forecast import left as rules

DARTS = Plan.of(check({"algorithm": "darts", "space": "cell", "datasets": ["digits"]}))
LOTTERY = Plan.of(check({"algorithm": "lottery_ticket", "space": "plain", "datasets": ["digits"]}))
COUNTING = Plan.of(check({"algorithm": "random", "space": "sequence", "budget": {"trials": 100}}))
GRID = Plan.of(check({"algorithm": "grid", "space": "sequence", "space_options": {"n": 3}}))
COLONY = Plan.of(check({"algorithm": "deepswarm", "finale": {"baselines": 0}}))
NOTHING = Known(DARTS)


@pytest.fixture(scope="module")
def rows() -> list[forecasts.Row]:
    return forecasts.measured()


@pytest.mark.parametrize("at_once", [1, 3])
@pytest.mark.parametrize("history", forecasts.HISTORIES)
def test_the_median_error_after_a_fifth_of_the_run(rows: list[forecasts.Row], history: str, at_once: int) -> None:
    own = [row for row in rows if (row.history, row.at_once) == (history, at_once)]
    assert len({row.kind for row in own}) == 10
    assert forecasts.middle(own) <= (forecasts.WITHOUT if history == "none" else forecasts.WITH)


def test_never_is_a_run_said_to_be_over_that_is_not(rows: list[forecasts.Row]) -> None:
    assert [row for row in rows if row.too_soon] == []


def test_the_whole_time_hardly_rises(rows: list[forecasts.Row]) -> None:
    assert [row for row in rows if row.rise > forecasts.RISE and row.seconds > forecasts.MORE] == []


@pytest.mark.parametrize("missing", ["the finale", "the controls", "the other runs"])
def test_the_figures_show_what_a_model_leaves_out(rows: list[forecasts.Row], missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a part of what is left one of them is far worse."""
    if missing == "the finale":
        monkeypatch.setattr(rules, "_finale_left", lambda *arguments: [])
    elif missing == "the controls":
        monkeypatch.setattr(rules, "_guessed_control", lambda first, control: Left(0.0, 0.0, 0.0, 0.0))
    else:
        monkeypatch.setattr("benchmarks.forecast_replay.forecast", lambda own, others, workers: forecast(own, (), workers))
    measured = forecasts.measured()
    found = [row for row in measured if row.history == "none"]
    if missing == "the other runs":
        # With a history: without one the rules of another machine may err to the other side, and by as much.
        right, wrong = (
            forecasts.middle([row for row in all_ if (row.history, row.at_once) == ("its kind too", 3)]) for all_ in (rows, measured)
        )
        assert wrong > 1.5 * right
    elif missing == "the controls":
        lottery = [row for row in found if row.kind in ("lottery", "vae") and row.at_once == 1]
        assert min(row.rise for row in lottery) > forecasts.RISE
    else:
        assert sum(row.too_soon for row in found) or any(row.rise > forecasts.RISE and row.seconds > forecasts.MORE for row in found)


def test_equal_recordings_give_equal_figures() -> None:
    run = Recording.read(FOLDER / "supermask_7_0.8.json")
    first, second = (said(play([run], 2), 2, {}) for _ in range(2))
    assert first == second


def test_a_recording_plays_to_its_end_alone_and_with_others() -> None:
    runs = recordings()[:4]
    alone = [play([run], 2)[0].end for run in runs]
    together = [run.end for run in play(runs, 2)]
    assert all(late >= early for early, late in zip(alone, together, strict=True)) and max(together) > max(alone)


# ---- the model


def phase(source: str = "phase:0", **values: Any) -> Piece:
    return Piece(source, **values)


def seconds(plan: Plan, now: Situation, known: Known = NOTHING) -> float:
    left = work_left(plan, now, known)
    assert left is not None
    return sum(stage.seconds for stage in left)


def test_nothing_is_said_before_anything_is_known() -> None:
    assert work_left(DARTS, Situation(), NOTHING) is None
    assert work_left(DARTS, Situation([phase(seconds=3.0, done=1, total=100, first=(3.0, 1))]), NOTHING) is None, "loading is no pace"
    assert work_left(COUNTING, Situation(), NOTHING) is None


def test_a_stage_s_own_pace_leaves_loading_out() -> None:
    now = Situation([phase(seconds=10.0, done=50, total=100, first=(6.0, 10))], samples=1000.0)
    search = work_left(DARTS, now, NOTHING)
    assert search is not None and search[0].seconds == pytest.approx(50 * 4.0 / 40)


def test_controls_and_the_finale_count_before_they_begin() -> None:
    now = Situation([phase(seconds=10.0, done=50, total=100, first=(0.1, 0.5))], samples=1000.0)
    assert seconds(LOTTERY, now) > 10 + 10, "the rest of the search, a control as long as it, and a finale"
    without, kept = replace(LOTTERY, phases=LOTTERY.phases[:1]), replace(LOTTERY, exports=False)
    assert seconds(LOTTERY, now) - seconds(without, now) == pytest.approx(rules.CONTROL * 20.0, rel=0.05)
    assert seconds(LOTTERY, now) > seconds(kept, now) > seconds(replace(kept, studies=False), now)


def test_random_architectures_that_never_come_are_not_waited_for() -> None:
    """The finalist of the one goes on from the search's weights: no random one stands beside it. That of the other is trained anew."""
    plans = [Plan.of(check({"algorithm": algorithm, "space": "primitives_sum"})) for algorithm in ("variational", "darts")]
    assert [plan.baselines for plan in plans] == [0, 3]
    now = Situation(pieces=[phase(over=True, seconds=10.0)], samples=1000.0)
    one, several = (seconds(plan, now) for plan in (plans[0], replace(plans[0], baselines=3)))
    assert several > one > 0


def test_an_earlier_run_teaches_and_this_one_s_speed_scales() -> None:
    spent = {"finish": 4.0, "test": 0.1, "export": 3.0, "verify": 1.5, "redundancy": 0.4}
    search = phase(over=True, seconds=20.0, done=100, total=100, first=(0.2, 1))
    earlier = Situation([search, Piece("final:0", over=True, seconds=9.0, stage="done", spent=spent)], finale=True, over=True)
    known = Known(DARTS, [Profile.of(DARTS, earlier)])
    now = Situation([phase(seconds=4.0, done=20, total=100, first=(0.2, 1))], samples=100.0)
    slow = replace(now, pieces=[phase(seconds=8.0, done=20, total=100, first=(0.4, 1))])
    assert seconds(DARTS, now, known) == pytest.approx(16 + 9, rel=0.05)
    assert seconds(DARTS, slow, known) == pytest.approx(2 * (16 + 9), rel=0.05)


def test_what_is_less_known_has_the_wider_range() -> None:
    now = Situation([phase(seconds=10.0, done=50, total=100, first=(0.1, 0.5))], samples=1000.0)
    guessed = work_left(DARTS, now, NOTHING)
    assert guessed is not None
    assert [round(stage.high / stage.low, 1) for stage in guessed] == [1.4, 6.2]
    assert worth_a_range(Forecast(60, 20, 150)) and not worth_a_range(Forecast(60, 55, 70)) and not worth_a_range(Forecast(4, 1, 8))


def test_a_stage_that_takes_longer_than_expected_is_never_over() -> None:
    study = Piece("final:0", seconds=100.0, done=76.0, total=77.0, stage="redundancy", spent={"finish": 1.0, "redundancy": 99.0})
    assert seconds(DARTS, Situation([study], finale=True)) > 0


@pytest.mark.parametrize(("own", "others", "workers", "waits"), [
    ([(10, 1)], [], 1, 10), ([(10, 1)], [], 2, 10), ([(10, 2)], [], 2, 5), ([(10, 1)], [(10, 1)], 2, 10), ([(10, 1)], [(10, 1)], 1, 20),
    ([(10, 1)], [(2, 1)], 1, 12), ([(10, 1)], [(100, 1), (100, 1)], 2, 15), ([(10, 8)], [(100, 1)], 2, 10), ([], [(5, 1)], 1, 0),
])
def test_the_share_of_the_workers(own: list[tuple[float, float]], others: list[tuple[float, float]], workers: int, waits: float) -> None:
    def lefts(stages: list[tuple[float, float]]) -> list[Left]:
        return [Left(size, size, size, size / width) for size, width in stages]

    assert forecast(lefts(own), [lefts([other]) for other in others], workers).seconds == pytest.approx(waits)


def test_a_run_of_which_nothing_is_known_is_thought_to_stay() -> None:
    assert forecast([Left(10, 10, 10, 10)], [None], 1).seconds == pytest.approx(20)


# ---- searches that a plan of their own ends


def test_a_plan_of_its_own_stands_for_a_budget() -> None:
    """A grid that is answered at once, and trained trials of which a fifth repeats earlier ones."""
    assert work_left(GRID, Situation(charged=9, search_seconds=3.0), NOTHING) is None, "nobody said how many there will be"
    now = Situation(charged=9, search_seconds=3.0, trials=TrialPlan(9, 27.0, 1))
    assert seconds(GRID, now) == pytest.approx(6.0)
    now = Situation(charged=10, trials_over=8, trials_seconds=16.0, trials=TrialPlan(10, 41.0, 8))
    left = work_left(COLONY, now, NOTHING)
    assert left is not None and left[0].seconds == pytest.approx(31 * 8 / 10 * 2.0), "what repeats costs nothing"
    assert left[0].width == pytest.approx(8), "a generation can be worked on side by side"


@pytest.mark.parametrize(("budget", "trials"), [({"trials": 270}, 18), ({"trials": 20}, 11), ({"samples": 10_000}, 18)])
def test_a_plan_that_ends_before_the_budget_is_what_is_left(budget: dict[str, float], trials: int) -> None:
    plan = Plan.of(check({"algorithm": "grid", "space": "mlp", "space_options": {"preset": "default"}, "budget": budget}))
    now = Situation(charged=9, trials_over=9, trials_seconds=18.0, trials=TrialPlan(9, 27.0, 1))
    left = work_left(plan, now, NOTHING)
    assert left is not None and left[0].seconds == pytest.approx(trials * 2.0)


def test_an_earlier_run_teaches_a_search_without_a_budget() -> None:
    earlier = Situation(charged=27, search_seconds=5.4, trials=TrialPlan(27, 27.0, 1), over=True)
    known = Known(GRID, [Profile.of(GRID, earlier)])
    assert seconds(GRID, Situation(trials=TrialPlan(0, 27.0, 1)), known) == pytest.approx(5.4)


def test_a_grid_may_have_more_points_than_a_float_can_hold() -> None:
    now = Situation(charged=9, search_seconds=3.0, trials=TrialPlan.of(9, 10**400, 1))
    assert seconds(GRID, now) > 1e290


@pytest.mark.parametrize(("dataset", "options", "examples"), [
    ("digits", {}, 1348), ("mnist", {}, 60_000), ("mnist", {"examples": 500}, 500), ("cifar100", {"copies": 3}, 150_000),
    ("cifar10", {"examples": 100, "copies": 2}, 200), ("tiny_imagenet", {"classes": 100, "copies": 4}, 200_000),
    ("tiny_imagenet", {"classes": 2, "examples": 5000}, 1000),
])
def test_options_that_change_the_number_of_examples_change_the_forecast(dataset: str, options: dict[str, int], examples: int) -> None:
    config = {"algorithm": "random", "datasets": [dataset], "dataset_options": [options], "budget": {"trials": 1}}
    assert Plan.of(check({**config, "training": {"epochs": 2}})).trial_units == 2 * examples
