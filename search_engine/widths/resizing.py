"""A network of the same form with other widths, its weights fresh."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from torch import nn

from ..base.errors import BadInput
from .channels import ChannelGroups
from .tracing import Mixing, Norm


def resize(network: nn.Module, channels: ChannelGroups, widths: Mapping[str, int]) -> nn.Module:
    """The network with `widths` channels in its blocks (`ChannelGroups.widths` has the names), in training mode on the CPU.

    `network` is not changed. All layers with weights and all batch normalisations are new, their parameters from torch's global generator:
    those of survivors are discarded, as MorphNet does. Raises BadInput(field "widths") where widths are missing or wrong.
    """
    sides, norms = channels.sides(widths), channels.norm_sides(widths)
    fresh = copy.deepcopy(network).cpu().train()
    for path, module in list(fresh.named_modules()):
        if path in sides:
            _replace(fresh, path, _layer(module, *sides[path]))
        elif path in norms:
            _replace(fresh, path, _norm(module, norms[path]))
    return fresh


def _layer(module: nn.Module, inputs: int, outputs: int) -> nn.Module:
    """A new layer of that kind."""
    assert isinstance(module, Mixing)
    bias = module.bias is not None
    if isinstance(module, nn.Linear):
        return nn.Linear(inputs, outputs, bias)
    return type(module)(
        inputs, outputs, module.kernel_size, module.stride, module.padding, module.dilation, inputs if module.groups > 1 else 1, bias,  # type: ignore[arg-type]
        module.padding_mode,
    )


def _norm(module: nn.Module, channels: int) -> nn.Module:
    assert isinstance(module, Norm)
    return type(module)(channels, module.eps, module.momentum, module.affine, module.track_running_stats)


def _replace(network: nn.Module, path: str, module: nn.Module) -> None:
    parent, _, name = path.rpartition(".")
    holder = network.get_submodule(parent)
    if isinstance(holder, nn.Sequential | nn.ModuleList):
        holder[int(name)] = module
    elif isinstance(holder, nn.ModuleDict):
        holder[name] = module
    else:
        setattr(holder, name, module)


def check_form(network: nn.Module, channels: ChannelGroups, shape: tuple[int, ...]) -> None:
    """Raises BadInput(field "space") where the network cannot be had with other widths: a layer of a class of its own, an auxiliary output
    or a number in its forward pass that only fits these widths. No random number is used up."""
    for operation in channels.operations:
        module = network.get_submodule(operation.path)
        if type(module).__module__.partition(".")[0] != "torch":
            raise _refusal(f"'{operation.path}' is a {type(module).__name__}, of which nobody knows how it is made with another width")
    if not channels.free:
        raise _refusal("it has no layer between its inputs and its outputs")
    half = {name: max(1, width // 2) for name, width in channels.widths.items()}
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        smaller = resize(network, channels, half).eval()
        try:
            smaller(torch.zeros(2, *shape))
        except (RuntimeError, ValueError, IndexError, TypeError, AssertionError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise _refusal(f"with half the widths its forward pass fails ({reason}); a number in it may stand for a width") from None


def _refusal(why: str) -> BadInput:
    return BadInput("space", f"the widths of this network cannot be changed: {why}", code="incompatible")
