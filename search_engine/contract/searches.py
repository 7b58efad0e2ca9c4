"""The searches that the contract suite looks at: an algorithm's quick run, in one slice or torn into units."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..catalogue import registry
from ..catalogue.config import check_new
from ..search.local_run import EVENTS, LocalRun

WHOLE = 1e9
"""Seconds of a slice that is never cut."""


def quick(algorithm: str, **changes: Any) -> dict[str, Any]:
    """The quick run of an algorithm on its default space and data set, with a finale that is quick too."""
    entry = registry.algorithm(algorithm)
    values = {"algorithm": algorithm, "seed": 3, **entry.quick}
    idle = {field for item in entry.idle for field in item.fields}
    # The study of redundancy is the finale's own, whatever the algorithm.
    without = {name: False for name in ("onnx", "redundancy") if f"finale.{name}" not in idle}
    return {**values, "finale": {**values.get("finale", {}), **without}, **changes}


def run(out: Path, values: dict[str, Any], *, reloads: bool, slice_seconds: float = WHOLE) -> dict[str, Any]:
    """What `result.json` of the run holds. `reloads`: its work is rebuilt from its checkpoint after every slice."""
    local = LocalRun(check_new(values, out), out, out, slice_seconds=slice_seconds)
    local.reloads = reloads
    return local.run()


def events(folder: Path) -> list[dict[str, Any]]:
    """The events of a run, in order."""
    return [json.loads(line) for line in (folder / EVENTS).read_text(encoding="utf-8").splitlines()]


def science(path: Path) -> list[tuple[Any, ...]]:
    """The science of an `events.jsonl`: payloads by key (source, step, kind, ordinal, data), without seq and times."""
    rows = events(path.parent)
    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    kept = [
        (row["source"], row["step"], row["kind"], row["ordinal"], json.dumps(row["data"], sort_keys=True)) for row in rows if row["science"]
    ]
    assert len({row[:4] for row in kept}) == len(kept), "a science key stands twice"
    return sorted(kept)


class Searches:
    """The runs of one algorithm, each made once, in `folder`."""

    def __init__(self, algorithm: str, folder: Path) -> None:
        self.algorithm = algorithm
        self.folder = folder
        self._whole: Path | None = None

    def undisturbed(self) -> Path:
        """The folder of the quick run, in one slice each piece of work. Raises RuntimeError where it does not complete."""
        if self._whole is None:
            folder = self._new("whole")
            result = run(folder, quick(self.algorithm), reloads=False)
            if result["status"] != "completed":
                raise RuntimeError(f"the quick run ended as {result['status']}: {result['reason']}")
            self._whole = folder
        return self._whole

    def torn(self) -> Path:
        """The same run in slices of one unit, each from a fresh object and the checkpoint's bytes."""
        folder = self._new("torn")
        run(folder, quick(self.algorithm), reloads=True, slice_seconds=0)
        return folder

    def reseeded(self) -> Path:
        """The run of another seed, without a download, which costs more than many a search."""
        folder = self._new("reseeded")
        values = quick(self.algorithm, seed=4)
        run(folder, {**values, "finale": {**values["finale"], "export": False}}, reloads=False)
        return folder

    def result(self, folder: Path) -> dict[str, Any]:
        """What the run in `folder` came to."""
        found: dict[str, Any] = json.loads((folder / "result.json").read_text(encoding="utf-8"))
        return found

    def _new(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir(parents=True)
        return folder
