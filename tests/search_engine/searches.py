"""DARTS on the real spaces, small enough for a test: two-node cells, few channels, random images."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch

from search_engine.algorithms.base import Context
from search_engine.algorithms.simplex.darts import DartsConfig, DartsSearch
from search_engine.catalogue import registry
from search_engine.datasets.base import Part, SearchData
from search_engine.events import EventLog
from search_engine.spaces.data_shape import DataShape, Preprocessing

SMALL: dict[str, dict[str, int]] = {"cell": {"nodes": 2, "search_cells": 3, "search_channels": 2}, "nb201": {"cells": 1, "channels": 2}}
SHAPE = DataShape((1, 8, 8), 3)


def image_data(examples: int = 48) -> SearchData:
    """Three classes of noisy 8x8 images, each with a bright row of its own."""
    rng = np.random.default_rng(0)
    labels = np.arange(examples) % 3
    images = rng.integers(0, 8, (examples, 1, 8, 8))
    images[np.arange(examples), 0, 2 * labels] += 8
    part = Part(inputs=images.astype(np.uint8), labels=labels, indices=np.arange(examples))
    grey = Preprocessing(16.0, (0.3,), (0.25,))
    return SearchData(dataset="rows", shape=SHAPE, train=part, validation=part, preprocessing=grey, class_names=("a", "b", "c"))


def network_search(
    space: str,
    data: SearchData | None = None,
    weights_seed: int = 0,
    small: bool = True,
    device: str = "cpu",
    amp: bool = False,
    **options: Any,
) -> DartsSearch:
    """A fresh DARTS search on `cell` or `nb201`."""
    data = data or image_data()
    entry = registry.space(space)
    if small:
        options.setdefault("batch_size", 8)
    torch.manual_seed(weights_seed)
    context = Context(
        space=entry.space(entry.config(**(SMALL[space] if small else {})), data.shape), options=DartsConfig(**options), seed=0,
        rng=random.Random(0), metric="val_accuracy", log=EventLog("phase:0"), data=data, device=device, amp=amp,
    )
    search = DartsSearch()
    search.begin(context, None)
    return search
