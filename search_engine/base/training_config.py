"""What one training is: the options of a trial's training and of the final retraining."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class TrainingConfig(BaseModel):
    """How one network is trained from scratch: in a trial, and (with other defaults) in the final retraining."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    epochs: int = Field(default=3, ge=1, le=10_000, description="passes over the training part")
    batch_size: int = Field(default=64, ge=1, le=65_536, description="examples per optimiser step")
    optimizer: Literal["sgd", "adam", "adagrad"] = Field(default="sgd", description="SGD has momentum 0.9 (Nesterov)")
    learning_rate: float = Field(default=0.05, gt=0, le=10, description="start of the cosine schedule")
    final_learning_rate: float = Field(default=0.0005, ge=0, le=10, description="end of the cosine schedule, at the last step")
    momentum: float = Field(default=0.9, ge=0, lt=1, description="SGD only")
    weight_decay: float = Field(default=3e-4, ge=0, le=1, description="L2 penalty on the weights")
    gradient_clip: float = Field(default=5.0, ge=0, le=1000, description="largest gradient norm; 0 switches it off")
    label_smoothing: float = Field(default=0.0, ge=0, lt=1, description="share of the target that is spread over all classes; 0 = none")
    augment: Literal["auto", "none", "shift", "shift_flip", "cutout"] = Field(
        default="auto",
        description="image augmentation; auto = shift by up to an eighth of the width (no flips: digits are not symmetric); "
        "cutout = shift and a blanked square of half the width",
    )
    early_stop: int = Field(
        default=0, ge=0, le=1000, description="stop after this many epochs without a better validation accuracy; 0 = never"
    )
    train_examples: int = Field(default=0, ge=0, description="use only the first N training examples of the split; 0 = all")
    channels: int = Field(default=0, ge=0, le=512, description="width of a convolutional network; 0 = the space's own choice")
    layers: int = Field(default=0, ge=0, le=64, description="depth (cells) of a convolutional network; 0 = the space's own choice")
