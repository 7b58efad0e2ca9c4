"""What installed packages bring: a good entry is there for everybody; a bad one is left out with its reason and harms nobody."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field

from search_engine.algorithms.base import AlgorithmConfig, AlgorithmEntry, Domains
from search_engine.base import plugins
from search_engine.base.entry_checks import check_reference
from search_engine.catalogue import registry
from search_engine.catalogue.plugin_checks import check_algorithm, check_dataset
from search_engine.spaces import entries
from search_engine.spaces.data_shape import DataShape
from tests.search_engine import toys
from tests.search_engine.strangers import GOOD, install

ROOT = Path(__file__).resolve().parents[3]


def command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The real command line, with the packages of `folder` installed."""
    environment = {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}
    return subprocess.run(
        [sys.executable, "-m", "search_engine", *arguments], capture_output=True, text=True, check=False, cwd=ROOT, env=environment
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One package with an algorithm that works and one that does not import."""
    modules = {"coin": GOOD, "torn": "import a_module_that_nobody_has\n"}
    points = {"nascope.algorithms": {"coin": "coin_package.coin:ENTRY", "torn": "coin_package.torn:ENTRY"}}
    return install(tmp_path_factory.mktemp("site"), "coin_package", modules, points)


WARNING = (
    "warning: torn (coin_package.torn:ENTRY, nascope.algorithms) of coin-package 1.2 was left out: "
    "ModuleNotFoundError: No module named 'a_module_that_nobody_has'"
)


@pytest.mark.parametrize("what", ["algorithms", "spaces", "datasets"])
def test_lists_stay_lists_and_say_once_what_was_left_out(folder: Path, what: str) -> None:
    for done in (command(folder, what), command(folder, what, "--json")):
        assert done.returncode == 0 and done.stderr.splitlines() == [WARNING]
    rows = json.loads(done.stdout)
    assert isinstance(rows, list) and ("coin" in [row["id"] for row in rows]) == (what == "algorithms")


def test_a_strangers_algorithm_runs(folder: Path, tmp_path: Path) -> None:
    options = ["--algorithm", "coin", "--space", "sequence", "--set", "faces=3", "--budget", "trials=20"]
    done = command(folder, "run", *options, "--out", str(tmp_path))
    assert done.returncode == 0 and done.stderr.splitlines() == [WARNING]
    assert json.loads((tmp_path / "result.json").read_text())["algorithm"] == "coin"


def test_who_asks_for_what_was_left_out_reads_why(folder: Path, tmp_path: Path) -> None:
    done = command(folder, "run", "--algorithm", "torn", "--budget", "trials=2", "--out", str(tmp_path / "run"))
    assert done.returncode == 2
    error, warning = done.stderr.splitlines()
    assert error.startswith("error: algorithm: there is no 'torn'") and warning == WARNING


@pytest.fixture
def stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Installs a package in this process: (source of its module, group) -> the reason it was left out, or ""."""
    caches = (registry.algorithms, entries.entries, registry.datasets)

    def load(source: str, group: str = "nascope.algorithms") -> str:
        install(tmp_path, "strange", {"it": source}, {group: {"strange": "strange.it:ENTRY"}})
        monkeypatch.syspath_prepend(tmp_path)
        for cache in caches:
            cache.cache_clear()
        reasons = [plugin.reason for plugin in registry.broken_plugins()]
        assert len(reasons) < 2 and "random" in registry.algorithms() and "cell" in registry.spaces() and "digits" in registry.datasets()
        return reasons[0] if reasons else ""

    yield load
    for name in [name for name in sys.modules if name.partition(".")[0] == "strange"]:
        del sys.modules[name]
    monkeypatch.undo()
    for cache in caches:
        cache.cache_clear()
    assert registry.broken_plugins() == []


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("import sys; sys.exit()", "SystemExit"),
        ("class Odd(BaseException): pass\nraise Odd('x')", "Odd: x"),
        ("x = (", "SyntaxError"),
        ("entry = 1", "AttributeError: module 'strange.it' has no attribute 'ENTRY'"),
        ("ENTRY = 'mine'", "TypeError: it names str 'mine', where one AlgorithmEntry (or a tuple of them) is expected"),
        (GOOD.replace('id="coin"', 'id="random"'), "ValueError: there is another AlgorithmEntry with the id 'random'"),
        (GOOD + "\nENTRY = (ENTRY, ENTRY)", "ValueError: there is another AlgorithmEntry with the id 'coin'"),
        (GOOD.replace("(RandomConfig)", ""), "TypeError: config: Input should be a subclass of AlgorithmConfig"),
        (GOOD.replace("faces: int", "faces: type").replace("2, ge=2, le=6,", "list,"), "TypeError: config: CoinConfig has no JSON schema"),
        (GOOD.replace("default=2, ", ""), "ValueError: config: the option 'faces' of CoinConfig has no default"),
        (GOOD.replace("description", "title"), "ValueError: config: the option 'faces' of CoinConfig has no description"),
        (GOOD.replace("quick=", 'advice="strange.it:nothing", quick='), "ValueError: advice: 'strange.it:nothing' leads nowhere"),
    ],
)  # fmt: skip
def test_what_goes_wrong_at_the_import_or_is_no_entry_is_left_out(stranger: Any, source: str, reason: str) -> None:
    assert stranger(source).startswith(reason)
    assert "coin" not in registry.algorithms()


