"""What a person should know of options that were set and do nothing."""

from __future__ import annotations

from typing import Any

from search_engine.spaces.base import SearchSpace

BILEVEL_ONLY = ("estimator", "xi", "structure_data", "train_portion")


def say_idle_options(options: Any, space: SearchSpace[Any], trials: int | None) -> list[str]:
    """Plain sentences for methods on the simplex. An option that keeps its default says nothing."""
    chosen = {name for name in options.model_fields_set if getattr(options, name) != type(options).model_fields[name].default}
    said = []
    single = getattr(options, "levels", "bilevel") == "single"
    idle = [name for name in BILEVEL_ONLY if name in chosen] if single else []
    if idle:
        verb = "has" if len(idle) == 1 else "have"
        said.append(f"{', '.join(idle)} {verb} no effect: with one level, weights and structure move on the same training data.")
    elif "xi" in chosen and options.estimator == "first":
        said.append("xi has no effect: the first-order estimator does not look ahead. Choose finite_difference or exact.")
    if "evaluate" in chosen and not getattr(options, "hard", True):
        said.append("evaluate has no effect: draws that are not hard need every operation.")
    return said
