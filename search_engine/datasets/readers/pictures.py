"""One picture (JPEG or PNG) as an array. Needs numpy and Pillow.

The header is checked before any pixel is decoded: a file that claims 100,000 x 100,000 pixels costs nothing. Pixels are taken as they are
stored: no resizing, no rotation by EXIF, no colour management.
"""

from __future__ import annotations

import io
import stat
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

ENDINGS = (".jpeg", ".jpg", ".png")
MOST_FILE_BYTES = 2**26
"""Of one file: no picture that is searched on is larger."""
PLAIN = {"1": "grey", "L": "grey", "RGB": "colour", "P": "colour"}
"""Modes of Pillow that become grey or RGB without a decision; `P` is a table of colours."""


def read_picture(path: Path, channels: int, size: tuple[int, int] | None = None) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """(channels, height, width) uint8 of the file; see `decode`. Raises ValueError with the file's name."""
    try:
        state = path.stat()
        if not stat.S_ISREG(state.st_mode):
            raise ValueError(f"{path} is no ordinary file")
        if state.st_size > MOST_FILE_BYTES:
            raise ValueError(f"{path} has {state.st_size:,} bytes; a picture may have {MOST_FILE_BYTES:,}")
        return decode(path.read_bytes(), str(path), channels, size)
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror or error}") from None


def decode(
    data: bytes, name: str, channels: int, size: tuple[int, int] | None = None, most_pixels: int = 2**24
) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """(channels, height, width) uint8 from the bytes of a JPEG or PNG file; `channels` 3 = red, green, blue, 1 = grey.

    A grey picture becomes three equal channels where three are asked for. Raises ValueError, which begins with `name`, for other bytes, a
    file that is cut short, a picture that is not (height, width) = `size` or has more than `most_pixels`, and for one whose colours would
    have to be decided on: transparency, more than 8 bits, CMYK, or colour where grey is asked for.
    """
    picture = _opened(data, name)
    found = (picture.height, picture.width)
    if size is not None and found != size:
        raise ValueError(f"{name} has {found[0]} x {found[1]} pixels (height x width); it must have {size[0]} x {size[1]}, like the others")
    if found[0] * found[1] > most_pixels:
        raise ValueError(f"{name} claims {found[0]:,} x {found[1]:,} pixels; at most {most_pixels:,} are read")
    kind = PLAIN.get(picture.mode)
    if kind is None or "transparency" in picture.info:
        what = "transparent parts" if "transparency" in picture.info or "A" in picture.mode else f"the colour mode {picture.mode}"
        raise ValueError(f"{name} has {what}; save it as grey or RGB with 8 bits a channel")
    if channels == 1 and kind == "colour":
        raise ValueError(f"{name} is in colour, and grey pictures are expected; save it as grey")
    try:
        pixels = np.asarray(picture.convert("L" if channels == 1 else "RGB"), dtype=np.uint8)
    except Exception as error:  # Pillow's decoders raise whatever a damaged file leads them to
        raise ValueError(f"{name} is damaged: {error}; put the original file there") from None
    return pixels.reshape(*found, channels).transpose(2, 0, 1)


def _opened(data: bytes, name: str) -> Any:
    """The picture with its header read, and nothing decoded."""
    try:
        with warnings.catch_warnings():
            # Pillow warns of large pictures; `decode` refuses them.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            return Image.open(io.BytesIO(data), formats=("JPEG", "PNG"))
    except UnidentifiedImageError:
        raise ValueError(f"{name} is no JPEG or PNG picture: it begins with {data[:4].hex(' ') or 'nothing'}") from None
    except Image.DecompressionBombError as error:
        raise ValueError(f"{name} claims to be far too large: {error}") from None
    except Exception as error:  # Pillow's readers raise whatever a damaged header leads them to
        raise ValueError(f"{name} is damaged: {error}; put the original file there") from None
