"""One promise: the same seed gives the same candidates in the same order, the same metrics and structure frames, bit for bit, through
the command line or the web, with one worker or three, whether work stays in memory between slices or is read back each time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from search_engine.catalogue import registry
from search_engine.commands import main
from tests.golden.expect import assert_golden

from .embedded import Embedded, clean_log
from .searches import BY_TRIALS, SEARCHES, TINY, CommandLine, Science, assert_same, digests, logged, science_of

RELOADED = {"NASCOPE_SLICE_SECONDS": "0", "NASCOPE_ADVANCE_SECONDS": "0", "NASCOPE_RESIDENT_JOBS": "0"}
"""One unit of work a slice (one optimiser step, one generation; one ask or tell), each by a fresh object from the checkpoint's bytes."""

SETUPS: dict[str, tuple[int, dict[str, str]]] = {
    "one worker": (1, {}),
    "three workers": (3, {"NASCOPE_SLICE_SECONDS": "0.2"}),
    "a reload after every slice": (2, RELOADED),
}


ON_THE_TABLE = "regularized_evolution"
"""The search that needs the table's file."""


@pytest.fixture(scope="module")
def command_line(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., tuple[Science, Path]]:
    """(science, output folder) of a search in one process; each is made once. Keywords are environment variables."""
    made: dict[str, tuple[Science, Path]] = {}

    def get(name: str, **environment: str) -> tuple[Science, Path]:
        if name not in made:
            run = CommandLine(SEARCHES[name], tmp_path_factory.mktemp("cli"), **environment)
            made[name] = (run.science(), run.out)
        return made[name]

    return get


@pytest.fixture(scope="module", params=list(SETUPS))
def searched(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Embedded, dict[str, str]]]:
    """All searches at once in one installation, so that they take turns in its workers; (installation, run ids)."""
    workers, environment = SETUPS[request.param]
    embedded = Embedded(tmp_path_factory.mktemp("web") / "home", workers, **environment)
    try:
        embedded.up()
        yield embedded, {name: embedded.start(config) for name, config in SEARCHES.items() if name != ON_THE_TABLE}
    finally:
        embedded.down()


@pytest.fixture(params=list(SETUPS))
def searched_on_the_table(request: pytest.FixtureRequest, tables: Path, tmp_path: Path) -> Iterator[tuple[Embedded, str]]:
    """The search on the table in an installation that has its file, between two others with which it takes turns; (installation, run)."""
    workers, environment = SETUPS[request.param]
    embedded = Embedded(tmp_path / "home", workers, NASCOPE_DATA=str(tables), **environment)
    try:
        embedded.up()
        yield embedded, [embedded.start(SEARCHES[name]) for name in ("wann", ON_THE_TABLE, "evo_nas")][1]
    finally:
        embedded.down()


def equal(embedded: Embedded, run: str, expected: Science) -> dict[str, Any]:
    """The run when it has ended, with the expected science."""
    shown = embedded.finished(run)
    assert (shown["state"], shown["reproducible"]) == ("completed", True), shown["reason"] + embedded.said()
    events = embedded.events(run)
    clean_log(events)
    assert_same(science_of(events), expected)
    assert shown["last_seq"] == len(events)
    return shown


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in SEARCHES if name != ON_THE_TABLE])
def test_the_science_is_the_golden_one(name: str, command_line: Callable[..., tuple[Science, Path]]) -> None:
    assert_golden(f"matrix/{name}", command_line(name)[0])


@pytest.mark.slow
def test_the_science_on_a_table_is_the_golden_one(command_line: Callable[..., tuple[Science, Path]], tables: Path) -> None:
    assert_golden(f"matrix/{ON_THE_TABLE}", command_line(ON_THE_TABLE, NASCOPE_DATA=str(tables))[0])


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in SEARCHES if name != ON_THE_TABLE])
def test_the_matrix(
    name: str, searched: tuple[Embedded, dict[str, str]], command_line: Callable[..., tuple[Science, Path]]
) -> None:
    embedded, runs = searched
    expected, out = command_line(name)
    kinds = {row[2] for row in expected}
    assert kinds >= ({"trial_told", "candidate_born"} if name in BY_TRIALS else {"metrics"})
    shown = equal(embedded, runs[name], expected)
    if name == "darts":
        assert sum(row[2] == "structure" for row in expected) == 13, "the start and every step"
        bundle = embedded.home / "runs" / runs[name] / "model"
        assert digests(bundle) == digests(out / "model"), "the same download, byte for byte"
        assert len(shown["models"]) == 2
    if name == "deepswarm":
        donors = [json.loads(row[4])["inherited_from"] for row in expected if row[2] == "candidate_born"]
        assert donors[0] is None and any(donor is not None and donor > 0 for donor in donors)
        assert not list((embedded.home / "runs" / runs[name]).glob("weights/*")), "nothing of it stays"
    if name == "pathnet":
        assert sum(row[2] == "control" for row in expected) == 2
        assert [model["bundle"] is not None for model in shown["models"]] == [True, True]


@pytest.mark.slow
def test_the_matrix_on_a_table(
    searched_on_the_table: tuple[Embedded, str], command_line: Callable[..., tuple[Science, Path]], tables: Path
) -> None:
    embedded, run = searched_on_the_table
    expected, _ = command_line(ON_THE_TABLE, NASCOPE_DATA=str(tables))
    assert {row[2] for row in expected} >= {"trial_told", "candidate_born"}
    equal(embedded, run, expected)


GROWN: dict[str, dict[str, Any]] = {
    name: {
        "algorithm": name, **registry.algorithm(name).quick, "seed": 15,
        "finale": {**registry.algorithm(name).quick["finale"], "baselines": 0, "export": False, "redundancy": False},
    }
    for name in ("codeepneat", "hierarchical_evolution")
}
"""Populations of graphs: a whole generation told in ask order, and a window of trials in which each child waits for an earlier result."""


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 3])
def test_populations_of_graphs_are_equal_for_any_number_of_workers(workers: int, tmp_path: Path) -> None:
    expected = {name: CommandLine(config, tmp_path / name).science() for name, config in GROWN.items()}
    embedded = Embedded(tmp_path / "home", workers, NASCOPE_SLICE_SECONDS="0.2")
    try:
        embedded.up()
        runs = {name: embedded.start(config) for name, config in GROWN.items()}
        for name, run in runs.items():
            equal(embedded, run, expected[name])
            assert {row[2] for row in expected[name]} >= {"trial_told", "coevolution" if name == "codeepneat" else "motifs"}
    finally:
        embedded.down()


@pytest.mark.slow
def test_trained_trials_through_two_workers(tmp_path: Path) -> None:
    """Trials that end in any order, in short slices, each read back from its checkpoint."""
    config = {**SEARCHES["random"], "budget": {"trials": 5}, "training": TINY}
    (tmp_path / "run.yaml").write_text(json.dumps(config))
    embedded = Embedded(tmp_path / "home", workers=2, **{**RELOADED, "NASCOPE_SLICE_SECONDS": "0.05"})
    try:
        embedded.up()
        run = embedded.start(config)
        assert main(["run", str(tmp_path / "run.yaml"), "--out", str(tmp_path / "cli")]) == 0
        equal(embedded, run, logged(tmp_path / "cli"))
        numbers = [event["data"]["number"] for event in embedded.events(run) if event["kind"] == "candidate_born"]
        assert numbers == list(range(5)), "born in order"
        assert {worker["name"] for worker in embedded.get("workers")} == {"cpu-1", "cpu-2"}
    finally:
        embedded.down()
