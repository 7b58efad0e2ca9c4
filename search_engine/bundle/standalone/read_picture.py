"""A picture of any size and kind as one raw example: grey or colour, fitted to what the network takes. Needs Pillow."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

MOST_PIXELS = 2**27


def read_picture(path: Path, shape: tuple[int, ...], scale: float, invert: bool) -> np.ndarray[Any, Any]:
    """(1, channels, height, width) float32 from 0 to `scale`; `invert` turns what is dark on light.

    It is turned as its camera says, what is clear becomes black (white with `invert`), more than 8 bits are brought to 8, and it is scaled
    so that the shorter side fits and cut from the middle. Raises ValueError.
    """
    try:
        from PIL import Image, ImageOps
    except ImportError:
        raise ValueError("reading pictures needs Pillow: pip install pillow") from None
    channels, height, width = shape
    if channels not in (1, 3):
        raise ValueError(f"this model takes {channels} channels, which is no picture: give a .npy or .npz file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            opened = Image.open(path)
        with opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise ValueError(f"it claims {opened.width:,} x {opened.height:,} pixels; at most {MOST_PIXELS:,} are read")
            picture: Any = ImageOps.exif_transpose(opened)
            if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
                # Pillow's own conversion would cut all bright ones to white.
                picture = Image.fromarray(eight_bits(np.asarray(picture, dtype=np.float64), picture.mode))
            elif "A" in picture.mode or "transparency" in picture.info:
                ground = Image.new("RGBA", picture.size, "white" if invert else "black")
                picture = Image.alpha_composite(ground, picture.convert("RGBA"))
            fitted = picture.convert("L" if channels == 1 else "RGB")
            if fitted.size != (width, height):
                fitted = ImageOps.fit(fitted, (width, height), method=Image.Resampling.BILINEAR)
    except (OSError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise ValueError(f"it cannot be read as a picture: {error}") from None
    values = np.asarray(fitted, dtype=np.float32).reshape(height, width, -1).transpose(2, 0, 1)
    raw: np.ndarray[Any, Any] = (255 - values if invert else values)[np.newaxis] / 255 * np.float32(scale)
    return raw


def eight_bits(values: np.ndarray[Any, Any], mode: str) -> np.ndarray[Any, Any]:
    """Deep points as bytes: 65535 becomes 255, fractions are spread from their least to their largest."""
    if mode == "F":
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        values = (np.nan_to_num(values, nan=low) - low) / ((high - low) or 1.0) * 255
    elif values.max(initial=0) > 255:
        # Where all are smaller, 8 bits were written into 16.
        values = values / 257
    return np.clip(np.round(values), 0, 255).astype(np.uint8)
