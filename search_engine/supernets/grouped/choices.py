"""Which arithmetic is taken for which shape: fixed here, so that equal searches give equal bits; measured as said below.

Measured on one core of an AMD EPYC with AVX-512 (torch 2.13, batches of 64), forward and backward pass of the depthwise convolutions of
one source state with five edges, 3x3 and 5x5 at dilation 1 and 2, in milliseconds:

| channels, map | matrix per channel | convolution, channels last |
| --- | --- | --- |
| 4, 8x8 | 2.5 | 7.1 |
| 8, 4x4 | 0.8 | 7.4 |
| 16, 2x2 | 1.2 | 18.4 |
| 16, 8x8 | 12.5 | 27.8 |
| 8, 16x16 | | 27.7 |

Of one convolution of five edges, stride 1, channels last, the two gradients by torch's own backward pass, and beside it: that of the input
as a forward pass with the kernels turned round, that of the weights as one product with the maps as every tap sees them:

| channels, map, kernel | input | turned round | weights | by taps |
| --- | --- | --- | --- | --- |
| 8, 16x16, 3x3 | 0.33 | 0.23 | 0.24 | 0.83 |
| 8, 16x16, 5x5 | 0.69 | 0.42 | 4.6 | 2.9 |
| 8, 16x16, 5x5 at dilation 2 | 5.8 | 0.44 | 4.5 | 3.1 |
| 16, 32x32, 5x5 | 4.2 | 3.5 | 24 | 72 |
| 16, 32x32, 5x5 at dilation 2 | 26 | 3.1 | 26 | 68 |

The compiled kernel (`primitives.native`) in the place of the first table, another day of the same machine, by its batch:

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

TAP_PIXELS = 256
"""Up to so many pixels the taps of a map stay near enough to the processor."""

COMPILED_BATCH = 16
"""From so many examples on the compiled kernel takes the place of all of them, in runs that use it: it computes so many at once."""


def as_matrix(height: int, width: int) -> bool:
    """Whether a depthwise convolution of maps of this size is a product with a matrix per channel."""
    return height * width <= MATRIX_PIXELS


def by_taps(height: int, width: int, side: int, dilation: int) -> bool:
    """Whether the gradient of a depthwise convolution's weights is a product with the maps as every tap sees them, rather than torch's own
    backward pass; of convolutions (not matrices) that share their input."""
    return (side, dilation) != (3, 1) and height * width <= TAP_PIXELS


def keep_matrices(height: int, width: int, batch: int) -> bool:
    """Whether the matrices of maps of this size are kept from the forward to the backward pass: where they take no more memory than what
    they give."""
    return height * width <= batch


def compiled(batch: int) -> Kernel | None:
    """What computes depthwise convolutions of batches of this size, in float32 on the CPU; None = torch alone."""
    return None if batch < COMPILED_BATCH else current().kernel()
