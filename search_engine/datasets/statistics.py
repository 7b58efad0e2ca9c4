"""Per-channel mean and standard deviation of raw 8-bit images, exact: the same floats on every machine."""

from __future__ import annotations

import math

import numpy as np

from ..spaces.data_shape import Preprocessing
from .base import Array

CHUNK = 1024


def image_preprocessing(images: Array, scale: float) -> Preprocessing:
    """Normalisation fitted to `images` (n, channels, height, width) of type uint8 with raw values in [0, scale].

    Sums come from a histogram and are exact integers, so no order of summation and no vector unit changes the result. A constant
    channel gets standard deviation 1.
    """
    mean, std = [], []
    for channel in range(images.shape[1]):
        # Counting takes eight bytes for each value, so few images at once.
        counts = np.zeros(256, dtype=np.int64)
        for first in range(0, len(images), CHUNK):
            counts += np.bincount(images[first : first + CHUNK, channel].reshape(-1), minlength=256)
        histogram = [int(item) for item in counts]
        count = sum(histogram)
        total = sum(value * times for value, times in enumerate(histogram))
        square = sum(value * value * times for value, times in enumerate(histogram))
        mean.append(total / count / scale)
        std.append(math.sqrt(count * square - total * total) / count / scale or 1.0)
    return Preprocessing(scale=scale, mean=tuple(mean), std=tuple(std))
