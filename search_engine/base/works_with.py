"""Options that work only in the company of others: declared once in the config class, read by the check, the form and the tests.

A config class says it beside its fields:

>>> from pydantic import BaseModel
>>> class Config(BaseModel):
...     works_with: ClassVar[WorksWith] = {"momentum": {"optimizer": one_of("sgd")}}
...     optimizer: str = "adam"
...     momentum: float = 0.9
>>> without_effect(Config(), {}), without_effect(Config(optimizer="sgd"), {})
({'momentum': 'optimizer = sgd'}, {})

A subclass adds its own conditions to those of its bases.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import BaseModel

Condition = dict[str, Any]
"""{"is": values} or {"not": values}: what the other option must be; `words` says it where the option is a property that nobody sets."""
WorksWith = dict[str, dict[str, Condition]]
"""Option -> other option -> condition; all must hold. The other one stands in the same config; `space_options.NAME` is the space's."""

__all__ = ["ClassVar", "Condition", "WorksWith", "conditions", "each", "form_schema", "one_of", "other_than", "without_effect"]


def one_of(*values: Any) -> Condition:
    return {"is": list(values)}


def other_than(*values: Any) -> Condition:
    return {"not": list(values)}


def each(names: tuple[str, ...], needed: dict[str, Condition]) -> WorksWith:
    """The same for several options."""
    return {name: dict(needed) for name in names}


def conditions(config: type[BaseModel]) -> WorksWith:
    """Those of a config class and of its bases."""
    found: WorksWith = {}
    for kind in reversed(config.__mro__):
        for name, needed in vars(kind).get("works_with", {}).items():
            found[name] = {**found.get(name, {}), **needed}
    return found


def form_schema(config: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of a config class, with `works_with` beside the options that need company, for a form."""
    schema = config.model_json_schema()
    for name, needed in conditions(config).items():
        known = {other: condition for other, condition in needed.items() if "." in other or other in schema["properties"]}
        if known and name in schema["properties"]:
            schema["properties"][name]["works_with"] = known
    return schema


def without_effect(values: BaseModel, around: Mapping[str, Any]) -> dict[str, str]:
    """The options of a config that do nothing beside the others: what they would need, in words. `around`: values by dotted name outside
    of the config; a condition on one that is not known holds."""
    found: dict[str, str] = {}
    declared = conditions(type(values))
    for name in type(values).model_fields:
        for other, condition in declared.get(name, {}).items():
            if "." in other and other not in around:
                continue
            value = around[other] if "." in other else getattr(values, other)
            if not _holds(condition, value):
                found[name] = in_words(other, condition)
                break
    return found


def _holds(condition: Condition, value: Any) -> bool:
    plain: Any = list(value) if isinstance(value, tuple) else value
    return plain in condition["is"] if "is" in condition else plain not in condition["not"]


def in_words(other: str, condition: Condition) -> str:
    """`levels = bilevel`, `estimator other than first`."""
    if "words" in condition:
        return str(condition["words"])
    values = " or ".join(_text(value) for value in (condition["is"] if "is" in condition else condition["not"]))
    return f"{other} {'=' if 'is' in condition else 'other than'} {values}"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return "empty" if value in ([], None, "") else str(value)
