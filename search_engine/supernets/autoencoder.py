"""The auto-encoder of a genome of the space `autoencoder`: `encoder` (inputs -> code), `decoder` (code -> inputs)."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from ..base.training_config import TrainingConfig
from ..spaces.autoencoder import AutoencoderSpace
from ..spaces.genomes import Genome

ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "tanh": nn.Tanh}


def perceptron(inputs: int, widths: tuple[int, ...], outputs: int, activation: str) -> nn.Sequential:
    """(B, inputs) -> (B, outputs): hidden layers with the activation, a linear layer at the end."""
    layers: list[nn.Module] = []
    for width in widths:
        layers += [nn.Linear(inputs, width), ACTIVATIONS[activation]()]
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, outputs))


class Encoder(nn.Module):
    """Network inputs (B, ...) to the code (B, latents): the mean of each latent variable, whose prior is N(0, 1)."""

    def __init__(self, inputs: int, widths: tuple[int, ...], latents: int, activation: str) -> None:
        super().__init__()
        self.layers = perceptron(inputs, widths, latents, activation)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        code: torch.Tensor = self.layers(x.flatten(1))
        return code


class Decoder(nn.Module):
    """A code (B, latents) to the reconstruction (B, *shape) in network inputs' units.

    With `grey` (mean and deviation per channel) the layers give logits of grey values in [0, 1], which are then brought to network
    inputs' units: (sigmoid - mean) / deviation.
    """

    mean: torch.Tensor
    deviation: torch.Tensor

    def __init__(
        self, latents: int, widths: tuple[int, ...], shape: tuple[int, ...], activation: str,
        grey: tuple[tuple[float, ...], tuple[float, ...]] | None = None,
    ) -> None:
        super().__init__()
        self.shape = shape
        self.grey = grey is not None
        self.layers = perceptron(latents, widths, math.prod(shape), activation)
        if grey is not None:
            for name, values in zip(("mean", "deviation"), grey, strict=True):
                self.register_buffer(name, torch.tensor(values, dtype=torch.float32).view(-1, *([1] * (len(shape) - 1))))

    def forward(self, code: torch.Tensor) -> torch.Tensor:
        values: torch.Tensor = self.layers(code).unflatten(1, self.shape)
        return (values.sigmoid() - self.mean) / self.deviation if self.grey else values


class Autoencoder(nn.Module):
    """An auto-encoder: `encoder` gives the code of an example, `decoder` the example of a code."""

    def __init__(self, encoder: Encoder, decoder: Decoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        reconstruction: torch.Tensor = self.decoder(self.encoder(x))
        return reconstruction


def build(
    space: AutoencoderSpace, genome: Genome, stage: str = "final", training: TrainingConfig | None = None,
    grey: tuple[tuple[float, ...], tuple[float, ...]] | None = None,
) -> Autoencoder:
    """The untrained network of a genome; `stage` and `training` mean nothing here. Raises BadInput for a genome that is not admissible."""
    space.validate(genome)
    content: dict[str, Any] = genome.content
    latents = len(content["kept"])
    return Autoencoder(
        Encoder(math.prod(space.shape.input), tuple(content["encoder"]), latents, content["activation"]),
        Decoder(latents, tuple(content["decoder"]), space.shape.input, content["activation"], grey),
    )
