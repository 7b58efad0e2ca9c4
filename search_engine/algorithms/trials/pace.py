"""When a live-structure frame is due: often while the picture changes, then ever more rarely."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FramePace:
    """A frame for each of the first `every` counts; then every 2nd, 4th, 8th, ... count, the gap doubling with the count.

    Between n and 2n there are then `every` frames, so N trials record about every * (1 + log2(N / every)) of them. It has no memory:
    the answer follows from the counts alone, so it needs no checkpoint and is the same after a reload.

    >>> pace = FramePace(every=2)
    >>> [n for n in range(1, 17) if pace.due(n)]
    [1, 2, 3, 4, 6, 8, 12, 16]
    >>> [n for n in (5, 10, 15) if pace.due(n, before=n - 5)]
    [5, 10, 15]
    """

    every: int = 50

    def due(self, n: int, before: int | None = None) -> bool:
        """Whether a frame is due after `n` trials (or rounds, counted from 1), having been asked after `before` of them (default n - 1).
        Where a whole generation is told at once, a frame that was due in its midst is due at its end."""
        gap = 1 << max(0, (n // self.every).bit_length() - 1)
        # Every gap divides the later ones, so no due count after `before` is overlooked where the gap grows in between.
        latest_due = n - n % gap
        return latest_due > (n - 1 if before is None else before)
