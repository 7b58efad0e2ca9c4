"""`catalogue`: every algorithm with its source and its hyper-parameters, as Markdown (docs/catalogue.md is its output)."""

from __future__ import annotations

from typing import Any

from ..base.training_config import TrainingConfig
from ..base.works_with import in_words
from ..catalogue import registry
from .listing import algorithms

HEAD = """# Catalogue of algorithms

Written by `python -m search_engine catalogue > docs/catalogue.md` from the entries themselves; a test fails when it drifts.
"""


def markdown() -> str:
    """The whole page."""
    return "\n".join([HEAD, *(_section(row) for row in algorithms()), *_presets()])


def _presets() -> list[str]:
    """Ready-made choices of the options of spaces."""
    rows = [
        f"| `{space.id}` | `{preset.id}` | {preset.title} | {preset.sentence} | "
        f"{'; '.join(f'`{name}` {_text(value)}' for name, value in preset.options.items())} |"
        for space in registry.spaces().values() for preset in space.presets
    ]
    if not rows:
        return []
    head = ["# Presets of spaces", "", "Options that belong together: the form offers them, and `--set space.preset=ID` takes them.", ""]
    return [*head, "| space | preset | for | what it is | options |", "| --- | --- | --- | --- | --- |", *rows, ""]


def _section(row: dict[str, Any]) -> str:
    lines = [
        f"## {row['title']} (`{row['id']}`)",
        "",
        row["summary"],
        "",
        f"- Source: {row['source']}",
        f"- The structure lives: {row['lives']}",
        f"- Spaces: {', '.join(f'`{name}`' for name in row['spaces'])}",
        *(f"- No space for {kind} data: {why}" for kind, why in row["no_space_for"].items()),
        f"- Data: {', '.join(f'`{name}`' for name in row['datasets'])}",
        f"- Budgets: {', '.join(row['budgets'])}",
        f"- Finale: {row['finale']}",
        f"- Not used{_on(row)}: {_idle(row)}",
        "",
        "| option | default | range | meaning |",
        "| --- | --- | --- | --- |",
    ]
    for name, field in row["schema"]["properties"].items():
        needed = "; ".join(in_words(f"`{other}`", condition) for other, condition in field.get("works_with", {}).items())
        said = field["description"] + (f" Needs {needed}." if needed else "")
        meaning = " ".join(said.split()).replace("|", "\\|")
        lines.append(f"| `{name}` | {_text(field['default'])} | {_range(field)} | {meaning} |")
    return "\n".join([*lines, ""])


def _on(row: dict[str, Any]) -> str:
    return f" (on `{row['spaces'][0]}`)" if len(row["spaces"]) > 1 else ""


def _idle(row: dict[str, Any]) -> str:
    """What of a run config does nothing on the algorithm's default space, by reason; a part that does nothing at all by its name alone."""
    groups: dict[str, list[str]] = {}
    for field, why in row["idle"][row["spaces"][0]].items():
        groups.setdefault(why, []).append(field)
    return "; ".join(f"{', '.join(_parts(fields))} ({why})" for why, fields in groups.items())


def _parts(fields: list[str]) -> list[str]:
    for part in ("finale.training", "training"):
        own = [field for field in fields if field.rpartition(".")[0] == part]
        if len(own) == len(TrainingConfig.model_fields):
            fields = [part, *(field for field in fields if field not in own)]
    return [f"`{field}`" for field in fields]


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
