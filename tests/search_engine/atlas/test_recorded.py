"""Runs that come with the program: what is compared of them began alike, and a file of another form is refused by its name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from search_engine.atlas.entry import atlas
from search_engine.atlas.recorded import FOLDER, read_recorded, recorded
from search_engine.base.errors import BadInput
from search_engine.catalogue.thesis import CARDS

FILE: dict[str, Any] = {
    "date": "2030-01-01", "machine": "one core", "versions": {}, "algorithm": "codeepneat", "space": "blueprint", "dataset": "mnist",
    "config": {}, "arms": {"none": {"networks": 2}, "without_inheritance": {"networks": 2}},
    "runs": [
        {"arm": arm, "seed": seed, "seconds": 60.0, "flops": 1e9, "values": [0.5, None, 0.75, 1.0], "population": f"{seed:016x}"}
        for seed in (0, 1) for arm in ("none", "without_inheritance")
    ],
}  # fmt: skip


def written(folder: Path, file: Any) -> Path:
    (folder / "some-card.json").write_text(file if isinstance(file, str) else json.dumps(file))
    return folder


def test_a_file_is_read_by_its_name(tmp_path: Path) -> None:
    (found,) = read_recorded(written(tmp_path, FILE)).items()
    assert found[0] == "some-card" and found[1].runs[3].values == (0.5, None, 0.75, 1.0)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"runs": [FILE["runs"][0], FILE["runs"][0]]}, "one arm and one seed"),
        ({"runs": [FILE["runs"][0], {**FILE["runs"][1], "population": "another"}]}, "seed 0 do not begin with one population"),
        ({"runs": [{**FILE["runs"][0], "arm": "third"}]}, "there is no arm 'third'"),
        ({"runs": []}, "at least 1 item"),
        ({"colour": 1}, "Extra inputs"),
    ],
)
def test_a_file_of_the_wrong_form_is_refused_by_its_name(change: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        read_recorded(written(tmp_path, {**FILE, **change}))
    assert words in caught.value.message and caught.value.field.startswith("some-card.json")


def test_what_is_no_json_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is no JSON"):
        read_recorded(written(tmp_path, "{"))


def test_each_file_is_of_a_card_as_it_is_now_and_of_all_its_runs() -> None:
    """A card that is changed afterwards must be run again, or its figures would be another experiment's."""
    cards = {card["id"]: card["experiment"] for card in CARDS}
    for name, kept in recorded().items():
        body = cards[name]
        assert kept.config == {key: body[key] for key in kept.config} and [kept.dataset] == body["datasets"], name
        assert {run.seed for run in kept.runs} == set(body["seeds"]) and len(kept.runs) == len(kept.arms) * len(body["seeds"]), name
        for algorithm, (arm, options) in zip(body["algorithms"], kept.arms.items(), strict=True):
            assert options == {**options, **algorithm["options"]}, (name, arm)
        for run in kept.runs:
            assert len(run.values) == kept.arms[run.arm]["networks"] * kept.arms[run.arm]["generations"], (name, run.arm, run.seed)
    columns = {preset for entry in atlas().entries if entry.table for column in entry.table.columns for preset in column.presets}
    assert {path.stem for path in FOLDER.glob("*.json")} <= columns, "each stands in a table"
