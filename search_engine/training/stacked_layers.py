"""Networks of equal shape as one: layer by layer their weights lie in one tensor, and one call computes a layer of all of them.

Every tensor that flows has a row for each example of each member, so activations, poolings, sums, concatenations and whatever else looks
at one example alone stay as they are. Example b of member p is row b * members + p: then the tensor (rows, channels, ...) is at once
(examples, members * channels, ...), without a copy, and as such a convolution by groups and one batch normalisation see it.
Where there are linear layers only, which are products of one matrix a member, it is row p * examples + b instead.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .halving import HalvingMaxPool2d, is_halving


class StackedLayer(nn.Module):
    """A layer of `members` networks; its parameters and buffers have the member first."""

    members: int
    in_turn = True
    """Whether members take turns in the rows; otherwise one's rows come after the other's."""

    def __init__(self, layers: Sequence[nn.Module]) -> None:
        super().__init__()
        self.members = len(layers)
        for name, weight in layers[0].named_parameters(recurse=False):
            stacked = torch.stack([getattr(layer, name).detach() for layer in layers])
            self.register_parameter(name, nn.Parameter(stacked, requires_grad=weight.requires_grad))
        for name, _ in layers[0].named_buffers(recurse=False):
            self.register_buffer(name, torch.stack([getattr(layer, name) for layer in layers]))

    def joined(self, name: str) -> Tensor | None:
        """A parameter or buffer (members, channels, ...) as (members * channels, ...), None where the layer has none."""
        value: Tensor | None = getattr(self, name, None)
        return None if value is None else value.flatten(0, 1)


class StackedLinear(StackedLayer):
    def forward(self, x: Tensor) -> Tensor:
        """(rows, ..., inputs) -> (rows, ..., outputs)."""
        weight: Tensor = self.get_parameter("weight")
        bias: Tensor | None = getattr(self, "bias", None)
        own = by_member(x, self.members, self.in_turn)
        shape, turned = own.shape, weight.transpose(1, 2)
        own = own.reshape(self.members, -1, shape[-1])
        result = torch.bmm(own, turned) if bias is None else torch.baddbmm(bias.unsqueeze(1), own, turned)
        result = result.view(*shape[:-1], -1)
        return (result.transpose(0, 1) if self.in_turn else result).reshape(*x.shape[:-1], -1)


class StackedConv2d(StackedLayer):
    def __init__(self, layers: Sequence[nn.Conv2d]) -> None:
        super().__init__(layers)
        first = layers[0]
        self.stride, self.padding, self.dilation, self.groups = first.stride, first.padding, first.dilation, first.groups

    def forward(self, x: Tensor) -> Tensor:
        """(rows, channels, H, W) -> (rows, channels', H', W')."""
        rows = len(x)
        side_by_side = x.reshape(rows // self.members, -1, *x.shape[2:])
        weight = self.joined("weight")
        assert weight is not None
        result = F.conv2d(
            side_by_side, weight, self.joined("bias"), self.stride, self.padding, self.dilation, self.groups * self.members
        )
        return result.reshape(rows, -1, *result.shape[2:])


class StackedBatchNorm(StackedLayer):
    def __init__(self, layers: Sequence[nn.BatchNorm1d | nn.BatchNorm2d]) -> None:
        super().__init__(layers)
        first = layers[0]
        assert first.momentum is not None
        self.eps, self.momentum, self.running = first.eps, first.momentum, first.track_running_stats

    def forward(self, x: Tensor) -> Tensor:
        """(rows, channels, ...) -> the same."""
        if self.training and self.running:
            self.get_buffer("num_batches_tracked").add_(1)
        side_by_side = x.reshape(len(x) // self.members, -1, *x.shape[2:])
        result = F.batch_norm(
            side_by_side, self.joined("running_mean"), self.joined("running_var"), self.joined("weight"), self.joined("bias"),
            self.training or not self.running, self.momentum, self.eps,
        )
        normalised: Tensor = result.reshape(x.shape)
        return normalised


def by_member(x: Tensor, members: int, in_turn: bool) -> Tensor:
    """(rows, ...) as (members, examples, ...)."""
    own: Tensor = x.unflatten(0, (-1, members)).transpose(0, 1) if in_turn else x.unflatten(0, (members, -1))
    return own


def in_rows(own: list[Tensor], in_turn: bool) -> Tensor:
    """Undo `by_member`; `own` are the members'."""
    return torch.stack(own, 1).flatten(0, 1) if in_turn else torch.cat(own)


def takes_turns(network: nn.Module) -> bool:
    """In which of the two orders a stack has its rows, see the module's docstring."""
    return any(layer.in_turn for layer in network.modules() if isinstance(layer, StackedLayer))


_STACKED: dict[type[nn.Module], type[StackedLayer]] = {
    nn.Linear: StackedLinear,
    nn.Conv2d: StackedConv2d,
    nn.BatchNorm1d: StackedBatchNorm,
    nn.BatchNorm2d: StackedBatchNorm,
}


def stackable(network: nn.Module) -> bool:
    """Whether all parameters and buffers belong to layers of the kinds above, each to one."""
    for module in network.modules():
        if not [*module.parameters(recurse=False), *module.buffers(recurse=False)]:
            continue
        if type(module) not in _STACKED:
            return False
        if isinstance(module, nn.Conv2d) and (module.padding_mode != "zeros" or isinstance(module.padding, str)):
            return False
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d) and module.momentum is None:
            return False
    own = [parameter for module in network.modules() for parameter in module.parameters(recurse=False)]
    return len(own) == len({id(parameter) for parameter in own})


def stack(networks: Sequence[nn.Module]) -> nn.Module:
    """One network that computes all of them, see the module's docstring; they are equal but for their weights, and stay as they are.

    >>> one, other = torch.nn.Linear(3, 2), torch.nn.Linear(3, 2)
    >>> both, x = stack([one, other]), torch.rand(5, 3)
    >>> result = by_member(both(in_rows([x, x], takes_turns(both))), 2, takes_turns(both))
    >>> torch.allclose(result[1], other(x), atol=1e-6)
    True
    """
    named = [dict(network.named_modules()) for network in networks]
    # What is stacked is not copied: a memo that has it already.
    memo: dict[int, object] = {}
    for name, module in named[0].items():
        kind = _STACKED.get(type(module))
        if kind is not None:
            memo[id(module)] = kind([own[name] for own in named]).train(module.training)
        elif is_halving(module):
            memo[id(module)] = HalvingMaxPool2d()
    stacked = copy.deepcopy(networks[0], memo)
    layers = [module for module in stacked.modules() if isinstance(module, StackedLayer)]
    for layer in layers:
        layer.in_turn = not all(isinstance(item, StackedLinear) for item in layers)
    return stacked


def keep_members(network: nn.Module, rows: Tensor) -> None:
    """Only those members remain, in that order. Parameters stay the same objects; a gradient is not kept."""
    for module in network.modules():
        if isinstance(module, StackedLayer):
            module.members = len(rows)
            for item in [*module.parameters(recurse=False), *module.buffers(recurse=False)]:
                item.data = item.data[rows]
                item.grad = None


def member_state(network: nn.Module, row: int) -> dict[str, Tensor]:
    """A copy of what the state of that member's own network would be."""
    return {name: value[row].detach().clone() for name, value in network.state_dict().items()}
