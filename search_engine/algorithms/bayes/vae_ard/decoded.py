"""Images through an auto-encoder, as the browser draws them: a few examples and what comes back of each, and a plane of the code space.

Everything goes by means (of codes and of factors): nothing is drawn, so no generator of the search is touched.
"""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import torch

from search_engine.events import DecodedFrame
from search_engine.training.batches import DevicePart

from .variational_autoencoder import VariationalAutoencoder

Array = np.ndarray[Any, Any]

MOST_BYTES = 32_768
"""Pixels of a frame, 44 KB as text; where more would be, fewer images are shown."""
LARGEST_SIDE = 32
"""Larger images are shown as means over squares of pixels."""
SIZES = ((8, 7), (6, 5), (4, 3), (2, 3))
"""(examples, side of the code space) that are tried in turn."""
REACH = 2.0
"""The code space is drawn to so many deviations of the prior to either side."""


def decoded_frame(model: VariationalAutoencoder, part: DevicePart, kept: list[int], says: Array, step: int) -> DecodedFrame | None:
    """The frame of now, or None where examples are no images. `kept`: latents that remain; the two of them that say most of an example
    (`says`: nats per latent, (latents,)) span the code space. Colour images are shown in grey."""
    shape = model.shape
    if len(shape) != 3:
        return None
    height, width = _shrunk(np.zeros((1, 1, *shape[1:]))).shape[-2:]
    size = height * width
    axes = sorted(kept, key=lambda latent: (-says[latent], latent))[:2]
    count, side = next(((few, side) for few, side in SIZES if (2 * few + side ** len(axes)) * size <= MOST_BYTES), (1, 1))
    mask = torch.zeros(model.latents, device=part.device)
    mask[kept] = 1.0
    examples = part.raw[:count]
    with torch.no_grad():
        codes, _ = model.codes(part.normalise(examples))
        back = _images(model, part, codes * mask)
        values = np.linspace(-REACH, REACH, side)
        plane = torch.zeros((side ** len(axes), model.latents), device=part.device)
        for place, latent in enumerate(axes):
            # The first rises from left to right, the second from top to bottom.
            along = np.tile(values, len(plane) // side) if place == 0 else np.repeat(values, side)
            plane[:, latent] = torch.as_tensor(along, dtype=plane.dtype, device=part.device)
        space = _images(model, part, plane)
    given = _grey(examples.float().cpu().numpy())
    low, high = float(given.min()), float(given.max())
    names = [f"z{latent}" for latent in axes]
    return DecodedFrame(
        step=step, rows=height, columns=width, low=low, high=high, examples=_bytes(given, low, high), decoded=_bytes(back, low, high),
        across=names[0], down=names[1] if len(names) > 1 else "", values=[float(value) for value in values],
        space=_bytes(space, low, high),
    )


def _images(model: VariationalAutoencoder, part: DevicePart, codes: torch.Tensor) -> Array:
    """(n, height, width) in the data's own units, from mean codes (n, latents) by the mean factors."""
    values = model.decoder(codes * model.gamma_mu).unflatten(1, model.shape)
    if model.likelihood == "bernoulli":
        # The decoder gives logits of grey values in [0, 1].
        return _grey((values.sigmoid() * part.normalise.scale).cpu().numpy())
    return _grey(part.normalise.undo(values).cpu().numpy())


def _grey(images: Array) -> Array:
    """(n, channels, height, width) -> (n, height', width')."""
    grey: Array = _shrunk(images).mean(axis=1)
    return grey


def _shrunk(images: Array) -> Array:
    """Means over squares of pixels, the fewest that bring both sides to at most LARGEST_SIDE; a rest at the edges is left out."""
    factor = -(-max(images.shape[-2:]) // LARGEST_SIDE)
    if factor == 1:
        return images
    height, width = (side // factor for side in images.shape[-2:])
    cut = images[..., : height * factor, : width * factor]
    means: Array = cut.reshape(*cut.shape[:-2], height, factor, width, factor).mean(axis=(-3, -1))
    return means


def _bytes(images: Array, low: float, high: float) -> str:
    shares = (images - low) / max(high - low, 1e-12)
    return base64.b64encode((255 * shares.clip(0, 1)).round().astype(np.uint8).tobytes()).decode()
