"""Pictures of any size and colour brought to one form, with what was done to each kind counted, so that it can be said.

Scaled so that the shorter side fits, then cut from the middle; transparent parts laid on black; 16 bits to 8; turned as the
camera says. Pictures that have the form already are taken as they are, bit for bit.
"""

from __future__ import annotations

import io
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...base.errors import BadInput
from ...base.lazy import lazy_module
from ..base import Array
from .bounds import Bounds

pil: Any = lazy_module("PIL.Image")

FORMATS = ("JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm")
GREY = {"1", "L", "LA", "I", "I;16", "I;16B", "I;16L", "I;16N", "F"}
DEEP = {"I", "I;16", "I;16B", "I;16L", "I;16N", "F"}
KEPT_SIDE = 64
"""Pictures of one size are taken as they are up to so many pixels a side."""
ORIENTATION = 0x0112


@dataclass(frozen=True)
class Seen:
    """What the header of a picture says."""

    height: int
    width: int
    mode: str
    alpha: bool
    turned: bool
    frames: int

    @property
    def grey(self) -> bool:
        return self.mode in GREY


@dataclass(frozen=True)
class Form:
    """What all pictures become."""

    channels: int
    height: int
    width: int

    @property
    def shape(self) -> tuple[int, int, int]:
        return (self.channels, self.height, self.width)


def look(data: bytes, name: str, bounds: Bounds) -> Seen:
    """The header alone. Raises BadInput(field "file") for what is no picture, and one of too many pixels."""
    picture = _opened(data, name)
    if picture.width * picture.height > bounds.pixels:
        raise BadInput("file", f"the picture {name[:80]!r} claims {picture.height:,} x {picture.width:,} pixels; at most "
                               f"{bounds.pixels:,} are "
                       "read", code="too_large")
    alpha = "transparency" in picture.info or picture.mode in ("LA", "RGBA", "PA", "La", "RGBa")
    try:
        orientation = picture.getexif().get(ORIENTATION, 1)
        frames = int(getattr(picture, "n_frames", 1))
    except Exception:  # Pillow's readers raise whatever a damaged header leads them to
        orientation, frames = 1, 1
    height, width = (picture.width, picture.height) if orientation in (5, 6, 7, 8) else (picture.height, picture.width)
    return Seen(height, width, picture.mode, alpha, orientation not in (0, 1), frames)


def proposed_form(seen: Sequence[Seen], side: int | None, channels: int | None) -> Form:
    """Pictures of one size up to KEPT_SIDE stay as they are; others become squares of 32 or 64 pixels, whichever is nearer to the
    median of their shorter sides. Grey if all are."""
    own_channels = channels or (1 if all(item.grey for item in seen) else 3)
    if side is not None:
        return Form(own_channels, side, side)
    sizes = {(item.height, item.width) for item in seen}
    if len(sizes) == 1:
        height, width = next(iter(sizes))
        if min(height, width) >= 4 and max(height, width) <= KEPT_SIDE:
            return Form(own_channels, height, width)
    median = float(np.median([min(item.height, item.width) for item in seen]))
    square = 32 if median < 48 else 64
    return Form(own_channels, square, square)


def fitted(data: bytes, name: str, form: Form) -> Array:
    """(channels, height, width) uint8 of one picture. Raises BadInput(field "file") where it is damaged."""
    picture = _opened(data, name)
    try:
        from PIL import ImageOps

        picture = ImageOps.exif_transpose(picture)
        flat = _plain(picture, form.channels)
        if (flat.height, flat.width) != (form.height, form.width):
            # Scaled and cut in one step, from the middle; the filter looks at every pixel when it makes a picture smaller.
            flat = ImageOps.fit(flat, (form.width, form.height), method=pil.Resampling.BILINEAR)
        pixels = np.asarray(flat, dtype=np.uint8)
    except MemoryError:
        raise
    except Exception as error:  # Pillow's decoders raise whatever a damaged file leads them to
        raise BadInput("file", f"the picture {name[:80]!r} is damaged: {error}", code="damaged_data") from None
    found: Array = pixels.reshape(form.height, form.width, form.channels).transpose(2, 0, 1)
    return found


