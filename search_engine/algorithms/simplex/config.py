"""The options that every method on the simplex shares: how long, who moves the structure, who moves the weights, on which data."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from search_engine.base.works_with import WorksWith, one_of, other_than

from .controls import SimplexControlsConfig
from .estimators import EstimatorName


class SimplexConfig(SimplexControlsConfig):
    """Options of a search that moves the weights w of a super-network and its structure alpha. A method whose paper has other figures
    overrides a field with its own default and description."""

    works_with: ClassVar[WorksWith] = {"epochs": {"steps": one_of(0)}}

    # ---- how long
    epochs: int = Field(
        default=9, ge=1, le=10_000, title="Epochs",
        description="Passes over the part of the data that fits the weights. With `steps` = 0 this is the horizon of the search and of its "
        "learning rate schedule. DARTS: 50.",
    )
    steps: int = Field(
        default=0, ge=0, le=10_000_000, title="Steps",
        description="The horizon in steps instead (one step = one move of the structure and one of the weights); 0 = use the epochs.",
    )
    batch_size: int = Field(default=64, ge=2, le=65_536, title="Batch size", description="Examples in each of a step's minibatches.")

    # ---- the structure
    structure_learning_rate: float = Field(
        default=0.03, gt=0, le=10, title="Learning rate of the structure",
        description="Adam's learning rate for alpha. 0.03 lets a search of a hundred steps decide; DARTS uses 0.0003, PC-DARTS, P-DARTS "
        "and DrNAS 0.0006 over tens of thousands of steps.",
    )
    structure_beta1: float = Field(default=0.5, ge=0, lt=1, title="Adam β₁", description="Adam's first moment decay for alpha. DARTS: 0.5.")
    structure_beta2: float = Field(
        default=0.999, ge=0, lt=1, title="Adam β₂", description="Adam's second moment decay for alpha. DARTS: 0.999.",
    )
    structure_weight_decay: float = Field(
        default=1e-3, ge=0, le=1, title="Weight decay of the structure",
        description="L2 penalty on alpha: pulls towards equal weights. DARTS: 0.001.",
    )
    structure_gradient_clip: float = Field(
        default=0.0, ge=0, le=1000, title="Gradient clip of the structure",
        description="Largest norm of alpha's gradient; 0 = no limit, as in DARTS. P-DARTS: 5.",
    )

    # ---- the weights
    learning_rate: float = Field(
        default=0.025, gt=0, le=10, title="Learning rate", description="SGD's learning rate at the start. DARTS: 0.025, PC-DARTS: 0.1.",
    )
    final_learning_rate: float = Field(
        default=0.001, ge=0, le=10, title="Final learning rate", description="At the last step; a cosine lies between. DARTS: 0.001.",
    )
    momentum: float = Field(default=0.9, ge=0, lt=1, title="Momentum", description="SGD's momentum. DARTS: 0.9.")
    weight_decay: float = Field(default=3e-4, ge=0, le=1, title="Weight decay", description="L2 penalty on the weights. DARTS: 0.0003.")
    gradient_clip: float = Field(
        default=5.0, ge=0, le=1000, title="Gradient clip", description="Largest norm of the weights' gradient; 0 = no limit. DARTS: 5.",
    )


class BilevelConfig(SimplexConfig):
    """Options of a bilevel search: the weights fit one part of the data, the structure another."""

    works_with: ClassVar[WorksWith] = {
        "xi": {"estimator": other_than("first")}, "train_portion": {"structure_data": one_of("train_split")},
    }

    estimator: EstimatorName = Field(
        default="first", title="Architecture gradient",
        description="first: the weights count as optimal (fastest, what most people run). finite_difference: looks one weight step ahead, "
        "as DARTS' second order; about three times the cost. exact: the same by automatic differentiation, for small networks.",
    )
    xi: float = Field(
        default=1.0, ge=0, le=1000, title="Look-ahead step ξ",
        description="Length of the virtual weight step, as a multiple of the current learning rate of the weights; 0 = first order. "
        "Used by the second-order estimators. DARTS: 1.",
    )
    structure_data: Literal["train_split", "validation"] = Field(
        default="train_split", title="Data that move the structure",
        description="train_split: a part of the training data (the validation data stay unseen and can rank what was found). "
        "validation: the validation data, while all training data fit the weights.",
    )
    train_portion: float = Field(
        default=0.5, gt=0, lt=1, title="Share of the weights",
        description="With train_split: the share of the training data that fits the weights; the rest moves the structure. DARTS: 0.5.",
    )
