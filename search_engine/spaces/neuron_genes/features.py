"""What a neuron graph sees of an example: one number per input node.

Images are brought to [0, 1] (raw value / scale, as upstream does, without standardising: black stays zero, so an input that is off adds
nothing) and, where larger than the space's input size, shrunk by area averaging. Vectors and series are standardised as the data set says.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..data_shape import DataShape, Preprocessing

Array = np.ndarray[Any, Any]
_CHUNK = 4096


def input_count(shape: DataShape, input_size: int) -> int:
    """Number of input nodes (without the bias) for data of that shape."""
    if not shape.is_image:
        return math.prod(shape.input)
    channels, height, width = shape.input
    return channels * min(height, input_size) * min(width, input_size)


def area_matrix(before: int, after: int) -> Array:
    """(after, before) float32: row i averages the stretch [i, i + 1) * before / after of the pixels, parts of pixels by their share."""
    edges = np.linspace(0, before, after + 1)
    pixels = np.arange(before)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    shares: Array = np.clip(overlap, 0, None) * after / before
    return shares.astype(np.float32)


def features(raw: Array, shape: DataShape, preprocessing: Preprocessing, input_size: int) -> Array:
    """(samples, inputs) float32 from raw inputs (samples, channels, height, width), (samples, channels, time) or (samples, features)."""
    count = input_count(shape, input_size)
    result = np.empty((len(raw), count), dtype=np.float32)
    if not shape.is_image:
        # Of a vector per feature, of a series per channel.
        sides = (-1, *[1] * (len(shape.input) - 1))
        mean = np.asarray(preprocessing.mean, dtype=np.float32).reshape(sides)
        std = np.asarray(preprocessing.std, dtype=np.float32).reshape(sides)
        result[:] = ((raw.astype(np.float32) / np.float32(preprocessing.scale) - mean) / std).reshape(len(raw), -1)
        return result
    _, height, width = shape.input
    rows = area_matrix(height, min(height, input_size))
    columns = area_matrix(width, min(width, input_size))
    # In pieces, so that a large image set is never held twice as floats.
    for start in range(0, len(raw), _CHUNK):
        images = raw[start : start + _CHUNK].astype(np.float32) / np.float32(preprocessing.scale)
        if (height, width) != (len(rows), len(columns)):
            images = rows @ images @ columns.T
        result[start : start + _CHUNK] = images.reshape(len(images), -1)
    return result
