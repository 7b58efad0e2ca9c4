"""The atlas over the API: what is published is for everybody, what stands beside it comes from the asker's own finished runs."""

from __future__ import annotations

import math
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from search_engine import events as say
from search_engine.atlas.recorded import Recorded
from search_engine.events.floats import decode_floats
from tests.search_engine.atlas.test_recorded import FILE
from webapp.core.models import Experiment, Run, RunCounter

from .api_world import API, births, browser, make_experiment, make_user, tell

pytestmark = pytest.mark.django_db
TABLE, PLAIN, FIGURE = "nikulenkov-2022-table-3", "nikulenkov-2022-table-1", "nikulenkov-2022-figure-01"
SMALL = {"generations": 2, "networks": 3, "blueprints": 2, "modules": 4}


def ended(run: Run, minutes: float, state: str = Run.State.COMPLETED, **options: Any) -> Run:
    Run.objects.filter(pk=run.pk).update(state=state, options={**run.options, **options})
    RunCounter.objects.filter(run=run).update(charged_seconds=60 * minutes)
    return run


def told(run: Run, accuracies: list[float | None]) -> None:
    """One trial for each, in order of birth; None failed."""
    tell(run, "run", births(len(accuracies), seed=run.seed))
    trials = [
        say.TrialTold(
            number=number, candidate=number, status="failed" if value is None else "completed",
            reason="too large" if value is None else "",
            metrics={} if value is None else {"val_accuracy": value}, charged_samples=10.0 * (number + 1), charged_trials=number + 1,
        )
        for number, value in enumerate(accuracies)
    ]  # fmt: skip
    tell(run, "run", list(enumerate(trials)))


def compared(owner: Any, dataset: str = "mnist", seeds: tuple[int, ...] = (0, 1)) -> Experiment:
    """Both arms of the thesis, finished: six networks each, in two generations."""
    algorithms = [{"id": "codeepneat", "options": SMALL}] * 2
    experiment = make_experiment(
        owner, name=f"on {dataset}", algorithms=algorithms, space="blueprint", seeds=list(seeds), budget=None
    )
    # Its files need not be at hand: nothing is trained here.
    experiment.runs.update(datasets=[dataset])
    for place, run in enumerate(experiment.runs.order_by("position")):
        arm = place // len(seeds)
        ended(run, (8.0 if arm == 0 else 4.0) + run.seed, compress=("none", "without_inheritance")[arm])
        # The first generation is worse than anything: it must not be in the mean.
        told(run, [0.1, 0.1, 0.1, 0.90 - 0.01 * arm, 0.92 - 0.01 * arm, None if run.seed else 0.94 - 0.01 * arm])
    return experiment


def get(client: Any, path: str) -> Any:
    answer = client.get(API + path)
    assert answer.status_code == 200, answer.content
    return answer.json()


def cells(entry: dict[str, Any], row: str) -> dict[str, Any]:
    found = next(item for item in entry["table"]["rows"] if item["key"] == row)
    return {cell["column"]: cell for cell in found["cells"]}


def test_everybody_sees_what_is_published_and_nobody_else_s_runs() -> None:
    ada, bob = make_user("ada"), make_user("bob")
    compared(ada)
    assert browser().get(API + "atlas").status_code == 401
    for owner, seen in ((ada, True), (bob, False)):
        entry = get(browser(owner), f"atlas/{TABLE}")
        cell = cells(entry, "speed_up")["cifar100"]
        assert (cell["published"], round(cell["recomputed"], 3), cell["agrees"]) == (2.31, 2.32, False)
        assert (cells(entry, "speed_up")["mnist"]["ours"] is not None) == seen
        columns = {column["key"]: column["ours"] for column in entry["table"]["columns"]}
        assert (columns["mnist"] is not None) == seen and columns["cifar10"] is None, "not run yet"
    assert "on mnist" not in browser(bob).get(API + f"atlas/{TABLE}").content.decode()


def test_ours_are_the_pooled_last_generations_and_the_mean_times_with_paired_intervals() -> None:
    ada = make_user("ada")
    compared(ada)
    client = browser(ada)
    plain = get(client, f"atlas/{PLAIN}")
    # (90 + 92 + 94 + 90 + 92) / 5: five networks, and one that failed is no zero.
    assert cells(plain, "accuracy")["mnist"]["ours"]["value"] == pytest.approx(91.6)
    minutes = cells(plain, "minutes")["mnist"]["ours"]
    assert minutes["value"] == pytest.approx(8.5) and minutes["runs"] == 2 and minutes["pairs"] == 0
    table = get(client, f"atlas/{TABLE}")
    ratio, loss = cells(table, "speed_up")["mnist"]["ours"], cells(table, "loss")["mnist"]["ours"]
    assert ratio["value"] == pytest.approx(17 / 9) and ratio["pairs"] == 2 and ratio["low"] < ratio["value"] < ratio["high"]
    assert loss["value"] == pytest.approx(1.0)
    beside = next(column["ours"] for column in table["table"]["columns"] if column["key"] == "mnist")
    assert beside["runs"] == {"CoDeepNEAT": 2, "compressed, without inheritance": 2} and beside["failed"] == 2
    assert beside["experiment"]["name"] == "on mnist" and beside["same_data"]
    scale = {item["title"]: item for item in beside["scale"]}
    assert (scale["generations"]["published"], scale["generations"]["ours"]) == (7, [2])
    assert scale["epochs of a network's training"]["stated"] == "not stated" and scale["epochs of a network's training"]["ours"] == [3]


