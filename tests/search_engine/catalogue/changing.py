"""Other values for every setting of a run, to see whether the science moves."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel

from search_engine.base import checkpoint
from search_engine.base.errors import BadInput
from search_engine.base.training_config import TrainingConfig
from search_engine.base.works_with import conditions
from search_engine.catalogue.config import CheckedRun, FinaleConfig, check, check_new
from search_engine.catalogue.idle import idle
from search_engine.events import Event
from search_engine.search.local_run import LocalRun
from search_engine.search.work import WorkSpec
from tests.search_engine.catalogue.company import BY_CHANCE, COMPANY
from tests.search_engine.catalogue.settings import settings
from tests.search_engine.catalogue.small import LONGER, SHORTER, small

STRONG: dict[str, list[Any]] = {
    "gradient_clip": [1e-3], "structure_gradient_clip": [1e-3], "weight_decay": [0.5], "structure_weight_decay": [0.5],
    "early_stop": [1], "max_failures": [1], "eigenvalue_ratio": [1e-3], "eigenvalue_window": [1, 2], "skip_limit": [1], "skip_cap": [1],
    "stable_epochs": [1], "archive": [1], "max_rejections": [1], "augment": ["cutout", "none"], "tolerance": [0.5, 1e-9],
    "threshold": [0.9, 1e-6], "checkpoints": [[1, 2]], "validation_examples": [50], "structure_priors": [[[0.5, 0.2, 0.2]]],
    "heuristics": [{"conv": {"flatten": 1.0}}], "keep_networks": [1], "keep_megabytes": [1], "most_observations": [10],
    "targets": [[0.5, 0.6]], "options": [{"layers": 4}], "schemata": [40], "parents": [1],
}
"""Values that show in a run of a few steps, by the last part of the name."""


def put(values: dict[str, Any], field: str, value: Any) -> dict[str, Any]:
    """A copy of a run config with a dotted field set."""
    values = deepcopy(values)
    *path, name = field.split(".")
    place = values
    for part in path:
        place = place.setdefault(part, {})
    place[name] = value
    return values


def config_of(checked: CheckedRun, place: str) -> tuple[type[BaseModel], BaseModel | None]:
    """The class of the config at a place (`options`, `finale.training`, ...), and the one that holds."""
    found: dict[str, tuple[type[BaseModel], BaseModel | None]] = {
        "options": (type(checked.options), checked.options), "space_options": (type(checked.space_options), checked.space_options),
        "training": (TrainingConfig, checked.config.training), "finale": (FinaleConfig, checked.config.finale),
        "finale.training": (TrainingConfig, checked.finale_training), "": (type(checked.config), checked.config),
    }
    return found[place]


def others(checked: CheckedRun, field: str) -> list[Any]:
    """Other values than the one that holds, the likeliest to show first; all cheap."""
    place, _, name = field.rpartition(".")
    kind, config = config_of(checked, place)
    now = getattr(config, name)
    now = list(now) if isinstance(now, tuple) else now
    found = [*STRONG.get(name, []), *_others(_plain(kind.model_json_schema()["properties"][name]), now)]
    return [value for value in found if value != now]


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """Without the null that an open field may be."""
    kinds = [item for item in schema.get("anyOf", []) if item.get("type") != "null"]
    return {**schema, **kinds[0]} if kinds else schema


def _others(schema: dict[str, Any], now: Any) -> Iterator[Any]:
    if "enum" in schema:
        yield from schema["enum"]
    elif schema.get("type") == "boolean":
        yield not now
    elif schema.get("type") in ("integer", "number"):
        whole = schema["type"] == "integer"
        low = schema.get("minimum", schema.get("exclusiveMinimum", 0))
        high = schema.get("maximum", schema.get("exclusiveMaximum", 1e9))
        now = now or 0
        numbers = (now * 2 + 1, now // 2, now + 1, now - 1, low, low + 1)
        for value in numbers if whole else (now * 10, now / 10, now + 0.3, now - 0.3, low + 1e-6, high):
            if low <= value <= high and abs(value) < 1e5:
                yield value
    elif schema.get("type") == "array":
        inner = _plain(schema.get("items", {}))
        if now:
            yield now[:-1]
        if "enum" in inner:
            yield [inner["enum"][0]]
            yield list(inner["enum"])
        elif now and isinstance(now[0], list | tuple):
            yield [[*item[1:], item[0]] for item in now]
        elif now and isinstance(now[0], int | float):
            yield [item * 2 for item in now]
        elif inner.get("type") in ("integer", "number"):
            yield [max(inner.get("minimum", 0), inner.get("exclusiveMinimum", 0)) + (1 if inner["type"] == "integer" else 0.5)]


def in_company(values: dict[str, Any], checked: CheckedRun, field: str) -> dict[str, Any]:
    """The config with what the field needs beside it."""
    place, _, name = field.rpartition(".")
    kind, config = config_of(checked, place)
    for other, condition in conditions(kind).get(name, {}).items():
        where = other if "." in other else f"{place}.{other}"
        if "." in other or other in kind.model_fields:
            held = checked.space_options if "." in other else config
            now = getattr(held, other.rpartition(".")[2])
            now = list(now) if isinstance(now, tuple) else now
            if "is" in condition and now not in condition["is"]:
                values = in_company(put(values, where, condition["is"][0]), checked, where)
            elif "not" in condition and now in condition["not"]:
                fitting = [value for value in others(checked, where) if value not in condition["not"]]
                values = in_company(put(values, where, fitting[0]), checked, where)
    return values


NO_FILES = Path("no data files")
"""One for all runs: what is opened of a data set is kept by it."""


OF_A_FINALIST = ("finale.training.", "finale.seconds", "finale.redundancy", "finale.train_on", "finale.seeds", "finale.ensemble")
"""What the search, and who is finished, does not hang on."""


class Different(Exception):
    """A run said something that the other one did not."""


class SmallRun(LocalRun):
    """A run that keeps what it says, takes one unit of work at a time and commits nothing. Beside an `other` one it ends at the first fact
    that this did not say. With `finale_only` it goes on where the other's search was over."""

    def __init__(self, checked: CheckedRun, folder: Path, other: SmallRun | None = None, finale_only: bool = False) -> None:
        super().__init__(checked, NO_FILES, folder, resume=True, slice_seconds=0.0)
        self.said: dict[tuple[Any, ...], str] = {}
        self.ended: tuple[str, str] = ("", "")
        self.searched: tuple[bytes, dict[tuple[Any, ...], str]] | None = None
        """What it said until its finale began, and its state then; None before, and where nothing is finished."""
        self._other = other
        if finale_only:
            assert other is not None and other.searched is not None
            state = checkpoint.unpack(other.searched[0])
            self.coordinator.load_state_dict(state["coordinator"])
            self.queue = [WorkSpec.model_validate(spec) for spec in state["queue"]]
            self.said = dict(other.searched[1])

    def to_the_end(self) -> Self:
        """Raises Different."""
        try:
            result = self.run()
        finally:
            self._file.close()
        self.ended = (result["status"], result["reason"])
        if self._other is not None and (self.ended, self.said) != (self._other.ended, self._other.said):
            raise Different
        return self

    def _write(self, events: list[Event]) -> None:
        for event in events:
            if event.science:
                key, said = (event.source, event.step, event.kind, event.ordinal), event.payload.model_dump_json()
                assert key not in self.said
                self.said[key] = said
                if self._other is not None and self._other.said.get(key) != said:
                    raise Different

    def _commit(self) -> None:
        if self.searched is None and self.queue and self.queue[0].kind == "final":
            state = {"coordinator": self.coordinator.state_dict(), "queue": [spec.model_dump() for spec in self.queue]}
            self.searched = checkpoint.pack(state), dict(self.said)


