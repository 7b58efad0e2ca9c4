"""The network of a genome of the space `two_convolutions`."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from ..base.training_config import TrainingConfig
from ..spaces.genomes import Genome
from ..spaces.two_convolutions import TwoConvolutionsSpace

POOLED = 2
"""Each max pooling halves the sides."""


class TwoConvolutionsNetwork(nn.Module):
    """Images (B, channels, height, width) to logits (B, classes): twice convolution (sides kept), batch normalisation, ReLU and max
    pooling, then a dense layer."""

    def __init__(self, input_: tuple[int, ...], filters: tuple[int, int], kernels: tuple[int, int], classes: int) -> None:
        super().__init__()
        channels, height, width = input_
        blocks = []
        for out, kernel in zip(filters, kernels, strict=True):
            # Batch normalisation has a bias of its own.
            convolution = nn.Conv2d(channels, out, kernel, padding=kernel // 2, bias=False)
            blocks.append(nn.Sequential(convolution, nn.BatchNorm2d(out), nn.ReLU(), nn.MaxPool2d(POOLED)))
            channels, height, width = out, height // POOLED, width // POOLED
        self.first, self.second = blocks
        self.flatten = nn.Flatten()
        self.classifier = nn.Linear(channels * height * width, classes)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.classifier(self.flatten(self.second(self.first(x))))
        return logits


def build(
    space: TwoConvolutionsSpace, genome: Genome, stage: Literal["trial", "final"], training: TrainingConfig
) -> TwoConvolutionsNetwork:
    """The untrained network of a genome; both stages train the same one. Parameters come from torch's global generator. Raises BadInput
    for a genome that is not admissible."""
    space.validate(genome)
    return TwoConvolutionsNetwork(space.shape.input, space.filters(genome), space.kernels, space.shape.classes)
