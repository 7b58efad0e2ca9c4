"""A finished network that a search begins with, as a run's config names it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from .training_config import TrainingConfig


class GivenConfig(BaseModel):
    """What the network is, and the digest of its weights. The weights themselves lie in the run's folder (`algorithms.given`), so that the
    config stays small and says all that decides the science.

    >>> given = GivenConfig(weights="0" * 64, space="mlp", genome={"widths": [16]}, input=[64], outputs=10)
    >>> given.space, given.training.epochs
    ('mlp', 3)
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    weights: str = Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the file of its weights, safetensors")
    space: str = Field(description="registry id of the space that its architecture is of")
    space_options: dict[str, Any] = {}
    genome: dict[str, Any] = Field(description="the content of its genome")
    input: list[int] = Field(min_length=1, max_length=4, description="shape of one example")
    outputs: int = Field(ge=1, description="classes, or values of the target")
    training: TrainingConfig = Field(default=TrainingConfig(), description="how it was built and trained")
    title: str = Field(default="", max_length=300, description="what people call it")
