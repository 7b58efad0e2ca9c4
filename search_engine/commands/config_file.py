"""Values that a person writes, in a config file or after `--set`: read in one way, so that a number means the same in both.

A file is YAML or JSON, UTF-8 (a byte-order mark is taken for what it is), at most `LARGEST` bytes. Scalars follow YAML 1.2, where `1e2` is
a number, `010` is ten and `no` is a word: YAML 1.1 reads a string, eight, and false. A key that stands twice is refused, not overwritten.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from ..base.errors import BadInput
from ..base.quoting import shortened, shown

LARGEST = 1_000_000
"""Bytes of a config file."""
MOST = 100_000
"""Values in a config file, those that an alias repeats counted every time."""
DEEPEST = 50

_INTEGER = re.compile(r"[-+]?(?:[0-9][0-9_]*|0o[0-7]+|0x[0-9a-fA-F]+)")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9][0-9_]*|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_SCALARS: tuple[tuple[str, re.Pattern[str], str], ...] = (
    ("bool", re.compile(r"true|True|TRUE|false|False|FALSE"), "tTfF"),
    ("null", re.compile(r"~|null|Null|NULL|"), "~nN"),
    ("int", _INTEGER, "-+0123456789"),
    ("float", _FLOAT, "-+.0123456789"),
    ("merge", re.compile(r"<<"), "<"),
)


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  (its own, not YAML 1.1's)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                if key.value in seen:
                    raise _twice(key.value, f"line {key.start_mark.line + 1}")
                seen.add(key.value)
        return super().construct_mapping(node, deep)  # type: ignore[no-any-return]

    def number(self, node: yaml.ScalarNode) -> int | float:
        return _number(node.value)


for _tag, _pattern, _first in _SCALARS:
    # The empty first letter stands for a value that is left out.
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_pattern.pattern})\\Z"), [*_first, *[""][: _tag == "null"]])
for _tag in ("int", "float"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_tag}", _Loader.number)


def _number(text: str) -> int | float:
    """
    >>> _number("1e2"), _number("1e-3"), _number("010"), _number("0x1F"), _number("1_000"), _number("2.50")
    (100, 0.001, 10, 31, 1000, 2.5)
    """
    plain = text.replace("_", "").lower()
    if _INTEGER.fullmatch(text):
        return int(plain, 0) if plain.lstrip("+-")[:2] in ("0o", "0x") else int(plain)
    value = float(plain.replace(".inf", "inf").replace(".nan", "nan"))
    whole = "e" in plain and math.isfinite(value) and value.is_integer() and abs(value) < 2**53
    return int(value) if whole else value


def read_config(name: str) -> dict[str, Any]:
    """The fields in the config file `name`. Raises BadInput (field "config") saying what is wrong with it, and where."""
    text = _text(name)
    try:
        values = _json(text) if name.lower().endswith(".json") else _yaml(text)
    except BadInput as error:
        raise BadInput("config", f"{shortened(name)} {error.message}") from None
    if values is None:
        raise BadInput("config", f"{shortened(name)} is empty; it must hold the fields of a run (algorithm, space, ...)")
    if not isinstance(values, dict):
        raise BadInput("config", f"{shortened(name)} must hold a mapping of fields (algorithm, space, ...), not {_KINDS[type(values)]}")
    for key in values:
        if not isinstance(key, str):
            raise BadInput("config", f"{shortened(name)} has the key {shown(key)}; names of fields are words")
    return values


_KINDS = {list: "a list", str: "text", int: "a number", float: "a number", bool: "true or false"}


def read_value(field: str, text: str) -> Any:
    """The value that `text` means, as a config file would read it.

    >>> read_value("set", "1e-3"), read_value("set", "[1, 2]"), read_value("set", "no"), read_value("set", "x: y: z")
    (0.001, [1, 2], 'no', 'x: y: z')
    """
    try:
        return _yaml(text) if text else ""
    except BadInput as error:
        if error.code in ("twice", "too_much", "not_finite"):
            raise BadInput(field, f"{shown(text)} {error.message}") from None
        return text


def read_number(field: str, text: str, *, whole: bool = False) -> int | float:
    """
    >>> read_number("seed", "1e2", whole=True), read_number("budget", "2.5")
    (100, 2.5)
    >>> read_number("seed", "2.5", whole=True)
    Traceback (most recent call last):
    search_engine.base.errors.BadInput: seed: '2.5' is not a whole number
    """
    found = read_value(field, text)
    if isinstance(found, float) and whole and found.is_integer():
        found = int(found)
    if isinstance(found, bool) or not isinstance(found, int if whole else (int, float)):
        raise BadInput(field, f"{shown(text)} is not a {'whole ' if whole else ''}number")
    return found  # type: ignore[no-any-return]


def _text(name: str) -> str:
    short = shortened(name)
    try:
        with Path(name).open("rb") as file:
            data = file.read(LARGEST + 1)
    except FileNotFoundError:
        raise BadInput("config", f"there is no file {short}") from None
    except IsADirectoryError:
        raise BadInput("config", f"{short} is a folder; give a file with the fields of a run") from None
    except (OSError, ValueError) as error:
        raise BadInput("config", f"{short} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > LARGEST:
        raise BadInput("config", f"{short} is larger than {LARGEST:,} bytes; it is no config")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise BadInput("config", f"{short} is not UTF-8 text (line {line}); save it as UTF-8") from None


def _yaml(text: str) -> Any:
    try:
        values = yaml.load(text, _Loader)  # nosec B506 # it is a SafeLoader that refuses duplicate keys
    except BadInput:
        raise
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise BadInput("", f"holds a character that no text has (line {line})") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise BadInput("", f"is not valid YAML{where}: {shortened(' '.join(str(error.problem or error.context).split()))}") from None
    except yaml.YAMLError as error:
        raise BadInput("", f"is not valid YAML: {shortened(' '.join(str(error).split()))}") from None
    except RecursionError:
        raise _too_deep() from None
    except (ValueError, TypeError, OverflowError) as error:
        raise BadInput("", f"is not valid YAML: {shortened(str(error))}") from None
    _look_through(values)
    return values


def _json(text: str) -> Any:
    if not text.strip():
        return None
    try:
        values = json.loads(text, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        raise BadInput("", f"is not valid JSON (line {error.lineno}, column {error.colno}): {error.msg}") from None
    except RecursionError:
        raise _too_deep() from None
    _look_through(values)
    return values


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in pairs:
        if key in values:
            raise _twice(key, "")
        values[key] = value
    return values


def _twice(key: str, where: str) -> BadInput:
    return BadInput("", f"has the key {shown(key)} twice{f' ({where})' if where else ''}; keep one", code="twice")


def _too_deep() -> BadInput:
    return BadInput("", f"is nested deeper than {DEEPEST} levels", code="too_much")


def _look_through(values: Any) -> None:
    """Refuse what is no number, what is nested too deep, and what aliases blow up. Raises BadInput."""
    count, waiting = 0, [("", values, 0)]
    while waiting:
        name, value, depth = waiting.pop()
        count += 1
        if depth > DEEPEST:
            raise _too_deep()
        if count > MOST:
            raise BadInput("", f"holds more than {MOST:,} values; it is no config", code="too_much")
        if isinstance(value, float) and not math.isfinite(value):
            what = f"has {shortened(name)}: {value}, which" if name else "is what"
            raise BadInput("", f"{what} no setting can be; give a finite number", code="not_finite")
        inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list | tuple | set) else ()
        waiting += [(f"{name}.{key}" if name else str(key), item, depth + 1) for key, item in inside]
