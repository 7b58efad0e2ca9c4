"""Image augmentation: random shift, horizontal flip, cutout; the draws of step k depend on (seed, k) alone.

Draws are made step by step, the images of many steps at once: small batches cost more in calls than in arithmetic.

Shift and flip as usual for small images (He et al. 2016, section 4.2: pad with black, crop, mirror); cutout after T. DeVries and G.
Taylor, "Improved Regularization of CNNs with Cutout", arXiv 1708.04552: a square of half the image's width at a random centre, cut
at the border, set to the mean (0 after normalisation). Draws are made on the CPU, so every device sees the same ones.
"""

from __future__ import annotations

from collections.abc import Sequence

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
            raise BadInput("training.augment", f"'{kind}' works on images; inputs of shape {shape} are none: use none")
        self._shape = shape
        self._seed = seed
        self._generator = torch.Generator()

    def __call__(self, raw: torch.Tensor, normalise: Normaliser, sizes: Sequence[int], first: int) -> torch.Tensor:
        """Raw inputs (B, C, H, W) of the training steps from `first` on, one after the other, `sizes` of them each -> normalised,
        augmented inputs, float32."""
        if not self._parts:
            return normalise(raw)
        draws = [self._draw(count, first + place) for place, count in enumerate(sizes)]
        rows, columns, flipped, centre_rows, centre_columns = (torch.cat(kind).to(raw.device) for kind in zip(*draws, strict=True))
        if "shift" in self._parts:
            raw = self._shift(raw, rows, columns)
        if "flip" in self._parts:
            raw = torch.where(flipped[:, None, None, None], raw.flip(-1), raw)
        inputs = normalise(raw)
        return self._cutout(inputs, centre_rows, centre_columns) if "cutout" in self._parts else inputs

    def _draw(self, count: int, step: int) -> tuple[torch.Tensor, ...]:
        """What the images of a step need: rows and columns of their shifts, whether they are flipped, rows and columns of their holes;
        empty where this kind has none of it."""
        _, height, width = self._shape
        down, right = self._reach
        generator = self._generator.manual_seed(derive_seed(self._seed, "augment", step))
        none = torch.empty(0)
        rows = columns = flipped = centre_rows = centre_columns = none
        if "shift" in self._parts:
            rows = torch.randint(0, 2 * down + 1, (count,), generator=generator)
            columns = torch.randint(0, 2 * right + 1, (count,), generator=generator)
        if "flip" in self._parts:
            flipped = torch.rand(count, generator=generator).lt(0.5)
        if "cutout" in self._parts:
            centre_rows = torch.randint(0, height, (count,), generator=generator)
            centre_columns = torch.randint(0, width, (count,), generator=generator)
        return rows, columns, flipped, centre_rows, centre_columns

    @property
    def _reach(self) -> tuple[int, int]:
        """How far images are shifted: an eighth of their size, at least one pixel."""
        return max(1, self._shape[1] // 8), max(1, self._shape[2] // 8)

    def _shift(self, raw: torch.Tensor, rows: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
        """Move each image, black coming in: image i becomes the window of its padded self that begins at `rows[i]`, `columns[i]`."""
        _, height, width = self._shape
        down, right = self._reach
        windows = F.pad(raw, (right, right, down, down)).unfold(2, height, 1).unfold(3, width, 1)
        return windows[torch.arange(len(raw), device=raw.device), :, rows, columns]

    def _cutout(self, inputs: torch.Tensor, centre_rows: torch.Tensor, centre_columns: torch.Tensor) -> torch.Tensor:
        """Set a square of half the width around a pixel of each image to 0."""
        _, height, width = self._shape
        half = max(1, width // 4)
        from_row = torch.arange(height, device=inputs.device) - centre_rows[:, None]
        from_column = torch.arange(width, device=inputs.device) - centre_columns[:, None]
        in_rows, in_columns = (from_row >= -half) & (from_row < half), (from_column >= -half) & (from_column < half)
        return inputs.masked_fill(in_rows[:, None, :, None] & in_columns[:, None, None, :], 0.0)
