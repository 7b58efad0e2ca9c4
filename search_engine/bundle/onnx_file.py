"""`model.onnx`: the network for other runtimes, accepted only where onnxruntime computes what PyTorch does."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from .errors import BundleError

TOLERANCE = 1e-4
"""Largest difference of a logit, relative to the largest logit (at least 1)."""


def write_onnx(network: nn.Module, examples: torch.Tensor, path: Path) -> float:
    """Write `network` (in evaluation mode, on the CPU) with a free batch size; returns the largest difference to PyTorch.

    `examples` (B, ...) with B >= 2 are normalised inputs on which both are compared. Raises BundleError where the network cannot be
    exported or computes something else.
    """
    import onnx

    try:
        with _quiet(), torch.no_grad():
            program = torch.onnx.export(
                network, (examples,), dynamo=True, input_names=["x"], output_names=["logits"],
                dynamic_shapes=({0: torch.export.Dim("batch")},), external_data=False,
            )
    except Exception as error:
        # The exporter raises many kinds; any of them means that there is no ONNX file, not that the model is broken.
        raise BundleError(f"torch could not export the network to ONNX: {str(error).splitlines()[0]}") from error
    if program is None:
        raise BundleError("torch could not export the network to ONNX")
    model = program.model_proto
    _strip(model)
    path.write_bytes(model.SerializeToString(deterministic=True))
    onnx.checker.check_model(str(path))
    difference = max(_difference(network, examples, path), _difference(network, examples[:1], path))
    if not difference <= TOLERANCE:
        path.unlink()
        raise BundleError(f"onnxruntime and PyTorch differ by {difference:.2e} on the exported network")
    return difference


def _difference(network: nn.Module, examples: torch.Tensor, path: Path) -> float:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    (found,) = session.run(["logits"], {"x": examples.numpy()})
    with torch.no_grad():
        expected = network(examples).numpy()
    if found.shape != expected.shape:
        return float("inf")
    return float(np.abs(found - expected).max() / max(1.0, float(np.abs(expected).max())))


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
