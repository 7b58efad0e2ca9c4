"""The batches of a training, augmented many at once: small batches cost more in calls than in arithmetic."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch

from .augmentation import Augmentation
from .batches import BatchOrder, DevicePart

NUMBERS_AT_ONCE = 1 << 18
"""So many input numbers are prepared together: more would not fit into the processor's cache, and takes longer again."""
_alone: ContextVar[bool] = ContextVar("one_at_a_time", default=False)


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Batches of trainings that are made inside are prepared one by one: for who counts what a step needs with smaller batches, of which
    more would be prepared together than of those of the config."""
    token = _alone.set(True)
    try:
        yield
    finally:
        _alone.reset(token)


class PreparedBatches:
    """Batch `step` of `part` in that order, augmented and normalised. What is prepared together follows from the step alone, and changes
    nothing in a batch, so it is no state: a training that goes on from a checkpoint prepares its next batches anew."""

    def __init__(self, part: DevicePart, order: BatchOrder, augment: Augmentation) -> None:
        self._part = part
        self._order = order
        self._augment = augment
        numbers = part.raw[0].numel() * order.size(order.per_epoch - 1)
        self._at_once = 1 if _alone.get() else max(1, NUMBERS_AT_ONCE // numbers)
        self._first = 0
        self._ready: list[tuple[torch.Tensor, torch.Tensor]] = []

    def __getitem__(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """(inputs, labels) of batch `step`, counted from 0 through all epochs."""
        if not self._first <= step < self._first + len(self._ready):
            self._prepare(step)
        return self._ready[step - self._first]

    def _prepare(self, step: int) -> None:
        position = step % self._order.per_epoch
        first = position - position % self._at_once
        count = min(self._at_once, self._order.per_epoch - first)
        self._first = step - position + first
        steps = range(self._first, self._first + count)
        chosen = torch.cat([self._order.indices(item) for item in steps]).to(self._part.device)
        sizes = [self._order.size(item) for item in steps]
        inputs = self._augment(self._part.raw[chosen], self._part.normalise, sizes, self._first)
        self._ready = list(zip(inputs.split(sizes), self._part.labels[chosen].split(sizes), strict=True))
