"""DARTS' Genotype as text, read and written without evaluating it.

`Genotype(normal=[(operation, state), ...], normal_concat=range(2, 6), reduce=[...], reduce_concat=range(2, 6))`, two pairs per node;
states 0 and 1 are the cell's inputs, state 2 + i is node i (quark0/darts, cnn/genotypes.py).
"""

from __future__ import annotations

import ast
from typing import Any

from ..base.errors import BadInput

Pairs = list[tuple[str, int]]


def format_genotype(normal: Pairs, reduction: Pairs, nodes: int) -> str:
    """The text that DARTS' own tools read."""
    concat = f"range(2, {2 + nodes})"
    return f"Genotype(normal={normal!r}, normal_concat={concat}, reduce={reduction!r}, reduce_concat={concat})"


def parse_genotype(text: str, nodes: int) -> tuple[Pairs, Pairs]:
    """The pairs of the normal and of the reduction cell. Raises BadInput(field "genome") saying what was expected."""
    try:
        call = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError) as error:
        raise BadInput("genome", "this is not a Genotype(normal=[...], normal_concat=..., reduce=[...], reduce_concat=...)") from error
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.func.id != "Genotype" or call.args:
        raise BadInput("genome", "a genotype must have the form Genotype(normal=[...], normal_concat=..., reduce=[...], reduce_concat=...)")
    fields: dict[str, Any] = {}
    for keyword in call.keywords:
        fields[str(keyword.arg)] = _value(keyword.value)
    for name in ("normal", "reduce"):
        _check_pairs(name, fields.get(name), nodes)
        expected = list(range(2, 2 + nodes))
        concat = fields.get(f"{name}_concat", expected)
        if not isinstance(concat, list) or not all(type(state) is int for state in concat) or sorted(concat) != expected:
            raise BadInput("genome", f"{name}_concat must be range(2, {2 + nodes}): this space concatenates all {nodes} nodes")
    return fields["normal"], fields["reduce"]


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range":
        bounds = [_value(argument) for argument in node.args]
        # A length limit: the text comes from outside and range(10**9) would otherwise be built.
        if 1 <= len(bounds) <= 2 and all(isinstance(bound, int) and 0 <= bound <= 64 for bound in bounds):
            return list(range(*bounds))
    try:
        return ast.literal_eval(node)
    except ValueError as error:
        raise BadInput("genome", "a genotype contains only lists, pairs ('operation', state) and range(a, b)") from error


def _check_pairs(name: str, pairs: Any, nodes: int) -> None:
    if not isinstance(pairs, list) or not all(
        isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[0], str) and type(pair[1]) is int for pair in pairs
    ):
        raise BadInput("genome", f"{name} must be a list of pairs ('operation', state)")
    if len(pairs) != 2 * nodes:
        raise BadInput("genome", f"{name} has {len(pairs)} pairs; a cell of {nodes} nodes has {2 * nodes}")
