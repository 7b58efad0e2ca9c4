"""The options of the space of growing convolution networks: the seed, what a morphism may choose from, how large a network may become."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from ..base import SpaceConfig


class GrowingConvnetConfig(SpaceConfig):
    """The seed network is convolution, pooling, convolution, ..., convolution, dense layers, classifier (Elsken et al., section 4)."""

    channels: tuple[int, ...] = Field(
        default=(16, 16, 16), min_length=1, max_length=8, title="Channels of the seed",
        description="Filters of the seed network's convolutions, first to last; between two of them a 2 x 2 max pooling, as long as there "
        "are two pixels to pool.",
    )
    kernel: Literal[1, 3, 5, 7] = Field(default=3, title="Kernel of the seed", description="Side of the seed network's filters in pixels.")
    dense: tuple[int, ...] = Field(
        default=(), max_length=4, title="Dense layers of the seed",
        description="Units of the hidden dense layers between the convolutions and the classifier. Paper: none.",
    )
    norm: bool = Field(
        default=True, title="Batch normalisation", description="Behind every convolution of the seed. Dense layers have none."
    )
    kernels: tuple[Literal[1, 3, 5, 7], ...] = Field(
        default=(3, 5), min_length=1, max_length=4, title="Kernels of new layers",
        description="What a new convolution's side is drawn from. Paper: 3 and 5.",
    )
    factors: tuple[Literal[2, 3, 4], ...] = Field(
        default=(2, 4), min_length=1, max_length=3, title="Widening factors",
        description="A layer becomes so many times as wide; drawn at random. Paper: 2 and 4.",
    )
    max_layers: int = Field(
        default=40, ge=2, le=200, title="Most layers", description="Convolutions and dense layers, the classifier included."
    )
    max_parameters: int | None = Field(
        default=None, ge=1_000, le=1_000_000_000, title="Most parameters",
        description="A morphism that leads beyond is drawn again. Empty: 50 times those of the seed. Paper: 50,000,000.",
    )
    max_megaflops: float | None = Field(
        default=None, gt=0, le=1_000_000, title="Most MFLOPs",
        description="Of one forward pass over one example, in millions of operations (a multiplication and an addition are two). Networks "
        "whose parameters alone are bounded grow where pictures are large until memory ends. A morphism that leads beyond is drawn again. "
        "Empty: 50 times those of the seed.",
    )

    @field_validator("channels", "dense")
    @classmethod
    def _sensible(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if any(not 1 <= width <= 4096 for width in value):
            raise ValueError("every layer needs between 1 and 4096 filters or units")
        return value

    @field_validator("kernels", "factors")
    @classmethod
    def _once(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(value)) != len(value):
            raise ValueError("a choice is named twice")
        return value
