"""Architectures from text."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from search_engine.catalogue.architectures import Architecture


def architecture(text: str, *, space: Any = None, space_options: Mapping[str, Any] | None = None) -> Architecture:
    """The architecture that a text describes: a NAS-Bench-201 string, DARTS' Genotype, a genome's JSON, or with `space` (an id, an entry or
    a search space) whatever that space writes. Nothing of the text is evaluated.

    It has `space`, `space_options`, `genome`, `string`, `hash` and `drawings`, its graphs by name, each with `nodes` and `edges`.
    Raises BadInput naming "genome", "space" or "space_options...".

    >>> architecture("|skip_connect~0|+|none~0|none~1|+|none~0|nor_conv_3x3~1|none~2|").space
    'nb201'
    """
    from search_engine.catalogue.architectures import read

    from .choosing import the_space

    name, own = the_space(space)
    return read(text, name, {**own, **(space_options or {})})


def text_of(given: Any) -> str:
    """An architecture as text: of one that is text already, of `architecture`'s, of `Run.best`, of a run, of a genome, of the Path of a
    download. Raises BadInput(field "architecture", or "model" for a path)."""
    import json

    from search_engine.base.errors import BadInput
    from search_engine.catalogue.architectures import Architecture
    from search_engine.spaces.genomes import Genome

    from .run import Found, Run

    if isinstance(given, str):
        return given
    if isinstance(given, Path):
        from search_engine.bundle.reopened import architecture_text

        return architecture_text(given)
    if isinstance(given, Run):
        given = given.best
    if isinstance(given, Found):
        given = given.architecture
    if isinstance(given, Architecture):
        return json.dumps({"space": given.space, "space_options": given.space_options, "genome": given.genome.to_json()})
    if isinstance(given, Genome):
        return json.dumps(given.to_json())
    if isinstance(given, dict):
        return json.dumps(given)
    raise BadInput("architecture", f"give a text, nascope.architecture(...), a run or what it found, not {type(given).__name__}")
