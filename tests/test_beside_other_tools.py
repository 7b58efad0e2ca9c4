"""The page that compares with other tools says what was measured, and nothing typed."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.beside_other_tools import IMAGES, SERIES, TABLES, table

ROOT = Path(__file__).resolve().parents[1]


def test_the_page_holds_the_table_of_the_reading() -> None:
    rows = json.loads((ROOT / "benchmarks" / "readings" / "beside_other_tools.json").read_text())["rows"]
    assert {row["data"] for row in rows} == {*TABLES, *SERIES, *IMAGES}
    assert all(sorted(own["seed"] for own in rows if (own["data"], own["tool"]) == (row["data"], row["tool"])) == [0, 1, 2] for row in rows)
    assert table(rows) in (ROOT / "docs" / "beside-other-tools.md").read_text()


def test_what_lies_within_the_deviation_of_the_best_is_bold_too() -> None:
    rows = [
        {"data": "d", "tool": tool, "seed": seed, "accuracy": accuracy, "cpu": 1.0, "tried": 2}
        for tool, values in (("a", (0.9, 0.92)), ("b", (0.895, 0.905)), ("c", (0.8, 0.8)))
        for seed, accuracy in enumerate(values)
    ]
    assert table(rows).splitlines()[2:] == [
        "| d | a | **91.0 ± 1.4** | 1 | 2 |", "| d | b | **90.0 ± 0.7** | 1 | 2 |", "| d | c | 80.0 ± 0.0 | 1 | 2 |",
    ]
