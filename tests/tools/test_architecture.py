"""The counting script: rooms, arrows, arrows up, pairs and circles, against a small graph counted by hand; and our own house."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import networkx as nx
import pytest

from tests.patience import PATIENCE
from tools.architecture import Part, declared_floors, found_floors, frontend_part, report

from .planted import ROOT

SETTINGS = {"importlinter": {"contracts": [{"containers": ["house"], "layers": ["roof", "kitchen | study", "(cellar)"]}]}}


def part(*imports: tuple[str, str]) -> Part:
    """A part from `room/file` -> `room/file` pairs."""
    files: nx.DiGraph[tuple[str, ...]] = nx.DiGraph()
    files.add_edges_from((tuple(one.split("/")), tuple(other.split("/"))) for one, other in imports)
    return Part("house", files, 0)


def test_rooms_arrows_pairs_and_circles_counted_by_hand() -> None:
    house = part(
        ("roof/a", "kitchen/a"), ("roof/b", "kitchen/a"), ("kitchen/a", "kitchen/b"), ("kitchen/b", "kitchen/a"),
        ("kitchen/b", "cellar"), ("cellar", "study/a"), ("study/a", "kitchen/c"), ("kitchen/c", "study/b"),
    )
    assert sorted(house.rooms) == ["cellar", "kitchen", "roof", "study"]
    assert house.rooms.number_of_edges() == 5  # roof -> kitchen counts once
    assert house.pairs == [("kitchen", "study")]
    assert house.circles == [["kitchen/a", "kitchen/b"]]
    assert house.arrows_up(declared_floors(SETTINGS, "house")) == [("cellar", "study")]
    assert next(report(house, declared_floors(SETTINGS, "house"), counts=True)).startswith(
        "house: 4 rooms, 5 arrows, 1 up (by its layers), 1 pairs, 1 circles of files"
    )


def test_a_circle_round_about_is_one_circle() -> None:
    house = part(("a/x", "b/x"), ("b/x", "c/x"), ("c/x", "a/x"), ("c/x", "d/x"))
    assert house.circles == [["a/x", "b/x", "c/x"]]
    assert house.pairs == []


def test_the_order_that_is_found_lets_few_arrows_run_against_it() -> None:
    tree = part(("a/x", "b/x"), ("a/x", "c/x"), ("b/x", "d/x"), ("c/x", "d/x"))
    assert tree.arrows_up(found_floors(tree.rooms)) == []
    ring = part(("a/x", "b/x"), ("b/x", "c/x"), ("c/x", "d/x"), ("d/x", "a/x"))
    assert len(ring.arrows_up(found_floors(ring.rooms))) == 1


def test_a_room_that_the_layers_do_not_know_is_named() -> None:
    lines = list(report(part(("roof/a", "shed/a")), declared_floors(SETTINGS, "house"), counts=False))
    assert "by the best order found" in lines[0]
    assert "  no layer of the contract: shed" in lines


def test_imports_of_the_front_end_are_read(tmp_path: Path) -> None:
    sources = {
        "app/main.tsx": 'import "./style.css";\nimport { a,\n  b } from "../ui/thing";\nconst Late = lazy(() => import("../run/Page"));\n',
        "run/Page.tsx": 'import type { T } from "../types/t.gen";\nexport { x } from "../ui";\nimport React from "react";\n',
        "ui/thing.ts": "", "ui/index.ts": "", "types/t.gen.ts": "",
    }
    for name, source in sources.items():
        path = tmp_path / "frontend/src" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    edges = {("/".join(one), "/".join(other)) for one, other in frontend_part(tmp_path).files.edges}
    assert edges == {("app/main", "ui/thing"), ("app/main", "run/Page"), ("run/Page", "types/t.gen"), ("run/Page", "ui/index")}


def checkout(folder: Path, webapp: dict[str, str]) -> Path:
    """A checkout with nothing but a web application."""
    parts = ("search_engine", "search_engine/algorithms", "webapp", "nascope")
    empty = {f"{part}/__init__.py": "" for part in parts}
    for name, source in {**empty, **webapp}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    (folder / "pyproject.toml").write_text('[tool.architecture]\nno_circles = ["webapp"]\n')
    return folder


@pytest.mark.parametrize(("webapp", "circle"), [
    ({"webapp/a.py": "from . import b\n", "webapp/b.py": ""}, ""),
    ({"webapp/a.py": "from . import b\n", "webapp/b.py": "def late():\n    from .a import x\n"}, "a <-> b"),
    ({"webapp/a.py": "from .jobs import b\n", "webapp/jobs/__init__.py": "", "webapp/jobs/b.py": "X = 'webapp.a:x'\n"}, "a <-> jobs/b"),
], ids=["none", "in a function", "in a string"])
def test_a_circle_where_none_may_be_fails(webapp: dict[str, str], circle: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tools.architecture", "--counts", "--root", str(checkout(tmp_path, webapp))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == ((1, f"webapp has circles of files: {circle}\n") if circle else (0, "")), done.stdout
