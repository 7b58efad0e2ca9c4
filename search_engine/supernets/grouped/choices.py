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

Of one convolution of five edges, stride 1, channels last, the two gradients by torch's own backward pass, and beside it: that of the input
as a forward pass with the kernels turned round, that of the weights as one product with the maps as every tap sees them:

| channels, map, kernel | input | turned round | weights | by taps |
| --- | --- | --- | --- | --- |
| 8, 16x16, 3x3 | 0.33 | 0.23 | 0.24 | 0.83 |
| 8, 16x16, 5x5 | 0.69 | 0.42 | 4.6 | 2.9 |
| 8, 16x16, 5x5 at dilation 2 | 5.8 | 0.44 | 4.5 | 3.1 |
| 16, 32x32, 5x5 | 4.2 | 3.5 | 24 | 72 |
| 16, 32x32, 5x5 at dilation 2 | 26 | 3.1 | 26 | 68 |

A matrix of a whole map grows with the square of its pixels: at 16x16 it is 0.1 to 1.1 times as fast, by the number of channels.
"""

from __future__ import annotations

MATRIX_PIXELS = 64
"""Up to so many pixels a depthwise convolution is a product with one matrix per channel, above it is a convolution."""


TAP_PIXELS = 256
"""Up to so many pixels the taps of a map stay near enough to the processor."""


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
