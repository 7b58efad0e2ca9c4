"""The primitives, described without torch.

Ids as in DARTS (Liu et al. 2019, `genotypes.PRIMITIVES`) and NAS-Bench-201 (Dong and Yang 2020, `nas_201_api`), and one more of their
kind for ENAS' macro space (Pham et al. 2018, section 2.3), two more for hierarchical representations (Liu et al. 2018). Every primitive
maps
(B, C, H, W) to (B, C, ceil(H / stride), ceil(W / stride)): all operations of an edge agree in shape, so any weighting of them is a
valid model. Those of series (one figure in their names) do the same along time alone, (B, C, T) to (B, C, ceil(T / stride)).

Those of tables map (B, C, F) to (B, C, F): F columns, each a vector of C numbers (a token). `linear`, `gated_linear` and `residual_block`
relate the columns by a matrix (F, F), as the token mixing of I. Tolstikhin et al., "MLP-Mixer", NeurIPS 2021, and then the channels by
another, (C, C); gates as in Y. Dauphin et al., "Language Modeling with Gated Convolutional Networks", ICML 2017, residual blocks and the
attention over columns as in Y. Gorishniy et al., "Revisiting Deep Learning Models for Tabular Data", NeurIPS 2021.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["zero", "identity", "convolution", "pooling", "table"]
Family = Literal[
    "zero", "identity", "convolution", "separable", "separable_once", "depthwise", "dilated", "pooling", "linear", "gated", "residual",
    "attention",
]


@dataclass(frozen=True)
class Primitive:
    """One operation. `family` groups what is drawn in related colours; `kind` says what it is mathematically."""

    id: str
    title: str
    short: str
    """A label that fits on an edge."""
    kind: Kind
    family: Family
    kernel: int
    """Side of the receptive field in pixels of its input, 0 for zero."""
    description: str
    dims: int = 2
    """Along how many dimensions its kernels reach: rows and columns of an image, or time alone."""
    dilation: int = 1
    """How many places lie between two that a dilated kernel reads."""

    def parameters(self, channels: int, *, affine: bool = True, places: int = 0) -> int:
        """Trainable parameters at stride 1 and `channels` channels, batch normalisation included if `affine`; of a table of `places`
        columns."""
        normalisation = 2 * channels if affine else 0
        if self.family == "linear":
            return places**2 + channels**2 + normalisation
        if self.family == "gated":
            return places**2 + 2 * channels**2 + 2 * channels + normalisation
        if self.family == "residual":
            return places**2 + 2 * (channels**2 + normalisation)
        if self.family == "attention":
            return 4 * channels**2 + normalisation
        if self.family == "convolution":
            return self.weights_of_kernel * channels * channels + normalisation
        if self.family == "separable":
            return 2 * (self.weights_of_kernel * channels + channels * channels + normalisation)
        if self.family == "depthwise":
            return self.weights_of_kernel * channels + normalisation
        if self.family in ("separable_once", "dilated"):
            return self.weights_of_kernel * channels + channels * channels + normalisation
        return 0

    @property
    def kernel_of_layer(self) -> int:
        """Kernel side of one layer inside the primitive (its name's figure), 0 where it has no kernel."""
        side = self.id.rsplit("_", 1)[-1].split("x")[0]
        return int(side) if side.isdigit() else 0

    @property
    def weights_of_kernel(self) -> int:
        """How many weights one kernel of a layer has."""
        return int(self.kernel_of_layer**self.dims)


PRIMITIVES: dict[str, Primitive] = {
    item.id: item
    for item in (
        Primitive("none", "Zero", "none", "zero", "zero", 0, "No connection: zeros of the output's shape."),
        Primitive(
            "skip_connect", "Skip connection", "skip", "identity", "identity", 1,
            "The input itself; with stride 2 a factorised reduction (two shifted 1x1 convolutions).",
        ),
        Primitive(
            "nor_conv_1x1", "Convolution 1x1", "conv 1x1", "convolution", "convolution", 1,
            "ReLU, 1x1 convolution, batch normalisation.",
        ),
        Primitive(
            "nor_conv_3x3", "Convolution 3x3", "conv 3x3", "convolution", "convolution", 3,
            "ReLU, 3x3 convolution, batch normalisation.",
        ),
        Primitive(
            "nor_conv_5x5", "Convolution 5x5", "conv 5x5", "convolution", "convolution", 5,
            "ReLU, 5x5 convolution, batch normalisation.",
        ),
        Primitive(
            "avg_pool_3x3", "Average pooling 3x3", "avg 3x3", "pooling", "pooling", 3,
            "Mean over a 3x3 window; padding is not counted.",
        ),
        Primitive("max_pool_3x3", "Max pooling 3x3", "max 3x3", "pooling", "pooling", 3, "Largest value in a 3x3 window."),
        Primitive(
            "sep_conv_3x3", "Separable convolution 3x3", "sep 3x3", "convolution", "separable", 5,
            "Twice: ReLU, depthwise 3x3, pointwise 1x1, batch normalisation.",
        ),
        Primitive(
            "sep_conv_5x5", "Separable convolution 5x5", "sep 5x5", "convolution", "separable", 9,
            "Twice: ReLU, depthwise 5x5, pointwise 1x1, batch normalisation.",
        ),
        Primitive(
            "dil_conv_3x3", "Dilated convolution 3x3", "dil 3x3", "convolution", "dilated", 5,
            "ReLU, depthwise 3x3 with dilation 2, pointwise 1x1, batch normalisation.", dilation=2,
        ),
        Primitive(
            "dil_conv_5x5", "Dilated convolution 5x5", "dil 5x5", "convolution", "dilated", 9,
            "ReLU, depthwise 5x5 with dilation 2, pointwise 1x1, batch normalisation.", dilation=2,
        ),
        Primitive(
            "dw_conv_3x3", "Depthwise convolution 3x3", "dw 3x3", "convolution", "depthwise", 3,
            "ReLU, depthwise 3x3, batch normalisation: every channel for itself.",
        ),
        Primitive(
            "dws_conv_3x3", "Separable convolution 3x3, once", "dws 3x3", "convolution", "separable_once", 3,
            "Once: ReLU, depthwise 3x3, pointwise 1x1, batch normalisation.",
        ),
        Primitive(
            "nor_conv_3", "Convolution 3", "conv 3", "convolution", "convolution", 3,
            "ReLU, convolution of 3 moments, batch normalisation.", dims=1,
        ),
        Primitive(
            "nor_conv_7", "Convolution 7", "conv 7", "convolution", "convolution", 7,
            "ReLU, convolution of 7 moments, batch normalisation.", dims=1,
        ),
        Primitive(
            "avg_pool_3", "Average pooling 3", "avg 3", "pooling", "pooling", 3, "Mean over 3 moments; padding is not counted.", dims=1
        ),
        Primitive("max_pool_3", "Max pooling 3", "max 3", "pooling", "pooling", 3, "Largest value of 3 moments.", dims=1),
        Primitive(
            "sep_conv_3", "Separable convolution 3", "sep 3", "convolution", "separable", 5,
            "Twice: ReLU, depthwise convolution of 3 moments, pointwise 1, batch normalisation.", dims=1,
        ),
        Primitive(
            "sep_conv_7", "Separable convolution 7", "sep 7", "convolution", "separable", 13,
            "Twice: ReLU, depthwise convolution of 7 moments, pointwise 1, batch normalisation.", dims=1,
        ),
        Primitive(
            "dil_conv_3", "Dilated convolution 3", "dil 3", "convolution", "dilated", 5,
            "ReLU, depthwise convolution of 3 moments with dilation 2, pointwise 1, batch normalisation.", dims=1, dilation=2,
        ),
        Primitive(
            "dil_conv_7", "Dilated convolution 7", "dil 7", "convolution", "dilated", 25,
            "ReLU, depthwise convolution of 7 moments with dilation 4, pointwise 1, batch normalisation.", dims=1, dilation=4,
        ),
        Primitive(
            "linear", "Linear layer", "linear", "table", "linear", 1,
            "ReLU, a linear map of the columns and one of the channels, batch normalisation.", dims=1,
        ),
        Primitive(
            "gated_linear", "Gated linear unit", "gated", "table", "gated", 1,
            "A linear map of the columns; of its channels one linear map times the sigmoid of another, batch normalisation.", dims=1,
        ),
        Primitive(
            "residual_block", "Residual block", "residual", "table", "residual", 1,
            "The input, plus: a linear map of columns and channels, batch normalisation, ReLU, a linear map of the channels, batch "
            "normalisation.", dims=1,
        ),
        Primitive(
            "attention", "Attention over columns", "attention", "table", "attention", 1,
            "Every column asks the others and takes a weighted mean of what they answer; batch normalisation.", dims=1,
        ),
    )
}

DARTS: tuple[str, ...] = (
    "none", "max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5",
)
"""The operations of the DARTS cell, in upstream's order (it is the order of the columns of alpha)."""

NB201: tuple[str, ...] = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
"""The operations of NAS-Bench-201, in the official order."""

MACRO: tuple[str, ...] = ("nor_conv_3x3", "sep_conv_3x3", "nor_conv_5x5", "sep_conv_5x5", "avg_pool_3x3", "max_pool_3x3")
"""The six branches of a layer of the macro space, in ENAS' order (melodyguan/enas, src/cifar10/general_child.py)."""

MOTIFS: tuple[str, ...] = (
    "none", "skip_connect", "nor_conv_1x1", "dw_conv_3x3", "dws_conv_3x3", "max_pool_3x3", "avg_pool_3x3",
)
"""The level-1 operations of hierarchical representations (Liu et al. 2018, section 2): none, identity, 1x1 convolution, 3x3 depthwise and
3x3 separable convolution, 3x3 max and average pooling."""

DARTS_1D: tuple[str, ...] = (
    "none", "max_pool_3", "avg_pool_3", "skip_connect", "nor_conv_3", "sep_conv_3", "sep_conv_7", "dil_conv_3", "dil_conv_7",
)
"""DARTS' operations along time, and a convolution that mixes channels and moments at once. Series need longer reach than images: hence 7,
and a dilation of 4 where DARTS has 5x5 and 2."""

MACRO_1D: tuple[str, ...] = ("nor_conv_3", "sep_conv_3", "nor_conv_7", "sep_conv_7", "dil_conv_7", "avg_pool_3", "max_pool_3")
"""The branches of a layer of the macro space along time: ENAS' six, and one of long reach."""

TABULAR: tuple[str, ...] = ("none", "skip_connect", "linear", "gated_linear", "residual_block", "attention")
"""The operations of the tabular cell."""
