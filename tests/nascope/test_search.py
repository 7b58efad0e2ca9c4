"""`nascope.search` and `nascope.train`: the same run as the command line's, from ids and from objects, stopped and gone on with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nascope
from nascope import searching
from search_engine.algorithms.trials.regularized_evolution import RegularizedEvolutionConfig
from search_engine.catalogue import registry
from search_engine.commands import main
from search_engine.datasets.base import Objective
from search_engine.datasets.learn_to_count import ENTRY as COUNTING
from search_engine.spaces.data_shape import NO_INPUT
from search_engine.spaces.genomes import Genome
from search_engine.spaces.sequence import SequenceConfig, SequenceSpace

ROOT = Path(__file__).resolve().parents[2]
CELL = "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_1x1~1|skip_connect~2|"
LITTLE = {"epochs": 1, "train_examples": 128, "channels": 4}
FINALE = {"baselines": 1, "onnx": False, "redundancy": False, "training": LITTLE}


def said(folder: Path | str) -> list[dict[str, Any]]:
    """The science events of a run, without when they were written."""
    rows = [json.loads(line) for line in (Path(folder) / "events.jsonl").read_text().splitlines()]
    return [{name: value for name, value in row.items() if name not in ("time", "seq")} for row in rows if row["science"]]


def science(folder: Path | str) -> bytes:
    return json.dumps(said(folder)).encode()


def settings(*pairs: str) -> list[str]:
    return [word for pair in pairs for word in ("--set", pair)]


# ---- the same run as the command line's


def test_a_trained_search_says_what_the_command_line_says_in_a_process_of_its_own() -> None:
    run = nascope.search(
        "digits", "random", space="nb201", options={"window": 2}, trials=2, seed=3, training=LITTLE, finale=FINALE, out="here", quiet=True
    )
    words = settings(
        "window=2", *(f"training.{name}={value}" for name, value in LITTLE.items()), "finale.baselines=1", "finale.onnx=false",
        "finale.redundancy=false", *(f"finale.training.{name}={value}" for name, value in LITTLE.items()),
    )
    command = ["run", "--algorithm", "random", "--space", "nb201", "--dataset", "digits", "--budget", "trials=2", "--seed", "3"]
    done = subprocess.run(
        [sys.executable, "-m", "search_engine", *command, *words, "--out", "there"], env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False,
    )
    assert done.returncode == 0, done.stderr
    assert science("here") == science("there") and len(said("here")) > 8
    theirs = json.loads(Path("there/result.json").read_text())
    for name in ("best", "baseline", "options", "space", "datasets", "seed", "status", "reason", "tried", "versions", "arithmetic"):
        assert run.result[name] == theirs[name], name
    # A relative folder, and the download is there: what is checked in a fresh process is found.
    assert run.bundle == Path("here/model") and (Path("there/model") / "model.safetensors").is_file()
    assert (run.bundle / "model.safetensors").read_bytes() == (Path("there/model") / "model.safetensors").read_bytes()


def test_either_goes_on_with_the_others_folder(capsys: pytest.CaptureFixture[str]) -> None:
    values: dict[str, Any] = {"algorithm": "regularized_evolution", "space": "sequence", "trials": 40, "seed": 5, "quiet": True}
    nascope.search(**values, out="ours")
    command = ["run", "--algorithm", "regularized_evolution", "--space", "sequence", "--budget", "trials=40", "--seed", "5", "--out"]
    assert main([*command, "theirs"]) == 0
    assert science("ours") == science("theirs")
    assert main([*command, "ours", "--resume"]) == 0
    assert nascope.search(**values, out="theirs", resume=True).status == "completed"
    assert science("ours") == science("theirs")


def test_a_config_file_and_arguments_that_change_it() -> None:
    Path("run.yaml").write_text("algorithm: random\nspace: sequence\nbudget: {trials: 7}\nspace_options: {n: 3}\nseed: 1\n")
    run = nascope.search("learn_to_count", config="run.yaml", seed=2, space_options={"n": 4}, quiet=True)
    same = nascope.search("learn_to_count", "random", space="sequence", space_options={"n": 4}, trials=7, seed=2, quiet=True)
    assert science(run.folder) == science(same.folder) and run.config == same.config
    assert (str(run.folder), str(same.folder)) == ("runs/random-1", "runs/random-2")


def test_training_an_architecture_is_what_the_command_does() -> None:
    run = nascope.train(CELL, "digits", finale={**FINALE, "export": False}, seed=1, out="here", quiet=True)
    words = settings("finale.baselines=1", "finale.export=false", *(f"finale.training.{name}={value}" for name, value in LITTLE.items()),
                     "finale.onnx=false", "finale.redundancy=false")
    assert main(["architecture", CELL, "--train", "--dataset", "digits", "--seed", "1", "--out", "there", *words, "--json"]) == 0
    assert science("here") == science("there")
    assert run.best.string == CELL and run.best.title == "given architecture"
    assert [item.title for item in run.baselines] == ["random architecture, finished in the same way"]
    assert {"val_accuracy", "test_accuracy"} <= run.metrics.keys() and run.result["tested"] == 2
    assert run.bundle is None and "switched off" in run.model_reason


# ---- objects in place of ids


class Digits(Objective):
    """The reward is the sum of the places; every call is counted, and one of them may interrupt."""

    space = "sequence"
    calls = 0
    stops_at = 0

    def reward(self, genome: Genome) -> float:
        Digits.calls += 1
        if Digits.calls == Digits.stops_at:
            os.kill(os.getpid(), signal.SIGINT)
            # Longer than the loop goes on without looking up.
            time.sleep(0.6)
        return float(sum(map(int, genome.content.values())))


SUMS = replace(COUNTING, id="sums_of_places", open=lambda config, data_dir: Digits())


def test_entries_are_known_from_then_on_and_give_way_to_their_successors() -> None:
    run = nascope.search(SUMS, "grid", space=SequenceSpace(SequenceConfig(n=3), NO_INPUT), quiet=True)
    assert run.best.string == "3 3 3" and run.config["space_options"]["n"] == 3
    assert "sums_of_places" in nascope.datasets()

    class Negative(Digits):
        def reward(self, genome: Genome) -> float:
            return -super().reward(genome)

    again = replace(SUMS, open=lambda config, data_dir: Negative())
    run = nascope.search(again, "grid", space="sequence", space_options={"n": 3}, quiet=True)
    assert run.best.string == "1 1 1"


def test_an_algorithm_is_given_as_an_entry_or_as_its_options() -> None:
    entry = replace(registry.algorithm("random"), id="my_random", title="Mine")
    run = nascope.search("learn_to_count", entry, space="sequence", trials=5, quiet=True)
    assert run.config["algorithm"] == "my_random" and nascope.algorithms()["my_random"].title == "Mine"
    options = RegularizedEvolutionConfig(population=4, sample=2)
    run = nascope.search("learn_to_count", options, space="sequence", trials=6, quiet=True)
    same = nascope.search(
        "learn_to_count", "regularized_evolution", space="sequence", options={"population": 4, "sample": 2}, trials=6, quiet=True
    )
    assert science(run.folder) == science(same.folder)


def frame(rows: int = 120) -> Any:
    import pandas

    rng = np.random.default_rng(0)
    found = pandas.DataFrame({"a": rng.normal(size=rows), "b": rng.normal(size=rows), "c": rng.choice(["u", "v"], rows)})
    return found.assign(y=np.where(found["a"] + found["b"] > 0, "yes", "no"))


def kept(data: Any, **more: Any) -> str:
    """The id that data get in a search."""
    from nascope.choosing import the_data

    [name] = the_data(data, more.pop("target", None), more or None, quiet=True)
    return name


def test_equal_data_are_one_set_however_they_are_given() -> None:
    whole = frame()
    name = kept(whole, target="y")
    assert kept(whole.copy(), target="y") == name != kept(whole, target="y", test_share=0.3)
    assert registry.dataset(name).shape is not None and registry.dataset(name).shape.input == (4,)
    assert kept((whole[["a", "b", "c"]], whole["y"])) == name
    inputs, labels = whole[["a", "b"]].to_numpy(), whole["y"].to_numpy()
    np.savez("file.npz", x=inputs, y=labels.astype(str))
    assert kept((inputs, labels)) == kept("file.npz") == kept(Path("file.npz"))
    parts = kept({"train": (inputs[:80], labels[:80]), "test": (inputs[80:], labels[80:])})
    assert registry.dataset(parts).sizes["test"] == 40
    series = kept((np.random.default_rng(1).normal(size=(60, 2, 30)), np.arange(60) % 3))
    assert registry.dataset(series).input_kind == "series"


def test_a_frame_is_searched_and_its_network_is_given(capsys: pytest.CaptureFixture[str]) -> None:
    finale = {"baselines": 0, "onnx": False, "redundancy": False, "training": {"epochs": 1}}
    run = nascope.search(
        frame(), "random", space="tabular_cell", target="y", trials=1, training={"epochs": 1}, finale=finale, out="run", quiet=True
    )
    assert capsys.readouterr() == ("", "")
    import torch

    inputs = torch.randn(5, 4)
    opened = nascope.open("run")
    with torch.no_grad():
        assert torch.equal(run.network(inputs), opened.network(inputs)) and run.network(inputs).shape == (5, 2)
    assert not run.network.training and not opened.network.training


# ---- starting from an architecture


def test_a_search_starts_from_given_architectures() -> None:
    start = nascope.architecture("3 3 3 3 3", space="sequence", space_options={"n": 5})
    run = nascope.search(
        "learn_to_count", "regularized_evolution", space="sequence", space_options={"n": 5},
        options={"population": 4, "sample": 2}, start=[start, "1 1 2 3 3"], trials=8, quiet=True,
    )
    strings = list(run.trials["string"])
    assert strings[:2] == ["3 3 3 3 3", "1 1 2 3 3"] and len(set(strings[:4])) == 4
    for child, parent in zip(strings[2:4], strings[:2], strict=True):
        assert sum(one != other for one, other in zip(child.split(), parent.split(), strict=True)) == 1
    # What a run found, in a population that holds one more: its child.
    alone = nascope.search(
        "learn_to_count", "regularized_evolution", space="sequence", space_options={"n": 5},
        options={"population": 2, "sample": 1}, start=run.best, trials=2, quiet=True,
    )
    assert alone.trials["string"][0] == run.best.string and alone.config["population"]["sizes"] == {"genomes": 2}


def test_the_command_line_starts_from_the_same_ones() -> None:
    options = {"population": 3, "sample": 2}
    values: dict[str, Any] = {"space": "sequence", "space_options": {"n": 4}, "options": options, "trials": 9, "quiet": True, "out": "here"}
    nascope.search("learn_to_count", "regularized_evolution", start="1 2 3 3", **values)
    command = ["run", "--algorithm", "regularized_evolution", "--space", "sequence", "--budget", "trials=9", "--start", "1 2 3 3", "--out"]
    assert main([*command, "there", *settings("population=3", "sample=2", "space.n=4"), "--json"]) == 0
    assert science("here") == science("there")
    assert main([*command, "there", *settings("population=3", "sample=2", "space.n=4"), "--json", "--resume"]) == 0
    # Its individuals lie in the folder: whoever goes on need not name them again.
    assert nascope.search("learn_to_count", "regularized_evolution", resume=True, **values).trials["string"][0] == "1 2 3 3"
    assert science("here") == science("there")


# ---- stopped


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C as at a terminal: what a shell starts in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_stops_at_a_checkpoint_and_says_how_to_go_on() -> None:
    registry.bring(SUMS)
    values: dict[str, Any] = {"data": "sums_of_places", "algorithm": "random", "space": "sequence", "trials": 400, "out": "run"}
    Digits.stops_at = 0
    nascope.search(**{**values, "out": "whole"}, quiet=True)
    Digits.calls, Digits.stops_at = 0, 30
    with pytest.raises(nascope.Stopped, match=r"go on with nascope\.search\(\.\.\., out='run', resume=True\)") as stopped:
        nascope.search(**values)
    assert isinstance(stopped.value, KeyboardInterrupt) and stopped.value.out == Path("run")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    left = nascope.open("run")
    assert left.status == "unfinished" and left.found == [] and 0 < len(left.trials) < 400
    Digits.stops_at = 0
    done = nascope.search(**values, resume=True)
    assert done.status == "completed" and science("run") == science("whole")


# ---- what is said


def test_a_progress_line_where_somebody_sees_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    values: dict[str, Any] = {"data": "learn_to_count", "algorithm": "random", "space": "sequence", "trials": 3}
    nascope.search(**values)
    assert "Random search" not in capsys.readouterr().err
    monkeypatch.setattr(searching, "in_notebook", lambda: True)
    nascope.search(**values)
    assert "Random search" in capsys.readouterr().err
    nascope.search(**values, quiet=True)
    assert capsys.readouterr() == ("", "")


def test_a_notebook_is_known_by_its_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    class ZMQInteractiveShell:
        pass

    class IPython:
        shell: Any = None

        @classmethod
        def get_ipython(cls) -> Any:
            return cls.shell

    assert not searching.in_notebook()
    monkeypatch.setitem(sys.modules, "IPython", IPython)
    assert not searching.in_notebook()
    IPython.shell = ZMQInteractiveShell()
    assert searching.in_notebook()


BAD: dict[str, tuple[str, Any]] = {
    "no algorithm": ("algorithm", lambda: nascope.search("digits")),
    "another algorithm": ("algorithm", lambda: nascope.search("digits", "rando")),
    "no data": ("data", lambda: nascope.search(3, "random")),
    "no file": ("data", lambda: nascope.search("no.csv", "random", trials=2)),
    "no target": ("target", lambda: nascope.search(frame(), "random", trials=2)),
    "another target": ("target", lambda: nascope.search(frame(), "random", target="z", trials=2)),
    "a target of a data set": ("target", lambda: nascope.search("digits", "random", target="z", trials=2)),
    "two columns of one name": ("data", lambda: nascope.search(frame().rename(columns={"a": "b"}), "random", target="y", trials=2)),
    "no array": ("data", lambda: nascope.search(([[1.0], [1.0, 2.0]], [0, 1]), "random", trials=2)),
    "no choice": ("choices.tast", lambda: nascope.search(frame(), "random", target="y", choices={"tast": 1}, trials=2)),
    "no space": ("space", lambda: nascope.search("digits", "random", space=4)),
    "no setting": ("spac", lambda: nascope.search("digits", "random", trials=2, spac="x")),
    "two budgets": ("budget", lambda: nascope.search("digits", "random", trials=2, samples=3)),
    "no option": ("options.foo", lambda: nascope.search("digits", "random", options={"foo": 1}, trials=2)),
    "no start": ("start", lambda: nascope.search("digits", "regularized_evolution", space="nb201", trials=2, start="|a|")),
    "no such start": ("start", lambda: nascope.search("digits", "random", trials=2, start=CELL)),
    "too many": ("start", lambda: nascope.search(
        algorithm="regularized_evolution", space="sequence", options={"population": 2, "sample": 1}, trials=2, space_options={"n": 3},
        start=["1 2 3"] * 3)),
    "no architecture": ("space", lambda: nascope.train("x")),
    "no text": ("architecture", lambda: nascope.train(5, "digits")),
    "no model": ("model", lambda: nascope.search("digits", "morphnet", model=5)),
    "nothing to resume": ("out", lambda: nascope.search("digits", "random", trials=2, resume=True)),
    "another's id": ("data", lambda: nascope.search(replace(SUMS, id="digits"), "random", trials=2)),
    "an odd id": ("algorithm", lambda: nascope.search("digits", replace(registry.algorithm("random"), id="a b"), trials=2)),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_names_its_field_and_leaves_no_folder(case: str) -> None:
    field, call = BAD[case]
    with pytest.raises(nascope.BadInput) as error:
        call()
    assert error.value.field == field, str(error.value)
    assert not Path("runs").exists()


def test_a_run_is_not_overwritten() -> None:
    values: dict[str, Any] = {"algorithm": "random", "space": "sequence", "trials": 3, "quiet": True, "out": "run"}
    nascope.search(**values)
    with pytest.raises(nascope.BadInput, match="already holds a run; go on with it"):
        nascope.search(**values)
    with pytest.raises(nascope.BadInput, match="another configuration"):
        nascope.search(**values, seed=1, resume=True)


def test_a_search_that_fails_returns_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    run = nascope.search(
        "digits", "random", space="nb201", seconds=1e-9, training=LITTLE, finale={"baselines": 0}, threads=1
    )
    assert run.status == "failed" and "within the budget" in run.reason and run.reason in capsys.readouterr().err
    with pytest.raises(nascope.BadInput, match="no finished architecture"):
        _ = run.best
