"""A network of the same form whose layers have other sides, its weights fresh."""

from __future__ import annotations

import copy
from collections.abc import Mapping

from torch import nn

from .tracing import Mixing, Norm, is_depthwise


def rebuilt(network: nn.Module, sides: Mapping[str, tuple[int, int]], norms: Mapping[str, int]) -> nn.Module:
    """`network`, which is not changed, in training mode on the CPU: `sides` has (inputs, outputs) of each layer with weights by its path,
    `norms` the channels of each batch normalisation. All of them are new, their parameters from torch's global generator."""
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
    apart = is_depthwise(module)
    made = type(module)(
        inputs, outputs, module.kernel_size, module.stride, module.padding, module.dilation, inputs if apart else 1, bias,  # type: ignore[arg-type]
        module.padding_mode,
    )
    # With one channel left nothing else tells it from a whole convolution.
    made.is_depthwise = apart  # type: ignore[assignment]
    return made


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
