"""A number is read alike wherever it is written: in a YAML file, in JSON, after `--set`, and after the options that take one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from search_engine.commands import parser
from search_engine.commands.config_file import read_config, read_value
from search_engine.commands.run import run_config

NUMBERS: dict[str, Any] = {
    "7": 7, "-3": -3, "+3": 3, "1e2": 100, "1E2": 100, "1e+2": 100, "1.5e3": 1500, "1e-3": 0.001, "-1e-3": -0.001, ".5": 0.5, "5.": 5.0,
    "2.50": 2.5, "1_000": 1000, "010": 10, "0x1F": 31, "0o17": 15, "1e15": 10**15, "1e-300": 1e-300,
}
WORDS = {"no": "no", "yes": "yes", "on": "on", "1:30": "1:30", "2026-01-02": "2026-01-02", "1e": "1e", "e5": "e5",
         "'1e2'": "1e2", "none": "none"}


@pytest.mark.parametrize("text", [*NUMBERS, *WORDS])
def test_a_file_reads_what_set_reads(text: str, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(f"algorithm: random\noptions: {{value: {text}}}\n")
    wanted = {**NUMBERS, **WORDS}[text]
    from_file, from_set = read_config(str(tmp_path / "config.yaml"))["options"]["value"], read_value("set", text)
    assert from_file == from_set == wanted and type(from_file) is type(from_set) is type(wanted)


def given(*words: str, folder: Path, text: str = "") -> dict[str, Any]:
    config = folder / "config.yaml"
    config.write_text(f"algorithm: random\n{text}")
    return run_config(parser().parse_args(["run", str(config), *words, "--out", "o"])).model_dump()


@pytest.mark.parametrize("text", ["1e2", "100", "1_00", "100.0", "0x64"])
def test_trials_and_seeds(text: str, tmp_path: Path) -> None:
    wanted = {"trials": 100, "samples": None, "flops": None, "seconds": None}
    assert given(folder=tmp_path, text=f"budget: {{trials: {text}}}\n")["budget"] == wanted
    assert given("--budget", f"trials={text}", folder=tmp_path)["budget"] == wanted
    assert given(folder=tmp_path, text=f"seed: {text}\n")["seed"] == given("--seed", text, folder=tmp_path)["seed"] == 100
    by_set = given("--set", f"threads={text}", folder=tmp_path)["threads"]
    assert given(folder=tmp_path, text=f"threads: {text}\n")["threads"] == by_set == 100


def test_a_switch_may_be_a_word(tmp_path: Path) -> None:
    """YAML 1.1 read `no` as false; here it is a word, which a switch takes for what it means."""
    assert given(folder=tmp_path, text="amp: yes\n")["amp"] is given("--set", "amp=on", folder=tmp_path)["amp"] is True


def test_set_reaches_into_what_the_file_holds(tmp_path: Path) -> None:
    made = given("--set", "finale.training.epochs=1e1", "--set", "data.examples=50", folder=tmp_path, text="dataset_options: [{}]\n")
    assert made["finale"]["training"]["epochs"] == 10 and made["dataset_options"] == [{"examples": 50}]
