"""The columns of a user's table as inputs of an ONNX graph: one input for each column, numbers as float32, categories as texts.

What `datasets.readers.columns.encode` does, as nodes. A graph cannot refuse a row: a missing number that the model needs gives NaN.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .errors import BundleError

ML_OPSET = 3
"""Of ai.onnx.ml, which has the encoder of labels."""


def put_columns_before(model: Any, fitted: Mapping[str, Any]) -> list[str]:
    """Change `model`, whose one input is a table's places, to take the table's columns, each (B, 1); returns the inputs' names.

    `fitted` is the encoding (`datasets.transformation`). Raises BundleError where its columns' places are not one after the other.
    """
    from onnx import TensorProto, helper

    columns = fitted["columns"]
    if [place for column in columns for place in column["places"]] != list(range(fitted["width"])):
        raise BundleError("the places of the table's columns do not stand one after the other")
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

    filler = np.float32(np.nan if column["fill"] is None else column["fill"])
    nodes = [
        helper.make_node("IsNaN", [name], [f"{own}_absent"]),
        _constant(filler, f"{own}_filler"),
        helper.make_node("Where", [f"{own}_absent", f"{own}_filler", name], [f"{own}_number"]),
    ]
    if not column["missing_place"]:
        return nodes, [f"{own}_number"]
    nodes.append(helper.make_node("Cast", [f"{own}_absent"], [f"{own}_indicator"], to=TensorProto.FLOAT))
    return nodes, [f"{own}_number", f"{own}_indicator"]


def _category(column: Mapping[str, Any], name: str, own: str) -> tuple[list[Any], list[str]]:
    from onnx import TensorProto, helper

    known = set(column["known"])
    number = {value: place for place, value in enumerate(column["categories"]) if value in known}
    nodes = [
        # What is not known, or missing, is equal to no place.
        helper.make_node(
            "LabelEncoder", [name], [f"{own}_place"], domain="ai.onnx.ml", keys_strings=list(number) or [""],
            values_int64s=list(number.values()) or [-1], default_int64=-1,
        ),
        _constant(np.arange(len(column["categories"]), dtype=np.int64), f"{own}_places"),
        helper.make_node("Equal", [f"{own}_place", f"{own}_places"], [f"{own}_hot"]),
        helper.make_node("Cast", [f"{own}_hot"], [f"{own}_numbers"], to=TensorProto.FLOAT),
    ]
    return nodes, [f"{own}_numbers"]


def own_units(target: Mapping[str, Any]) -> list[Any]:
    """Nodes that give `values` = logits * std + mean: a number as the table has it."""
    from onnx import helper

    return [
        _constant(np.float32(target["std"]), "__target_std"),
        _constant(np.float32(target["mean"]), "__target_mean"),
        helper.make_node("Mul", ["logits", "__target_std"], ["__target_spread"]),
        helper.make_node("Add", ["__target_spread", "__target_mean"], ["values"]),
    ]
