"""Image augmentation: random shift, horizontal flip, cutout; the draws of step k depend on (seed, k) alone.

Shift and flip as usual for small images (He et al. 2016, section 4.2: pad with black, crop, mirror); cutout after T. DeVries and G.
Taylor, "Improved Regularization of CNNs with Cutout", arXiv 1708.04552: a square of half the image's width at a random centre, cut
at the border, set to the mean (0 after normalisation). Draws are made on the CPU, so every device sees the same ones.
"""

from __future__ import annotations

import torch
from torch.nn import functional as F

from ..base.errors import BadInput
from ..base.generators import derive_seed
from .batches import Normaliser

KINDS: dict[str, frozenset[str]] = {
    "none": frozenset(),
    "shift": frozenset({"shift"}),
    "shift_flip": frozenset({"shift", "flip"}),
    "cutout": frozenset({"shift", "cutout"}),
}


class Augmentation:
    """Turns raw training images into augmented network inputs. `kind` is `TrainingConfig.augment`."""

    def __init__(self, kind: str, shape: tuple[int, ...], seed: int) -> None:
        """`shape` is one example's. Raises BadInput(field "training.augment") where the inputs are no images."""
        if kind == "auto":
            kind = "shift" if len(shape) == 3 else "none"
        self._parts = KINDS[kind]
        if self._parts and len(shape) != 3:
            raise BadInput("training.augment", f"'{kind}' works on images; this data set has vectors of {shape[0]} features: use none")
        self._shape = shape
        self._seed = seed

    def __call__(self, raw: torch.Tensor, normalise: Normaliser, step: int) -> torch.Tensor:
        """Raw inputs (B, C, H, W) of training step `step` -> normalised, augmented inputs, float32."""
        if not self._parts:
            return normalise(raw)
        generator = torch.Generator().manual_seed(derive_seed(self._seed, "augment", step))
        count = len(raw)
        if "shift" in self._parts:
            raw = self._shift(raw, generator)
        if "flip" in self._parts:
            flipped = torch.rand(count, generator=generator).lt(0.5).to(raw.device)
            raw = torch.where(flipped[:, None, None, None], raw.flip(-1), raw)
        inputs = normalise(raw)
        return self._cutout(inputs, generator) if "cutout" in self._parts else inputs

    def _shift(self, raw: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Move each image by up to an eighth of its size (at least one pixel), black coming in."""
        channels, height, width = self._shape
        down, right = max(1, height // 8), max(1, width // 8)
        count, device = len(raw), raw.device
        rows = torch.randint(0, 2 * down + 1, (count, 1), generator=generator) + torch.arange(height)
        columns = torch.randint(0, 2 * right + 1, (count, 1), generator=generator) + torch.arange(width)
        padded = F.pad(raw, (right, right, down, down))
        return padded[
            torch.arange(count, device=device)[:, None, None, None],
            torch.arange(channels, device=device)[None, :, None, None],
            rows.to(device)[:, None, :, None],
            columns.to(device)[:, None, None, :],
        ]

    def _cutout(self, inputs: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Set a square of half the width around a random pixel of each image to 0."""
        _, height, width = self._shape
        half = max(1, width // 4)
        centre_row = torch.randint(0, height, (len(inputs), 1), generator=generator)
        centre_column = torch.randint(0, width, (len(inputs), 1), generator=generator)
        in_rows = (torch.arange(height) >= centre_row - half) & (torch.arange(height) < centre_row + half)
        in_columns = (torch.arange(width) >= centre_column - half) & (torch.arange(width) < centre_column + half)
        hole = (in_rows[:, None, :, None] & in_columns[:, None, None, :]).to(inputs.device)
        return inputs.masked_fill(hole, 0.0)
