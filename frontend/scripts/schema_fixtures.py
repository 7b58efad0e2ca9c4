"""Print config schemas of the engine and, for values tried on each, whether pydantic takes them: the truth for the browser's checker."""

import json
import sys
from pathlib import Path
from typing import Any, Literal

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from search_engine.catalogue import registry
from search_engine.catalogue.config import Budget, FinaleConfig, RunConfig
from search_engine.base.training_config import TrainingConfig


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")

    rate: float = Field(gt=0, le=1, description="how fast")
    kind: Literal["a", "b"] = "a"


class Everything(BaseModel):
    """What pydantic can say and a future config may: nested, optional, union, lists, patterns."""

    model_config = ConfigDict(extra="forbid")

    required: int = Field(ge=2)
    inner: Inner = Inner(rate=0.5)
    maybe_inner: Inner | None = None
    maybe_number: float | None = Field(default=None, ge=0, title="Stop below")
    either: int | str = 3
    many: list[int] = Field(default=[1, 2], min_length=1, max_length=4)
    several: list[Literal["x", "y", "z"]] = ["x"]
    pair: tuple[int, float] = (1, 0.5)
    named: dict[str, float] = {}
    label: str = Field(default="abc", min_length=2, max_length=5, pattern="^[a-z]+$")
    flag: bool = True
    even: int = Field(default=2, multiple_of=2)


TRIES: list[tuple[str, type[BaseModel], list[Any]]] = [
    (
        "everything",
        Everything,
        [
            {"required": 2},
            {},
            {"required": 1},
            {"required": 2.5},
            {"required": None},
            {"required": 2, "surprise": 1},
            {"required": 2, "inner": {"rate": 1}},
            {"required": 2, "inner": {"rate": 0}},
            {"required": 2, "inner": {"rate": 0.1, "kind": "c"}},
            {"required": 2, "inner": {"kind": "a"}},
            {"required": 2, "inner": None},
            {"required": 2, "maybe_inner": None},
            {"required": 2, "maybe_inner": {"rate": 0.2}},
            {"required": 2, "maybe_inner": {"rate": 2}},
            {"required": 2, "maybe_number": None},
            {"required": 2, "maybe_number": 0},
            {"required": 2, "maybe_number": -1},
            {"required": 2, "either": "text"},
            {"required": 2, "either": [1]},
            {"required": 2, "many": []},
            {"required": 2, "many": [1, 2, 3, 4, 5]},
            {"required": 2, "many": [1, "two"]},
            {"required": 2, "several": ["x", "z"]},
            {"required": 2, "several": ["w"]},
            {"required": 2, "pair": [1, 2.5]},
            {"required": 2, "pair": [1]},
            {"required": 2, "pair": [1.5, 2]},
            {"required": 2, "named": {"a": 1.5}},
            {"required": 2, "named": {"a": "b"}},
            {"required": 2, "label": "abcdef"},
            {"required": 2, "label": "a"},
            {"required": 2, "label": "ABC"},
            {"required": 2, "flag": "maybe"},
            {"required": 2, "even": 3},
            {"required": 2, "even": -4},
        ],
    ),
    (
        "training",
        TrainingConfig,
        [
            {},
            {"epochs": 0},
            {"epochs": 3},
            {"learning_rate": 0},
            {"learning_rate": 10},
            {"momentum": 1},
            {"optimizer": "rmsprop"},
            {"epoch": 3},
        ],
    ),
    (
        "finale",
        FinaleConfig,
        [
            {},
            {"finalists": 11},
            {"training": {"epochs": 20}},
            {"training": {"epochs": -1}},
            {"training": {"augment": "flip"}},
            {"onnx": False},
        ],
    ),
    (
        "run",
        RunConfig,
        [
            {"algorithm": "random"},
            {},
            {"algorithm": "random", "seed": -1},
            {"algorithm": "random", "seed": 2**31},
            {"algorithm": "random", "budget": None},
            {"algorithm": "random", "budget": {"trials": 5}},
            {"algorithm": "random", "budget": {"trials": 0}},
            {"algorithm": "random", "budget": {"hours": 1}},
            {"algorithm": "random", "device": "tpu"},
        ],
    ),
    ("budget", Budget, [{"trials": 1}, {"samples": 0}, {"seconds": 1e9}]),
]


def takes(model: type[BaseModel], value: Any) -> bool:
    try:
        model.model_validate_json(json.dumps(value), strict=False)
    except ValidationError:
        return False
    return True


def main() -> None:
    models = {name: model for name, model, _ in TRIES}
    models |= {f"algorithm:{entry.id}": entry.config for entry in registry.algorithms().values()}
    models |= {f"space:{entry.id}": entry.config for entry in registry.spaces().values()}
    models |= {f"dataset:{entry.id}": entry.config for entry in registry.datasets().values()}
    result = {
        name: {
            "schema": model.model_json_schema(),
            "tries": [{"value": value, "valid": takes(model, value)} for key, _, values in TRIES if key == name for value in values],
        }
        for name, model in models.items()
    }
    print(json.dumps(result, indent=1, sort_keys=True))


main()
