"""Symbols stand in titles and legends as the sources write them (frontend/src/ui/symbols.ts is their table): no Greek letter is spelt out,
and an index is raised or lowered, not put behind the letter as a word."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from search_engine.catalogue import registry

ROOT = Path(__file__).parents[2]
SPELT = re.compile(r"\b(alpha|beta|gamma|epsilon|lambda|mu|rho|sigma|tau|theta|xi|omega)\b", re.IGNORECASE)
INDEX_AS_WORD = re.compile(r"λ (likelihood|prior|struct|temp)\b|λ_(struct|prior|likelihood)\b")
TABLE = (ROOT / "frontend" / "src" / "ui" / "symbols.ts").read_text()
WORDED = ("title", "x_title", "y_title", "note", "name")


def faults(text: str) -> list[str]:
    found = [match[0] for pattern in (SPELT, INDEX_AS_WORD) for match in pattern.finditer(text)]
    return found + [symbol[0] for symbol in re.finditer(r"[λθ](\^[A-Z])?_[a-z]+", text) if symbol[0] not in TABLE]


def drawn_texts(path: Path) -> list[tuple[int, str]]:
    """(line, text) of every constant text that a chart, a series or a mark is given; of an f-string its constant parts."""
    texts = []
    for node in ast.walk(ast.parse(path.read_text())):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            continue
        if node.func.id not in ("Chart", "ChartMark", "series", "shares_of_three", "Report", "ControlScored", "Notice", "GrowthStep"):
            continue
        named = [item.value for item in node.keywords if item.arg in WORDED and not (node.func.id != "series" and item.arg == "name")]
        given = [*named, *(node.args[:1] if node.func.id in ("series", "shares_of_three") else [])]
        for value in given:
            for part in ast.walk(value):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    texts.append((part.lineno, part.value))
    return texts


@pytest.mark.parametrize("algorithm", sorted(registry.algorithms()))
def test_titles_of_options_have_symbols(algorithm: str) -> None:
    schema = registry.algorithm(algorithm).config.model_json_schema()
    found = {name: faults(field.get("title", "")) for name, field in schema["properties"].items()}
    assert {name: items for name, items in found.items() if items} == {}


def test_what_is_drawn_has_symbols() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text!r} {items}"
        for path in sorted((ROOT / "search_engine").rglob("*.py"))
        for line, text in drawn_texts(path)
        if (items := faults(text))
    ]
    assert found == []


@pytest.mark.parametrize("text", ["λ prior, Q", "rho = q(0)", "prior precision alpha", "λ_struct = 1", "λ^Z_prior"])
def test_the_test_finds_what_it_is_for(text: str) -> None:
    assert faults(text)


def test_the_test_reads_the_charts() -> None:
    texts = [text for _, text in drawn_texts(ROOT / "search_engine" / "algorithms" / "evidence" / "charts.py")]
    assert "Fit, Occam factor and evidence" in texts and "noise precision β" in texts
