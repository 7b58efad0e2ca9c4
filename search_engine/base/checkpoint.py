"""Checkpoints without pickle: a tree of JSON values, NumPy arrays and torch tensors in one safetensors file.

The tree goes into the file's metadata as JSON; each array is a named tensor that the tree refers to. Writing is atomic
(temporary file, fsync, rename), reading verifies the digest that the caller kept.

>>> unpack(pack({"step": 3, "weights": np.ones(2), "best": None}))
{'step': 3, 'weights': array([1., 1.]), 'best': None}
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save as _save_arrays

from .errors import CheckpointMismatch

_REFERENCE = "$tensor"
_ESCAPED = "$dict"


def pack(tree: Any) -> bytes:
    """The bytes of `tree`: dicts (any JSON scalar as key), lists, tuples (read back as lists), None, bool, int, float, str,
    NumPy arrays and torch tensors (read back as they were, on the CPU). Raises TypeError for anything else."""
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    text = json.dumps(_flatten(tree, arrays))
    return _save_arrays(arrays or {"empty": np.zeros(0, np.uint8)}, metadata={"tree": text})


def unpack(data: bytes) -> Any:
    """Undo `pack`."""
    with tempfile.NamedTemporaryFile(suffix=".safetensors") as file:
        file.write(data)
        file.flush()
        return _read(Path(file.name))


def text(tree: Any) -> str | None:
    """`tree` as one line of JSON, or None where it holds arrays; `from_text` gives it back as `unpack(pack(tree))` would.

    >>> from_text(text({"metrics": {"val_accuracy": 0.5}, 3: None}))
    {'metrics': {'val_accuracy': 0.5}, 3: None}
    >>> text({"weights": np.ones(2)}) is None
    True
    """
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    flat = _flatten(tree, arrays)
    return None if arrays else json.dumps(flat)


def from_text(line: str) -> Any:
    """Undo `text`."""
    return _restore(json.loads(line), None)


def write(path: Path, tree: Any) -> str:
    """Write `tree` to `path` atomically; returns the SHA-256 of the file's bytes."""
    data = pack(tree)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return hashlib.sha256(data).hexdigest()


def read(path: Path, digest: str | None = None) -> Any:
    """Read what `write` wrote. Raises CheckpointMismatch if the file is absent or its digest differs from `digest`."""
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise CheckpointMismatch(f"checkpoint {path.name} is missing") from error
    if digest is not None and hashlib.sha256(data).hexdigest() != digest:
        raise CheckpointMismatch(f"checkpoint {path.name} does not have the digest that was recorded")
    return _read(path)


def copied(tree: Any) -> Any:
    """The tree with every torch tensor copied to the CPU: a state that was given away must not change with the next step."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(tree, torch.Tensor):
        return tree.detach().to("cpu", copy=True)
    if isinstance(tree, dict):
        return {key: copied(item) for key, item in tree.items()}
    if isinstance(tree, list | tuple):
        return [copied(item) for item in tree]
    return tree


def _read(path: Path) -> Any:
    with safe_open(str(path), framework="np") as file:
        tree = json.loads(file.metadata()["tree"])
        return _restore(tree, file.get_tensor)


def _flatten(value: Any, arrays: dict[str, np.ndarray[Any, Any]]) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict):
        # Keys keep their type (optimisers key their state by integers), so a dict is stored as a list of pairs.
        return {_ESCAPED: [[key, _flatten(item, arrays)] for key, item in value.items()]}
    if isinstance(value, list | tuple):
        return [_flatten(item, arrays) for item in value]
    kind = "numpy"
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        kind, value = "torch", value.detach().cpu().numpy()
    if isinstance(value, np.ndarray):
        name = str(len(arrays))
        # ascontiguousarray would turn a scalar array into a vector: keep the shape.
        arrays[name] = np.ascontiguousarray(value).reshape(value.shape).copy()
        return {_REFERENCE: name, "as": kind}
    raise TypeError(f"cannot checkpoint a value of type {type(value).__name__}")


def _restore(value: Any, load: Any) -> Any:
    if isinstance(value, list):
        return [_restore(item, load) for item in value]
    if isinstance(value, dict):
        if _ESCAPED in value:
            return {key: _restore(item, load) for key, item in value[_ESCAPED]}
        array = load(value[_REFERENCE])
        if value["as"] == "torch":
            import torch

            return torch.from_numpy(array.copy())
        return array
    return value
