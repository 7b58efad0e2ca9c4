"""The pages of docs/ and the README say what works: every fenced block of code in them is run, or read as what it says it is."""

from __future__ import annotations

import csv
import json
import os
import random
import re
import subprocess
import sys
import tomllib
import types
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from search_engine.catalogue import registry
from search_engine.catalogue.config import check
from search_engine.datasets.readers import packed_jpegs
from search_engine.datasets.readers.pictures import decode
from search_engine.search.local_run import LocalRun
from tests import made_pictures
from tests.search_engine import toys
from tests.search_engine.datasets.test_contract import keeps_its_promises

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md"))]
GROUPS = {"nascope.algorithms", "nascope.spaces", "nascope.datasets"}
NAMES_ONLY = {"nascope.pictures"}
"""Groups of which the names alone are read."""


FENCE = re.compile(
    r"^(?:<!-- not run: (?P<reason>.+) -->\n)? *```(?P<language>\S*)\n(?P<text>.*?)^ *```$", re.DOTALL | re.MULTILINE
)


@dataclass(frozen=True)
class Block:
    """A fenced block; `reason` where the line before it says `<!-- not run: reason -->`."""

    page: Path
    line: int
    language: str
    text: str
    reason: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks_of(page: Path) -> Iterator[Block]:
    text = page.read_text()
    for found in FENCE.finditer(text):
        yield Block(page, text[: found.start("text")].count("\n"), found["language"], found["text"], found["reason"] or "")


BLOCKS = [block for page in PAGES for block in blocks_of(page)]
PYTHON = sorted({block.page for block in BLOCKS if block.language == "python"})
CONSOLE = [block for block in BLOCKS if block.language == "console" and not block.reason]


def module_of(name: str) -> types.ModuleType:
    """The Python blocks of a page as one module, in their order."""
    page = DOCS / f"{name}.md"
    module = types.ModuleType(f"page_{name.replace('-', '_')}")
    sys.modules[module.__name__] = module
    for block in blocks_of(page):
        if block.language == "python":
            exec(compile("\n" * block.line + block.text, str(page), "exec"), module.__dict__)
    return module


# ---- every block


def test_every_block_is_of_a_kind_that_is_run_or_says_why_not() -> None:
    assert {block.language for block in BLOCKS} <= {"python", "toml", "yaml", "console", "csv", "tsx"}
    assert [(str(block.page.name), block.language) for block in BLOCKS if block.reason] == [("add-a-space.md", "console")]
    fences = sum(len(re.findall(r"^\s*(?:```|~~~)", page.read_text(), re.MULTILINE)) for page in PAGES)
    assert fences == 2 * len(BLOCKS), "a fence that this test does not see"


@pytest.mark.parametrize("page", PYTHON, ids=lambda page: page.stem)
def test_python_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In an empty folder: what a page writes, it writes there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NASCOPE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("NASCOPE_OWN", raising=False)
    assert module_of(page.stem).__dict__


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language == "toml" and "[project" in block.text], ids=str)
def test_toml_names_what_the_page_defines(block: Block) -> None:
    points = tomllib.loads(block.text)["project"]["entry-points"]
    assert points.keys() <= GROUPS | NAMES_ONLY
    for name, value in (pair for group in points.keys() & GROUPS for pair in points[group].items()):
        assert re.fullmatch(r"my_package\.\w+:(ENTRY|SPACE)", value), name


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language == "tsx"], ids=str)
def test_what_is_quoted_of_the_front_end_stands_there(block: Block) -> None:
    """Line by line; one that leaves something out (...) as far as it goes."""
    sources = "\n".join(path.read_text() for path in sorted((ROOT / "frontend" / "src").rglob("*.ts*")))
    shown = [part.strip() for line in block.text.splitlines() for part in line.split("...")]
    missing = [part for part in shown if part not in ("", "{", "}", "},") and part not in sources]
    assert not missing, missing


class Reader(yaml.SafeLoader):
    """Docker compose has tags of its own."""


Reader.add_multi_constructor("!", lambda reader, suffix, node: reader.construct_sequence(node, deep=True))


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language == "yaml"], ids=str)
def test_yaml_is_read_and_the_config_of_a_run_passes_its_check(block: Block) -> None:
    values = yaml.load(block.text, Reader)
    assert isinstance(values, dict)
    if "algorithm" in values:
        check(values)


