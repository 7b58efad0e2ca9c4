"""The examples that a model gets most wrong, small enough to be shown: as a picture, or as a row of its inputs."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import numpy as np

from ..datasets.base import Array, Part
from ..events import Feature, Mistake, Thumbnail
from .rules import Answers

MOST = 12
"""So many are kept of a part."""
PIXELS = 32
"""Larger pictures are averaged over squares until no side is longer."""
FEATURES = 12
"""So many inputs of a row are shown."""


def worst(task: str, outputs: Array, part: Part, names: Sequence[str], features: Sequence[str], scale: float) -> list[Mistake]:
    """Wrong answers by their log loss, or values by their absolute error, largest first; of equals the earlier example.

    `outputs` (n, outputs) are of `part`, in its order; `scale` is what raw pixels are divided by.
    """
    answers = Answers(outputs, part.labels, names)
    if task == "classification":
        wrong = np.flatnonzero(answers.answered != answers.targets)
        errors = -answers.log_probabilities[wrong, answers.targets[wrong]]
    else:
        wrong = np.arange(len(outputs))
        errors = np.abs(answers.outputs - answers.targets).mean(axis=1)
    order = wrong[np.argsort(-errors, kind="stable")[:MOST]]
    largest = np.sort(-errors, kind="stable")[:MOST]
    return [
        _mistake(task, answers, int(place), float(min(-error, np.finfo(np.float64).max)), part, names, features, scale)
        for place, error in zip(order, largest, strict=True)
    ]


def _mistake(
    task: str, answers: Answers, place: int, error: float, part: Part, names: Sequence[str], features: Sequence[str], scale: float
) -> Mistake:
    inputs = part.inputs[place]
    picture = thumbnail(inputs, scale) if inputs.ndim == 3 else None
    flat = inputs.reshape(-1)
    row = [] if picture is not None else [
        Feature(name=features[number] if number < len(features) else f"input {number + 1}", value=float(value))
        for number, value in enumerate(flat[:FEATURES])
        if np.isfinite(value)
    ]
    more = 0 if picture is not None else max(0, len(flat) - FEATURES)
    if task == "classification":
        true, answered = int(answers.targets[place]), int(answers.answered[place])
        confidence: float | None = float(np.exp(answers.log_probabilities[place, answered]))
        words = (names[true], names[answered] if answered < len(names) else "none of the classes")
    else:
        confidence = None
        words = (_numbers(answers.targets[place]), _numbers(answers.outputs[place]))
    return Mistake(
        index=int(part.indices[place]), true=words[0], answered=words[1], confidence=confidence, error=error, picture=picture, row=row,
        more=more,
    )


def _numbers(values: Array) -> str:
    """At most four of them.

    >>> _numbers(np.array([1.0, 0.25]))
    '1, 0.25'
    """
    shown = ", ".join(f"{value:.4g}" for value in values[:4])
    return shown + (f" and {len(values) - 4} more" if len(values) > 4 else "")


def thumbnail(image: Array, scale: float) -> Thumbnail:
    """A raw image (channels, height, width) as bytes; of two channels, or more than three, the mean is shown in grey. Values that leave
    0 to `scale` are cut.

    >>> small = thumbnail(np.full((1, 64, 40), 8.0), scale=16.0)
    >>> small.height, small.width, small.channels, base64.b64decode(small.pixels)[:2]
    (32, 20, 1, b'\\x80\\x80')
    """
    values = image.astype(np.float64) / scale
    if len(values) != 3:
        values = values.mean(axis=0, keepdims=True)
    while max(values.shape[1:]) > PIXELS:
        high, wide = (max(1, side // 2) for side in values.shape[1:])
        stepped = [min(2, side) for side in values.shape[1:]]
        cut = values[:, : high * stepped[0], : wide * stepped[1]]
        values = cut.reshape(len(cut), high, stepped[0], wide, stepped[1]).mean(axis=(2, 4))
    pixels = np.round(np.clip(np.nan_to_num(values), 0, 1) * 255).astype(np.uint8)
    channels, height, width = pixels.shape
    text = base64.b64encode(np.ascontiguousarray(pixels.transpose(1, 2, 0)).tobytes()).decode()
    return Thumbnail(height=height, width=width, channels=1 if channels == 1 else 3, pixels=text)
