"""What convolutional spaces ask of a data set."""

from __future__ import annotations

from ..base.errors import BadInput
from .data_shape import DataShape, Kind

_IN_WORDS: dict[Kind, str] = {"image": "images", "series": "series", "vector": "vectors", "none": "no inputs"}


def require_images(space: str, shape: DataShape, least: int) -> None:
    """Raise BadInput(field "dataset") unless the inputs are images of at least `least` x `least` pixels."""
    if not shape.is_image:
        message = f"the space '{space}' needs images (channels, height, width); this data set gives {_IN_WORDS[shape.kind]}"
        raise BadInput("dataset", message, code="incompatible")
    height, width = shape.input[1:]
    if min(height, width) < least:
        message = f"the space '{space}' needs images of at least {least}x{least} pixels, not {height}x{width}"
        raise BadInput("dataset", message, code="incompatible")


def require_series(space: str, shape: DataShape, least: int) -> None:
    """Raise BadInput(field "dataset") unless the inputs are series of at least `least` moments."""
    if shape.kind != "series":
        message = f"the space '{space}' needs series (channels, time); this data set gives {_IN_WORDS[shape.kind]}"
        raise BadInput("dataset", message, code="incompatible")
    if shape.input[1] < least:
        message = f"the space '{space}' needs series of at least {least} moments, not {shape.input[1]}"
        raise BadInput("dataset", message, code="incompatible")


def require_vectors(space: str, shape: DataShape, most: int) -> None:
    """Raise BadInput(field "dataset") unless the inputs are vectors of at most `most` columns."""
    if shape.kind != "vector":
        message = f"the space '{space}' needs vectors (features,); this data set gives {_IN_WORDS[shape.kind]}"
        raise BadInput("dataset", message, code="incompatible")
    if len(shape.widths) > most:
        message = f"the space '{space}' relates every column to every other: it takes at most {most}, not {len(shape.widths)}"
        raise BadInput("dataset", message, code="incompatible")
