"""`depthwise.c` on tensors."""

from __future__ import annotations

import ctypes
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from .build import library

log = logging.getLogger(__name__)


class _Maps(ctypes.Structure):
    _fields_ = [(name, ctypes.c_long) for name in ("height", "width", "batch", "channels", "stride", "shared")]


class _Filters(ctypes.Structure):
    _fields_ = [
        ("groups", ctypes.c_long), ("side", ctypes.c_long), ("dilation", ctypes.c_long), ("weight", ctypes.c_void_p),
        ("gradient", ctypes.c_void_p),
    ]


@dataclass(frozen=True)
class Shape:
    """Maps of `height` x `width` of a batch of `batch`, in groups of `channels`; `kernels` are the (side, dilation) of the filters."""

    height: int
    width: int
    batch: int
    channels: int
    stride: int
    kernels: tuple[tuple[int, int], ...]

    @property
    def pixels(self) -> int:
        """Numbers in a row of the result."""
        return -(-self.height // self.stride) * -(-self.width // self.stride) * self.batch


class Kernel:
    """Depthwise convolutions of float32 rows (R, height x width x batch) on the CPU, the batch innermost; see `depthwise.c`.

    `weights[i]`, (groups_i x channels, 1, side, side), belongs to `shape.kernels[i]`. With R = channels all groups read the same rows.
    Takes torch's number of threads; results do not depend on it.
    """

    def __init__(self, loaded: ctypes.CDLL, identity: str) -> None:
        self.identity = identity
        pointer, number = ctypes.c_void_p, ctypes.c_long
        self._forward, self._backward = loaded.depthwise_forward, loaded.depthwise_backward
        self._forward.argtypes = [pointer, pointer, number, pointer, pointer, number, number]
        self._backward.argtypes = [pointer, pointer, number, pointer, pointer, pointer, number, number]

    def forward(self, rows: Tensor, weights: Sequence[Tensor], shape: Shape) -> Tensor:
        """(groups, channels, pixels of the result)"""
        rows, weights = rows.contiguous(), [weight.contiguous() for weight in weights]
        groups = sum(len(weight) for weight in weights) // shape.channels
        result = rows.new_empty(groups, shape.channels, shape.pixels)
        maps, filters = _described(rows, weights, [None] * len(weights), shape)
        self._call(self._forward, shape, ctypes.byref(maps), filters, len(weights), rows.data_ptr(), result.data_ptr())
        return result

    def backward(
        self, rows: Tensor, weights: Sequence[Tensor], shape: Shape, gradient: Tensor, of_rows: bool, of_weights: Sequence[bool]
    ) -> tuple[Tensor | None, list[Tensor | None]]:
        """The gradients in the rows and in each of the weights, None where they are not asked for."""
        rows, weights, gradient = rows.contiguous(), [weight.contiguous() for weight in weights], gradient.contiguous()
        d_rows = torch.empty_like(rows) if of_rows else None
        d_weights = [torch.empty_like(weight) if asked else None for weight, asked in zip(weights, of_weights, strict=True)]
        maps, filters = _described(rows, weights, d_weights, shape)
        self._call(
            self._backward, shape, ctypes.byref(maps), filters, len(weights), rows.data_ptr(), gradient.data_ptr(),
            None if d_rows is None else d_rows.data_ptr(),
        )
        return d_rows, d_weights

    @staticmethod
    def _call(function: Callable[..., int], shape: Shape, *arguments: Any) -> None:
        """Every thread takes some of the channels whole, so that no sum depends on how many there are. Raises MemoryError."""
        threads = min(torch.get_num_threads(), shape.channels)
        bounds = [shape.channels * number // threads for number in range(threads + 1)]
        done = [0] * threads

        def part(number: int) -> None:
            done[number] = function(*arguments, bounds[number], bounds[number + 1])

        others = [threading.Thread(target=part, args=(number,)) for number in range(1, threads)]
        for thread in others:
            thread.start()
        part(0)
        for thread in others:
            thread.join()
        if not all(done):
            raise MemoryError("no memory for the tables of a convolution")


def _described(rows: Tensor, weights: Sequence[Tensor], gradients: Sequence[Tensor | None], shape: Shape) -> tuple[_Maps, Any]:
    shared = len(rows) == shape.channels
    maps = _Maps(shape.height, shape.width, shape.batch, shape.channels, shape.stride, int(shared))
    filters = [
        _Filters(len(weight) // shape.channels, side, dilation, weight.data_ptr(), None if gradient is None else gradient.data_ptr())
        for weight, gradient, (side, dilation) in zip(weights, gradients, shape.kernels, strict=True)
    ]
    return maps, (_Filters * len(filters))(*filters)


@lru_cache(maxsize=1)
def kernel() -> Kernel | None:
    """The kernel of this machine, built and tried out at the first call; None where there is none. Says why once, in the log."""
    built = library()
    if built is None:
        return None
    try:
        found = Kernel(ctypes.CDLL(str(built.path)), built.identity)
    except (OSError, AttributeError) as error:
        log.info("depthwise convolutions are computed by torch alone: %s", error)
        return None
    if not sound(found):
        log.warning("depthwise convolutions are computed by torch alone: the compiled kernel gives wrong results (%s)", built.path)
        return None
    return found


def sound(candidate: Kernel) -> bool:
    """Whether it computes what torch computes, on a small example."""
    with torch.no_grad():
        numbers = (torch.arange(2 * 6 * 5 * 19, dtype=torch.float32) * 0.7).sin().view(2, -1)
        filters = (torch.arange(2 * 9, dtype=torch.float32) * 1.3).cos().view(2, 1, 3, 3)
        found = candidate.forward(numbers, [filters], Shape(6, 5, 19, 2, 2, ((3, 2),)))
        images = numbers.view(2, 6, 5, 19).permute(3, 0, 1, 2)
        expected = functional.conv2d(images, filters, stride=2, padding=2, dilation=2, groups=2).permute(1, 2, 3, 0).reshape(1, 2, -1)
        return torch.allclose(found, expected, atol=1e-5)
