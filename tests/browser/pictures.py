"""What a canvas shows, read from a picture of it as a person sees it."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image
from playwright.sync_api import Locator

VISIBLE = 24
"""A pixel differs if one of its channels (0 to 255) does by more than this: more than the smoothing of an edge."""


def pixels(element: Locator) -> np.ndarray:
    """The element's picture, (height, width, 3), 0 to 255."""
    picture = Image.open(io.BytesIO(element.screenshot(animations="allow"))).convert("RGB")
    return np.asarray(picture, dtype=np.int16)


def changed_share(before: np.ndarray, after: np.ndarray) -> float:
    """Share of the pixels that differ visibly; 1 if the pictures differ in size."""
    if before.shape != after.shape:
        return 1.0
    return float((np.abs(before - after).max(axis=2) > VISIBLE).mean())


def ink_share(picture: np.ndarray) -> float:
    """Share of the pixels that are not the background, the most frequent colour."""
    colours, places = np.unique(picture.reshape(-1, 3), axis=0, return_inverse=True)
    background = colours[np.bincount(places.ravel()).argmax()]
    return float((np.abs(picture - background).max(axis=2) > VISIBLE).mean())


def coloured_share(picture: np.ndarray) -> float:
    """Share of the pixels with a clear hue: strands and dots have one, text, nodes and lines are nearly grey."""
    return float((picture.max(axis=2) - picture.min(axis=2) > 2 * VISIBLE).mean())
