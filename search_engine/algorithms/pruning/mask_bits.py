"""Masks of a network as packed bits, an eighth of a byte a weight: as rounds, checkpoints and handovers keep them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from search_engine.spaces.plain_network import Layer

Packed = dict[str, np.ndarray[Any, Any]]
"""uint8 by layer, row-major, the first weight in the highest bit."""


def packed(masks: Mapping[str, Tensor]) -> Packed:
    """The bits of bool masks."""
    return {name: np.packbits(mask.cpu().numpy()) for name, mask in masks.items()}


def unpacked(masks: Mapping[str, np.ndarray[Any, Any]], layers: tuple[Layer, ...]) -> dict[str, Tensor]:
    """Undo `packed`: bool masks of the layers' shapes, on the CPU."""
    return {
        layer.name: torch.from_numpy(np.unpackbits(masks[layer.name], count=layer.total).astype(bool).reshape(layer.shape))
        for layer in layers
    }
