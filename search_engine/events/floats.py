"""Float arrays as text."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

import numpy as np


def encode_floats(values: Iterable[float] | np.ndarray[Any, Any]) -> str:
    """Base64 of little-endian float32, row-major."""
    array = np.asarray(values if isinstance(values, np.ndarray) else list(values), dtype="<f4")
    return base64.b64encode(array.tobytes()).decode()


def decode_floats(text: str) -> np.ndarray[Any, Any]:
    """Undo `encode_floats`: a one-dimensional float32 array."""
    return np.frombuffer(base64.b64decode(text), dtype="<f4")
