"""The multilayer perceptron of a genome of the space `mlp`."""

from __future__ import annotations

import math
from typing import Literal

from torch import Tensor, nn

from ..base.training_config import TrainingConfig
from ..spaces.genomes import Genome
from ..spaces.mlp import MLPSpace

_ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}


class MLPNetwork(nn.Module):
    """A multilayer perceptron: inputs (B, ...) are flattened, logits are (B, classes); `hidden` holds one Sequential per hidden layer.

    A hidden layer is Linear, BatchNorm1d (where wanted), activation. `inputs` counts the numbers of one example.
    """

    def __init__(self, inputs: int, widths: tuple[int, ...], activation: str, batch_norm: bool, classes: int) -> None:
        super().__init__()
        self.flatten = nn.Flatten()
        layers = []
        for width in widths:
            norm = [nn.BatchNorm1d(width)] if batch_norm else []
            layers.append(nn.Sequential(nn.Linear(inputs, width, bias=not batch_norm), *norm, _ACTIVATIONS[activation]()))
            inputs = width
        self.hidden = nn.Sequential(*layers)
        self.classifier = nn.Linear(inputs, classes)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.classifier(self.hidden(self.flatten(x)))
        return logits


def build(space: MLPSpace, genome: Genome, stage: Literal["trial", "final"], training: TrainingConfig) -> MLPNetwork:
    """The untrained network of a genome; both stages train the same one, and `training`'s sizes of convolutional networks mean nothing
    here. Parameters come from torch's global generator. Raises BadInput for a genome that is not admissible."""
    space.validate(genome)
    inputs = math.prod(space.shape.input)
    return MLPNetwork(inputs, space.widths(genome), space.activation(genome), space.batch_norm(genome), space.shape.classes)
