"""A message quotes enough of what was given to recognise it, and never the whole of something long."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from search_engine.base.errors import LONGEST_MESSAGE, BadInput, TrialFailure
from search_engine.catalogue import registry
from search_engine.catalogue.config import FinaleConfig, RunConfig, check, parse
from search_engine.commands import main

ROOT = Path(__file__).resolve().parents[3]
LONG = "x" * 201
LONGEST = 700


def option_models() -> dict[str, type[BaseModel]]:
    """Every model of options that a person fills in."""
    entries = [*registry.algorithms().values(), *registry.spaces().values(), *registry.datasets().values()]
    return {"run": RunConfig, "finale": FinaleConfig, **{entry.id: entry.config for entry in entries}}


@pytest.mark.parametrize("words", [
    ["run", "--algorithm", LONG, "--out", "o"],
    ["run", LONG, "--out", "o"],
    ["run", "--algorithm", "random", "--space", LONG, "--out", "o"],
    ["run", "--algorithm", "random", "--dataset", LONG, "--out", "o"],
    ["run", "--algorithm", "random", "--seed", LONG, "--out", "o"],
    ["run", "--algorithm", "random", "--budget", LONG, "--out", "o"],
    ["run", "--algorithm", "random", "--budget", f"trials={LONG}", "--out", "o"],
    ["run", "--algorithm", "random", "--slice-seconds", LONG, "--out", "o"],
    ["run", "--algorithm", "random", "--set", LONG, "--out", "o"],
    ["run", "--algorithm", "random", "--set", f"{LONG}=1", "--out", "o"],
    ["run", "--algorithm", "random", "--set", f"{LONG}.x=1", "--out", "o"],
    ["run", "--algorithm", "random", "--set", f"window={LONG}", "--out", "o"],
    ["run", "--algorithm", "random", "--set", f"device={LONG}", "--out", "o"],
    ["run", "--algorithm", "random", "--space", "sequence", "--budget", "trials=4", "--out", LONG * 30],
], ids=lambda words: " ".join(words)[:60])
def test_words_of_the_command_line(words: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    said = capsys.readouterr().err
    assert LONG not in said and said.startswith("error: ") and len(said) < LONGEST, said


@pytest.mark.parametrize("words", [[LONG], ["run", "--out", "o", "--" + LONG], ["run", "--out", "o", "a", LONG * 40]])
def test_words_that_are_none(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(words)
    assert stopped.value.code == 2
    assert len(capsys.readouterr().err.partition("error: ")[2]) < LONGEST


@pytest.mark.parametrize("name", option_models())
def test_every_option(name: str) -> None:
    model = option_models()[name]
    for field in [*model.model_fields, LONG]:
        for value in (LONG, [LONG], {LONG: LONG}):
            try:
                parse("options", model, {field: value})
            except BadInput as error:
                assert LONG not in str(error) and len(str(error)) < LONGEST, str(error)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "nan", "-inf"])
@pytest.mark.parametrize("name", option_models())
def test_no_option_takes_what_is_no_number(name: str, value: Any) -> None:
    """As it is given in Python; files and `--set` refuse it before."""
    model = option_models()[name]
    for field, about in model.model_json_schema()["properties"].items():
        if "number" in str(about) or "integer" in str(about):
            with pytest.raises(BadInput):
                parse("options", model, {field: value})
            with pytest.raises(BadInput):
                parse("options", model, {field: [value]})


def test_what_slips_through_is_stopped() -> None:
    assert len(str(BadInput("y" * 5000, "x" * 5000))) < LONGEST_MESSAGE + 300
    assert len(TrialFailure("x" * 5000).reason) < LONGEST_MESSAGE + 10
    with pytest.raises(BadInput) as refused:
        check({"algorithm": "random", "datasets": [LONG]})
    assert LONG not in str(refused.value)


def quoted(path: Path) -> list[str]:
    """Places of `path` where an error quotes a value without `shown`: 'value' or repr."""
    found = []
    for call in ast.walk(ast.parse(path.read_text())):
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in ("BadInput", "Problem", "ParseError")):
            continue
        for text in ast.walk(call):
            values = text.values if isinstance(text, ast.JoinedStr) else []
            for place, value in enumerate(values):
                before = values[place - 1] if place else None
                opens = isinstance(before, ast.Constant) and str(before.value).endswith("'")
                # What the house itself named (an id, a title) is short.
                if not isinstance(value, ast.FormattedValue) or getattr(value.value, "attr", "") in ("id", "title"):
                    continue
                if opens or value.conversion == ord("r"):
                    found.append(f"{path.relative_to(ROOT)}:{value.lineno} {ast.unparse(value.value)}")
    return found


def test_no_error_quotes_a_value_as_it_is() -> None:
    rooms = ("search_engine/commands", "search_engine/catalogue", "webapp/api", "nascope")
    assert [place for room in rooms for path in sorted((ROOT / room).rglob("*.py")) for place in quoted(path)] == []
