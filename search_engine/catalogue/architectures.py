"""Architectures from texts that people paste: of which space they are, what they are there, and how they are drawn.

Free of torch and quick, so that the web application and the command line may ask at every key stroke. Nothing of a text is evaluated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..base.errors import BadInput
from ..events import GraphData
from ..spaces.base import SearchSpace, SpaceEntry
from ..spaces.data_shape import NO_INPUT, DataShape
from ..spaces.genomes import Genome
from ..spaces.written import bounded, genome_of_json, genome_of_text, is_json, read_json
from . import registry
from .config import parse

NB201 = "nb201"
GENOTYPES = ("cell", "cell_1d", "tabular_cell")
"""Spaces whose architectures are written as DARTS' Genotype, the first for a text whose operations none of them has."""
_PAIR = re.compile(r"""\(\s*['"](\w+)['"]\s*,\s*\d+\s*\)""")
_ASSIGNED = re.compile(r"\w+\s*=\s*(?=Genotype\s*\()")


@dataclass(frozen=True)
class Architecture:
    """One architecture and the space that it is of.

    >>> found = read("|none~0|+|none~0|none~1|+|nor_conv_3x3~0|none~1|none~2|")
    >>> found.space, [edge.operation for edge in found.drawings["cell"].edges]
    ('nb201', ['nor_conv_3x3'])
    """

    space: str
    genome: Genome
    string: str
    """As its space writes it."""
    hash: str
    """Equal for architectures that compute the same function, as far as the space knows."""
    space_options: dict[str, Any] = field(default_factory=dict)
    drawings: dict[str, GraphData] = field(default_factory=dict, repr=False)
    """Graphs by name, as the browser draws them."""

    def to_json(self) -> dict[str, Any]:
        """All of it; `read` takes its text."""
        return {
            "space": self.space, "space_options": self.space_options, "genome": self.genome.to_json(), "string": self.string,
            "hash": self.hash, "drawings": {name: graph.model_dump(mode="json") for name, graph in self.drawings.items()},
        }  # fmt: skip


def read(
    text: str, space: str = "", space_options: Mapping[str, Any] | None = None, shape: DataShape | None = None
) -> Architecture:
    """What a text describes: a NAS-Bench-201 string, DARTS' Genotype, what `Architecture.to_json`, a bundle or `result.json` say of one, a
    genome's JSON, or, with `space`, whatever form that space writes.

    `shape`: of the data that it is for; otherwise that of common data of the space's kind. Raises BadInput naming "genome", "space" or
    "space_options...".

    >>> read("DARTS = Genotype(normal=[('skip_connect', 0), ('sep_conv_3x3', 1)], normal_concat=[2], "
    ...      "reduce=[('max_pool_3x3', 0), ('skip_connect', 1)], reduce_concat=[2])").space_options
    {'nodes': 1}
    >>> read("3 1 2")
    Traceback (most recent call last):
    search_engine.base.errors.BadInput: space: the text does not say of which space it is: name it, one of cell, nb201, ...
    """
    text = _ASSIGNED.sub("", bounded(text), count=1)
    options = dict(space_options or {})
    value: dict[str, Any] | None = None
    if is_json(text):
        value, said, own = _unwrapped(read_json(text))
        space, options = space or said, {**own, **options}
    found = space or _space_of(text)
    entry = registry.space(found)
    if value is None and found in GENOTYPES and "nodes" not in options:
        options |= _nodes(text)
    made = make_space(entry, options, shape)
    return of_genome(made, genome_of_text(made, text) if value is None else genome_of_json(made, value), options)


def of_genome(space: SearchSpace[Any], genome: Genome, options: Mapping[str, Any]) -> Architecture:
    """What `read` gives, of a genome of the space that was made with these options."""
    return Architecture(
        space=space.id, genome=genome, string=space.to_string(genome), hash=space.hash(genome), space_options=dict(options),
        drawings=space.drawings(genome),
    )


def make_space(entry: SpaceEntry, options: Mapping[str, Any], shape: DataShape | None = None) -> SearchSpace[Any]:
    """The space with these options, for data of that shape or of a common one. Raises BadInput(field "space_options...")."""
    shape = shape or common_shape(entry)
    made: SearchSpace[Any] = entry.space(parse("space_options", entry.config, dict(options)), shape, (shape,))
    return made


def common_shape(entry: SpaceEntry) -> DataShape:
    """Of data that such architectures are often for; what a genome is seldom hangs on it.

    >>> common_shape(registry.space("nb201")).input, common_shape(registry.space("cell_1d")).input
    ((3, 32, 32), (1, 64))
    """
    task = "classification" if "classification" in entry.tasks else "regression"
    inputs = {"vector": (4,), "image": (3, 32, 32), "series": (1, 64)}
    kind = next((kind for kind in ("image", "series", "vector") if {kind} == entry.inputs - {"none"}), None)
    kind = kind or next((kind for kind in inputs if kind in entry.inputs), None)
    if kind is None:
        return NO_INPUT
    return DataShape(inputs[kind], 10 if task == "classification" else 1, task)  # type: ignore[arg-type]


def _unwrapped(value: dict[str, Any]) -> tuple[dict[str, Any], str, dict[str, Any]]:
    """(genome or its content, the space that it names, options of that space) of the forms in which the product writes architectures."""
    if isinstance(value.get("genome"), dict) and "content" not in value:
        options = value.get("space_options", {})
        if not isinstance(options, dict):
            raise BadInput("space_options", "they are an object, option by option")
        genome = value["genome"]
        named = genome["space"] if genome.keys() == {"space", "content"} else value.get("space", "")
        return genome, _name(named), options
    return value, _name(value["space"]) if value.keys() == {"space", "content"} else "", {}


def _name(value: Any) -> str:
    if not isinstance(value, str):
        raise BadInput("space", "the space of a genome is named by its id")
    return value


def _space_of(text: str) -> str:
    if text.startswith("|"):
        return NB201
    if re.match(r"Genotype\s*\(", text):
        named = set(_PAIR.findall(text))
        return max(GENOTYPES, key=lambda space: len(named & set(registry.space(space).space.operations)))  # type: ignore[attr-defined]
    raise BadInput("space", f"the text does not say of which space it is: name it, one of {', '.join(registry.spaces())}")


def _nodes(text: str) -> dict[str, int]:
    """The option `nodes` of a Genotype: each node of its cells has two pairs. Empty where they do not go up: reading it says why."""
    cells = len(re.findall(r"\b(?:normal|reduce)\s*=", text)) or 1
    nodes, rest = divmod(len(_PAIR.findall(text)), 2 * cells)
    return {"nodes": nodes} if nodes and not rest and nodes <= 6 else {}
