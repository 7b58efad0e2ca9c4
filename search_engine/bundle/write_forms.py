"""The child process that writes a bundle's other forms, `model.pt2` and `model.onnx`, from what already lies in its folder.

    python -m search_engine.bundle.write_forms FOLDER PROBES.npy < ABOUT.json

prints for each file "" or why there is none. In a process of its own, because the exporters take time and memory that nobody can bound
inside one, and may die.
"""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn

from .errors import BundleError
from .onnx_file import write_onnx
from .program_file import exported, write_program
from .raw_network import RawNetwork


def network_in(folder: Path) -> nn.Module:
    """The network of the bundle, by its own code."""
    module = types.ModuleType("exported_model")
    module.__file__ = "model.py"
    code = (folder / "model.py").read_text(encoding="utf-8")
    exec(compile(code, "model.py", "exec"), module.__dict__)  # nosec B102 # our own generator wrote it a moment ago
    network: nn.Module = module.build_model()
    network.load_state_dict(load_file(folder / "model.safetensors"))
    return network.eval()


def write_forms(folder: Path, probes: np.ndarray[Any, Any], about: dict[str, Any]) -> dict[str, str]:
    """Why each file is not there, by its name; "" = it is. `probes` (B >= 2, ...) are raw inputs."""
    settings = json.loads((folder / "preprocessing.json").read_text(encoding="utf-8"))
    examples = torch.from_numpy(probes)
    raw = RawNetwork(network_in(folder), settings["scale"], settings["mean"], settings["std"], probes.ndim).eval()
    try:
        program = exported(raw, examples)
    except BundleError as error:
        return {"model.pt2": str(error), "model.onnx": str(error)}
    reasons = {}
    try:
        # First: writing the other file takes the program's example inputs away.
        write_onnx(program, examples, folder / "model.onnx", settings["transformation"], about, settings["task"])
        reasons["model.onnx"] = ""
    except BundleError as error:
        reasons["model.onnx"] = str(error)
    try:
        write_program(program, folder / "model.pt2")
        reasons["model.pt2"] = ""
    except Exception as error:
        reasons["model.pt2"] = f"torch could not write the program: {(str(error) or type(error).__name__).splitlines()[0]}"
    return reasons


if __name__ == "__main__":
    torch.set_num_threads(1)
    given = json.load(sys.stdin)
    print(json.dumps(write_forms(Path(sys.argv[1]), np.load(sys.argv[2], allow_pickle=False), given)))
