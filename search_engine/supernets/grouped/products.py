"""How many products the depthwise convolutions of a source take, by their formula.

What is computed may be more (a matrix per channel is mostly zeros) or nothing that a counter sees (a compiled kernel); what a search is
charged must not depend on that.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor


def products(weights: Sequence[Tensor], pixels: int, of_rows: bool = True, of_weights: Sequence[bool] = ()) -> int:
    """Multiply-accumulates with `weights` (groups x C, 1, side, side) for `pixels` of the result (batch included): a weight meets every
    pixel once in the convolution, once more in the gradient of the input if that is wanted (`of_rows`), and once in its own if that is
    (`of_weights`). With the defaults: the convolution's.

    >>> import torch
    >>> products([torch.zeros(2, 1, 3, 3)], 10), products([torch.zeros(2, 1, 3, 3)], 10, False, [True])
    (180, 180)
    """
    own = sum(weight.numel() for weight, wanted in zip(weights, of_weights, strict=False) if wanted)
    return pixels * (own + of_rows * sum(weight.numel() for weight in weights))
