"""One entrant of the finale: its stages in their order, and a kill between the offer of its bundle and the commit of that."""

from __future__ import annotations

import itertools
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from search_engine.catalogue import registry
from search_engine.catalogue.config import check
from search_engine.search.final_work import FinalWork
from search_engine.search.local_run import LocalRun
from tests.search_engine import toys

TRAINING = {"train_examples": 200}
CONFIG: dict[str, Any] = {
    "algorithm": "random", "space": "mlp", "space_options": {"epochs_divisor": 10}, "budget": {"trials": 1}, "training": TRAINING,
    "finale": {"baselines": 0, "onnx": False, "training": TRAINING},
}


def kinds(out: Path) -> list[str]:
    rows = map(json.loads, (out / "events.jsonl").read_text().splitlines())
    return [row["kind"] for row in rows if row["source"] == "final:0"]


def digests(folder: Path) -> dict[str, str]:
    files: dict[str, str] = json.loads((folder / "manifest.json").read_text())["files"]
    return files


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nothing disturbs."""
    out = tmp_path_factory.mktemp("whole")
    assert LocalRun(check(CONFIG), out, out).run()["model"] == "model/"
    return out


def test_the_score_is_said_before_what_can_be_removed(whole: Path) -> None:
    assert kinds(whole)[-2:] == ["model", "report"]
    manifest = json.loads((whole / "model" / "manifest.json").read_text())
    found = manifest["calibration"]
    assert found["examples"] == sum(item["examples"] for item in found["bins"]) == manifest["evaluation"]["examples"]
    right = sum(item["examples"] * item["accuracy"] for item in found["bins"])
    assert right == pytest.approx(found["examples"] * manifest["evaluation"]["accuracy"]), "of the one visit to the test part"
    speed = json.loads((whole / "model.latency.json").read_text())
    assert 0 < speed["one"]["low"] <= speed["one"]["seconds"] <= speed["one"]["high"]
    assert speed["one"]["repeats"] >= 3 and speed["threads"] == 1
    assert [kind for kind in kinds(whole) if kind != "metrics"] == ["assessment", "model", "report"]


def test_every_stage_is_said_in_words_and_progress_only_grows(tmp_path: Path) -> None:
    shares: list[float] = []
    texts: list[str] = []

    def report(_: Any, now: Any, run: LocalRun) -> None:
        if isinstance(run.work, FinalWork):
            shares.append(now.done / now.total)
            texts.append(now.text)

    LocalRun(check(CONFIG), tmp_path, tmp_path, slice_seconds=0).run(report=report)
    assert all(before <= after for before, after in itertools.pairwise(shares))
    assert shares[0] < 0.2 and 0.9 < shares[-1] < 1
    steps = [text for text in texts if text.startswith("training, step ")]
    rest = list(dict.fromkeys(texts[len(steps):]))
    assert texts[: len(steps)] == steps and rest == [
        "testing once", "writing the download", "checking the download in a fresh process",
        "the download is ready; measuring what can be removed",
    ]


def test_a_slice_ends_where_the_bundle_lies_ready(tmp_path: Path) -> None:
    """However long slices are, nobody waits for the study to have the download."""
    ticks: list[str] = []

    def report(_: Any, now: Any, run: LocalRun) -> None:
        ticks.extend([now.text] if isinstance(run.work, FinalWork) else [])

    LocalRun(check(CONFIG), tmp_path, tmp_path, slice_seconds=1e9).run(report=report)
    assert ticks == ["the download is ready; measuring what can be removed"]


def test_a_kill_between_the_offer_and_its_commit_is_made_good(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = LocalRun._commit
    placed: list[bool] = []

    def killed(run: LocalRun) -> None:
        if isinstance(run.work, FinalWork) and run.work.stage == "redundancy" and not placed:
            placed.append((tmp_path / "model" / "manifest.json").is_file())
            raise KeyboardInterrupt
        real(run)

    monkeypatch.setattr(LocalRun, "_commit", killed)
    with pytest.raises(KeyboardInterrupt):
        LocalRun(check(CONFIG), tmp_path, tmp_path, slice_seconds=0).run()
    assert placed == [True], "the bundle is in its place before that is committed"
    result = LocalRun(check(CONFIG), tmp_path, tmp_path, resume=True, slice_seconds=0).run()
    assert result["model"] == "model/"
    assert toys.science(tmp_path / "events.jsonl") == toys.science(whole / "events.jsonl")
    assert digests(tmp_path / "model") == digests(whole / "model")
    assert not list((tmp_path / "staging").iterdir())


def test_a_study_that_fails_is_said_and_the_result_stands(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from search_engine.redundancy.study import Study

    monkeypatch.setattr(Study, "advance", lambda _self: 1 / 0)
    result = LocalRun(check(CONFIG), tmp_path, tmp_path).run()
    assert result["best"][0]["metrics"] == json.loads((whole / "result.json").read_text())["best"][0]["metrics"]
    assert kinds(tmp_path)[-2:] == ["model", "notice"]
    assert digests(tmp_path / "model") == digests(whole / "model")


def test_one_process_checks_the_bundles_of_all_data_sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = registry.algorithm("multipath").quick
    finale = {**quick.get("finale", {}), "onnx": False, "baselines": 0}
    real, started = subprocess.run, []
    monkeypatch.setattr(subprocess, "run", lambda *args, **options: started.append(args) or real(*args, **options))
    result = LocalRun(check({"algorithm": "multipath", "seed": 3, **quick, "finale": finale}), tmp_path, tmp_path).run()
    assert result["model"] == "model/", result["best"]
    assert len(list((tmp_path / "model").glob("*/manifest.json"))) == 2
    assert len(started) == 1
