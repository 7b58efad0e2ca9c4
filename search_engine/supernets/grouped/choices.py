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


def batch_last(height: int, width: int) -> bool:
    """Whether maps of this size lie in memory with the batch innermost, and depthwise convolutions of them are matrix products."""
    return height * width <= MATRIX_PIXELS
