"""The weights after a morph, from those before: the grown network computes the same function.

Sources: Chen, Goodfellow, Shlens: Net2Net, ICLR 2016 (arXiv:1511.05641), section 2; Elsken, Metzen, Hutter 2017 (arXiv:1711.04528),
section 3. A batch normalisation that is put in is calibrated: with γ = sqrt(var + ε) and β = mean of what comes in it passes everything on,
in evaluation whatever the inputs, in training (where it uses the batch's own statistics) on the batch that it was calibrated on. Left at
γ = 1 and β = 0 it would change the function.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ...spaces.growing_convnet.channel_maps import Map, channel_maps
from ...spaces.growing_convnet.morphs import Morph, apply
from ...spaces.growing_convnet.network import WEIGHTED
from ..growing_network import GrowingNetwork, Layer


def morph(network: GrowingNetwork, change: Morph, inputs: Tensor, noise: float = 0.0) -> GrowingNetwork:
    """The grown network: a new one, on the same device and in the same mode, with weights of the same type.

    `inputs` (B, C, H, W) is the batch on which a new batch normalisation is calibrated. `noise` is added to copied channels, uniform within
    ± half of that share of the range of their layer's weights, so that they can learn different things. The global generator is left as it
    was. Raises BadInput(field "morph") for a morph that does not fit.
    """
    old = network.graph
    grown_graph = apply(old, change)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        grown = GrowingNetwork(grown_graph)
        some = next(network.parameters())
        grown.to(device=some.device, dtype=some.dtype).train(network.training)
        maps = channel_maps(old, change["node"], change["to"], change["seed"]) if change["op"] == "wider" else {}
        for node in grown_graph.nodes:
            if str(node.id) not in grown.nodes:
                continue
            new = grown.nodes[str(node.id)]
            if node.id not in old.by_id:
                if change["op"] == "deeper":
                    _pass_on(new, network, change["after"], inputs)
            elif maps and node.op in WEIGHTED:
                _copy_wider(new, network.nodes[str(node.id)], maps.get(node.id), maps.get(node.inputs[0]))
            elif change["op"] == "concat" and node.id == change["node"]:
                _copy_with_zeros(new, network.nodes[str(node.id)])
            else:
                new.load_state_dict(network.nodes[str(node.id)].state_dict())
        if maps and noise:
            _disturb(grown.nodes[str(change["node"])], old.flows[change["node"]].channels, noise, change["seed"])
    return grown


def _pass_on(new: nn.Module, network: GrowingNetwork, after: int, inputs: Tensor) -> None:
    """Make `new` pass on what node `after` gives, which is never negative."""
    assert isinstance(new, Layer)
    nn.init.zeros_(new.weights.weight)
    if isinstance(new.weights, nn.Conv2d):
        nn.init.dirac_(new.weights.weight)
    else:
        nn.init.eye_(new.weights.weight)
    if new.weights.bias is not None:
        nn.init.zeros_(new.weights.bias)
    if new.norm is None:
        return
    value = _trained_value(network, after, inputs)
    # Over examples and, in an image of features, places; the biased variance, as a batch normalisation takes it.
    over = [0, 2, 3] if value.dim() == 4 else [0]
    variance, mean = torch.var_mean(value, dim=over, correction=0)
    new.norm.load_state_dict({**new.norm.state_dict(), "running_mean": mean, "running_var": variance})
    new.norm.weight.copy_((variance + new.norm.eps).sqrt())
    new.norm.bias.copy_(mean)


def _trained_value(network: GrowingNetwork, number: int, inputs: Tensor) -> Tensor:
    """What a node gives in training mode, without dropout; running statistics and mode are left as they were."""
    kept = {name: value.clone() for name, value in network.state_dict().items()}
    was_training = network.training
    network.train()
    for module in network.modules():
        if isinstance(module, nn.Dropout):
            module.eval()
    value = network.values(inputs, until=number)[number]
    network.load_state_dict(kept)
    network.train(was_training)
    return value


def _copy_wider(new: nn.Module, old: nn.Module, outputs: Map | None, inputs: Map | None) -> None:
    """Rows as `outputs` copies them; columns as `inputs` copies them, each divided by how often its channel is there now."""
    for name, value in old.state_dict().items():
        if outputs is not None and value.dim():
            value = value.index_select(0, _places(outputs, value))
        if inputs is not None and name == "weights.weight":
            places = _places(inputs, value)
            shares = torch.bincount(places)[places].to(value.dtype)
            value = value.index_select(1, places) / shares.view(1, -1, *[1] * (value.dim() - 2))
        new.get_parameter(name).copy_(value) if name in dict(new.named_parameters()) else new.get_buffer(name).copy_(value)


def _copy_with_zeros(new: nn.Module, old: nn.Module) -> None:
    """The old columns first; those of what is read in addition are 0."""
    state = dict(old.state_dict())
    wide = torch.zeros_like(new.get_parameter("weights.weight"))
    wide[:, : state["weights.weight"].shape[1]] = state["weights.weight"]
    new.load_state_dict({**state, "weights.weight": wide})


def _disturb(layer: nn.Module, first: int, noise: float, seed: int) -> None:
    weight = layer.get_parameter("weights.weight")
    generator = torch.Generator().manual_seed(seed)
    spread = noise * float(weight.max() - weight.min())
    drawn = torch.rand(weight[first:].shape, generator=generator, dtype=torch.float64) - 0.5
    weight[first:] += (spread * drawn).to(device=weight.device, dtype=weight.dtype)


def _places(channels: Sequence[int], like: Tensor) -> Tensor:
    return torch.tensor(channels, dtype=torch.int64, device=like.device)
