"""The folder of a run of the command line, described as an archive describes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from ..base import checkpoint
from ..base.errors import BadInput, CheckpointDamaged
from ..catalogue import registry
from ..search.local_run import EVENTS, RESULT, STATE
from .bounds import USUAL, Bounds
from .form import Amounts, RunRecord

TAIL = 1 << 16


class _Entrant(BaseModel):
    samples: float = 0.0


class _Result(BaseModel):
    """What is read of result.json."""

    algorithm: str
    status: str
    reason: str
    datasets: list[str]
    versions: dict[str, str] = {}
    arithmetic: dict[str, str] = {}
    reproducible: bool = True
    reproducible_note: str = ""
    budget: Amounts
    best: list[_Entrant] = []
    baseline: list[_Entrant] = []


def describe(folder: Path, bounds: Bounds = USUAL) -> RunRecord:
    """The run in `folder`, as `run --out` left it. Raises BadInput naming the file that is missing or wrong."""
    if not (folder / EVENTS).is_file():
        raise BadInput(EVENTS, "it is missing: give the folder that `run --out` wrote, with all that is in it", code="not_a_run")
    if not (folder / RESULT).is_file():
        words = "it is missing, so the run has not ended: go on with it by `run --resume`, and open it when it has"
        raise BadInput(RESULT, words, code="not_ended")
    result = _result(_read(folder / RESULT, bounds.text_bytes))
    if result.status not in ("completed", "failed"):
        raise BadInput(RESULT, f"the run is '{result.status[:40]}', which is no end", code="not_ended")
    if not (folder / STATE).is_file():
        raise BadInput(STATE, "it is missing: it holds the run's configuration; give the folder whole", code="not_a_run")
    config = _config(folder / STATE, bounds)
    began, ended = _times(folder / EVENTS)
    entrants = [*result.best, *result.baseline]
    try:
        return RunRecord(
            folder="runs/0", config=config, state="completed" if result.status == "completed" else "failed", reason=result.reason,
            started=began, finished=ended, arithmetic=result.arithmetic, versions=result.versions, reproducible=result.reproducible,
            reproducible_note=result.reproducible_note, charged=result.budget,
            spent_samples=result.budget.samples + sum(item.samples for item in entrants), spent_seconds=result.budget.seconds,
        )  # fmt: skip
    except ValidationError as error:
        raise _wrong(RESULT, error) from None


def name_of(record: RunRecord) -> str:
    """What an experiment with that one run is called."""
    entry = registry.algorithms().get(str(record.config.get("algorithm")))
    data = registry.known_dataset(str((record.config.get("datasets") or [""])[0]))
    title = entry.title if entry is not None else str(record.config.get("algorithm"))
    return f"{title} on {data.title}"[:200] if data is not None else title[:200]


def _read(path: Path, most: int) -> bytes:
    if path.stat().st_size > most:
        raise BadInput(path.name, f"it has {path.stat().st_size:,} bytes; at most {most:,} are read", code="too_large")
    return path.read_bytes()


def _result(data: bytes) -> _Result:
    try:
        return _Result.model_validate_json(data)
    except ValidationError as error:
        raise _wrong(RESULT, error) from None


def _wrong(name: str, error: ValidationError) -> BadInput:
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"]))
    words = f"it is not what a run of the command line writes ({place or 'it'}: {first['msg']}); it may be damaged, or another version's"
    return BadInput(name, words, code="damaged")


def _config(path: Path, bounds: Bounds) -> dict[str, Any]:
    if path.stat().st_size > bounds.state_bytes:
        raise BadInput(STATE, f"it has {path.stat().st_size:,} bytes; at most {bounds.state_bytes:,} are read", code="too_large")
    try:
        config = checkpoint.outline(path, sealed=True)["config"]
    except CheckpointDamaged as damaged:
        raise BadInput(STATE, f"{damaged}: give the folder as the run left it", code="damaged") from None
    except (KeyError, TypeError, ValueError, RecursionError):
        raise BadInput(STATE, "it is the checkpoint of something else", code="not_a_run") from None
    if not isinstance(config, dict):
        raise BadInput(STATE, "it is the checkpoint of something else", code="not_a_run")
    return config


def _times(path: Path) -> tuple[float | None, float | None]:
    """When the first and the last event were written; what is wrong with them is said when they are read."""
    with path.open("rb") as file:
        first = file.readline(TAIL)
        file.seek(max(0, path.stat().st_size - TAIL))
        last = file.read().rstrip(b"\n").rpartition(b"\n")[2]
    return _time(first), _time(last)


def _time(line: bytes) -> float | None:
    # An event may be longer than what was read of it; its time stands at its beginning.
    for text in (line, line.partition(b',"science"')[0] + b"}"):
        try:
            found = json.loads(text)["time"]
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
        return float(found) if isinstance(found, int | float) and 0 <= found <= 1e11 else None
    return None
