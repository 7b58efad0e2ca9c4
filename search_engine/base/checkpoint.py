"""Checkpoints without pickle: a tree of JSON values, NumPy arrays and torch tensors in one safetensors file.

The tree goes into the file's metadata as JSON; each array is a named tensor that the tree refers to. Writing is atomic
(temporary file, fsync, rename), reading verifies the digest that the caller kept. What grows (`base.growing`) goes into the file like
lists, or, with a `RowLog`, into that: then a commit writes only what is new of it.

>>> unpack(pack({"step": 3, "weights": np.ones(2), "best": None}))
{'step': 3, 'weights': array([1., 1.]), 'best': None}
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load as _load_arrays
from safetensors.numpy import save as _save_arrays

from .errors import CheckpointMismatch
from .growing import View
from .row_log import RowLog

_REFERENCE = "$tensor"
_ESCAPED = "$dict"
_ROWS = "$rows"
_HEADER_SIZE = 8
"""Bytes that say how long a safetensors file's header is."""

Arrays = dict[str, np.ndarray[Any, Any]]
Refer = Callable[[View[Any]], Any]


def pack(tree: Any) -> bytes:
    """The bytes of `tree`: dicts (any JSON scalar as key), lists, tuples (read back as lists), None, bool, int, float, str,
    NumPy arrays and torch tensors (read back as they were, on the CPU), views of what grows (read back as lists). Raises TypeError for
    anything else."""
    arrays: Arrays = {}
    return _file(_flatten(tree, arrays, None), arrays, {})


def unpack(data: bytes) -> Any:
    """Undo `pack`."""
    return _tree(_metadata(data), data, None)


def text(tree: Any) -> str | None:
    """`tree` as one line of JSON, or None where it holds arrays; `from_text` gives it back as `unpack(pack(tree))` would.

    >>> from_text(text({"metrics": {"val_accuracy": 0.5}, 3: None}))
    {'metrics': {'val_accuracy': 0.5}, 3: None}
    >>> text({"weights": np.ones(2)}) is None
    True
    """
    arrays: Arrays = {}
    flat = _flatten(tree, arrays, None)
    return None if arrays else json.dumps(flat)


def from_text(line: str) -> Any:
    """Undo `text`."""
    return _restore(json.loads(line), {}, None)


def write(path: Path, tree: Any, log: RowLog | None = None) -> str:
    """Write `tree` to `path` atomically; returns the SHA-256 of the file's bytes. With `log`, a file of the same folder, what grows goes
    there, as far as it is new, before `path` names it."""
    if log is None:
        data = pack(tree)
    else:
        arrays: Arrays = {}
        flat = _flatten(tree, arrays, log.refer)
        log.append()
        data = _file(flat, arrays, {"rows": json.dumps(log.header())})
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
    return read_with_log(path, digest)[0]


def read_with_log(path: Path, digest: str | None = None, log: RowLog | None = None) -> tuple[Any, RowLog | None]:
    """`read`, and the log to write on with (None where none was used). `log`: what this process knows of it already, up to an earlier
    checkpoint; then only the rest of it is read, and the containers of that time stand in the tree, gone on. Raises CheckpointMismatch
    also where that is not the same log."""
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise CheckpointMismatch(f"checkpoint {path.name} is missing") from error
    if digest is not None and hashlib.sha256(data).hexdigest() != digest:
        raise CheckpointMismatch(f"checkpoint {path.name} does not have the digest that was recorded")
    metadata = _metadata(data)
    if "rows" not in metadata:
        return _tree(metadata, data, None), None
    header = json.loads(metadata["rows"])
    if log is None:
        log = RowLog.open(path.parent, header)
    else:
        log.follow(header)
    return _tree(metadata, data, log), log


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


def _file(flat: Any, arrays: Arrays, metadata: dict[str, str]) -> bytes:
    return _save_arrays(arrays or {"empty": np.zeros(0, np.uint8)}, metadata={"tree": json.dumps(flat), **metadata})


def _metadata(data: bytes) -> dict[str, str]:
    """The texts in the header of a safetensors file. Raises CheckpointMismatch if it is none."""
    size = int.from_bytes(data[:_HEADER_SIZE], "little")
    if not 0 < size <= len(data) - _HEADER_SIZE:
        raise CheckpointMismatch("this is no checkpoint: it ends before its header does")
    metadata: dict[str, str] = json.loads(data[_HEADER_SIZE : _HEADER_SIZE + size])["__metadata__"]
    return metadata


def _tree(metadata: dict[str, str], data: bytes, log: RowLog | None) -> Any:
    return _restore(json.loads(metadata["tree"]), _load_arrays(data), log)


def _flatten(value: Any, arrays: Arrays, refer: Refer | None) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict):
        # Keys keep their type (optimisers key their state by integers), so a dict is stored as a list of pairs.
        return {_ESCAPED: [[key, _flatten(item, arrays, refer)] for key, item in value.items()]}
    if isinstance(value, list | tuple):
        return [_flatten(item, arrays, refer) for item in value]
    if isinstance(value, View):
        return _flatten(value.trees(), arrays, None) if refer is None else {_ROWS: refer(value)}
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


def _restore(value: Any, arrays: Arrays, log: RowLog | None) -> Any:
    if isinstance(value, list):
        return [_restore(item, arrays, log) for item in value]
    if isinstance(value, dict):
        if _ESCAPED in value:
            return {key: _restore(item, arrays, log) for key, item in value[_ESCAPED]}
        if _ROWS in value:
            if log is None:
                raise CheckpointMismatch("this checkpoint has rows in another file")
            return log.leaf(*value[_ROWS])
        array = arrays[value[_REFERENCE]]
        if value["as"] == "torch":
            import torch

            return torch.from_numpy(array.copy())
        return array
    return value
