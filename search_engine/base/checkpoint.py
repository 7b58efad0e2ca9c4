"""Checkpoints without pickle: a tree of JSON values, NumPy arrays and torch tensors in one safetensors file.

The tree goes into the file's metadata as JSON; each array is a named tensor that the tree refers to. Writing is atomic
(temporary file, fsync, rename), reading verifies the digest that the caller kept; where no caller keeps one, the file is `sealed`: it holds
the digest of its own content. What grows (`base.growing`) goes into the file like lists, or, with a `RowLog`, into that: then a commit
writes only what is new of it.

>>> unpack(pack({"step": 3, "weights": np.ones(2), "best": None}))
{'step': 3, 'weights': array([1., 1.]), 'best': None}
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as _load_arrays
from safetensors.numpy import save as _save_arrays

from .errors import CheckpointDamaged
from .growing import View
from .row_log import RowLog
from .unreadable import is_lasting

_PROCESS = secrets.token_hex(4)
_numbers = itertools.count()
_REFERENCE = "$tensor"
_ESCAPED = "$dict"
_ROWS = "$rows"
_HEADER_SIZE = 8
"""Bytes that say how long a safetensors file's header is."""

Arrays = dict[str, np.ndarray[Any, Any]]
Refer = Callable[[View[Any]], Any]
_NO_ARRAYS: Arrays = {"empty": np.zeros(0, np.uint8)}
"""A safetensors file holds at least one."""


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


def write(path: Path, tree: Any, log: RowLog | None = None, *, sealed: bool = False) -> str:
    """Write `tree` to `path` atomically; returns the SHA-256 of the file's bytes. With `log`, a file of the same folder, what grows goes
    there, as far as it is new, before `path` names it. `sealed`: the file says its own digest, for who reads it without one."""
    arrays: Arrays = {}
    flat = _flatten(tree, arrays, None if log is None else log.refer)
    metadata: dict[str, str] = {}
    if log is not None:
        log.append()
        metadata["rows"] = json.dumps(log.header())
    if sealed:
        metadata["sealed"] = _seal({"tree": json.dumps(flat), **metadata}, arrays)
    data = _file(flat, arrays, metadata)
    write_bytes(path, data)
    return hashlib.sha256(data).hexdigest()


def write_bytes(path: Path, data: bytes) -> None:
    """Write a whole file atomically, and so that it is there after a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # No other process's, also where each is the first of its container.
    temporary = path.with_name(f".{path.name}.{_PROCESS}{os.getpid()}.{next(_numbers)}")
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def read(path: Path, digest: str | None = None, *, sealed: bool = False) -> Any:
    """Read what `write` wrote. Raises CheckpointDamaged if the file is absent or cannot be read however often one tries, its
    digest differs from `digest`, or, with `sealed`, from the one that it says itself."""
    return read_with_log(path, digest, sealed=sealed)[0]


def outline(path: Path, digest: str | None = None, *, sealed: bool = False) -> Any:
    """The tree in a file that `write` wrote, with None in place of every array and of all that grows: enough to see of which version it is,
    without torch. Raises CheckpointDamaged as `read` does."""
    data = _bytes(path, digest)
    metadata = _metadata(data)
    if sealed and metadata.get("sealed") != _seal(metadata, _arrays(data)):
        raise CheckpointDamaged(f"checkpoint {path.name} does not hold what was written")
    return _restore(json.loads(metadata["tree"]), None, None)


def read_with_log(
    path: Path, digest: str | None = None, log: RowLog | None = None, *, sealed: bool = False
) -> tuple[Any, RowLog | None]:
    """`read`, and the log to write on with (None where none was used). `log`: what this process knows of it already, up to an earlier
    checkpoint; then only the rest of it is read, and the containers of that time stand in the tree, gone on. Raises CheckpointDamaged
    also where that is not the same log."""
    data = _bytes(path, digest)
    metadata = _metadata(data)
    if sealed and metadata.get("sealed") != _seal(metadata, _arrays(data)):
        raise CheckpointDamaged(f"checkpoint {path.name} does not hold what was written")
    if "rows" not in metadata:
        return _tree(metadata, data, None), None
    header = json.loads(metadata["rows"])
    if log is None:
        log = RowLog.open(path.parent, header)
    else:
        log.follow(header)
    return _tree(metadata, data, log), log


def _bytes(path: Path, digest: str | None) -> bytes:
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise CheckpointDamaged(f"checkpoint {path.name} is missing") from error
    except OSError as error:
        if not is_lasting(error):
            raise
        raise CheckpointDamaged(f"checkpoint {path.name} cannot be read: {error.strerror}") from error
    if digest is not None and hashlib.sha256(data).hexdigest() != digest:
        raise CheckpointDamaged(f"checkpoint {path.name} does not have the digest that was recorded")
    return data


def _seal(metadata: dict[str, str], arrays: Arrays) -> str:
    """The digest of the texts in the header and of the arrays."""
    total = hashlib.sha256(json.dumps([metadata["tree"], metadata.get("rows")]).encode())
    for name, array in sorted((arrays or _NO_ARRAYS).items()):
        total.update(json.dumps([name, array.dtype.str, array.shape]).encode())
        total.update(np.ascontiguousarray(array).tobytes())
    return total.hexdigest()


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
    return _save_arrays(arrays or _NO_ARRAYS, metadata={"tree": json.dumps(flat), **metadata})


def _metadata(data: bytes) -> dict[str, str]:
    """The texts in the header of a safetensors file. Raises CheckpointDamaged if it is none."""
    size = int.from_bytes(data[:_HEADER_SIZE], "little")
    if not 0 < size <= len(data) - _HEADER_SIZE:
        raise CheckpointDamaged("this is no checkpoint: it ends before its header does")
    try:
        metadata: dict[str, str] = json.loads(data[_HEADER_SIZE : _HEADER_SIZE + size])["__metadata__"]
        metadata["tree"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise CheckpointDamaged("this is no checkpoint: its header is another file's, or damaged") from None
    return metadata


def _tree(metadata: dict[str, str], data: bytes, log: RowLog | None) -> Any:
    try:
        tree = json.loads(metadata["tree"])
    except (ValueError, RecursionError):
        raise CheckpointDamaged("this is no checkpoint: its header is damaged") from None
    return _restore(tree, _arrays(data), log)


def _arrays(data: bytes) -> Arrays:
    try:
        return _load_arrays(data)
    except (ValueError, SafetensorError):
        raise CheckpointDamaged("this is no checkpoint: what follows its header is damaged") from None


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


def _restore(value: Any, arrays: Arrays | None, log: RowLog | None) -> Any:
    if isinstance(value, list):
        return [_restore(item, arrays, log) for item in value]
    if isinstance(value, dict):
        if _ESCAPED in value:
            return {key: _restore(item, arrays, log) for key, item in value[_ESCAPED]}
        if arrays is None:
            return None
        if _ROWS in value:
            if log is None:
                raise CheckpointDamaged("this checkpoint has rows in another file")
            return log.leaf(*value[_ROWS])
        array = arrays[value[_REFERENCE]]
        if value["as"] == "torch":
            import torch

            return torch.from_numpy(array.copy())
        return array
    return value
