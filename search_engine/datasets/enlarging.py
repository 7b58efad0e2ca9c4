"""A training part made several times as large: each image as it is, then copies of it that are moved and mirrored.

M. Nikulenkov's master's thesis (Moscow State University, 2022, section 6.2) made CIFAR-100 three and Tiny ImageNet four times as large so,
and does not say by which changes: these are the usual ones for small photographs (He et al. 2016, section 4.2: a shift by up to an eighth
of the size, black coming in, and a mirror image). An epoch then visits, and a budget is charged, so many times the examples. So it is a
matter of the data; `training.augment`, which changes an image anew each time it is seen and adds none, works on top of it.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from pydantic import Field

from ..base.generators import derive_seed
from .base import Array, Part

CHUNK = 1024
"""So many images are moved at once: what that takes stays small beside the part."""


def copies_field() -> int:
    """The option `copies` of a data set of photographs."""
    field: int = Field(
        default=1, ge=1, le=4, title="Times as large",
        description="use each training image so many times: as it is, then shifted by up to an eighth and perhaps mirrored, every copy in "
        "another way; validation and test stay as they are. 3 is the enlarged CIFAR-100 of the master's thesis, 4 its Tiny ImageNet",
    )
    return field


def enlarged(part: Part, copies: int, name: str) -> Part:
    """The part with `copies` times its images, (n, channels, height, width) uint8: first all as they are, then all moved, and so on.

    No two copies of an image are equal moves, and none is the image itself. What is drawn depends on `name` and the place in the part.
    """
    if copies == 1:
        return part
    count, _, height, width = part.inputs.shape
    inputs = np.empty((copies, *part.inputs.shape), dtype=part.inputs.dtype)
    inputs[0] = part.inputs
    rng = np.random.RandomState(derive_seed(name, "enlarged") % 2**32)
    for first in range(0, count, CHUNK):
        chunk = part.inputs[first : first + CHUNK]
        for place, moves in enumerate(_moves(len(chunk), copies - 1, height, width, rng), 1):
            inputs[place, first : first + CHUNK] = _moved(chunk, *moves)
    return Part(inputs.reshape(-1, *part.inputs.shape[1:]), np.tile(part.labels, copies), np.tile(part.indices, copies))


def _reach(height: int, width: int) -> tuple[int, int]:
    return max(1, height // 8), max(1, width // 8)


def _moves(count: int, copies: int, height: int, width: int, rng: np.random.RandomState) -> list[tuple[Array, Array, Array]]:
    """For each copy the first rows and columns of the windows (count,) and whether they are mirrored."""
    down, right = _reach(height, width)
    rows, columns = 2 * down + 1, 2 * right + 1
    unmoved = (down * columns + right) * 2
    drawn = np.argsort(rng.random_sample((count, rows * columns * 2 - 1)), axis=1, kind="stable")[:, :copies].T
    numbers = drawn + (drawn >= unmoved)
    return [(number // 2 // columns, number // 2 % columns, number % 2 == 1) for number in numbers]


def _moved(images: Array, rows: Array, columns: Array, mirrored: Array) -> Array:
    """Window `rows`, `columns` of each padded image, mirrored where asked. (`training.augmentation` does so with tensors, at each step.)"""
    height, width = images.shape[2:]
    down, right = _reach(height, width)
    padded = np.pad(images, ((0, 0), (0, 0), (down, down), (right, right)))
    windows: Array = sliding_window_view(padded, (height, width), axis=(2, 3))[np.arange(len(images)), :, rows, columns]
    return np.where(mirrored[:, None, None, None], windows[..., ::-1], windows)
