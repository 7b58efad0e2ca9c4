"""What `benchmarks.thesis` makes of the folders of its searches: the record that the atlas shows."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks import thesis
from search_engine.atlas.recorded import read_recorded
from search_engine.catalogue.config import check
from search_engine.catalogue.thesis import ARMS
from search_engine.search.local_run import LocalRun

OPTIONS: dict[str, Any] = {
    "generations": 1, "networks": 2, "blueprints": 2, "modules": 4, "module_species": 1, "shared_start": True
}
SPACE: dict[str, Any] = {"filters_min": 2, "filters_max": 4, "dense_min": 8, "dense_max": 8}
BODY: dict[str, Any] = {
    "algorithms": [{"id": "codeepneat", "options": {**OPTIONS, "compress": arm}} for arm in ARMS], "space": "blueprint",
    "space_options": SPACE, "datasets": ["digits"], "dataset_options": [{}], "seeds": [0, 1],
    "training": {"epochs": 1, "train_examples": 64},
    "finale": {"baselines": 0, "export": False, "redundancy": False, "training": {"epochs": 1, "train_examples": 64}},
}  # fmt: skip
DIGEST = "0123456789abcdef"


def made(folder: Path, arm: str, seed: int, trials: list[dict[str, Any]], digest: str = DIGEST) -> None:
    """A finished search in files, as far as they are read."""
    own = folder / f"{arm}-{seed}"
    own.mkdir(parents=True)
    result = {"options": {**OPTIONS, "compress": arm}, "versions": {"torch": "2"}, "budget": {"seconds": 60.123, "flops": 5e9}}
    (own / "result.json").write_text(json.dumps(result))
    said = {"kind": "notice", "name": "initial_population", "message": f"Initial population: 2 networks; digest {digest}."}
    events = [{"kind": "notice", "data": said}, *({"kind": "trial_told", "data": trial} for trial in trials), {"kind": "end", "data": {}}]
    (own / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))


def told(number: int, value: float | None) -> dict[str, Any]:
    metrics = {"val_accuracy": 0.0 if value is None else value, "val_loss": 1.0}
    return {"number": number, "status": "failed" if value is None else "completed", "metrics": metrics}


def all_made(folder: Path, **digests: str) -> Path:
    for arm in ARMS:
        for seed in BODY["seeds"]:
            # Told in another order than born; one that failed is no zero.
            trials = [told(2, 0.75), told(0, 0.5), told(1, None), told(3, 1.0)]
            made(folder, arm, seed, trials, digests.get(arm, DIGEST))
    return folder


def test_finished_folders_become_a_record(tmp_path: Path) -> None:
    kept = thesis.read(all_made(tmp_path / "runs"), BODY, "one core")
    assert [(run.seed, run.arm) for run in kept.runs] == [(seed, arm) for seed in (0, 1) for arm in ARMS]
    assert {run.values for run in kept.runs} == {(0.5, None, 0.75, 1.0)}
    assert {(run.seconds, run.flops, run.population) for run in kept.runs} == {(60.12, 5e9, DIGEST)}
    assert kept.arms["with_inheritance"]["compress"] == "with_inheritance" and kept.config["training"] == BODY["training"]
    # The file says the same again.
    (tmp_path / "some-card.json").write_text(thesis.text(kept))
    assert read_recorded(tmp_path) == {"some-card": kept}


def test_runs_that_began_otherwise_or_say_no_population_are_no_record(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="do not begin with one population"):
        thesis.read(all_made(tmp_path / "others", none="fedcba9876543210"), BODY, "one core")
    with pytest.raises(ValueError, match="population"):
        thesis.read(all_made(tmp_path / "silent", none="", without_inheritance="", with_inheritance=""), BODY, "one core")


def test_a_search_that_is_not_over_is_not_left_out(tmp_path: Path) -> None:
    folder = all_made(tmp_path)
    (folder / "none-1" / "result.json").unlink()
    with pytest.raises(FileNotFoundError):
        thesis.read(folder, BODY, "one core")


def test_finished_searches_are_kept_and_cut_ones_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def command(words: list[str], **_: Any) -> SimpleNamespace:
        asked.append(words)
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(thesis.subprocess, "run", command)
    made(tmp_path, "none", 0, [told(0, 0.5)])
    (tmp_path / "none-1").mkdir()
    (tmp_path / "none-1" / "events.jsonl").touch()
    for seed in (0, 1, 2):
        assert thesis.run(tmp_path, BODY, "none", BODY["algorithms"][0], seed) == 0
    assert [("--resume" in words, Path(words[words.index("--out") + 1]).name) for words in asked] == [(True, "none-1"), (False, "none-2")]
    config = json.loads((tmp_path / "none-2.json").read_text())
    assert check(config).config.seed == 2 and config["training"] == BODY["training"]


def test_a_real_search_says_what_is_read(tmp_path: Path) -> None:
    """What it is asked for of files made here, a search really writes."""
    one = {**BODY, "seeds": [0]}
    config = {"algorithm": "codeepneat", "options": BODY["algorithms"][0]["options"], "seed": 0}
    config |= {name: BODY[name] for name in ("space", "datasets", "finale", *thesis.CONFIG)}
    assert LocalRun(check(config), tmp_path, tmp_path / "none-0").run()["status"] == "completed"
    for arm in ARMS[1:]:
        shutil.copytree(tmp_path / "none-0", tmp_path / f"{arm}-0")
    kept = thesis.read(tmp_path, one, "one core")
    told_values = [
        event["data"]["metrics"]["val_accuracy"]
        for line in (tmp_path / "none-0" / "events.jsonl").read_text().splitlines()
        if (event := json.loads(line))["kind"] == "trial_told"
    ]
    assert list(kept.runs[0].values) == told_values and len(told_values) == 2
    assert len(kept.runs[0].population) == 16 and kept.runs[0].seconds > 0 and kept.runs[0].flops > 0
