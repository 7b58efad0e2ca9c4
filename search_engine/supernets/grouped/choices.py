"""Which arithmetic is taken for which shape: fixed here, so that equal searches give equal bits; measured as said below.

Measured on one core of an AMD EPYC with AVX-512 (torch 2.13, batches of 64), forward and backward pass of the depthwise convolutions of
one source state with five edges, 3x3 and 5x5 at dilation 1 and 2, in milliseconds:

| channels, map | matrix per channel | convolution, channels last |
| --- | --- | --- |
| 4, 8x8 | 2.7 | 7.1 |
| 8, 4x4 | 0.8 | 7.4 |
| 16, 2x2 | 1.2 | 18.4 |
| 16, 8x8 | 12.5 | 27.8 |
| 8, 16x16 | | 27.7 |

The compiled kernel (`primitives.native`) in the same place, another day of the same machine:

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

A matrix of a whole map grows with the square of its pixels: at 16x16 it is 0.1 to 1.1 times as fast, by the number of channels.
"""

from __future__ import annotations

from ...primitives.native.choice import current
from ...primitives.native.kernel import Kernel

MATRIX_PIXELS = 64
"""Up to so many pixels a depthwise convolution is a product with one matrix per channel, above it is a convolution."""
COMPILED_BATCH = 16
"""From so many examples on the compiled kernel takes the place of both, in runs that use it: it computes so many at once."""


def as_matrix(height: int, width: int) -> bool:
    """Whether a depthwise convolution of maps of this size is a product with a matrix per channel."""
    return height * width <= MATRIX_PIXELS


def compiled(batch: int) -> Kernel | None:
    """What computes depthwise convolutions of batches of this size, in float32 on the CPU; None = torch alone."""
    return None if batch < COMPILED_BATCH else current().kernel()


def batch_last(height: int, width: int, batch: int) -> bool:
    """Whether a cell whose nodes have this size keeps the batch innermost: as the matrices of its depthwise convolutions want it, and the
    compiled kernel."""
    return as_matrix(height, width) or compiled(batch) is not None