def test_a_good_package_is_simply_there(stranger: Any) -> None:
    assert stranger(GOOD) == ""
    assert list(registry.algorithms())[-1] == "coin" and registry.algorithm("coin").source == "a stranger"
    assert {row["space"] for row in registry.compatibility() if row["algorithm"] == "coin"} >= {"cell", "nb201", "mlp"}


@pytest.mark.parametrize("metadata", [b"Name: torn\n", b"Name: \xff\n"])
@pytest.mark.parametrize("text", [b"[nascope.spaces]\nx = not a path!!\n", b"[nascope.pictures]\nx = not a path!!\n"])
def test_a_fresh_process_lists_what_there_is_beside_a_torn_package(tmp_path: Path, text: bytes, metadata: bytes) -> None:
    """Nothing is loaded yet, so whoever asks for entry points first meets the torn file."""
    torn = tmp_path / "torn-0.dist-info"
    torn.mkdir()
    (torn / "METADATA").write_bytes(metadata)
    (torn / "entry_points.txt").write_bytes(text)
    done = command(tmp_path, "algorithms", "--json")
    assert done.returncode == 0, done.stderr
    assert {row["id"] for row in json.loads(done.stdout)} >= {"random", "darts"}
    assert ("was left out" in done.stderr) == (b"spaces" in text)  # of pictures the names alone are read


@pytest.mark.parametrize("text", [b"[nascope.algorithms]\nno equals sign\n", b"[nascope.algorithms]\nx = not a path!!\n", b"\xff[nascope."])
def test_a_file_of_entry_points_that_is_malformed_harms_nobody(stranger: Any, tmp_path: Path, text: bytes) -> None:
    (tmp_path / "torn-0.dist-info").mkdir()
    (tmp_path / "torn-0.dist-info" / "METADATA").write_text("Name: torn\n")
    (tmp_path / "torn-0.dist-info" / "entry_points.txt").write_bytes(text)
    stranger(GOOD)
    # What cannot be read as text names nothing that anybody could miss.
    assert [plugin.package for plugin in registry.broken_plugins()] == ["torn"] * (b"\xff" not in text)
    assert "coin" in registry.algorithms()


