"""How feature maps lie in memory inside a grouped cell.

A state is a tensor (B, C, H, W) for everybody. In memory its channels come first and the batch last, (C, H, W, B): one channel of the whole
batch is one contiguous row, so that pointwise convolutions and normalisations see a matrix (C, pixels), and one pixel of it is a contiguous
vector, which is what poolings and the matrices of depthwise convolutions run along. A state that comes from elsewhere is copied once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Layout:
    """The maps of one size: `batch` of them, `height` x `width`.

    >>> state = torch.arange(96.0).view(2, 3, 4, 4)
    >>> layout = Layout.of(state)
    >>> rows = layout.rows(state)
    >>> rows.shape, torch.equal(layout.state(rows), state)
    (torch.Size([3, 32]), True)
    """

    batch: int
    height: int
    width: int

    @staticmethod
    def of(state: Tensor) -> Layout:
        """That of a state (B, C, H, W)."""
        return Layout(state.shape[0], state.shape[2], state.shape[3])

    def strided(self, stride: int) -> Layout:
        """What an operation of that stride makes of them."""
        return Layout(self.batch, -(-self.height // stride), -(-self.width // stride))

    @property
    def pixels(self) -> int:
        """Length of a row."""
        return self.batch * self.height * self.width

    def rows(self, state: Tensor) -> Tensor:
        """(B, C, H, W) in any order of memory -> contiguous (C, pixels); no copy where it lies so already."""
        return state.permute(1, 2, 3, 0).reshape(state.shape[1], -1)

    def maps(self, rows: Tensor) -> Tensor:
        """(R, pixels) -> (R, H, W, B), as they lie."""
        return rows.view(-1, self.height, self.width, self.batch)

    def images(self, rows: Tensor) -> Tensor:
        """(R, pixels) -> (R, B, H, W) as a view: torch's `channels_last`, with the batch as its channels."""
        return self.maps(rows).permute(0, 3, 1, 2)

    def of_images(self, images: Tensor) -> Tensor:
        """Undo `images`: (R, pixels), a copy where they lie in another order."""
        return images.permute(0, 2, 3, 1).reshape(len(images), -1)

    def state(self, rows: Tensor) -> Tensor:
        """Undo `rows` as a view: (B, R, H, W)."""
        return self.maps(rows).permute(3, 0, 1, 2)


def join(states: Sequence[Tensor]) -> Tensor:
    """States of one size side by side: (B, sum of channels, H, W), channels first and batch last in memory."""
    layout = Layout.of(states[0])
    return layout.state(torch.cat([layout.rows(state) for state in states]))
