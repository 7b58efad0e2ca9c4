"""When a live-structure frame is due: often while the picture changes, then ever more rarely."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FramePace:
    """A frame for each of the first `every` counts; then every 2nd, 4th, 8th, ... count, the gap doubling with the count.

    Between n and 2n there are then `every` frames, so N trials record about every * (1 + log2(N / every)) of them. It has no memory:
    the answer follows from the count alone, so it needs no checkpoint and is the same after a reload.
    """

    every: int = 50

    def due(self, n: int) -> bool:
        """Whether a frame is due after `n` trials (or rounds, counted from 1)."""
        gap = 1 << max(0, (n // self.every).bit_length() - 1)
        return n % gap == 0