def test_a_package_without_a_name_is_left_out_too(stranger: Any, tmp_path: Path) -> None:
    (tmp_path / "nameless-0.dist-info").mkdir()
    (tmp_path / "nameless-0.dist-info" / "entry_points.txt").write_text("[nascope.spaces]\nx = strange.it:nothing\n")
    assert "no attribute 'nothing'" in stranger(GOOD)
    [plugin] = registry.broken_plugins()
    assert "of an unknown package was left out" in str(plugin) and "coin" in registry.algorithms()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"id": "has space"}, "id: 'has space' must be made of letters"),
        ({"id": 7}, "id: Input should be a valid string, not '7'"),
        ({"title": ""}, "title: it has 0 characters"),
        ({"family": "magic"}, "family: Input should be 'sampling'"),
        ({"needs": {"trials"}}, "needs: Input should be a valid frozenset"),
        ({"budgets": frozenset()}, "budgets: name at least one"),
        ({"spaces": ("nowhere",)}, "spaces: there is no search space 'nowhere'"),
        ({"spaces": ()}, "space_needs: no search space"),
        ({"space_needs": frozenset({"wings"})}, "space_needs: no search space offers wings"),
        ({"domains": Domains(3, 2)}, "domains: 3 to 2"),
        ({"phases": lambda options: []}, "phases: it must give a list of phases"),
        ({"phases": lambda options: ["search"]}, "phases: it must give a list of phases"),
        ({"check": "search_engine.nowhere:check"}, "check: 'search_engine.nowhere:check' leads nowhere"),
        ({"check": "search_engine.catalogue.registry"}, "check: 'search_engine.catalogue.registry' is not written"),
        ({"advice": "search_engine.spaces:BUILT_IN"}, "advice: 'search_engine.spaces:BUILT_IN' is no function"),
        ({"finisher": "search_engine.training.evaluate:finish"}, "finisher: 'search_engine.training.evaluate:finish' leads nowhere"),
    ],
)
def test_an_algorithm_that_could_not_be_used_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        check_algorithm(replace(toys.GENERATIONAL, **changes), registry.spaces())
    assert str(caught.value).startswith(reason)


NETWORKS = "search_engine.supernets"


def test_options_must_make_a_form() -> None:
    class Odd(AlgorithmConfig):
        size: int = Field(default=-1, ge=0, validate_default=True, description="x")

    with pytest.raises(ValueError, match="the defaults of Odd do not pass its own validation"):
        check_algorithm(replace(toys.GENERATIONAL, config=Odd), registry.spaces())


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"space": lambda config, shape: None, "builder": ""}, "builder: a space that takes data"),
        ({"id": "other"}, "space: NB201Space has another id"),
        ({"offers": frozenset({"sample"})}, "space: NB201Space has another id or offers something else"),
        ({"space": type("Half", (registry.space("nb201").space.__mro__[1],), {})}, "space: Half lacks normal_form, sample"),
        ({"builder": f"{NETWORKS}.nb201_network:construct"}, f"builder: '{NETWORKS}.nb201_network:construct' leads nowhere"),
        ({"builder": f"{NETWORKS}.mlp_network:build"}, f"builder: '{NETWORKS}.mlp_network:build_supernet' leads nowhere"),
        ({"initialiser": "nowhere:build"}, "initialiser: 'nowhere:build' leads nowhere"),
    ],
)  # fmt: skip
def test_a_space_that_could_not_be_used_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        entries.check_space(replace(registry.space("nb201"), **changes))
    assert str(caught.value).startswith(reason)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"files": ["a"]}, "files: Input should be a valid tuple"),
        ({"spaces": frozenset({"nowhere"})}, "spaces: it answers for the search space 'nowhere', which there is not"),
        ({"test_reader": "search_engine.datasets.splits"}, "test_reader: 'search_engine.datasets.splits:read_test' leads nowhere"),
        ({"shape_from": lambda options: (1, 8, 8)}, "shape_from: it must give a DataShape"),
        ({"shape": DataShape((1, 8, 8), 10), "sizes": {"train": "many"}}, "sizes.train: Input should be a valid integer"),
    ],
)
def test_a_data_set_that_could_not_be_used_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        check_dataset(replace(registry.dataset("digits"), **changes), registry.spaces())
    assert str(caught.value).startswith(reason)


def test_our_own_entries_are_such_as_a_stranger_would_be_let_in_with() -> None:
    for algorithm in registry.algorithms().values():
        check_algorithm(algorithm, registry.spaces())
    for space in registry.spaces().values():
        entries.check_space(space)
    for dataset in registry.datasets().values():
        check_dataset(dataset, registry.spaces())


def test_a_heavy_reference_is_found_without_importing_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = "try:\n    from os import path as build\nexcept ImportError:\n    pass\nif True:\n    other = 1\nraise SystemExit\n"
    (tmp_path / "heavy_module.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("build", "other"):
        check_reference("builder", f"heavy_module:{name}", light=False)
    with pytest.raises(ValueError, match="the module has no 'build_supernet'"):
        check_reference("builder", "heavy_module:build_supernet", light=False)
    assert "heavy_module" not in sys.modules


def test_a_fault_of_our_own_is_not_hidden() -> None:
    with pytest.raises(ModuleNotFoundError):
        plugins.load("algorithms", ("nothing_of_ours",), AlgorithmEntry, lambda entry: None)
