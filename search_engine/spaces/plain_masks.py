"""Masks over a layer's weights as data: bool arrays of the weights' shape, their digest, their bits as text, random ones."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import numpy as np

from ..base.generators import derive_seed

Mask = np.ndarray[Any, np.dtype[np.bool_]]
"""True where a weight is kept."""


def digest_of(mask: Mask) -> str:
    """16 hexadecimal digits that name a mask of its shape (the start of a SHA-256)."""
    head = "x".join(map(str, mask.shape)).encode()
    return hashlib.sha256(head + b":" + np.packbits(mask).tobytes()).hexdigest()[:16]


def bits_of(mask: Mask) -> str:
    """Base64 of the mask, row by row, the first weight in the highest bit."""
    return base64.b64encode(np.packbits(mask).tobytes()).decode()


def mask_of_bits(text: str, shape: tuple[int, ...]) -> Mask:
    """Undo `bits_of`."""
    packed = np.frombuffer(base64.b64decode(text), dtype=np.uint8)
    return np.unpackbits(packed, count=int(np.prod(shape))).astype(bool).reshape(shape)


def drawn_mask(shape: tuple[int, ...], kept: int, *seed: object) -> Mask:
    """A mask that keeps exactly `kept` weights, each set of places equally likely; a function of its arguments."""
    total = int(np.prod(shape))
    mask = np.zeros(total, dtype=bool)
    if kept == total:
        mask[:] = True
    else:
        mask[np.random.RandomState(derive_seed("mask", *seed) % 2**32).permutation(total)[:kept]] = True
    return mask.reshape(shape)
