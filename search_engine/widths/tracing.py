"""One forward pass of a network, followed element by element: which channel every number of every tensor belongs to.

Beside each tensor runs another of its shape that holds numbers of channels. What only moves elements about (flatten, cat, transpose, ...)
is done to that one too, by the same torch function, so that nothing has to be known of layouts: after `flatten` channel c stands at its H*W
places, after `cat` the channels of several layers stand side by side. A layer that mixes channels (convolution, linear) reads the channels
of its inputs and begins new ones; what adds or multiplies two tensors ties those that meet at a place.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode, resolve_name

from ..base.errors import BadInput

EXAMPLES = 2
"""In the batch that is followed: with one, `squeeze` would take the batch away."""

Mixing = nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d
Norm = nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# What each function does to channels, by the last part of its name without underscores.
_EACH_ALONE = _names(
    "relu relu6 leaky_relu elu selu celu gelu silu mish hardswish hardsigmoid hardtanh softplus softsign logsigmoid tanh sigmoid "
    "tanhshrink threshold dropout dropout1d dropout2d dropout3d alpha_dropout feature_alpha_dropout abs neg exp log sqrt rsqrt square pow "
    "clamp clip sign sin cos contiguous clone detach to float double half type zeros_like ones_like zero requires_grad"
)
_TOGETHER = _names("add sub mul div truediv radd rsub rmul rdiv rtruediv iadd isub imul idiv itruediv maximum minimum where lerp addcmul")
_MOVES = _names(
    "flatten unflatten reshape view view_as permute transpose swapaxes movedim squeeze unsqueeze getitem cat concat concatenate stack "
    "hstack chunk split narrow select index_select expand repeat flip roll unbind t ravel"
)
_OVER_PLACES = frozenset(
    f"{kind}_pool{sides}d" for kind in ("max", "avg", "lp", "adaptive_max", "adaptive_avg") for sides in (1, 2, 3)
) | _names("interpolate upsample pad constant_pad_nd")
_REDUCES = _names("mean sum amax amin max min std var logsumexp")
_OF_OUTPUTS = _names("softmax log_softmax")
_NO_TENSOR = _names("size dim numel is_floating_point is_complex __get__ get_device stride item len")


@dataclass
class LayerUse:
    """A layer with weights and the channels it reads and writes, one number for each place of its inputs and outputs."""

    path: str
    module: Mixing
    reads: Tensor
    """(inputs,), numbers of channels; after a flatten one channel stands at several places."""
    writes: Tensor
    """(outputs,)"""
    places: int
    """How often the weights are applied to one example: H_out * W_out of a convolution, 1 of a linear layer on vectors."""
    depthwise: bool = False


@dataclass
class Normalised:
    """A batch normalisation with scales (gamma), and the channels that they scale."""

    path: str
    module: Norm
    channels: Tensor


@dataclass
class Trace:
    """What one pass saw. Numbers of channels are before tying: `root` gives the one that stands for all that are tied to it."""

    uses: list[LayerUse] = field(default_factory=list)
    norms: list[Normalised] = field(default_factory=list)
    inputs: Tensor = field(default_factory=lambda: torch.empty(0, dtype=torch.int64))
    outputs: Tensor = field(default_factory=lambda: torch.empty(0, dtype=torch.int64))
    _parents: list[int] = field(default_factory=list)

    def new_channels(self, count: int) -> Tensor:
        first = len(self._parents)
        self._parents.extend(range(first, first + count))
        return torch.arange(first, first + count)

    def tie(self, first: Tensor, second: Tensor) -> None:
        """Channels that meet at a place are one from now on."""
        count = len(self._parents)
        # One number for each pair: rows would be compared number by number.
        for pair in torch.unique(first.flatten() * count + second.flatten()).tolist():
            one, other = divmod(pair, count)
            a, b = self.root(one), self.root(other)
            self._parents[max(a, b)] = min(a, b)

    def root(self, channel: int) -> int:
        while self._parents[channel] != channel:
            self._parents[channel] = self._parents[self._parents[channel]]
            channel = self._parents[channel]
        return channel

    def roots(self, channels: Tensor) -> Tensor:
        return torch.tensor([self.root(channel) for channel in channels.tolist()], dtype=torch.int64)

    def __len__(self) -> int:
        return len(self._parents)


def follow(network: nn.Module, shape: tuple[int, ...]) -> Trace:
    """The trace of one forward pass in evaluation mode; `shape` is one example's, its first number are channels or features.

    The network is not changed. Raises BadInput(field "space") that names the layer or function where it cannot be followed, and why.
    """
    device = next((item.device for item in network.parameters()), torch.device("cpu"))
    follower = _Follower(network)
    inputs = torch.zeros(EXAMPLES, *shape, device=device)
    follower.trace.inputs = follower.trace.new_channels(shape[0])
    follower.learn(inputs, _spread(follower.trace.inputs, 1, inputs.shape))
    modes = {module: module.training for module in network.modules()}
    network.eval()
    try:
        output = follower.run(inputs)
    finally:
        for module, mode in modes.items():
            module.training = mode
    if not isinstance(output, Tensor) or follower.channels_of(output) is None:
        raise _refusal("the network", "gives no tensor of its inputs")
    follower.trace.outputs = torch.unique(follower.channels_of(output))  # type: ignore[arg-type]
    return follower.trace


def is_depthwise(module: Mixing) -> bool:
    """Whether each channel is convolved by itself; also where one of a rebuilt layer is left."""
    if isinstance(module, nn.Linear):
        return False
    return 1 < module.groups == module.in_channels == module.out_channels or bool(getattr(module, "is_depthwise", False))


def refusal(why: str) -> BadInput:
    return BadInput("space", f"the widths of this network cannot be changed: {why}", code="incompatible")


def _refusal(where: str, why: str) -> BadInput:
    return refusal(f"{where} {why}")


def _spread(channels: Tensor, dimension: int, shape: Sequence[int]) -> Tensor:
    """Numbers along one dimension, the same everywhere else."""
    view = [1] * len(shape)
    view[dimension] = -1
    return channels.view(view).expand(*shape)


class _Follower(TorchFunctionMode):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.trace = Trace()
        self._network = network
        self._paths = {module: path for path, module in network.named_modules()}
        self._known: dict[int, tuple[Tensor, Tensor]] = {}
        """By the tensor's id: itself (so that ids stay unique) and the numbers of its channels."""
        self._within: list[str] = []
        self._in_layer = 0
        self._written: dict[nn.Module, Tensor] = {}

    def run(self, inputs: Tensor) -> Any:
        with ExitStack() as stack:
            for module in self._network.modules():
                stack.callback(module.register_forward_pre_hook(self._enter).remove)
                stack.callback(module.register_forward_hook(self._leave).remove)
            stack.enter_context(torch.no_grad())
            stack.enter_context(self)
            return self._network(inputs)

    def learn(self, tensor: Tensor, channels: Tensor) -> None:
        self._known[id(tensor)] = (tensor, channels)

    def channels_of(self, tensor: Tensor) -> Tensor | None:
        found = self._known.get(id(tensor))
        return None if found is None else found[1]

    # ---- modules

    def _enter(self, module: nn.Module, args: tuple[Any, ...]) -> None:
        # What holds layers of the network may be made in its forward pass; the layers themselves may not.
        self._within.append(self._paths.get(module, self._within[-1] if self._within else ""))
        if isinstance(module, Mixing | Norm) and module not in self._paths:
            raise _refusal(f"a {type(module).__name__}", "is made in the forward pass: it is no part of the network")
        self._in_layer += isinstance(module, Mixing | Norm)

    def _leave(self, module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        if isinstance(module, Mixing | Norm):
            channels = self.channels_of(args[0]) if args else None
            if channels is not None:
                if isinstance(module, Mixing):
                    self._mix(module, channels, output)
                else:
                    self._normalise(module, channels, output)
            self._in_layer -= 1
        self._within.pop()

    def _mix(self, module: Mixing, channels: Tensor, output: Tensor) -> None:
        path, linear = self._paths[module], isinstance(module, nn.Linear)
        dimension = channels.dim() - 1 if linear else 1
        reads = self._along(channels, dimension, f"'{path}'")
        groups = 1 if isinstance(module, nn.Linear) else module.groups
        depthwise = is_depthwise(module)
        if groups > 1 and not depthwise:
            raise _refusal(f"the convolution '{path}'", f"has {groups} groups of several channels; whole ones and depthwise ones can be")
        places = math.prod(output.shape[1:-1] if linear else output.shape[2:])
        seen = self._written.get(module)
        writes = self.trace.new_channels(output.shape[dimension]) if seen is None else seen
        if seen is not None:
            # One set of weights at two places: what stands at a place there and here is one channel.
            first = next(use for use in self.trace.uses if use.module is module)
            self.trace.tie(first.reads, reads)
        if depthwise:
            self.trace.tie(reads, writes)
        self._written[module] = writes
        self.trace.uses.append(LayerUse(path, module, reads, writes, places, depthwise))
        self.learn(output, _spread(writes, dimension, output.shape))

    def _normalise(self, module: Norm, channels: Tensor, output: Tensor) -> None:
        along = self._along(channels, 1, f"'{self._paths[module]}'")
        self.trace.norms.append(Normalised(self._paths[module], module, along))
        self.learn(output, channels)

    def _along(self, channels: Tensor, dimension: int, where: str) -> Tensor:
        """The channels along one dimension, which must be the same at every other place."""
        along = channels.transpose(0, dimension).flatten(1)
        if not bool((along == along[:, :1]).all()):
            raise _refusal(where, "reads a tensor whose channels do not lie along one dimension")
        return along[:, 0].clone()

    # ---- functions

    def __torch_function__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None) -> Any:
        kwargs = kwargs or {}
        if self._in_layer:
            return func(*args, **kwargs)
        # Before the call: one that writes in place gives the same object back.
        given = [self.channels_of(item) for item in _tensors((args, kwargs))]
        result = func(*args, **kwargs)
        if any(item is not None for item in given) and _tensors(result):
            self._follow(_name_of(func), func, args, kwargs, result)
        return result

    def _follow(self, name: str, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        if name in _NO_TENSOR:
            return
        tensors = _tensors((args, kwargs))
        first = next(channels for channels in map(self.channels_of, tensors) if channels is not None)
        if name in _EACH_ALONE and len(tensors) == 1:
            self.learn(result, first)
        elif name in _TOGETHER or name in _EACH_ALONE:
            self.learn(result, self._met(name, tensors, result.shape))
        elif name in _MOVES:
            self._move(name, func, args, kwargs, result)
        elif name in _OVER_PLACES:
            self._over_places(name, first, result)
        elif name in _REDUCES and isinstance(result, Tensor) and len(tensors) == 1:
            self._reduce(name, first, args, kwargs, result)
        elif name in _OF_OUTPUTS:
            # It normalises over however many there are.
            self.learn(result, first)
        else:
            raise _refusal(self._where(name), "does something to channels that is not known here")

    def _met(self, name: str, tensors: list[Tensor], shape: torch.Size) -> Tensor:
        """What comes together at a place is tied."""
        found: Tensor | None = None
        for tensor in tensors:
            channels = self.channels_of(tensor)
            if channels is None:
                continue
            if found is None:
                found = channels.expand(shape) if channels.dim() <= len(shape) else channels
                continue
            other = channels.expand(shape)
            self.trace.tie(found, other)
        assert found is not None
        for tensor in tensors:
            if self.channels_of(tensor) is None and tensor.numel() > 1:
                self._same_for_all_channels(name, tensor, found)
        return found

    def _same_for_all_channels(self, name: str, tensor: Tensor, channels: Tensor) -> None:
        """A parameter or constant that has a number for each channel would have to be narrowed too."""
        for back, side in enumerate(reversed(tensor.shape), start=1):
            if side > 1:
                along = channels.movedim(-back, 0)
                if not bool((along == along[:1]).all()):
                    raise _refusal(self._where(name), f"takes a tensor of shape {tuple(tensor.shape)} with a number for each channel")

    def _move(self, name: str, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        def swap(tree: Any) -> Any:
            if isinstance(tree, Tensor):
                channels = self.channels_of(tree)
                if channels is None:
                    raise _refusal(self._where(name), "puts channels beside numbers that are not computed from the inputs")
                return channels.contiguous()
            if isinstance(tree, list | tuple):
                return type(tree)(map(swap, tree)) if not hasattr(tree, "_fields") else tree
            return tree

        # Indices and the like are tensors without channels; only the first argument is moved.
        with torch._C.DisableTorchFunction():
            moved = func(swap(args[0]), *args[1:], **kwargs)
        before = torch.unique(torch.cat([item.flatten() for item in _tensors(swap(args[0]))]))
        for tensor, channels in zip(_tensors(result), _tensors(moved), strict=True):
            if not torch.equal(torch.unique(channels), before):
                raise _refusal(self._where(name), "takes some of the channels and leaves others; only all of them can be moved")
            self.learn(tensor, channels)

    def _over_places(self, name: str, channels: Tensor, result: Any) -> None:
        """Pooling, padding, resampling: each channel by itself, along dimensions behind the second."""
        if not isinstance(result, Tensor):
            result = result[0]
        if result.shape[:2] != channels.shape[:2] or result.dim() != channels.dim() or channels.dim() < 3:
            raise _refusal(self._where(name), "changes how many channels there are")
        along = self._along(channels, 1, self._where(name))
        self.learn(result, _spread(along, 1, result.shape))

    def _reduce(self, name: str, channels: Tensor, args: tuple[Any, ...], kwargs: dict[str, Any], result: Tensor) -> None:
        dims = kwargs.get("dim", args[1] if len(args) > 1 else None)
        keep = kwargs.get("keepdim", args[2] if len(args) > 2 else False)
        for dim in sorted({item % channels.dim() for item in ([dims] if isinstance(dims, int) else dims or range(channels.dim()))})[::-1]:
            along = channels.movedim(dim, 0)
            if not bool((along == along[:1]).all()):
                raise _refusal(self._where(name), "mixes channels without weights")
            channels = channels.narrow(dim, 0, 1) if keep else channels.select(dim, 0)
        self.learn(result, channels)

    def _where(self, name: str) -> str:
        path = self._within[-1] if self._within else ""
        return f"'{name}'" + (f" in '{path}'" if path else " in the network's own forward")


def _name_of(func: Any) -> str:
    """`torch.Tensor.__iadd__` -> iadd, `torch.nn.functional._max_pool2d` -> max_pool2d, a property -> __get__."""
    name = str(resolve_name(func) or getattr(func, "__name__", "")).rpartition(".")[2]
    return name if name == "__get__" else name.strip("_")


def _tensors(tree: Any) -> list[Tensor]:
    if isinstance(tree, Tensor):
        return [tree]
    if isinstance(tree, list | tuple):
        return [item for part in tree for item in _tensors(part)]
    if isinstance(tree, dict):
        return _tensors(list(tree.values()))
    return []
