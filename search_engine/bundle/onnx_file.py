"""`model.onnx`: the network with its preprocessing for other runtimes; class names, column names and score lie in its metadata."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch.export import ExportedProgram

from .errors import BundleError
from .onnx_columns import own_units, put_columns_before


def write_onnx(
    program: ExportedProgram, examples: torch.Tensor, path: Path, fitted: Mapping[str, Any] | None, about: Mapping[str, Any],
    task: str,
) -> None:
    """Write `program` (`program_file.exported`) with a free batch size; `examples` are inputs of it.

    The input is `x`, raw examples, or one input for each column of the table that `fitted` encodes; the output `logits`, beside it
    `probabilities` of classes, or `values` in the target's own units. `about` becomes the metadata, its values as text or as JSON.

    Raises BundleError where the network cannot be exported.
    """
    import onnx
    from onnx import helper

    try:
        with _quiet(), torch.no_grad():
            written = torch.onnx.export(
                program, (examples,), dynamo=True, input_names=["x"], output_names=["logits"], external_data=False,
            )
    except Exception as error:
        # The exporter raises many kinds; any of them means that there is no ONNX file, not that the model is broken.
        raise BundleError(f"torch could not export the network to ONNX: {(str(error) or type(error).__name__).splitlines()[0]}") from error
    if written is None:
        raise BundleError("torch could not export the network to ONNX")
    model = written.model_proto
    _strip(model)
    if task == "classification":
        _add_output(model, "probabilities", [helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1)])
    elif fitted is not None and fitted["target"]["kind"] == "number":
        _add_output(model, "values", own_units(fitted["target"]))
    inputs = put_columns_before(model, fitted) if fitted is not None and fitted["columns"] else ["x"]
    for name, value in {**about, "inputs": inputs}.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    path.write_bytes(model.SerializeToString(deterministic=True))
    try:
        onnx.checker.check_model(str(path), full_check=True)
    except Exception as error:
        raise BundleError(f"the ONNX file is not valid: {(str(error) or type(error).__name__).splitlines()[0]}") from error


def _add_output(model: Any, name: str, nodes: list[Any]) -> None:
    """A second output of the shape of the logits, computed by `nodes`."""
    from onnx import TensorProto, helper

    (logits,) = model.graph.output
    shape = [item.dim_param or item.dim_value for item in logits.type.tensor_type.shape.dim]
    model.graph.node.extend(nodes)
    model.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))


def _strip(model: Any) -> None:
    """Drop what tells of the exporting machine (stack traces with file names): it is of no use, and differs from place to place."""
    del model.metadata_props[:]
    graphs = [model.graph, *model.functions]
    while graphs:
        graph = graphs.pop()
        graph.doc_string = ""
        del graph.metadata_props[:]
        for values in (getattr(graph, name, ()) for name in ("value_info", "initializer", "input", "output")):
            for value in values:
                if hasattr(value, "metadata_props"):
                    del value.metadata_props[:]
        for node in graph.node:
            node.doc_string = ""
            del node.metadata_props[:]
            graphs.extend(attribute.g for attribute in node.attribute if attribute.HasField("g"))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The exporter reports its progress on standard output and through warnings; a run has its own report."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
