"""The columns of a user's table as inputs of an ONNX graph: one input for each column, numbers as float32, categories as texts.

What `datasets.readers.columns.encode` does, as nodes. A graph cannot refuse a row: a missing number that the model needs gives NaN, and a
text that it never saw, where the column has no number for it, gives no place at all (-1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..datasets.readers.columns import MISSING

ML_OPSET = 3
"""Of ai.onnx.ml, which has the encoder of labels."""


def put_columns_before(model: Any, columns: Sequence[Mapping[str, Any]]) -> list[str]:
    """Change `model`, whose one input is a table's places, to take the table's columns, each (B, 1); returns the inputs' names."""
    from onnx import TensorProto, helper

    graph = model.graph
    (places,) = graph.input
    taken = {name for node in graph.node for name in (*node.input, *node.output)} | {item.name for item in graph.initializer}
    batch = places.type.tensor_type.shape.dim[0].dim_param or "batch"
    names, inputs, nodes, parts = [], [], [], []
    for number, column in enumerate(columns):
        name = column["name"]
        while not name or name in taken:
            name = f"column {number + 1} {name}".strip()
        taken.add(name)
        names.append(name)
        kind = TensorProto.FLOAT if column["kind"] == "number" else TensorProto.STRING
        inputs.append(helper.make_tensor_value_info(name, kind, [batch, 1]))
        own, given = (_number if column["kind"] == "number" else _category)(column, name, f"__column_{number}")
        nodes += own
        parts += given
    nodes.append(helper.make_node("Concat", parts, [places.name], axis=1))
    first = list(graph.node)
    del graph.node[:]
    graph.node.extend([*nodes, *first])
    del graph.input[:]
    graph.input.extend(inputs)
    model.opset_import.append(helper.make_opsetid("ai.onnx.ml", ML_OPSET))
    return names


def _constant(value: Any, name: str) -> Any:
    from onnx import helper, numpy_helper

    return helper.make_node("Constant", [], [name], value=numpy_helper.from_array(np.asarray(value), name))


def _number(column: Mapping[str, Any], name: str, own: str) -> tuple[list[Any], list[str]]:
    from onnx import TensorProto, helper

    filler = np.float32(np.nan if column["missing"] is None else column["missing"])
    nodes = [
        helper.make_node("IsNaN", [name], [f"{own}_absent"]),
        _constant(filler, f"{own}_filler"),
        helper.make_node("Where", [f"{own}_absent", f"{own}_filler", name], [f"{own}_number"]),
    ]
    if not column["indicator"]:
        return nodes, [f"{own}_number"]
    nodes.append(helper.make_node("Cast", [f"{own}_absent"], [f"{own}_indicator"], to=TensorProto.FLOAT))
    return nodes, [f"{own}_number", f"{own}_indicator"]


def _category(column: Mapping[str, Any], name: str, own: str) -> tuple[list[Any], list[str]]:
    from onnx import TensorProto, helper

    number = {form: column["missing"] for word in sorted(MISSING) for form in (word, word.upper(), word.capitalize())}
    number |= {value: place for place, value in enumerate(column["values"])}
    known = {text: -1 if place is None else place for text, place in number.items()}
    nodes = [
        helper.make_node(
            "LabelEncoder", [name], [f"{own}_place"], domain="ai.onnx.ml", keys_strings=list(known), values_int64s=list(known.values()),
            default_int64=-1 if column["unknown"] is None else column["unknown"],
        )
    ]
    if column["encoding"] == "one_hot":
        nodes += [
            _constant(np.arange(column["width"], dtype=np.int64), f"{own}_places"),
            helper.make_node("Equal", [f"{own}_place", f"{own}_places"], [f"{own}_hot"]),
        ]
    last = f"{own}_hot" if column["encoding"] == "one_hot" else f"{own}_place"
    nodes.append(helper.make_node("Cast", [last], [f"{own}_numbers"], to=TensorProto.FLOAT))
    return nodes, [f"{own}_numbers"]