def test_runs_that_come_with_the_program_stand_beside_for_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are worked out as one's own are, and hide none of those."""
    kept = Recorded.model_validate({**FILE, "arms": {name: {"networks": 2, "compress": name} for name in FILE["arms"]}})
    monkeypatch.setattr("webapp.api.atlas.recorded", lambda: {"thesis-mnist": kept})
    ada, bob = make_user("ada"), make_user("bob")
    compared(ada)
    for owner, own in ((ada, True), (bob, False)):
        entry = get(browser(owner), f"atlas/{PLAIN}")
        accuracy = cells(entry, "accuracy")["mnist"]
        # The last generations are (.75, 1) in both seeds.
        assert accuracy["recorded"]["value"] == pytest.approx(87.5) and accuracy["recorded"]["runs"] == 2
        assert (accuracy["ours"] is not None) == own and cells(entry, "accuracy")["cifar10"]["recorded"] is None
        column = next(column for column in entry["table"]["columns"] if column["key"] == "mnist")
        assert column["recorded"]["search"]["id"] == "thesis-mnist" and column["recorded"]["machine"] == "one core"
        assert column["recorded"]["runs"] == {"CoDeepNEAT": 2} and (column["ours"] is not None) == own
    ratio = cells(get(browser(bob), f"atlas/{TABLE}"), "speed_up")["mnist"]["recorded"]
    assert (ratio["value"], ratio["pairs"]) == (1.0, 2)


def test_a_copy_of_the_data_says_that_it_is_one_and_the_original_comes_first() -> None:
    ada = make_user("ada")
    compared(ada, "cifar10_jpeg", seeds=(0,))
    client = browser(ada)
    beside = next(column["ours"] for column in get(client, f"atlas/{TABLE}")["table"]["columns"] if column["key"] == "cifar10")
    assert not beside["same_data"] and "JPEG" in beside["notice"]
    ratio = cells(get(client, f"atlas/{TABLE}"), "speed_up")["cifar10"]["ours"]
    assert (ratio["value"], ratio["low"], ratio["pairs"]) == (2.0, None, 1), "one pair gives no interval"
    compared(ada, "cifar10", seeds=(0,))
    beside = next(column["ours"] for column in get(client, f"atlas/{TABLE}")["table"]["columns"] if column["key"] == "cifar10")
    assert beside["same_data"] and beside["notice"] == ""


def test_only_whole_finished_runs_count_and_all_of_one_experiment() -> None:
    ada = make_user("ada")
    full = compared(ada, seeds=(0, 1))
    newer = compared(ada, seeds=(0,))
    for run in newer.runs.all():
        Run.objects.filter(pk=run.pk).update(state=Run.State.RUNNING)
    client = browser(ada)
    beside = next(column["ours"] for column in get(client, f"atlas/{TABLE}")["table"]["columns"] if column["key"] == "mnist")
    assert beside["experiment"]["id"] == str(full.pk)
    # Cut in the middle of a generation, a search has no last one.
    plain, *_ = newer.runs.order_by("position")
    Run.objects.filter(pk=plain.pk).update(state=Run.State.COMPLETED)
    full.delete()
    run = Run.objects.get(pk=plain.pk)
    Run.objects.filter(pk=run.pk).update(options={**run.options, "networks": 4})
    entry = get(client, f"atlas/{PLAIN}")
    assert cells(entry, "accuracy")["mnist"]["ours"] is None and cells(entry, "minutes")["mnist"]["ours"]["value"] == pytest.approx(8.0)
    assert cells(get(client, f"atlas/{TABLE}"), "speed_up")["mnist"]["ours"] is None, "one group alone compares nothing"


