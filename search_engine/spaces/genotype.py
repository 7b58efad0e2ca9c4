"""DARTS' Genotype as text, read and written without evaluating it.

`Genotype(normal=[(operation, state), ...], normal_concat=range(2, 6), reduce=[...], reduce_concat=range(2, 6))`, two pairs per node;
states 0 and 1 are the cell's inputs, state 2 + i is node i (quark0/darts, cnn/genotypes.py).
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from ..base.errors import BadInput

Pairs = list[tuple[str, int]]
_SHORT = {"normal": "normal", "reduction": "reduce"}
"""What a cell is called in the text."""


def format_genotype(cells: dict[str, Pairs], nodes: int) -> str:
    """The text that DARTS' own tools read, of the cells `normal` and `reduction`, or of the one that there is."""
    concat = f"range(2, {2 + nodes})"
    return f"Genotype({', '.join(f'{_SHORT[name]}={pairs!r}, {_SHORT[name]}_concat={concat}' for name, pairs in cells.items())})"


def parse_genotype(text: str, nodes: int, cells: Sequence[str]) -> list[Pairs]:
    """The pairs of each of these cells. Raises BadInput(field "genome") saying what was expected."""
    form = f"Genotype({', '.join(f'{_SHORT[name]}=[...], {_SHORT[name]}_concat=...' for name in cells)})"
    try:
        call = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError) as error:
        raise BadInput("genome", f"this is not a {form}") from error
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.func.id != "Genotype" or call.args:
        raise BadInput("genome", f"a genotype must have the form {form}")
    fields: dict[str, Any] = {}
    for keyword in call.keywords:
        fields[str(keyword.arg)] = _value(keyword.value)
    names = [_SHORT[cell] for cell in cells]
    for name in names:
        _check_pairs(name, fields.get(name), nodes)
        expected = list(range(2, 2 + nodes))
        concat = fields.get(f"{name}_concat", expected)
        if not isinstance(concat, list) or not all(type(state) is int for state in concat) or sorted(concat) != expected:
            raise BadInput("genome", f"{name}_concat must be range(2, {2 + nodes}): this space concatenates all {nodes} nodes")
    return [fields[name] for name in names]


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
