"""Which settings a run has."""

from __future__ import annotations

from pydantic import BaseModel

from search_engine.base.training_config import TrainingConfig
from search_engine.catalogue.config import CheckedRun, FinaleConfig

RUNTIME = ("objective", "folds", "max_failures", "count_repeats", "structure_every", "threads", "together", "device", "amp")


def settings(checked: CheckedRun) -> set[str]:
    """Every field of a run config that somebody may set, by its dotted name."""
    parts: dict[str, type[BaseModel]] = {
        "training": TrainingConfig, "finale": FinaleConfig, "finale.training": TrainingConfig, "options": type(checked.options),
        "space_options": type(checked.space_options),
    }
    named = {f"{place}.{name}" for place, kind in parts.items() for name in kind.model_fields}
    return (named | set(RUNTIME)) - {"finale.training"}


def only_choice(checked: CheckedRun, field: str) -> bool:
    """Whether an option can have but one value: it says what the method does, and nobody can set it."""
    place, _, name = field.partition(".")
    if place != "options":
        return False
    schema = type(checked.options).model_json_schema()["properties"][name]
    return "const" in schema
