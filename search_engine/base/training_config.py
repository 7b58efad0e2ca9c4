"""What one training is: the options of a trial's training and of the final retraining."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Optional

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, create_model, model_serializer
from pydantic.fields import FieldInfo

from .works_with import WorksWith, one_of


class TrainingConfig(BaseModel):
    """How one network is trained: in a trial, and in the final retraining."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    works_with: ClassVar[WorksWith] = {"momentum": {"optimizer": one_of("sgd")}, "epochs": {"steps": one_of(0)}}

    epochs: int = Field(default=3, ge=1, le=10_000, description="passes over the training part")
    steps: int = Field(default=0, ge=0, le=10_000_000, description="optimiser steps instead of the epochs; 0 = use the epochs")
    batch_size: int = Field(default=64, ge=1, le=65_536, description="examples per optimiser step")
    optimizer: Literal["sgd", "adam", "adagrad"] = Field(default="sgd", description="SGD has momentum 0.9 (Nesterov)")
    learning_rate: float = Field(default=0.05, gt=0, le=100, description="start of the cosine schedule")
    final_learning_rate: float = Field(default=0.0005, ge=0, le=100, description="end of the cosine schedule, at the last step")
    momentum: float = Field(default=0.9, ge=0, lt=1, description="SGD only")
    weight_decay: float = Field(default=3e-4, ge=0, le=1, description="L2 penalty on the weights")
    gradient_clip: float = Field(default=5.0, ge=0, le=1000, description="largest gradient norm; 0 switches it off")
    label_smoothing: float = Field(default=0.0, ge=0, lt=1, description="share of the target that is spread over all classes; 0 = none")
    augment: Literal["auto", "none", "shift", "shift_flip", "cutout"] = Field(
        default="auto",
        description="image augmentation; auto = shift by up to an eighth of the width (no flips: digits are not symmetric); "
        "cutout = shift and a blanked square of half the width",
    )
    class_weights: Literal["none", "balanced"] = Field(
        default="none",
        description="balanced = in the training loss every class counts the same, however few examples it has: each example is weighted "
        "with n / (classes x examples of its class). Never in a score",
    )
    early_stop: int = Field(
        default=0, ge=0, le=1000,
        description="stop after this many epochs without a better validation score (accuracy, or the run's objective); 0 = never"
    )
    train_examples: int = Field(default=0, ge=0, description="use only the first N training examples of the split; 0 = all")
    channels: int = Field(default=0, ge=0, le=512, description="width of a convolutional network; 0 = the space's own choice")
    layers: int = Field(default=0, ge=0, le=64, description="depth (cells) of a convolutional network; 0 = the space's own choice")

    @model_serializer(mode="wrap")
    def _as_before_these_were_options(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """A training without weights of classes is written as trainings were before there were any: what was digested or saved stays
        equal."""
        return _without(handler(self), "none")

    def changed(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """All values with `changes` in their places, unchecked. A length that is given in epochs replaces one in steps.

        >>> TrainingConfig(steps=300).changed({"epochs": 2})["steps"]
        0
        """
        length = {"steps": 0} if "epochs" in changes and "steps" not in changes else {}
        return {**self.model_dump(), **length, **changes}


def _without(values: dict[str, Any], weights: str | None) -> dict[str, Any]:
    """The values of a training, with the weights of classes left out where they are these."""
    return {name: value for name, value in values.items() if name != "class_weights" or value != weights}


def _open(field: FieldInfo) -> tuple[Any, Any]:
    """The same field, which may also be left open (None)."""
    closed: Any = Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation  # type: ignore[misc]
    return (Optional[closed], Field(default=None, description=f"{field.description}; empty = as the recipe has it"))  # noqa: UP045


class Changes(BaseModel):
    """Single fields of a training that are given; what is left open is somebody else's choice."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_serializer(mode="wrap")
    def _as_before_these_were_options(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """As `TrainingConfig` writes itself."""
        return _without(handler(self), None)

    @property
    def given(self) -> dict[str, Any]:
        """What is not left open."""
        return self.model_dump(exclude_none=True)


if TYPE_CHECKING:
    TrainingChanges = Changes
else:
    TrainingChanges = create_model(
        "TrainingChanges", __base__=Changes, __doc__=Changes.__doc__,
        **{name: _open(field) for name, field in TrainingConfig.model_fields.items()},
    )
    """`TrainingConfig` with every field open: made from it, so that the two cannot differ.

    >>> TrainingChanges(epochs=2).given
    {'epochs': 2}
    """
