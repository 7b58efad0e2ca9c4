"""What convolutional spaces ask of a data set."""

from __future__ import annotations

from ..base.errors import BadInput
from .data_shape import DataShape


def require_images(space: str, shape: DataShape, least: int) -> None:
    """Raise BadInput(field "dataset") unless the inputs are images of at least `least` x `least` pixels."""
    if not shape.is_image:
        message = f"the space '{space}' needs images (channels, height, width); this data set gives vectors"
        raise BadInput("dataset", message, code="incompatible")
    height, width = shape.input[1:]
    if min(height, width) < least:
        message = f"the space '{space}' needs images of at least {least}x{least} pixels, not {height}x{width}"
        raise BadInput("dataset", message, code="incompatible")
