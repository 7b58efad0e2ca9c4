"""The options of MorphNet."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, field_validator

from search_engine.base.works_with import WorksWith, one_of, other_than

from ..base import AlgorithmConfig


class MorphNetConfig(AlgorithmConfig):
    """How channels are made superfluous, how often, and what the result is compared with."""

    works_with: ClassVar[WorksWith] = {
        "l1": {"regulariser": one_of("morphnet_group_lasso_flops")},
        "shared": {"regulariser": other_than("group_lasso_scardapane")},
    }

    # ---- the penalty
    regulariser: Literal["gamma", "morphnet_group_lasso_flops", "group_lasso_scardapane"] = Field(
        default="gamma", title="Regulariser",
        description="What is driven to zero. gamma: the scales γ of batch normalisations, each weighed by what its channel costs. "
        "morphnet_group_lasso_flops: the weights that produce an output, weighed alike; for networks without normalisation. "
        "group_lasso_scardapane: outgoing weights, blind to costs; it also tells which inputs are unused.",
    )
    resource: Literal["flops", "parameters"] = Field(
        default="flops", title="Resource", description="What is saved, and what a target is in: FLOPs of a forward pass, or weights."
    )
    factor: float = Field(
        default=1.0, ge=0, le=1e6, title="Strength",
        description="λ = strength / the seed network's cost, so that a strength means the same in every network. 0: nothing is "
        "pruned.",
    )
    threshold: float = Field(
        default=0.1, gt=0, le=10, title="Threshold",
        description="A channel whose |γ| is at most this is dead; of weights, at most this share of their layer's first size. "
        "Upstream: 0.1 and 0.01.",
    )
    floor: float = Field(
        default=0.1, ge=0, le=1, title="Floor",
        description="At least this share of a layer's channels stays (and one). Where the floor held, the run says so.",
    )
    shared: Literal["max", "l2"] = Field(
        default="max", title="Tied channels",
        description="Channels that a sum ties count by their largest member, or by the L2 norm of all. Dead are only those whose members "
        "are all dead.",
    )
    l1: float = Field(
        default=0.0, ge=0, le=1, title="Share of L1", description="Of a group's size: the mean |w| instead of the root mean square."
    )
    latched: bool = Field(
        default=False, title="Dead stays dead", description="A channel that was below the threshold once does not come back in this round."
    )

    # ---- the rounds
    rounds: int = Field(
        default=1, ge=1, le=20, title="Rounds", description="Shrinking, expanding and training from scratch, so many times."
    )
    expand_to: float = Field(
        default=0.0, ge=0, le=10, title="Expand to",
        description="After each shrinking all widths are multiplied by the largest factor (ω) that keeps the network within this share "
        "of the seed network's cost. 0: shrink only (ω = 1).",
    )
    shrink_epochs: int = Field(
        default=8, ge=1, le=10_000, title="Epochs of shrinking", description="Training with the penalty, at a constant learning rate."
    )
    shrink_rate: float = Field(
        default=0.1, gt=0, le=10, title="Learning rate of shrinking",
        description="Of SGD with momentum 0.9. Adam is not offered: it moves every γ by its rate whatever its gradient, and takes "
        "whole layers at once.",
    )
    train_epochs: int = Field(
        default=8, ge=1, le=10_000, title="Epochs from scratch",
        description="Each round's network is trained so long with fresh weights; its validation score ranks the rounds.",
    )
    train_rate: float = Field(
        default=0.05, gt=0, le=10, title="Learning rate from scratch",
        description="Of SGD with momentum 0.9, down to a hundredth on a cosine.",
    )
    batch_size: int = Field(default=64, ge=2, le=65_536, title="Batch size", description="Examples of a step, in all these trainings.")

    # ---- what it is compared with
    controls: bool = Field(
        default=True, title="Uniform shrinking",
        description="After the search, outside its budget: the seed network with all its widths shrunk alike to the same cost, and the "
        "seed network itself, trained alike.",
    )
    sweep: tuple[float, ...] = Field(
        default=(0.01, 0.1, 1.0, 10.0, 100.0, 1000.0), max_length=12, title="Sweep of the strength",
        description="After the search, outside its budget: the first round with each of these strengths, its network and uniform "
        "shrinking to the same cost trained alike. A log grid around 1; empty: none.",
    )

    @field_validator("sweep")
    @classmethod
    def _rising(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if any(not 0 < item <= 1e6 for item in value) or list(value) != sorted(set(value)):
            raise ValueError("strengths must be positive numbers up to a million, rising")
        return value
