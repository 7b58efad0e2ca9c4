"""How feature maps lie in memory inside a grouped cell.

A state is a tensor (B, C, H, W) for everybody. In memory its channels come first, so that one channel of the whole batch is one
contiguous row: pointwise convolutions and normalisations see a matrix (C, pixels of the batch). Of a row, small maps have the batch
innermost, (C, H, W, B), large ones as usual, (C, B, H, W); a cell keeps to one order, that of its nodes' size (`choices.batch_last`). A
state that comes from elsewhere, or from a cell with the other order, is copied once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from . import choices


@dataclass(frozen=True)
class Layout:
    """The maps of one size: `batch` of them, `height` x `width`.

    >>> state = torch.arange(96.0).view(2, 3, 4, 4)
    >>> layout = Layout.of(state, batch_last=True)
    >>> rows = layout.rows(state)
    >>> rows.shape, torch.equal(layout.state(rows), state)
    (torch.Size([3, 32]), True)
    """

    batch: int
    height: int
    width: int
    batch_last: bool

    @staticmethod
    def of(state: Tensor, batch_last: bool | None = None) -> Layout:
        """That of a state (B, C, H, W), in the order of its size unless another is asked for."""
        height, width = state.shape[2:]
        last = choices.batch_last(height, width, state.shape[0]) if batch_last is None else batch_last
        return Layout(state.shape[0], height, width, last)

    def strided(self, stride: int) -> Layout:
        """What an operation of that stride makes of them, in the same order."""
        return Layout(self.batch, -(-self.height // stride), -(-self.width // stride), self.batch_last)

    @property
    def pixels(self) -> int:
        """Length of a row."""
        return self.batch * self.height * self.width

    def rows(self, state: Tensor) -> Tensor:
        """(B, C, H, W) in any order of memory -> contiguous (C, pixels); no copy where it lies so already."""
        return (state.permute(1, 2, 3, 0) if self.batch_last else state.transpose(0, 1)).reshape(state.shape[1], -1)

    def maps(self, rows: Tensor) -> Tensor:
        """(R, pixels) -> (R, H, W, B) or (R, B, H, W), as they lie."""
        size = (self.height, self.width, self.batch) if self.batch_last else (self.batch, self.height, self.width)
        return rows.view(-1, *size)

    def images(self, rows: Tensor) -> Tensor:
        """(R, pixels) -> (R, B, H, W), a view: with the batch innermost it is torch's `channels_last`, the batch as its channels."""
        maps = self.maps(rows)
        return maps.permute(0, 3, 1, 2) if self.batch_last else maps

    def of_images(self, images: Tensor) -> Tensor:
        """Undo `images`: (R, pixels), a copy where they lie in another order."""
        return (images.permute(0, 2, 3, 1) if self.batch_last else images).reshape(len(images), -1)

    def state(self, rows: Tensor) -> Tensor:
        """Undo `rows` as a view: (B, R, H, W)."""
        return self.images(rows).transpose(0, 1)


def join(states: Sequence[Tensor]) -> Tensor:
    """States of one size side by side: (B, sum of channels, H, W), in the order of their size."""
    layout = Layout.of(states[0])
    return layout.state(torch.cat([layout.rows(state) for state in states]))