def package(page: Path, folder: Path) -> Path:
    """`my_package` as the pages tell to write it: the page's module under the name that its entry points give it."""
    whole = next(block.text for block in blocks_of(DOCS / "add-an-algorithm.md") if block.language == "toml")
    own = next(block.text for block in blocks_of(page) if block.language == "toml")
    head = whole[: whole.index("[project.entry-points")]
    (folder / "my_package" / "my_package").mkdir(parents=True)
    (folder / "my_package" / "pyproject.toml").write_text(head + own[own.index("[project.entry-points") :])
    (folder / "my_package" / "my_package" / "__init__.py").write_text("")
    name = re.findall(r"my_package\.(\w+):", own)[0]
    source = next(block.text for block in blocks_of(page) if block.language == "python")
    (folder / "my_package" / "my_package" / f"{name}.py").write_text(source)
    return folder / "my_package"


@pytest.mark.slow
@pytest.mark.parametrize("block", CONSOLE, ids=lambda block: block.page.stem)
def test_a_strangers_package_is_installed_checked_and_run_as_the_page_says(block: Block, tmp_path: Path) -> None:
    """The commands as they stand, in a clone whose environment is this one; what pip installs goes to a folder of its own."""
    package(block.page, tmp_path)
    clone, data = tmp_path / "clone", tmp_path / "data"
    clone.mkdir()
    for name in ("nascope", "search_engine", "tests", "webapp", "pyproject.toml"):
        (clone / name).symlink_to(ROOT / name)
    (clone / ".venv").symlink_to(sys.prefix)
    files_of(block.page, data)
    site = str(tmp_path / "site")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
        "NASCOPE_DATA": str(data),
        "PYTHONPATH": site,
        "PIP_TARGET": site,
        "PIP_NO_INDEX": "1",
        # For pip 0 means: no build isolation, which would fetch setuptools.
        "PIP_NO_BUILD_ISOLATION": "0",
        "PYTEST_ADDOPTS": "-p no:cacheprovider",
    }
    for line in block.text.splitlines():
        assert line.startswith("$ "), line
        command = ["bash", "-o", "pipefail", "-c", line.removeprefix("$ ")]
        done = subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{line}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        assert "warning:" not in done.stderr, done.stderr
        if "pytest" in line:
            assert re.search(r"[1-9]\d* passed", done.stdout) and "failed" not in done.stdout, done.stdout
        if " nascope check " in line:
            assert "10 of 10 promises are kept" in done.stdout, done.stdout
    assert list((clone / "runs").glob("*/result.json"))


def files_of(page: Path, data: Path) -> None:
    """The data files that a page speaks of."""
    if page.stem == "add-a-table":
        [text] = [block.text for block in blocks_of(page) if block.language == "csv"]
        (data / "words").mkdir(parents=True)
        (data / "words" / "words.csv").write_text(text)
    elif page.stem == "add-a-data-set":
        rng = random.Random(0)
        (data / "flowers").mkdir(parents=True)
        with (data / "flowers" / "flowers.csv").open("w", newline="") as file:
            rows = [[*(f"{rng.gauss(3 + kind, 0.5):.3f}" for _ in range(4)), kind] for kind in (0, 1, 2) for _ in range(50)]
            csv.writer(file).writerows([["a", "b", "c", "d", "kind"], *rows])


# ---- what the pages claim


def test_the_algorithm_of_the_how_to_page_climbs(tmp_path: Path) -> None:
    module = module_of("add-an-algorithm")
    values = {"algorithm": "hill_climbing", "space": "bits", "datasets": ["ones"], "budget": {"trials": 400}, "space_options": {"bits": 30}}
    with toys.registered(algorithms=(module.ENTRY,)):
        result = LocalRun(check(values), tmp_path, tmp_path).run()
        best = json.loads((tmp_path / "result.json").read_text())["best"][0]["metrics"]["reward"]
        random_ = LocalRun(check({**values, "algorithm": "random"}), tmp_path / "r", tmp_path / "r").run()["best"][0]["metrics"]["reward"]
    assert result["status"] == "completed"
    assert best > 0.95 > random_


def test_jpegs_are_packed_as_the_reader_wants_them(tmp_path: Path) -> None:
    page = module_of("data")
    pictures = made_pictures.random_pictures(20, 32)
    for place, picture in enumerate(pictures):
        file = tmp_path / "images" / ("train" if place < 10 else "test") / page.NAMES[place % 10] / f"{place}.jpg"
        file.parent.mkdir(parents=True)
        file.write_bytes(made_pictures.encoded(picture, "JPEG"))
    page.pack_jpegs(tmp_path / "images", tmp_path / "cifar10_jpeg.npz")
    images, labels = packed_jpegs.read_test(tmp_path)
    assert labels.tolist() == list(range(10)) and images.shape == (10, 3, 32, 32)
    assert (images[3] == decode(made_pictures.encoded(pictures[13], "JPEG"), "a", 3)).all()