def around_of(algorithm: str, space: str, field: str, seed: int = 3) -> dict[str, Any]:
    """The small run in which a field is changed. Raises BadInput where what the field itself asks for is refused."""
    of_finale = field.startswith("finale.")
    values = small(algorithm, space, LONGER, LONGER if of_finale else SHORTER, baselines=int(of_finale)) | {"seed": seed}
    keys = (f"{algorithm} {space} {field}", f"{algorithm} {field}", field)
    company = next((dict(COMPANY[key]) for key in keys if key in COMPANY), {})
    for other in ("space", "space_options", "datasets"):
        if other in company:
            values[other] = company[other]
    if "dataset_options" in company and check(values).dataset.id != "digits":
        del company["dataset_options"]
    checked = check(values)
    there = settings(checked) - set(idle(checked.algorithm, checked.space, checked.dataset))
    for other, value in company.items():
        if "." not in other or other in there:
            values = put(values, other, value)
    try:
        checked = check_new(values)
    except BadInput as error:
        raise AssertionError(f"the company of {field} is wrong for {algorithm} on {space}: {error}") from error
    return in_company(values, checked, field)


def effect(algorithm: str, space: str, field: str, folder: Path, known: dict[str, SmallRun]) -> str:
    """What comes of other values of a field: `changed`, `refused` (all of them, because the combination cannot have it), `nothing`, or
    `untried`: all of them were refused for what they are, so that nobody knows. `known`: runs by config."""
    found = "nothing"
    for seed in BY_CHANCE.get(field, (3,)):
        found = _effect(algorithm, space, field, seed, folder / f"{seed}", known)
        if found == "changed":
            break
    return found


def _effect(algorithm: str, space: str, field: str, seed: int, folder: Path, known: dict[str, SmallRun]) -> str:
    try:
        around = around_of(algorithm, space, field, seed)
        checked = check_new(around)
    except BadInput as error:
        return _refusal(error)
    if repr(around) not in known:
        known[repr(around)] = SmallRun(checked, folder / f"{len(known)}").to_the_end()
    base = known[repr(around)]
    finale_only = field.startswith(OF_A_FINALIST) and base.searched is not None
    answers = set()
    for number, value in enumerate(others(checked, field)[:5]):
        room = base.out if finale_only else folder / f"{field}-{number}"
        try:
            SmallRun(check_new(put(around, field, value)), room, base, finale_only).to_the_end()
        except BadInput as error:
            answers.add(_refusal(error))
        except Different:
            return "changed"
        else:
            answers.add("nothing")
    return next((answer for answer in ("nothing", "refused", "untried") if answer in answers), "nothing")


def _refusal(error: BadInput) -> str:
    return "refused" if error.code == "incompatible" else "untried"
