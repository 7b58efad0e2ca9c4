"""`algorithms`, `spaces`, `datasets`: the registry as a table or as JSON. `events`: the schema of the events."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from ..base.home import data_folder
from ..base.works_with import form_schema
from ..catalogue import registry
from ..catalogue.idle import idle
from ..catalogue.recipes import what_it_does
from ..events import json_schema


def algorithms() -> list[dict[str, Any]]:
    """Every algorithm with its schema, spaces and data sets, defaults first."""
    rows = []
    for entry in registry.algorithms().values():
        spaces = registry.spaces_for(entry)
        datasets: list[str] = []
        for space in spaces:
            datasets += [item.id for item in registry.datasets_for(entry, space) if item.id not in datasets]
        rows.append(
            {
                "id": entry.id,
                "title": entry.title,
                "family": entry.family,
                "summary": entry.summary,
                "source": entry.source,
                "needs": sorted(entry.needs),
                "lives": entry.lives,
                "structure": list(entry.structure),
                "finale": what_it_does(entry),
                "idle": {space.id: idle(entry, space, registry.datasets_for(entry, space)[0]) for space in spaces},
                "spaces": [item.id for item in spaces],
                "no_space_for": entry.no_space_for,
                "datasets": datasets,
                "budgets": sorted(entry.budgets),
                "domains": {"least": entry.domains.least, "most": entry.domains.most},
                "schema": form_schema(entry.config),
            }
        )
    return rows


def spaces() -> list[dict[str, Any]]:
    """Every search space with its schema."""
    return [
        {
            "id": entry.id,
            "title": entry.title,
            "description": entry.description,
            "source": entry.source,
            "offers": sorted(entry.offers),
            "inputs": sorted(entry.inputs),
            "tasks": sorted(entry.tasks),
            "schema": form_schema(entry.config),
        }
        for entry in registry.spaces().values()
    ]


def datasets(data_dir: Path) -> list[dict[str, Any]]:
    """Every data set, and whether its files are there."""
    rows = []
    for entry in (*registry.datasets().values(), *registry.own_datasets().values()):
        missing = entry.missing_files(data_dir)
        shape = None if entry.shape is None else {"input": list(entry.shape.input), "classes": entry.shape.classes}
        rows.append(
            {
                "id": entry.id,
                "title": entry.title,
                "description": entry.description,
                "source": entry.source,
                "licence": entry.licence,
                "provides": entry.provides,
                "input_kind": entry.input_kind,
                "task": entry.task,
                "shape": shape,
                "budgets": sorted(entry.budgets),
                "spaces": sorted(entry.spaces) if entry.spaces is not None else None,
                "sizes": entry.sizes,
                "notice": entry.notice,
                "metric": entry.metric,
                "available": not missing,
                "missing_files": missing,
                "schema": entry.config.model_json_schema(),
            }
        )
    return rows


def add_parsers(commands: Any) -> None:
    for name, text, rows in (
        ("algorithms", "list the algorithms", algorithms),
        ("spaces", "list the search spaces", spaces),
        ("datasets", "list the data sets", lambda: datasets(data_folder())),
    ):
        parser = commands.add_parser(name, help=text)
        parser.add_argument("--json", action="store_true", help="with schemas, for machines")
        parser.set_defaults(act=lambda parsed, rows=rows: _show(rows(), parsed))
    parser = commands.add_parser("events", help="print the JSON schema of the events")
    parser.set_defaults(act=lambda parsed: print(json.dumps(json_schema(), indent=2)) or 0)


def _show(rows: list[dict[str, Any]], parsed: argparse.Namespace) -> int:
    if parsed.json:
        print(json.dumps(rows, indent=2))
        return 0
    for row in rows:
        detail = row.get("summary") or row.get("description", "")
        missing = f" [missing: {', '.join(row['missing_files'])}]" if row.get("missing_files") else ""
        print(f"{row['id']:<24}{row['title']}{missing}\n{'':<24}{detail}")
    return 0
