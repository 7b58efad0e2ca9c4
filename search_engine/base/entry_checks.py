"""Whether a stranger's entry can be listed, drawn as a form and used: asked once, when it is loaded.

A plug-in may import well and still be wrong: a field of another type, options without a default, a builder that does not exist. Found
later, such an entry would break the list of everything for everybody; found here, it is left out and its reason said.
"""

from __future__ import annotations

import ast
import dataclasses
import importlib.util
import json
import re
from functools import cache
from typing import Any, get_type_hints

from pydantic import BaseModel, TypeAdapter, ValidationError

from .lazy import load_object

ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
LONGEST_TITLE = 200


def check_entry(entry: Any) -> None:
    """The declaration itself: every field has its type, the id can stand in an address, and the options make a form.

    Raises TypeError or ValueError naming the field and what would be right.
    """
    for name, adapter in _adapters(entry.__class__).items():
        try:
            adapter.validate_python(getattr(entry, name), strict=True)
        except ValidationError as error:
            problem = error.errors(include_url=False)[0]
            place = ".".join([name, *(str(part) for part in problem["loc"] if isinstance(part, int | str))])
            raise TypeError(f"{place}: {problem['msg']}, not {str(problem['input'])[:80]!r}") from None
    if not ID.fullmatch(entry.id):
        raise ValueError(f"id: '{entry.id[:120]}' must be made of letters, digits, '_' and '-', 100 at most")
    if not 1 <= len(entry.title) <= LONGEST_TITLE:
        raise ValueError(f"title: it has {len(entry.title)} characters, it needs 1 to {LONGEST_TITLE}")
    _check_config(entry.config)


def _check_config(config: type[BaseModel]) -> None:
    try:
        schema = config.model_json_schema()
        json.dumps(schema)
    except Exception as error:
        raise TypeError(f"config: {config.__name__} has no JSON schema ({' '.join(str(error).split())})") from None
    for name, option in schema.get("properties", {}).items():
        if "default" not in option:
            raise ValueError(f"config: the option '{name}' of {config.__name__} has no default")
        if not option.get("description"):
            raise ValueError(f"config: the option '{name}' of {config.__name__} has no description, which the form shows")
    try:
        config()
    except Exception as error:
        why = " ".join(str(error).split())
        raise ValueError(f"config: the defaults of {config.__name__} do not pass its own validation ({why})") from None


@cache
def _adapters(kind: Any) -> dict[str, TypeAdapter[Any]]:
    hints = get_type_hints(kind)
    return {item.name: TypeAdapter(hints[item.name]) for item in dataclasses.fields(kind)}


def check_reference(field: str, path: str, *, light: bool) -> None:
    """`path` ("module:function") leads to something. What is `light` is imported; anything else may import torch, which the web process
    must not, so its source is read instead. Raises ValueError naming `field`, or what the import raises."""
    module, _, name = path.partition(":")
    if not module or not name.isidentifier():
        raise ValueError(f"{field}: '{path}' is not written as 'module:function'")
    if light:
        try:
            found = load_object(path)
        except (ImportError, AttributeError) as error:
            raise ValueError(f"{field}: '{path}' leads nowhere ({error})") from None
        if not callable(found):
            raise ValueError(f"{field}: '{path}' is no function")
        return
    try:
        spec = importlib.util.find_spec(module)
    except ImportError as error:
        raise ValueError(f"{field}: '{path}' leads nowhere ({error})") from None
    if spec is None:
        raise ValueError(f"{field}: '{path}' leads nowhere (there is no module '{module}')")
    source = getattr(spec.loader, "get_source", lambda _: None)(module)
    if source is None:
        return  # compiled: only its import would tell
    names = _names(ast.parse(source).body)
    if name not in names and "*" not in names:
        raise ValueError(f"{field}: '{path}' leads nowhere (the module has no '{name}')")


def _names(body: list[ast.stmt]) -> set[str]:
    """What a module's statements bind at its top level; `*` where an import brings names unseen."""
    names: set[str] = set()
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(statement.name)
        elif isinstance(statement, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in statement.names}
        elif isinstance(statement, ast.If | ast.Try | ast.With):
            for block in ("body", "orelse", "finalbody"):
                names |= _names(getattr(statement, block, []))
            for handler in getattr(statement, "handlers", []):
                names |= _names(handler.body)
        else:
            names |= {node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return names
