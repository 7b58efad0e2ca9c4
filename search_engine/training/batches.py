"""Batches that depend on (seed, step) alone: the order of examples has no state that a checkpoint could lose.

One epoch visits every example once. Its batches are as equal in size as can be (they differ by one at most), so that no small last
batch disturbs batch normalisation, and the examples of an epoch are exactly those that are charged.
"""

from __future__ import annotations

import torch

from ..datasets.base import Part
from ..datasets.splits import permutation
from ..spaces.data_shape import Preprocessing


def batches_per_epoch(examples: int, batch_size: int) -> int:
    """How many batches an epoch has: the fewest of at most `batch_size` examples."""
    return -(-examples // batch_size)


class BatchOrder:
    """Which examples stand in which batch, for ever: batch number `step` counts from 0 through all epochs."""

    def __init__(self, examples: int, batch_size: int, *seed: object) -> None:
        if examples < 1 or batch_size < 1:
            raise ValueError(f"{examples} examples in batches of {batch_size}: both must be positive")
        self.examples = examples
        self.per_epoch = batches_per_epoch(examples, batch_size)
        self._seed = seed
        self._epoch = -1
        self._order = torch.empty(0, dtype=torch.int64)

    def size(self, step: int) -> int:
        """Examples in batch `step`."""
        first, last = self._bounds(step)
        return last - first

    def _bounds(self, step: int) -> tuple[int, int]:
        position = step % self.per_epoch
        return position * self.examples // self.per_epoch, (position + 1) * self.examples // self.per_epoch

    def indices(self, step: int) -> torch.Tensor:
        """Positions of batch `step` in the part (int64, on the CPU)."""
        epoch = step // self.per_epoch
        if epoch != self._epoch:
            self._order = torch.from_numpy(permutation(self.examples, "order", epoch, *self._seed))
            self._epoch = epoch
        first, last = self._bounds(step)
        return self._order[first:last]


class Normaliser:
    """(raw / scale - mean) / std per channel, as float32 on a device."""

    def __init__(self, preprocessing: Preprocessing, dimensions: int, device: str) -> None:
        shape = (1, -1, *([1] * (dimensions - 2)))
        self.scale = preprocessing.scale
        """What raw values are divided by."""
        self._mean = torch.tensor(preprocessing.mean, dtype=torch.float32, device=device).view(shape)
        self._std = torch.tensor(preprocessing.std, dtype=torch.float32, device=device).view(shape)

    def __call__(self, raw: torch.Tensor) -> torch.Tensor:
        """Raw inputs (B, C, H, W) or (B, features) -> network inputs of the same shape, float32."""
        return (raw.to(torch.float32) / self.scale - self._mean) / self._std

    def undo(self, inputs: torch.Tensor) -> torch.Tensor:
        """Network inputs as raw values, float32."""
        return (inputs * self._std + self._mean) * self.scale


class DevicePart:
    """A part of a split on a device: raw inputs stay small (uint8 images), a batch becomes float32 when it is taken."""

    def __init__(self, part: Part, preprocessing: Preprocessing, device: str, examples: int = 0) -> None:
        """`examples` > 0 uses only the first so many (parts are shuffled, so these are a fair sample)."""
        count = min(examples, len(part)) if examples else len(part)
        self.device = device
        self.raw = torch.from_numpy(part.inputs[:count]).to(device)
        # Class numbers, or the real targets of a regression.
        kind = torch.float32 if part.labels.dtype.kind == "f" else torch.int64
        self.labels = torch.from_numpy(part.labels[:count]).to(device=device, dtype=kind)
        self.normalise = Normaliser(preprocessing, self.raw.dim(), device)

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(network inputs, labels) of those examples, without augmentation."""
        chosen = indices.to(self.device)
        return self.normalise(self.raw[chosen]), self.labels[chosen]
