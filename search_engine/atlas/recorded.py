"""What the project itself measured once of a ready-made search, with every value that its tables are made of.

A published table says how the experiment came out there. Whoever looks has mostly not run it: so that there is something of this program
beside it from the first day, the finished runs of a card are kept as a data file, `runs/<id of the card>.json`, written by
`python -m benchmarks.thesis`. Its figures are worked out as those of anybody's runs are (`ours`); nothing in it was typed.

>>> from search_engine.atlas.recorded import recorded
>>> all(run.arm in measured.arms for measured in recorded().values() for run in measured.runs)
True
"""

from __future__ import annotations

import json
from datetime import date as Date
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ..base.errors import BadInput

FOLDER = Path(__file__).resolve().parent / "runs"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class RecordedRun(_Part):
    """One finished run."""

    arm: str
    seed: int
    seconds: float = Field(gt=0, description="device time of the search, as its budget counts it")
    flops: float = Field(gt=0, description="of the search, as its budget counts them")
    values: tuple[float | None, ...] = Field(min_length=1, description="validation accuracy of each trial, in order of birth; null: failed")
    population: str = Field(min_length=1, description="digest of its initial population")


class Recorded(_Part):
    """All runs of one card, with what they were run on."""

    date: Date = Field(description="on which the last run ended")
    machine: str = Field(min_length=1, description="in words, with what else it did meanwhile")
    versions: dict[str, str]
    algorithm: str
    space: str
    dataset: str
    config: dict[str, Any] = Field(description="what all runs had: training, space_options, dataset_options")
    arms: dict[str, dict[str, Any]] = Field(min_length=1, description="by name, all options of the algorithm")
    runs: tuple[RecordedRun, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _comparable(self) -> Self:
        places = [(run.arm, run.seed) for run in self.runs]
        if len(set(places)) < len(places):
            raise ValueError("two runs have one arm and one seed")
        for run in self.runs:
            if run.arm not in self.arms:
                raise ValueError(f"there is no arm '{run.arm}'; there are: {', '.join(self.arms)}")
        for seed in {run.seed for run in self.runs}:
            if len({run.population for run in self.runs if run.seed == seed}) > 1:
                raise ValueError(f"the runs of seed {seed} do not begin with one population: they cannot be compared in pairs")
        return self


def read_recorded(folder: Path = FOLDER) -> dict[str, Recorded]:
    """Every file of the folder by its name, which is the id of a ready-made search. Raises BadInput naming file and field."""
    found = {}
    for path in sorted(folder.glob("*.json")):
        try:
            found[path.stem] = Recorded.model_validate(json.loads(path.read_text()))
        except json.JSONDecodeError as error:
            raise BadInput(path.name, f"is no JSON: {error}") from None
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            raise BadInput(f"{path.name}{f': {place}' if place else ''}", first["msg"].removeprefix("Value error, ")) from None
    return found


@lru_cache(maxsize=1)
def recorded() -> dict[str, Recorded]:
    """Those that come with the program; its files never change while a process lives."""
    return read_recorded()
