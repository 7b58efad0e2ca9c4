"""`model.pt2`: the network with its preprocessing as torch.export writes it, for any PyTorch that reads it, without the model's code."""

from __future__ import annotations

import io
from pathlib import Path

import torch
from torch import nn
from torch.export import ExportedProgram

from .errors import BundleError

OF_THIS_MACHINE = ("stack_trace", "nn_module_stack", "source_fn_stack", "torch_fn", "from_node")
"""What the exporter keeps of files and classes here: of no use elsewhere."""


def exported(network: nn.Module, examples: torch.Tensor) -> ExportedProgram:
    """`network` (in evaluation mode, on the CPU) for any number of examples; `examples` are B >= 2 inputs. Raises BundleError."""
    try:
        with torch.no_grad():
            program = torch.export.export(network, (examples,), dynamic_shapes=({0: torch.export.Dim("batch")},))
    except Exception as error:
        # The exporter raises many kinds; any of them means that there is no such file, not that the model is broken.
        raise BundleError(f"torch could not export the network: {(str(error) or type(error).__name__).splitlines()[0]}") from error
    for part in program.graph_module.modules():
        for node in getattr(getattr(part, "graph", None), "nodes", ()):
            for name in OF_THIS_MACHINE:
                node.meta.pop(name, None)
    return program


def write_program(program: ExportedProgram, path: Path) -> None:
    """Write it without example inputs, which torch would pickle. Equal programs give equal bytes under one file name."""
    # The archive's inner folder is named after the file: bytes in memory are always "archive".
    program.example_inputs = None
    written = io.BytesIO()
    torch.export.save(program, written)
    path.write_bytes(written.getvalue())
