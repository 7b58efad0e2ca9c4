"""`architecture`: what the command says, draws and refuses (that it trains as Python does: tests/nascope/test_search.py)."""

from __future__ import annotations

import io
import json

import pytest

from search_engine.catalogue.architectures import read
from search_engine.commands import main

CELL = "|nor_conv_3x3~0|+|none~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_1x1~1|skip_connect~2|"


def test_it_says_draws_and_gives_json(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["architecture", CELL]) == 0
    said = capsys.readouterr().out
    assert said.splitlines()[:2] == [CELL, "space: nb201"] and "cell: 4 nodes, 5 edges" in said
    assert main(["architecture", CELL, "--draw"]) == 0
    drawn = json.loads(capsys.readouterr().out)
    edges = {(edge["source"], edge["target"]): edge["operation"] for edge in drawn["cell"]["edges"]}
    assert edges == {
        ("0", "1"): "nor_conv_3x3", ("1", "2"): "avg_pool_3x3", ("0", "3"): "skip_connect", ("1", "3"): "nor_conv_1x1",
        ("2", "3"): "skip_connect",
    }  # fmt: skip
    monkeypatch.setattr("sys.stdin", io.StringIO(CELL))
    assert main(["architecture", "-", "--json", "--set", "space.channels=8"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert read(json.dumps(found)) == read(CELL, space_options={"channels": 8})
    assert main(["architecture", "1 2 3", "--space", "sequence", "--set", "space.n=3"]) == 0


@pytest.mark.parametrize(("words", "error"), [
    (["x"], "space: the text does not say"),
    ([CELL, "--space", "cell"], "genome: this is not a Genotype"),
    ([CELL, "--seed", "3"], "seed: --seed belongs to --train"),
    ([CELL, "--dataset", "digits"], "dataset: --dataset belongs to --train"),
    ([CELL, "--seeds", "3"], "seeds: --seeds belongs to --train"),
    ([CELL, "--train-on", "train"], "train_on: --train-on belongs to --train"),
    ([CELL, "--ensemble"], "ensemble: --ensemble belongs to --train"),
    ([CELL, "--train", "--out", "x", "--seeds", "11"], "finale.seeds: "),
    ([CELL, "--train", "--out", "x", "--train-on", "test"], "finale.train_on: "),
    ([CELL, "--train", "--out", "x", "--epochs", "0"], "finale.training.epochs: "),
    (["tests", "--draw"], "model: there is no "),
    ([CELL, "--train"], "out: --train needs --out FOLDER"),
    ([CELL, "--train", "--draw", "--out", "x"], "draw: --draw prints"),
    ([CELL, "--set", "finale.onnx=false"], "set: finale.onnx belongs to --train"),
    ([CELL, "--train", "--out", "x", "--dataset", "wine"], "dataset: the space 'nb201' needs images"),
    ([CELL, "--train", "--out", "x", "--set", "structure_every=3"], "structure_every: "),
])
def test_what_is_wrong_is_one_line(words: list[str], error: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["architecture", *words]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"error: {error}") and told.count("\n") == 1, told
