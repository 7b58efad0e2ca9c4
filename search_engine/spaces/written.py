"""An architecture that somebody wrote down, read as a genome of a space. Nothing of it is evaluated.

A text is the space's own form (a NAS-Bench-201 string, DARTS' Genotype, ...) or JSON: a genome `{"space": ..., "content": ...}`, or its
content alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..base.errors import BadInput
from ..base.quoting import shown
from .base import SearchSpace
from .genomes import Genome

LONGEST = 1_000_000
"""Characters of a text that is read."""


def genome_of_text(space: SearchSpace[Any], text: str) -> Genome:
    """The genome that the text describes, admissible in `space`. Raises BadInput(field "genome") saying what would be right.

    >>> from search_engine.spaces.nb201 import NB201Config, NB201Space
    >>> from search_engine.spaces.data_shape import DataShape
    >>> space = NB201Space(NB201Config(), DataShape((3, 32, 32), 10))
    >>> genome = genome_of_text(space, "|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|")
    >>> genome_of_text(space, json.dumps(genome.to_json())) == genome_of_text(space, json.dumps(genome.content)) == genome
    True
    """
    text = bounded(text)
    if is_json(text):
        return genome_of_json(space, read_json(text))
    with _told(space, text):
        return _kept(space, space.from_string(text))


def genome_of_json(space: SearchSpace[Any], value: dict[str, Any]) -> Genome:
    """Of a genome's JSON, or of its content alone. Raises BadInput(field "genome") for one that is not admissible, or of another space."""
    with _told(space, value):
        if value.keys() != {"space", "content"}:
            return _kept(space, Genome(space.id, value))
        if value["space"] != space.id:
            raise BadInput("genome", f"it is of the space {shown(value['space'])}, and this one is '{space.id}'", code="incompatible")
        if not isinstance(value["content"], dict):
            raise BadInput("genome", "the content of a genome is an object")
        return _kept(space, Genome(space.id, value["content"]))


def _kept(space: SearchSpace[Any], genome: Genome) -> Genome:
    """The genome, if it is admissible, as it is read again. What a space lets pass must be JSON, or nobody could keep it."""
    space.validate(genome)
    return Genome.from_json(json.loads(json.dumps(genome.to_json(), allow_nan=False)))


@contextmanager
def _told(space: SearchSpace[Any], given: Any) -> Iterator[None]:
    """Whatever a space's reader stumbles over is told as one sentence about `genome`."""
    try:
        yield
    except BadInput as error:
        raise BadInput("genome", error.message, error.code) from None
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError, MemoryError) as error:
        what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise BadInput("genome", f"{shown(given)} is no architecture of the space '{space.id}' ({what})") from None


def bounded(text: str) -> str:
    """The text without what surrounds it. Raises BadInput(field "genome") where it is empty or too long to be one architecture."""
    if not isinstance(text, str):
        raise BadInput("genome", f"an architecture is given as text, not as {type(text).__name__}")
    if len(text) > LONGEST:
        raise BadInput("genome", f"it has {len(text):,} characters; at most {LONGEST:,} are read", code="too_large")
    text = text.strip()
    if not text:
        raise BadInput("genome", "it is empty; give an architecture as its space writes it, or a genome's JSON")
    return text


def is_json(text: str) -> bool:
    """Whether a text means to be a JSON object."""
    return text.startswith("{")


def read_json(text: str) -> dict[str, Any]:
    """Raises BadInput(field "genome") where it is none."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput("genome", f"it begins like JSON and is none: {error}") from None
    if not isinstance(value, dict):
        raise BadInput("genome", "a genome's JSON is an object")
    return value
