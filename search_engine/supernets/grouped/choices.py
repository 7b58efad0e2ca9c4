"""Which arithmetic is taken for which shape: fixed here, so that equal searches give equal bits; measured as said below.

Measured on one core of an Intel Xeon with AVX-512 (torch 2.13, batches of 64, other work beside), forward and backward pass of the
depthwise convolutions of one source state with five edges, 3x3 and 5x5 at dilation 1 and 2, in milliseconds:

| channels, map | one matrix per channel | along columns | convolution, channels last |
| --- | --- | --- | --- |
| 16, 2x2 | 0.6 | 1.4 | 11 |
| 8, 4x4 | 0.8 | 1.7 | 3.7 |
| 8, 8x8 to 4x4 | 1.5 | 1.7 | 20 |
| 4, 8x8 | 2.2 | 2.0 | 6.2 |
| 8, 8x8 | 4.7 | 3.6 | 8.7 |
| 8, 16x16 | 136 | 18 | 35 |
| 16, 16x16 to 8x8 | 54 | 12 | 105 |
| 16, 32x32 | | 295 | 433 |
| 32, 32x32 to 16x16 | | 171 | 1,011 |

Of maps of their own, 3x3 and 5x5 for five edges each (the second half of a separable convolution):

| channels, map | one matrix per channel | along columns | convolution, channels last |
| --- | --- | --- | --- |
| 4, 8x8 | 1.5 | 1.3 | 3.3 |
| 8, 8x8 | 2.5 | 2.3 | 5.5 |
| 8, 16x16 | 46 | 12 | 22 |
| 16, 32x32 | | 177 | 332 |

The compiled kernel (`primitives.native`) in the place of the first table, by its batch, on one core of an AMD EPYC with AVX-512:

| channels, map, batch | kernel | matrix per channel | convolution, channels last |
| --- | --- | --- | --- |
| 16, 2x2, 64 | 0.23 | 0.76 | 14 |
| 16, 4x4, 64 | 0.63 | 1.6 | 15 |
| 8, 8x8, 64 | 1.6 | 10 | 19 |
| 8, 16x16, 64 | 10 | | 37 |
| 16, 32x32, 64 | 59 | | 367 |
| 8, 16x16, 16 | 1.9 | | 9.2 |
| 8, 16x16, 8 | 10 | | 5.3 |
| 8, 8x8, 8 | 2.2 | 6.9 | 3.4 |
| 16, 4x4, 2 | 0.38 | 0.82 | 1.5 |
"""

from __future__ import annotations

from typing import Literal

from ...primitives.native.choice import current
from ...primitives.native.kernel import Kernel
from .layout import Layout

Arithmetic = Literal["matrices", "lines", "channels last"]

MATRIX_SIZE = 1024
"""Up to so many entries of a matrix that stands for a whole map (pixels in x pixels out) it is the fastest: it grows with the square of the
map."""

LINE_HEIGHT = 32
"""Up to so many pixels a product along columns is the fastest: what it computes for nothing grows with the column."""

COMPILED_BATCH = 16
"""From so many examples on the compiled kernel takes the place of all of them, in runs that use it: it computes so many at once."""


def arithmetic(layout: Layout, stride: int, shared: bool) -> Arithmetic:
    """How torch computes depthwise convolutions of these maps; `shared`: all groups read the same ones."""
    after = layout.strided(stride)
    if layout.height * layout.width * after.height * after.width <= MATRIX_SIZE:
        return "matrices"
    # Maps of their own are not halved in any super-network.
    return "lines" if layout.height <= LINE_HEIGHT and (shared or stride == 1) else "channels last"


def compiled(batch: int) -> Kernel | None:
    """What computes depthwise convolutions of batches of this size, in float32 on the CPU; None = torch alone."""
    return None if batch < COMPILED_BATCH else current().kernel()
