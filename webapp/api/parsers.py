"""Reads JSON request bodies: bounded in size and depth, and free of what a database cannot store."""

from __future__ import annotations

import json
import math
from typing import Any

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from .problems import Problem

MAX_DEPTH = 50


class StrictJSONParser(BaseParser):
    """application/json, UTF-8. Raises ParseError (400, code `parse_error`) saying where the text stops being JSON."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        most = settings.NASCOPE_MAX_BODY_BYTES
        raw = stream.read(most + 1)
        if len(raw) > most:
            raise Problem(413, "too_large", f"the request body is larger than {most:,} bytes")
        try:
            value = json.loads(raw.decode("utf-8"), parse_constant=_refuse_constant)
        except json.JSONDecodeError as error:
            raise ParseError(f"the request body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
        except UnicodeDecodeError:
            raise ParseError("the request body is not UTF-8 text") from None
        except RecursionError:
            raise ParseError("the request body is nested too deeply") from None
        except ValueError as error:
            raise ParseError(f"the request body is not JSON: {error}") from None
        _check(value, 0)
        return value


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def _check(value: Any, depth: int) -> None:
    """Refuse infinities (1e999), NUL and lone surrogates: neither JSON columns nor PostgreSQL text can hold them."""
    if depth > MAX_DEPTH:
        raise ParseError("the request body is nested too deeply")
    if isinstance(value, str):
        if "\x00" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
            raise ParseError("the request body holds a character that cannot be stored (NUL or half of a surrogate pair)")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise ParseError("the request body holds a number that is too large")
    elif isinstance(value, dict):
        for key, item in value.items():
            _check(key, depth + 1)
            _check(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _check(item, depth + 1)
