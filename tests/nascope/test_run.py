"""`nascope.open`: a run as its folder has it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import nascope
from nascope import Run
from search_engine.archives.exporting import export_folder
from tests.nascope.test_search import CELL, FINALE

ROOT = Path(__file__).resolve().parents[2]


def test_importing_is_quick_and_the_names_are_promised() -> None:
    """In a fresh process: nothing heavy is loaded, whatever else this one has."""
    code = "import sys, nascope; print(sorted({name.partition('.')[0] for name in sys.modules}), nascope.__all__)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    for heavy in ("search_engine", "torch", "numpy", "pandas", "pydantic", "networkx", "django", "sklearn", "yaml"):
        assert f"'{heavy}'" not in done.stdout, heavy
    names = ["search", "train", "more", "finish", "open", "Run", "Found", "architecture", "algorithms", "spaces", "datasets", "BadInput"]
    names.append("Stopped")
    assert nascope.__all__ == names and str(names) in done.stdout
    assert all(getattr(nascope, name).__doc__ for name in names) and (ROOT / "nascope" / "py.typed").is_file()


def test_another_package_of_that_name_is_told_in_one_sentence() -> None:
    Path("search_engine").mkdir()
    Path("search_engine/__init__.py").write_text("")
    done = subprocess.run(
        [sys.executable, "-c", "import nascope; nascope.search"], env={"PYTHONPATH": f"{Path.cwd()}:{ROOT}"}, capture_output=True,
        text=True, check=False,
    )
    assert done.returncode == 1 and done.stderr.splitlines()[-1].startswith("ImportError: Python would import the package 'search_engine'")


def test_trials_events_and_best_are_those_of_the_folder() -> None:
    nascope.search("learn_to_count", "regularized_evolution", space="sequence", options={"population": 3, "sample": 2}, trials=9, out="run",
                   quiet=True)
    for path in ("run", Path("run"), "run/result.json"):
        run = nascope.open(path)
        rows = [json.loads(line) for line in Path("run/events.jsonl").read_text().splitlines()]
        told = [row["data"] for row in rows if row["kind"] == "trial_told"]
        born = {row["data"]["number"]: row["data"] for row in rows if row["kind"] == "candidate_born"}
        assert list(run.trials["number"]) == [item["number"] for item in told] and len(told) == 9
        assert list(run.trials["reward"]) == [item["metrics"]["reward"] for item in told]
        assert list(run.trials["string"]) == [born[item["candidate"]]["string"] for item in told]
        assert run.trials["reused_from"].isna().tolist() == [item["reused_from"] is None for item in told]
        assert run.trials.columns[:3].tolist() == ["number", "status", "reward"]
        assert [event.model_dump(mode="json")["kind"] for event in run.events()] == [row["kind"] for row in rows]
        assert [event.seq for event in run.events("trial_told")] == [row["seq"] for row in rows if row["kind"] == "trial_told"]
        best = json.loads(Path("run/result.json").read_text())["best"][0]
        assert run.metrics == run.best.metrics == best["metrics"] and run.best.string == best["string"]
        assert run.best.architecture.drawings and run.best.architecture.hash == run.result["best"][0]["hash"]
        assert run.config["budget"] == {"trials": 9, "samples": None, "flops": None, "seconds": None}


def test_a_search_without_trials_has_none() -> None:
    Path("run").mkdir()
    Path("run/events.jsonl").write_text("")
    run = nascope.open("run")
    assert len(run.trials) == 0 and "string" in run.trials.columns and run.metrics == {} and run.bundle is None
    assert run.status == "unfinished" and "unfinished" in repr(run) and "unfinished" in run._repr_html_()


def test_a_line_that_was_cut_ends_the_events_and_a_broken_one_is_told() -> None:
    nascope.search("learn_to_count", "random", space="sequence", trials=3, out="run", quiet=True)
    path = Path("run/events.jsonl")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]) + lines[-1][:-20])
    assert len(list(nascope.open("run").events())) == len(lines) - 1
    path.write_bytes(lines[0] + b'{"kind":"nonsense"}\n' + b"".join(lines[1:]))
    with pytest.raises(nascope.BadInput, match="line 2 of"):
        list(nascope.open("run").events())


@pytest.mark.parametrize("content", [None, {"other.txt": "x"}, {"result.json": "[]"}, {"result.json": "{"}])
def test_what_is_no_run_is_told(content: dict[str, str] | None) -> None:
    for name, text in (content or {}).items():
        Path("run").mkdir(exist_ok=True)
        Path("run", name).write_text(text)
    with pytest.raises(nascope.BadInput) as error:
        nascope.open("run").result  # noqa: B018
    assert error.value.field == "path"


def test_the_network_of_an_opened_run_is_rebuilt_and_no_code_of_the_folder_is_run() -> None:
    trained = nascope.train(CELL, "digits", finale={**FINALE, "baselines": 0}, out="run", quiet=True)
    weights = load_file("run/model/model.safetensors")
    assert trained.bundle == Path("run/model")
    for run in (trained, nascope.open("run"), nascope.open("run", trusted=True)):
        state = run.network.state_dict()
        assert state.keys() == weights.keys() and all(torch.equal(state[name], weights[name]) for name in weights)
        assert run.network(torch.zeros(2, 1, 8, 8)).shape == (2, 10) and not run.network.training
    Path("run/model/model.py").write_text("raise SystemExit('this was run')")
    assert nascope.open("run").network is not None
    with pytest.raises(SystemExit, match="this was run"):
        _ = nascope.open("run", trusted=True).network
    # Its own code alone can build it: weights of another form than the architecture's.
    about = json.loads(Path("run/model/architecture.json").read_text())
    about["genome"]["operations"][0] = "nor_conv_1x1"
    Path("run/model/architecture.json").write_text(json.dumps(about))
    with pytest.raises(nascope.BadInput, match="trusted=True") as error:
        _ = nascope.open("run").network
    assert error.value.field == "network"


def test_a_notebook_shows_words_as_words() -> None:
    run = nascope.search("learn_to_count", "random", space="sequence", trials=3, out="<b>run", quiet=True)
    shown = run._repr_html_()
    assert "&lt;b&gt;run" in shown and "<b>run" not in shown and run.best.string in shown
    assert "random" in repr(nascope.algorithms()) and "<code>random</code>" in nascope.algorithms()._repr_html_()
    assert next(iter(nascope.datasets())) == "digits" and len(nascope.spaces()) > 20 and "cell" in nascope.spaces()


def test_an_exported_file_is_opened_and_a_damaged_one_is_refused() -> None:
    finale = {**FINALE, "training": {**FINALE["training"], "epochs": 1}}
    made = nascope.train(CELL, "digits", finale=finale, out="run", quiet=True)
    file = Path("file.nascope.zip")
    export_folder(Path("run"), file)
    opened = nascope.open(file, into="opened")
    assert opened.best == replace(made.best, model=opened.best.model) and opened.config == made.config and opened.status == "completed"
    assert opened.bundle == Path("opened/runs/0/model") and torch.equal(
        opened.network(torch.ones(1, 1, 8, 8)), made.network(torch.ones(1, 1, 8, 8))
    )
    # What a server exports has no result.json: the events say the same.
    Path("opened/runs/0/result.json").unlink()
    again = Run(opened.folder, record=opened._record)
    assert again.result == {} and again.status == "completed"
    for ours, theirs in zip((*again.found, *again.baselines), (*opened.found, *opened.baselines), strict=True):
        assert ours.metrics == theirs.metrics and ours.scores == theirs.scores and ours.architecture == theirs.architecture
        assert ours.model == theirs.model
    with pytest.raises(nascope.BadInput, match="name a new folder"):
        nascope.open(file, into="opened")
    with pytest.raises(nascope.BadInput, match="holds 1 run: give 0 to 0") as error:
        nascope.open(file, number=1, into="other")
    assert error.value.field == "number" and not Path("other").exists()
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 0xFF
    Path("damaged.nascope.zip").write_bytes(data)
    with pytest.raises(nascope.BadInput):
        nascope.open("damaged.nascope.zip", into="damaged")
    assert not Path("damaged").exists() and nascope.open(file).folder.is_dir()
