"""From raw inputs to what the network takes: (raw / scale - mean) / std per channel, as preprocessing.json says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

SETTINGS = json.loads(Path(__file__).with_name("preprocessing.json").read_text(encoding="utf-8"))
SHAPE: tuple[int, ...] = tuple(SETTINGS["input_shape"])
CLASS_NAMES: list[str] = SETTINGS["class_names"]
FEATURE_NAMES: list[str] = SETTINGS["feature_names"]
FITTED: dict[str, Any] | None = SETTINGS["transformation"]
"""How the columns of a table become a raw input (columns.py), if it has any, and how real targets were brought to one scale."""
COLUMNS: list[dict[str, Any]] = FITTED["columns"] if FITTED else []


def in_own_units(outputs: torch.Tensor) -> torch.Tensor:
    """What the network gives, as the table has it: real targets may have been brought to mean 0 and deviation 1."""
    if FITTED is None or FITTED["target"]["kind"] != "number":
        return outputs
    values: torch.Tensor = outputs * FITTED["target"]["std"] + FITTED["target"]["mean"]
    return values


def normalise(raw: np.ndarray) -> torch.Tensor:
    """Raw inputs (n, channels, height, width), (n, channels, time) or (n, features) -> float32 of the same shape."""
    column = (1, -1, *([1] * (raw.ndim - 2)))
    mean = torch.tensor(SETTINGS["mean"], dtype=torch.float32).view(column)
    std = torch.tensor(SETTINGS["std"], dtype=torch.float32).view(column)
    inputs: torch.Tensor = (torch.from_numpy(raw).to(torch.float32) / SETTINGS["scale"] - mean) / std
    return inputs
