"""Greedy layer-wise pretraining of a perceptron's hidden layers as auto-encoders, without labels.

Source: Bengio, Lamblin, Popovici, Larochelle, "Greedy Layer-Wise Training of Deep Networks", NIPS 2006, section 4. Layer by layer: an
auto-encoder of that hidden layer and a linear decoder learns to give back the layer's own input, which is the data (normalised, not
augmented) for the first layer and the output of the finished layers below, held fixed, for the others. The decoders are thrown away;
the supervised training then fine-tunes everything. Inputs here are real-valued, so the loss is the mean squared error where the paper
takes a cross-entropy of bounded ones.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional as F

from ..base.errors import TrialFailure
from ..base.generators import derive_seed
from ..base.training_config import TrainingConfig
from ..datasets.base import SearchData
from ..events import Cost
from ..spaces.genomes import Genome
from ..spaces.mlp import MLPSpace
from ..training.batches import BatchOrder, DevicePart
from ..training.footprint import forward_flops, step_flops
from .mlp_network import MLPNetwork

LEARNING_RATE = 1e-3
"""Adam's, for every auto-encoder: the supervised optimiser is the genome's choice and says nothing about this."""


def pretrain(
    network: MLPNetwork, genome: Genome, space: MLPSpace, data: SearchData, training: TrainingConfig, seed: int, device: str
) -> Cost | None:
    """Pretrain the hidden layers of `network` (on `device`) in place where the genome asks for it; returns the cost, else None.

    `data.train`'s first `training.train_examples` inputs are used, in batches of `training.batch_size`, `pretraining_epochs` times per
    layer. All randomness follows from `seed`. Raises TrialFailure where a loss is not finite or a batch is too small for batch
    normalisation.
    """
    if not space.pretrained(genome):
        return None
    inputs = DevicePart(data.train, data.preprocessing, device, training.train_examples)
    epochs = space.config.pretraining_epochs
    was_training = network.training
    cost = Cost()
    for place, layer in enumerate(network.hidden):
        order = BatchOrder(len(inputs), training.batch_size, seed, "pretraining", place)
        below = nn.Sequential(network.flatten, *list(network.hidden)[:place])
        _pretrain_layer(layer, below, inputs, order, epochs, derive_seed(seed, "decoder", place))
        cost = cost.plus(_cost(layer, below, inputs, data.shape.input, epochs * len(inputs), fixed_layers=place))
    network.train(was_training)
    return cost


def _pretrain_layer(layer: nn.Module, below: nn.Module, inputs: DevicePart, order: BatchOrder, epochs: int, seed: int) -> None:
    """Train `layer` to keep what a linear decoder needs to give back its input; it is left in evaluation mode."""
    decoder = _decoder(layer, seed).to(inputs.device)
    optimizer = torch.optim.Adam([*layer.parameters(), *decoder.parameters()], lr=LEARNING_RATE)
    layer.train()
    for step in range(epochs * order.per_epoch):
        with torch.no_grad():
            wanted = below(inputs.take(order.indices(step))[0])
        optimizer.zero_grad(set_to_none=True)
        loss = F.mse_loss(decoder(_encoded(layer, wanted)), wanted)
        if not math.isfinite(float(loss.detach())):
            raise TrialFailure(f"pretraining: loss is not a number at step {step + 1}")
        loss.backward()
        optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    layer.eval()


def _decoder(layer: nn.Module, seed: int) -> nn.Linear:
    """A linear layer from the hidden layer's output back to its input, initialised as torch does but from a generator of its own, so
    that pretraining shifts nobody's random numbers."""
    encoder = next(module for module in layer.modules() if isinstance(module, nn.Linear))
    decoder: nn.Linear = nn.utils.skip_init(nn.Linear, encoder.out_features, encoder.in_features)
    generator = torch.Generator().manual_seed(seed)
    bound = 1 / math.sqrt(encoder.out_features)
    for parameter in decoder.parameters():
        nn.init.uniform_(parameter, -bound, bound, generator=generator)
    return decoder


def _encoded(layer: nn.Module, values: torch.Tensor) -> torch.Tensor:
    try:
        encoded: torch.Tensor = layer(values)
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        raise TrialFailure(f"a batch of {len(values)} is too small for batch normalisation: use a larger batch_size") from None
    return encoded


def _cost(layer: nn.Module, below: nn.Module, inputs: DevicePart, shape: tuple[int, ...], passes: int, fixed_layers: int) -> Cost:
    """`passes` examples forward and backward through the auto-encoder; where fixed layers lie below, forward through those as well."""
    encoder = next(module for module in layer.modules() if isinstance(module, nn.Linear))
    autoencoder = nn.Sequential(layer, _decoder(layer, 0).to(inputs.device))
    flops = step_flops(autoencoder, (encoder.in_features,))[1]
    if not fixed_layers:
        return Cost(forward_backward=passes, flops=passes * flops)
    return Cost(forward_backward=passes, forward=passes, flops=passes * (flops + forward_flops(below, shape)))
