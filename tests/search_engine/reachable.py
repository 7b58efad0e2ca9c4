"""Everything that code can reach from some objects without trying hard: attributes, items, closures, defaults, views of arrays.

Not followed: modules, and the globals of functions and classes. From there Python reaches the whole program, and whoever goes there means
to.
"""

from __future__ import annotations

import types
from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

ATOMS = (str, bytes, int, float, complex, bool, type(None), type, types.ModuleType, torch.dtype, torch.device, np.dtype)


def reachable(*roots: Any) -> Iterator[Any]:
    """Each object once, roots included. An array that is a view is followed to what it is a view of, a tensor to its storage."""
    seen: set[Any] = set()
    kept: list[Any] = []
    waiting = list(roots)
    while waiting:
        item = waiting.pop()
        if isinstance(item, ATOMS) or id(item) in seen:
            continue
        seen.add(id(item))
        kept.append(item)  # So that no other object gets its id.
        yield item
        if isinstance(item, torch.Tensor):
            storage = item.detach().untyped_storage()
            key = (storage.data_ptr(), item.dtype)
            if key not in seen and storage.nbytes() and item.dtype != torch.bfloat16:
                seen.add(key)
                # The whole storage, of which the tensor may show a piece.
                yield torch.tensor([], dtype=item.dtype).set_(storage).numpy()  # type: ignore[call-overload]
        waiting += _next(item)


def _next(item: Any) -> list[Any]:
    if isinstance(item, np.ndarray):
        return [item.base if isinstance(item.base, np.ndarray) else None, *(item.ravel().tolist() if item.dtype == object else [])]
    if isinstance(item, torch.Tensor):
        return [item.grad if item.is_leaf else None, item.__dict__]
    if isinstance(item, dict):
        return [*item.keys(), *item.values()]
    if isinstance(item, list | tuple | set | frozenset):
        return list(item)
    if isinstance(item, types.FunctionType):
        cells = [cell.cell_contents for cell in item.__closure__ or () if _filled(cell)]
        return [*cells, item.__defaults__, item.__kwdefaults__, item.__dict__]
    if isinstance(item, types.MethodType):
        return [item.__self__, item.__func__]
    found = [getattr(item, name, None) for name in ("func", "args", "keywords", "__wrapped__", "gi_frame")]
    slots = [name for kind in type(item).__mro__ for name in getattr(kind, "__slots__", ())]
    found += [getattr(item, name, None) for name in slots if isinstance(name, str)]
    found.append(getattr(item, "__dict__", None))
    return found + (list(item) if isinstance(item, deque) else [])


def _filled(cell: types.CellType) -> bool:
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True
