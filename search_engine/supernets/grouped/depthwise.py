"""All depthwise convolutions that read one state, or a stack of states, at once.

`depthwise` is the one place where their arithmetic is chosen: `matrices`, `lines`, `channels_last`, `compiled`. Another one can be added.
It must give

- the same result to rounding, in float32 and float64, for any batch, any map (odd sides too), stride 1 and 2, odd kernels, any dilation;
- the gradients in the input and in every weight, and none where `requires_grad` is off;
- a second derivative, since the exact architecture gradient and the largest eigenvalue of the Hessian differentiate twice: a backward
  pass that runs with gradients enabled has to be differentiable itself (those here then differentiate `formula.convolutions`);
- the FLOPs of the formula, whatever it computes;
- equal bits in equal calls, whatever was computed before.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ...primitives.native.kernel import Shape
from . import choices
from .channels_last import channels_last
from .compiled import compiled
from .layout import Layout
from .lines import by_lines
from .matrices import by_matrices
from .taps import Kernel


def depthwise(
    rows: Tensor, layout: Layout, weights: Sequence[Tensor], kernels: Sequence[Kernel], stride: int, channels: int
) -> list[Tensor]:
    """Depthwise convolutions with padding `dilation * (side // 2)`, one for each group of C = `channels` channels.

    `rows` (R, pixels) lie as `layout` says. With R = C every group reads all of it; else R = groups x C, and every group reads its own
    part. `weights[i]` is (groups_i x C, 1, side, side), one group after the other; `kernels[i]` is that of all of its groups.

    Returns the groups in order, in one or several blocks (groups, C, pixels of the result), pixels in the order of `layout`. They are made
    to be multiplied: each group is a matrix as it lies, either way round; nothing else is promised of their strides.
    """
    kernel = choices.compiled(layout.batch) if rows.dtype == torch.float32 and not rows.is_cuda else None
    if kernel is not None:
        shape = Shape(layout.height, layout.width, layout.batch, channels, stride, tuple(kernels))
        return [compiled(kernel, shape, rows, weights)]
    ways = {"matrices": by_matrices, "lines": by_lines, "channels last": channels_last}
    return ways[choices.arithmetic(layout, stride, shared=len(rows) == channels)](rows, layout, weights, kernels, stride, channels)
