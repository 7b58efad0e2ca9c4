"""How one network is compressed before it is trained: what a trial is told, and what it tells of each layer."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Compression:
    """A shrinking phase in front of a trial's training (MorphNet: Gordon et al., CVPR 2018, section 3; shrink only).

    The network is trained with `strength / its FLOPs` times the regulariser, so that all networks stand at one position of the logarithmic
    scale around 1 / initial cost; channels whose scale stays below `threshold` go; the weights are forgotten.

    >>> Compression(steps=500, epochs=1.0).length(28), Compression(steps=500, epochs=1.0).length(1875)
    (500, 1875)
    >>> Compression(steps=2, epochs=0.5).length(9)
    5
    >>> Compression.from_json(Compression(strength=4.0).to_json()) == Compression(strength=4.0)
    True
    """

    strength: float = 1.0
    threshold: float = 0.1
    floor: float = 0.25
    """Share of its width that every layer keeps; one channel at least."""
    steps: int = 500
    epochs: float = 1.0
    """The phase has so many optimiser steps and so many passes over the training part, whichever is longer."""
    learning_rate: float = 0.1
    beside: bool = False
    """Whether the network is trained as it is, too, for comparison: at its own expense, apart from the trial's."""

    def length(self, steps_per_epoch: int) -> int:
        """Optimiser steps of the phase."""
        return max(self.steps, math.ceil(self.epochs * steps_per_epoch))

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def key(self) -> dict[str, Any]:
        """What decides the trial's result."""
        return {name: value for name, value in asdict(self).items() if name != "beside"}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Compression:
        """Undo `to_json`."""
        return cls(**data)


@dataclass(frozen=True)
class Compressions:
    """What a search compresses, as far as its options say before it starts."""

    how: Compression
    share: float = 1.0
    """Of its trials, those whose networks are compressed."""
    beside: int = 0
    """So many trials are trained as they are, too (`Compression.beside`)."""


@dataclass(frozen=True)
class Narrowed:
    """What a shrinking phase made of one layer."""

    name: str
    before: int
    """Channels."""
    after: int
    counts: list[int]
    """How many of its channels lie in each bin of importance around the threshold (`widths.histograms`); all 0 where nothing measures
    them."""
    held: bool
    """Whether only the floor kept it as wide as it is."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Narrowed:
        """Undo `to_json`."""
        return cls(**data)
