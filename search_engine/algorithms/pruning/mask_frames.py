"""Masks as the browser draws them."""

from __future__ import annotations

from collections.abc import Mapping

from search_engine.events import MaskFrame, MaskLayer
from search_engine.spaces.plain_masks import Mask, bits_of
from search_engine.spaces.plain_network import PlainNetworkSpace

MOST_BITS = 320_000
"""Of one mask in a frame: 53 KB as text, and as much for the mask before. Layers beyond that are told by their counts alone, the largest
first."""


def mask_frame(
    space: PlainNetworkSpace, masks: Mapping[str, Mask], step: int, before: Mapping[str, Mask] | None = None, **values: float
) -> MaskFrame:
    """All layers in the order of computation; `masks` are bool arrays of the weights' shapes, `before` those of the frame before, so that
    the picture can mark what has just gone (whoever watches may not have seen that frame)."""
    drawn, left = set(), MOST_BITS
    for layer in sorted(space.layers, key=lambda item: item.total):
        if layer.total <= left:
            left -= layer.total
            drawn.add(layer.name)
    layers = [
        MaskLayer(
            name=layer.name, title=layer.title, rows=layer.rows, columns=layer.columns, kept=int(masks[layer.name].sum()),
            total=layer.total, bits=bits_of(masks[layer.name]) if layer.name in drawn else "",
            before=bits_of(before[layer.name]) if before is not None and layer.name in drawn else "",
        )
        for layer in space.layers
    ]  # fmt: skip
    share = sum(layer.kept for layer in layers) / space.weights
    return MaskFrame(step=step, layers=layers, values={"share_kept": share, **values})
