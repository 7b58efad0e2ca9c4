"""A stored set is a data set like any other: found, listed, searched on, and missed in words once it is gone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from search_engine.base.errors import BadInput
from search_engine.catalogue import registry
from search_engine.catalogue.config import check
from search_engine.commands import main
from search_engine.datasets import data_files
from search_engine.datasets.own.importing import Choices, keep
from search_engine.datasets.own.stored import own_folder, remove
from tests.search_engine.datasets.own.made_files import class_folders, csv, kept, people


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NASCOPE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("NASCOPE_OWN", raising=False)
    return tmp_path


def config(name: str, **more: Any) -> dict[str, Any]:
    return {"algorithm": "random", "space": "mlp", "datasets": [name], "budget": {"trials": 2}, **more}


def test_the_registry_knows_it_at_once_and_the_lists_that_are_fixed_do_not_change(home: Path) -> None:
    before = list(registry.datasets())
    made = kept(people(home / "people.csv"), own_folder())
    entry = registry.dataset(made.id)
    assert entry is not None and entry.own and entry.licence == "yours" and entry.input_kind == "vector" and "people.csv" in entry.source
    assert list(registry.own_datasets()) == [made.id] and registry.known_dataset(made.id) is not None
    assert list(registry.datasets()) == before
    assert entry.shape is not None and entry.shape.input == (8,)
    assert [(column.place, column.values) for column in entry.shape.columns] == [(3, 3), (6, 2)], "job and code; age has two places"
    assert entry.sizes == {"train and validation": 96, "test": 24}
    assert not entry.missing_files(Path("unused")) and made.id not in {row["dataset"] for row in registry.compatibility()}
    assert check(config(made.id), Path("unused")).metric == "val_accuracy"
    assert check(config(kept(people(home / "people.csv"), own_folder(), target="income").id)).metric == "val_r2"


def test_it_fits_the_spaces_of_its_kind_and_no_other(home: Path) -> None:
    made = kept(class_folders(home / "c.zip"), own_folder())
    assert check({**config(made.id), "space": "cell"}).dataset.id == made.id
    with pytest.raises(BadInput, match="cannot use"):
        check({**config(kept(people(home / "people.csv"), own_folder()).id), "space": "cell"})


def test_once_removed_it_is_missed_in_words(home: Path) -> None:
    made = kept(people(home / "people.csv"), own_folder())
    remove(made.id, "test")
    assert registry.known_dataset(made.id) is None and registry.own_datasets() == {}
    with pytest.raises(BadInput, match="was removed") as caught:
        check(config(made.id))
    assert caught.value.code == "deleted_data"
    again = kept(people(home / "people.csv"), own_folder())
    assert again.id == made.id and check(config(made.id)).dataset.id == made.id


def test_a_file_of_it_that_is_gone_or_changed_is_named(home: Path) -> None:
    made = kept(people(home / "people.csv"), own_folder())
    entry = registry.dataset(made.id)
    recorded = data_files.digests(entry, Path("unused"))
    assert set(recorded) == {f"{made.id}/{name}" for name in ("set.json", *made.arrays)}
    assert {name.partition("/")[2]: digest for name, digest in recorded.items() if not name.endswith("set.json")} == made.arrays
    (own_folder() / made.digest / "targets.npy").unlink()
    with pytest.raises(BadInput, match=r"lacks its file targets\.npy"):
        check(config(made.id), Path("unused"))


def test_a_damaged_set_is_nobody_s_trouble(home: Path) -> None:
    made = kept(people(home / "people.csv"), own_folder())
    (own_folder() / made.digest / "set.json").write_text("{")
    (own_folder() / "0123456789abcdef").mkdir()
    assert registry.own_datasets() == {} and registry.known_dataset(made.id) is None
    assert keep(home / "people.csv", Choices()).id == made.id and list(registry.own_datasets()) == [made.id]


def test_the_command_line_adds_lists_shows_and_removes(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(people(home / "people.csv"))
    assert main(["data", "add", path, "--dry-run"]) == 0 and not own_folder().exists()
    assert "'code' alone predicts 'rich'" in capsys.readouterr().out
    assert main(["data", "add", path, "--target", "rich", "--type", "code=dropped", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert main(["data", "list"]) == 0 and made["id"] in capsys.readouterr().out
    assert main(["datasets"]) == 0 and made["id"] in capsys.readouterr().out
    assert main(["data", "show", made["id"]]) == 0 and "24 of 120 examples are for the test" in capsys.readouterr().out
    assert main(["data", "remove", made["id"]]) == 0 and "cannot go on" in capsys.readouterr().out
    assert main(["data", "show", made["id"]]) == 2 and "there is no stored data set" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["data", "add", "FILE", "--type", "code=colour"], "is not COLUMN=KIND"),
        (["data", "add", "FILE", "--test-share", "2"], "test_share"),
        (["data", "add", "FILE", "--target", "nothing"], "target: there is no column"), (["data", "add", "nowhere.csv"], "cannot be read"),
        (["data", "add", "FILE", "--side", "big"], "side: 'big' is not a whole number"),
        (["run", "--algorithm", "random", "--dataset", "digits", "--target", "y", "--out", "o"], "is no file"),
        (["run", "--algorithm", "random", "--target", "y", "--out", "o"], "need --dataset FILE"),
    ],
)
def test_words_that_cannot_be_end_with_status_2(home: Path, capsys: pytest.CaptureFixture[str], words: list[str], says: str) -> None:
    path = str(people(home / "people.csv"))
    assert main([path if word == "FILE" else word for word in words]) == 2
    assert says in capsys.readouterr().err


@pytest.mark.slow
def test_a_run_on_a_file_ends_with_a_bundle_whose_score_repeats(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from search_engine.bundle.verify import verify

    path, out = str(people(home / "people.csv")), home / "run"
    words = ["run", "--algorithm", "random", "--space", "mlp", "--dataset", path, "--target", "rich", "--type", "code=dropped", "--budget",
             "trials=2", "--out", str(out), "--set", "finale.baselines=0", "--set", "finale.onnx=false", "--json"]
    assert main(words) == 0
    result = json.loads(capsys.readouterr().out)
    with np.load(out / "model" / "test.npz") as file:
        assert file["inputs"].shape == (24, 6) and file["inputs"].dtype == np.float32
    assert result["best"][0]["metrics"]["test_accuracy"] == verify(out / "model") and result["datasets"][0].startswith("own-")


@pytest.mark.slow
def test_a_regression_with_gaps_and_categories_is_searched_on_too(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.RandomState(0)
    rows = [("" if row % 7 == 0 else round(float(a), 3), job, round(1000 * float(a) + 200 * (job == "x"), 1))
            for row, (a, job) in enumerate(zip(rng.randn(200), "xy" * 100, strict=True))]
    path = str(csv(home / "pay.csv", ["a", "job", "pay"], rows))
    words = ["run", "--algorithm", "random", "--space", "mlp", "--dataset", path, "--budget", "trials=8", "--out", str(home / "run"),
             "--set", "finale.baselines=0", "--set", "finale.onnx=false", "--json"]
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out)["best"][0]["metrics"]["test_r2"] > 0.3