def test_a_figure_leads_to_the_newest_fitting_run_and_says_what_is_missing() -> None:
    ada = make_user("ada")
    client = browser(ada)
    entry = get(client, f"atlas/{FIGURE}")
    [picture] = entry["pictures"]
    assert picture["run"] is None and picture["lacking"] == [] and entry["searches"] == [
        {"id": "two-convolutions-grid", "title": "Grid search over two convolutions", "installed": True}
    ]
    experiment = make_experiment(ada, algorithms=[{"id": "grid", "options": {}}], space="two_convolutions", seeds=[3], budget=None)
    run = ended(experiment.runs.get(), 1.0)
    ended(make_experiment(ada, algorithms=[{"id": "grid", "options": {}}], space="nb201").runs.get(), 1.0)
    [picture] = get(client, f"atlas/{FIGURE}")["pictures"]
    assert picture["run"]["id"] == str(run.pk) and picture["run"]["seed"] == 3 and picture["picture"] == "plane"
    book = {entry["id"]: entry for entry in get(client, "atlas")["entries"]}
    assert book[FIGURE]["pictures"][0]["run"]["id"] == str(run.pk)
    for entry in book.values():
        named = {name for picture in entry["pictures"] for name in picture["lacking"]}
        assert named <= set(entry["lacking"])
    assert client.get(API + "atlas/no-such-thing").status_code == 404


def test_published_bars_have_others_beside_them_only_where_there_are_any(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webapp.api.atlas.recorded", dict)
    ada = make_user("ada")
    client = browser(ada)
    names = [[item["name"] for item in chart["series"]] for chart in get(client, "atlas/nikulenkov-2022-figure-12")["charts"]]
    published = ["CoDeepNEAT, published", "compressed, without inheritance, published"]
    assert names == [published, published]
    compared(ada)
    [first, _] = get(client, "atlas/nikulenkov-2022-figure-12")["charts"]
    assert [item["name"] for item in first["series"]][1] == "CoDeepNEAT, yours" and first["categories"][0] == "MNIST"
    kept = Recorded.model_validate({**FILE, "arms": {name: {"networks": 2, "compress": name} for name in FILE["arms"]}})
    monkeypatch.setattr("webapp.api.atlas.recorded", lambda: {"thesis-mnist": kept})
    [first, _] = get(client, "atlas/nikulenkov-2022-figure-12")["charts"]
    assert [item["name"] for item in first["series"]][1:3] == ["CoDeepNEAT, measured here", "CoDeepNEAT, yours"]


def test_both_strategies_stand_with_all_their_generations(monkeypatch: pytest.MonkeyPatch) -> None:
    arms = {name: {"networks": 2, "compress": name} for name in ("none", "without_inheritance", "with_inheritance")}
    third = [{**run, "arm": "with_inheritance", "values": [0.5, 0.25, None, None]} for run in FILE["runs"] if run["arm"] == "none"]
    kept = Recorded.model_validate({**FILE, "arms": arms, "runs": [*FILE["runs"], *third]})
    monkeypatch.setattr("webapp.api.atlas.recorded", lambda: {"thesis-mnist": kept})
    ada = make_user("ada")
    compared(ada)
    entry = get(browser(ada), "atlas/nikulenkov-2022-figure-08")
    inherited, other = cells(entry, "minutes_inherited")["mnist"], cells(entry, "minutes_proposed")["mnist"]
    assert (inherited["published"], inherited["recorded"]["value"], inherited["ours"]) == (None, 1.0, None)
    assert other["published"] == 78.6 and other["recorded"]["value"] == 1.0 and other["ours"]["value"] == pytest.approx(4.5)
    assert cells(entry, "accuracy_inherited")["mnist"]["recorded"] is None, "its last generations failed whole"
    speed_up = cells(entry, "speed_up_inherited")["mnist"]
    assert (speed_up["published"], speed_up["recomputed"], speed_up["agrees"], speed_up["recorded"]["pairs"]) == (None, None, None, 2)
    [column] = entry["table"]["columns"]
    assert column["recorded"]["runs"] == {title: 2 for title in (
        "CoDeepNEAT", "compressed, without inheritance", "compressed, with inheritance",
    )}
    one, two = entry["charts"]
    assert [item["name"] for item in one["series"]] == ["seed 0, measured here", "seed 1, measured here"]
    assert [item["name"] for item in two["series"]][2:] == ["seed 0, yours", "seed 1, yours"]
    # The best of each generation, in percent; none where all of one failed.
    first = decode_floats(one["series"][0]["y"])
    assert first[0] == 50 and math.isnan(first[1]) and len(first) == 2
    assert decode_floats(two["series"][2]["y"]).tolist() == pytest.approx([10, 93])
    monkeypatch.setattr("webapp.api.atlas.recorded", dict)
    assert get(browser(make_user("bob")), "atlas/nikulenkov-2022-figure-08")["charts"] == [], "no empty charts"


def test_as_many_queries_for_many_runs_as_for_few() -> None:
    ada = make_user("ada")
    client, counts = browser(ada), []
    for seeds in ((0,), (1, 2, 3, 4)):
        compared(ada, seeds=seeds)
        for path in ("atlas", f"atlas/{TABLE}"):
            with CaptureQueriesContext(connection) as captured:
                get(client, path)
            counts.append(len(captured))
    assert counts[0] == counts[2] and counts[1] == counts[3] and max(counts) <= 10
