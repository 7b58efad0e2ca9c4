"""The network of the space `plain`: dense layers, or two convolutions, a pooling and dense layers; every weight can be masked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from ..base.training_config import TrainingConfig
from ..spaces.data_shape import DataShape
from ..spaces.genomes import Genome
from ..spaces.plain_masks import Mask
from ..spaces.plain_network import Layer, PlainNetworkConfig, PlainNetworkSpace, layers_of
from .masked_layers import MaskedConv2d, MaskedLayer, MaskedLinear

_ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "tanh": nn.Tanh}


class PlainNetwork(nn.Module):
    """Inputs (B, ...) as the space's data shape says, outputs (B, classes or values).

    `masked` = False builds the same network of torch's own layers: names of parameters are equal, there are no masks.
    """

    def __init__(self, config: PlainNetworkConfig, shape: DataShape, *, masked: bool = True, constants: bool = False) -> None:
        super().__init__()
        self._given = (config, shape)
        layers = layers_of(config, shape)
        self.features = nn.Sequential()
        self.flatten = nn.Flatten()
        self.hidden = nn.Sequential()
        for layer in layers[:-1]:
            group = self.features if layer.is_convolution else self.hidden
            group.append(nn.Sequential(_made(layer, masked, constants), *_norm(config, layer), _ACTIVATIONS[config.activation]()))
        if config.network == "cnn":
            self.features.append(nn.MaxPool2d(2))
        else:
            del self.features
        if not config.widths:
            del self.hidden
        self.classifier = _made(layers[-1], masked, constants)
        self.layer_names = tuple(layer.name for layer in layers)

    def forward(self, x: Tensor) -> Tensor:
        if hasattr(self, "features"):
            x = self.features(x)
        x = self.flatten(x)
        if hasattr(self, "hidden"):
            x = self.hidden(x)
        outputs: Tensor = self.classifier(x)
        return outputs

    @property
    def weighted(self) -> dict[str, nn.Linear | nn.Conv2d]:
        """The layers with weights by the space's names (conv1, ..., dense1, ..., output), in the order of computation."""
        found = [module for module in self.modules() if isinstance(module, nn.Linear | nn.Conv2d)]
        return dict(zip(self.layer_names, found, strict=True))

    @property
    def prefixes(self) -> dict[str, str]:
        """Where each of these layers stands in the module tree: its parameters are `prefix.weight`, `prefix.bias`, ... in the state."""
        places = {id(module): name for name, module in self.named_modules()}
        return {name: places[id(layer)] for name, layer in self.weighted.items()}

    @property
    def masked(self) -> dict[str, MaskedLayer]:
        """The same layers where they are masked ones; empty in a network of torch's own layers."""
        return {name: layer for name, layer in self.weighted.items() if isinstance(layer, MaskedLinear | MaskedConv2d)}

    def set_masks(self, masks: Mapping[str, Mask | Tensor | None]) -> None:
        """Put masks (bool, of the weights' shapes) into the layers of those names; None leaves a layer as it is."""
        for name, mask in masks.items():
            if mask is not None:
                self.masked[name].mask.copy_(torch.as_tensor(mask))

    def masks(self) -> dict[str, Mask]:
        """Copies of all masks as bool arrays."""
        return {name: layer.mask.cpu().numpy().copy() for name, layer in self.masked.items()}

    def for_export(self) -> PlainNetwork:
        """The network of torch's own layers that computes the same, masks folded into its weights."""
        if not self.masked:
            return self
        with torch.random.fork_rng(devices=[]):
            plain = PlainNetwork(*self._given, masked=False)
        state = self.state_dict()
        plain.load_state_dict({name: value for name, value in state.items() if name.rpartition(".")[2] not in ("mask", "rest")})
        for name, layer in self.masked.items():
            layer.fold_into(plain.weighted[name])
        return plain.to(next(self.parameters()).device).train(self.training)


def _made(layer: Layer, masked: bool, constants: bool) -> nn.Module:
    out, inputs = layer.shape[:2]
    if layer.is_convolution:
        kernel = layer.shape[2]
        if masked:
            return MaskedConv2d(inputs, out, kernel, kernel // 2, constants=constants)
        return nn.Conv2d(inputs, out, kernel, padding=kernel // 2)
    return MaskedLinear(inputs, out, constants=constants) if masked else nn.Linear(inputs, out)


def _norm(config: PlainNetworkConfig, layer: Layer) -> list[nn.Module]:
    if not config.batch_norm:
        return []
    return [nn.BatchNorm2d(layer.rows) if layer.is_convolution else nn.BatchNorm1d(layer.rows)]


def open_dense(space: PlainNetworkSpace, *, constants: bool = False) -> PlainNetwork:
    """The untrained network with all its weights. Parameters come from torch's global generator."""
    return PlainNetwork(space.config, space.shape, constants=constants)


def build(space: PlainNetworkSpace, genome: Genome, stage: Literal["trial", "final"], training: TrainingConfig) -> PlainNetwork:
    """The untrained network of a genome, under those of its masks that it tells itself; others arrive with the state that is loaded.
    Parameters come from torch's global generator. Raises BadInput for a genome that is not admissible."""
    space.validate(genome)
    network = open_dense(space, constants=genome.content["removed"] == "constant")
    network.set_masks(space.masks(genome))
    return network


