"""The pages of docs/ say what works: the algorithm printed there is registered and run."""

from __future__ import annotations

import json
import re
import sys
import types
from pathlib import Path

from search_engine.catalogue.config import check
from search_engine.search.local_run import LocalRun
from tests.search_engine import toys

DOCS = Path(__file__).parents[2] / "docs"


def test_the_algorithm_of_the_how_to_page_runs_and_resumes(tmp_path: Path) -> None:
    [source] = re.findall(r"```python\n(.*?)```", (DOCS / "add-an-algorithm.md").read_text(), flags=re.DOTALL)
    module = types.ModuleType("hill_climbing")
    sys.modules["hill_climbing"] = module
    exec(compile(source, "hill_climbing.py", "exec"), module.__dict__)
    values = {"algorithm": "hill_climbing", "space": "bits", "datasets": ["ones"], "budget": {"trials": 400}, "space_options": {"bits": 30}}
    with toys.registered(algorithms=(module.ENTRY,)):
        result = LocalRun(check(values), tmp_path, tmp_path).run()
        best = json.loads((tmp_path / "result.json").read_text())["best"][0]["metrics"]["reward"]
        random = LocalRun(check({**values, "algorithm": "random"}), tmp_path / "r", tmp_path / "r").run()["best"][0]["metrics"]["reward"]
    assert result["status"] == "completed"
    assert best > 0.95 > random


def test_the_catalogue_page_is_what_the_entries_say() -> None:
    from search_engine.commands.catalogue import markdown

    assert (DOCS / "catalogue.md").read_text() == markdown()
