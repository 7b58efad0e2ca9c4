"""`catalogue`: every algorithm with its source and its hyper-parameters, as Markdown (docs/catalogue.md is its output)."""

from __future__ import annotations

from typing import Any

from .listing import algorithms

HEAD = """# Catalogue of algorithms

Written by `python -m search_engine catalogue > docs/catalogue.md` from the entries themselves; a test fails when it drifts.
"""


def markdown() -> str:
    """The whole page."""
    return "\n".join([HEAD, *(_section(row) for row in algorithms())])


def _section(row: dict[str, Any]) -> str:
    lines = [
        f"## {row['title']} (`{row['id']}`)",
        "",
        row["summary"],
        "",
        f"- Source: {row['source']}",
        f"- The structure lives: {row['lives']}",
        f"- Spaces: {', '.join(f'`{name}`' for name in row['spaces'])}",
        f"- Data: {', '.join(f'`{name}`' for name in row['datasets'])}",
        f"- Budgets: {', '.join(row['budgets'])}",
        "",
        "| option | default | range | meaning |",
        "| --- | --- | --- | --- |",
    ]
    for name, field in row["schema"]["properties"].items():
        meaning = " ".join(field["description"].split()).replace("|", "\\|")
        lines.append(f"| `{name}` | {_text(field['default'])} | {_range(field)} | {meaning} |")
    return "\n".join([*lines, ""])


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value).lower() if isinstance(value, bool) else str(value)


def _range(field: dict[str, Any]) -> str:
    if "enum" in field:
        return ", ".join(map(str, field["enum"]))
    if "anyOf" in field:
        # "a number, or none": the number's range.
        return next((found for found in map(_range, field["anyOf"]) if found), "")
    low = field.get("minimum", field.get("exclusiveMinimum"))
    high = field.get("maximum", field.get("exclusiveMaximum"))
    if low is None or high is None:
        return ""
    return f"{'above ' if 'exclusiveMinimum' in field else ''}{low} to {'below ' if 'exclusiveMaximum' in field else ''}{high}"