def test_the_table_of_the_how_to_page_answers(tmp_path: Path) -> None:
    module = module_of("add-a-table")
    files_of(DOCS / "add-a-table.md", tmp_path)
    values = {"algorithm": "grid", "space": "words", "datasets": ["words_table"], "budget": {"trials": 9}, "max_failures": 6}
    with toys.registered(spaces=(module.SPACE,), datasets=(module.ENTRY,)):
        result = LocalRun(check(values, tmp_path), tmp_path, tmp_path / "run").run()
        keeps_its_promises("words_table", tmp_path)
    assert result["best"][0]["string"] == "ba"
    assert result["best"][0]["metrics"] == {"val_accuracy": 0.705, "test_accuracy": 0.835}
    assert result["budget"]["samples"] == 2 * 5000 + 2 * 7000


def told(folder: Path) -> list[dict[str, Any]]:
    rows = [json.loads(line)["data"] for line in (folder / "events.jsonl").read_text().splitlines()]
    return [row for row in rows if row["kind"] == "trial_told"]


def test_a_generation_that_the_budget_cuts_is_not_told_and_counts_for_the_best(tmp_path: Path) -> None:
    heard: list[int] = []

    class Listening(toys.Generational):
        def tell(self, results: list[Any]) -> None:
            heard.extend(result.number for result in results)
            super().tell(results)

    entry = replace(toys.GENERATIONAL, id="listening", phases=lambda config: [Listening()])
    values = {"algorithm": "listening", "options": {"size": 40}, "space": "bits", "datasets": ["ones"], "budget": {"trials": 60}}
    with toys.registered(algorithms=(entry,)):
        for seed in range(20):
            heard.clear()
            result = LocalRun(check({**values, "seed": seed}), tmp_path, tmp_path / str(seed)).run()
            rows = told(tmp_path / str(seed))
            assert heard == list(range(40)) and len(rows) == 60 == result["budget"]["trials"]
            best = max(rows, key=lambda row: row["metrics"]["reward"])
            assert result["best"][0]["metrics"]["reward"] == best["metrics"]["reward"]
            if best["number"] >= 40:
                return
    raise AssertionError("in 20 runs the cut third never held the best")


def test_what_was_tried_already_is_reused_for_nothing_and_counts_as_a_trial(tmp_path: Path) -> None:
    values = {"algorithm": "generational", "space": "bits", "space_options": {"bits": 2}, "datasets": ["ones"], "budget": {"trials": 40}}
    with toys.registered(algorithms=(toys.GENERATIONAL,)):
        result = LocalRun(check(values), tmp_path, tmp_path).run()
        again = {**values, "budget": {"samples": 1000}}
        exhausted = LocalRun(check(again), tmp_path / "s", tmp_path / "s").run()
    rows = told(tmp_path)
    paid = [row for row in rows if row["reused_from"] is None]
    assert len(rows) == result["budget"]["trials"] == 40 and len(paid) == 4 and result["budget"]["samples"] == 4 * 10
    assert all(row["cost"]["forward_backward"] == 0 for row in rows if row["reused_from"] is not None)
    assert exhausted["stop_reason"] == "exhausted" and len(told(tmp_path / "s")) >= 1000


def test_the_catalogue_page_is_what_the_entries_say() -> None:
    from search_engine.commands.catalogue import markdown

    assert (DOCS / "catalogue.md").read_text() == markdown()


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", page.read_text()):
            file, _, anchor = target.partition("#")
            other = (page.parent / file).resolve() if file else page
            assert other.exists(), f"{page.name}: {target}"
            if anchor:
                headings = re.findall(r"^#+ (.+)$", other.read_text(), re.MULTILINE)
                anchors = [re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings]
                assert anchor in anchors, f"{page.name}: {target}"


def test_pages_name_registered_things_only() -> None:
    """Every `--algorithm`, `--space` and `--dataset` of the pages that is not the page's own is there."""
    own = {"hill_climbing", "words", "words_table", "flowers", "wines", "ID", "FILE"}
    for page in PAGES:
        for room, name in re.findall(r"--(algorithm|space|dataset) (\w+)", page.read_text()):
            assert name in own | getattr(registry, f"{room}s")().keys(), f"{page.name}: --{room} {name}"