def _plain(picture: Any, channels: int) -> Any:
    """8 bits, grey or RGB, nothing transparent."""
    mode = "L" if channels == 1 else "RGB"
    if picture.mode in DEEP:
        values = np.asarray(picture)
        if picture.mode == "F":
            low, high = float(np.nanmin(values)), float(np.nanmax(values))
            scaled = (np.nan_to_num(values, nan=low) - low) / ((high - low) or 1.0) * 255
        else:
            # 16 bits: 65535 becomes 255. Tools that write 8 bits into 16 stay what they are.
            scaled = values / 257 if int(values.max(initial=0)) > 255 else values
        picture = pil.fromarray(np.clip(np.round(scaled), 0, 255).astype(np.uint8))
    elif "transparency" in picture.info or picture.mode in ("LA", "RGBA", "PA", "La", "RGBa"):
        layered = picture.convert("RGBA")
        ground = pil.new("RGBA", layered.size, (0, 0, 0, 255))
        picture = pil.alpha_composite(ground, layered).convert("RGB")
    return picture.convert(mode)


def done_to(seen: Sequence[Seen], form: Form) -> list[tuple[str, str, int]]:
    """(code, sentence, how many) of what is done to the pictures; nothing where they stay as they are."""
    said: list[tuple[str, str, int]] = []
    total = len(seen)

    def add(code: str, count: int, what: str) -> None:
        if count:
            said.append((code, f"{count:,} of {total:,} pictures {what}.", count))

    sizes = Counter((item.height, item.width) for item in seen)
    resized = total - sizes.get((form.height, form.width), 0)
    most = ", ".join(f"{height} x {width}" for (height, width), _ in sizes.most_common(3)) + (" ..." if len(sizes) > 3 else "")
    add("resized", resized, f"are scaled to {form.height} x {form.width} pixels (height x width) so that the shorter side fits, and cut "
                            f"from the middle; they have {most}")
    add("alpha", sum(item.alpha for item in seen), "have transparent parts, which are laid on black")
    add("deep", sum(item.mode in DEEP for item in seen), "have more than 8 bits a channel, and are brought to 8")
    add("turned", sum(item.turned for item in seen), "are turned as the camera says")
    add("frames", sum(item.frames > 1 for item in seen), "have several frames, of which the first is taken")
    if form.channels == 1:
        add("greyed", sum(not item.grey for item in seen), "are in colour, and become grey")
    else:
        add("coloured", sum(item.grey for item in seen), "are grey, and become three equal channels")
    add("cmyk", sum(item.mode in ("CMYK", "YCbCr", "LAB", "HSV") for item in seen), "have other colours than RGB, and are brought to it")
    return said


def _opened(data: bytes, name: str) -> Any:
    try:
        with warnings.catch_warnings():
            # Pillow warns of large pictures; `look` refuses them.
            warnings.simplefilter("ignore")
            return pil.open(io.BytesIO(data), formats=FORMATS)
    except MemoryError:
        raise
    except pil.DecompressionBombError:  # above its own limit, which is beyond every bound of ours: `look` never sees the size
        text = f"the picture {name[:80]!r} claims more pixels than are read of one: make it smaller"
        raise BadInput("file", text, code="too_large") from None
    except Exception as error:  # Pillow's readers raise whatever a damaged header leads them to
        what = "is no picture, or is damaged" if "cannot identify" in str(error) else f"is damaged: {error}"
        begins = data[:4].hex(" ") or "nothing"
        raise BadInput("file", f"{name[:80]!r} {what} (it begins with {begins})", code="damaged_data") from None


def png_base64(pixels: Array) -> str:
    """A picture (channels, height, width) uint8 to show, as a PNG file in base64."""
    import base64

    flat = pixels[0] if pixels.shape[0] == 1 else pixels.transpose(1, 2, 0)
    kept = io.BytesIO()
    pil.fromarray(np.ascontiguousarray(flat)).save(kept, format="PNG")
    return base64.b64encode(kept.getvalue()).decode("ascii")
