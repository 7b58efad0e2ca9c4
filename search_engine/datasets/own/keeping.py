"""Writing a draft into the folder of stored sets."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

from .choices import Choices
from .draft import Draft, Tell
from .findings import Findings, Manifest
from .stored import PREFIX, put, write_array, writing


def keep_draft(draft: Draft, found: Findings, choices: Choices, folder: Path, tell: Tell) -> Manifest:
    """The set, whole: what is written lies in a folder of its own until it has its name."""
    with writing(folder) as place:
        for name, array in draft.arrays().items():
            write_array(place / name, array)
        if draft.write_inputs is not None:
            draft.write_inputs(place / "inputs.npy", tell)
        tell(0.98, "putting it into its place")
        content = {
            "kind": draft.kind, "task": draft.task, "target": draft.target, "class_names": draft.class_names, "shape": list(draft.shape),
            "layout": [column.model_dump() for column in draft.layout], "split": draft.split.model_dump(), "decimal": draft.decimal,
        }

        def form(digest: str, arrays: dict[str, str]) -> Manifest:
            values: dict[str, Any] = dict(found)
            return Manifest(
                **values, id=f"{PREFIX}{digest[:16]}", digest=digest, title=choices.title or titled(found.source.name), choices=choices,
                layout=draft.layout, decimal=draft.decimal, arrays=arrays,
                made=datetime.datetime.now(datetime.UTC).isoformat(timespec="microseconds"),
            )

        return put(place, form, content, folder)


def titled(name: str) -> str:
    """What a set is called that nobody named.

    >>> titled("My wines.csv.gz"), titled(".csv")
    ('My wines', 'own data')
    """
    stem = name
    for ending in (".gz", ".csv", ".tsv", ".txt", ".parquet", ".pq", ".zip", ".npz", ".npy", ".ts"):
        stem = stem[: -len(ending)] if stem.lower().endswith(ending) else stem
    return stem.strip()[:120] or "own data"
