"""Which channels of a network live and die together, who reads and writes them, and what any widths cost.

A *channel* is an output of a layer with everything that it is tied to: what a residual or elementwise sum adds to it, the batch
normalisations that scale it, the inputs of other layers that it becomes (slices after a concatenation, H * W inputs after a flatten). A
channel of the network's input or output is fixed. Channels that the same layers write are a *block*: a width is how many of a block there
are, and layers that are tied have it in common.

Cost (Gordon et al. 2018, MorphNet, equations 3 to 5, and google-research/morph-net, cost_calculator.py): a layer costs C * alive_in *
alive_out, with C = 2 * H_out * W_out * k_h * k_w in FLOPs (2 for a linear layer) and C = k_h * k_w in parameters; a depthwise one
C * alive_out. With all channels alive the FLOPs are those that `training.footprint` counts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from ..base.errors import BadInput
from .tracing import Trace, follow

Resource = Literal["flops", "parameters"]
INPUT = "input"
"""Name of the block of a network's own inputs."""


@dataclass(frozen=True)
class Block:
    """Channels that the same layers write."""

    name: str
    """The path of the first layer that writes them."""
    layers: tuple[str, ...]
    """Paths of all layers that write them; none for the inputs."""
    channels: tuple[int, ...]
    fixed: bool
    """Whether they are inputs or outputs of the network, or tied to one."""

    @property
    def size(self) -> int:
        return len(self.channels)


@dataclass(frozen=True)
class Operation:
    """A layer with weights. `reads` and `writes` have a channel's number for each of its inputs and outputs."""

    path: str
    reads: Tensor
    writes: Tensor
    kernel: int
    """k_h * k_w; 1 of a linear layer."""
    places: int
    """H_out * W_out, over all its uses."""
    depthwise: bool

    def coefficient(self, resource: Resource) -> int:
        """C of the cost."""
        return self.kernel if resource == "parameters" else 2 * self.places * self.kernel


@dataclass(frozen=True)
class Scales:
    """A batch normalisation with scales: `channels` has a channel's number for each of them."""

    path: str
    channels: Tensor


class ChannelGroups:
    """What is said above, of one network and one shape of inputs. Torch tensors lie on the CPU.

    >>> network = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 64, 10))
    >>> channels = ChannelGroups.of(network, (1, 8, 8))
    >>> channels.widths
    {'0': 4}
    >>> channels.cost(channels.widths, "flops") == 2 * 64 * 9 * 1 * 4 + 2 * 256 * 10
    True
    """

    def __init__(self, trace: Trace) -> None:
        """Use `of`."""
        self.operations: tuple[Operation, ...]
        self.scales: tuple[Scales, ...]
        self.blocks: tuple[Block, ...]
        number = {root: place for place, root in enumerate(sorted({trace.root(channel) for channel in range(len(trace))}))}

        def renamed(channels: Tensor) -> Tensor:
            return torch.tensor([number[root] for root in trace.roots(channels).tolist()], dtype=torch.int64)

        self.count = len(number)
        self.inputs = renamed(trace.inputs)
        self.fixed = torch.zeros(self.count, dtype=torch.bool)
        self.fixed[self.inputs] = True
        self.fixed[renamed(trace.outputs)] = True
        operations: dict[str, Operation] = {}
        for use in trace.uses:
            known = operations.get(use.path)
            kernel = 1 if isinstance(use.module, nn.Linear) else math.prod(use.module.kernel_size)
            places = use.places + (known.places if known else 0)
            operations[use.path] = Operation(use.path, renamed(use.reads), renamed(use.writes), kernel, places, use.depthwise)
        self.operations = tuple(operations.values())
        self.norms = tuple({norm.path: Scales(norm.path, renamed(norm.channels)) for norm in trace.norms}.values())
        affine = {norm.path for norm in trace.norms if norm.module.affine}
        self.scales = tuple(norm for norm in self.norms if norm.path in affine)
        self.blocks = self._blocks()
        times = [[self._times(channels, block) for block in self.blocks] for channels in self._read_and_written()]
        self._reads, self._writes = times[: len(self.operations)], times[len(self.operations) :]

    @classmethod
    def of(cls, network: nn.Module, shape: tuple[int, ...]) -> ChannelGroups:
        """The channels of `network`, which is not changed; `shape` is one example's.

        Raises BadInput(field "space") that names the layer, and why, where its widths could not be changed. It is asked for a network with
        about half the widths, too: numbers that stand in a forward pass are found before anything is trained.
        """
        from .resizing import check_form

        channels = cls(follow(network, shape))
        check_form(network, channels, shape)
        return channels

    def _blocks(self) -> tuple[Block, ...]:
        writers: list[list[str]] = [[] for _ in range(self.count)]
        for operation in self.operations:
            written = operation.writes.tolist()
            if len(set(written)) < len(written):
                why = "has channels that are tied to each other"
                raise BadInput("space", f"the widths of this network cannot be changed: '{operation.path}' {why}", code="incompatible")
            for channel in written:
                writers[channel].append(operation.path)
        found: dict[tuple[tuple[str, ...], bool], list[int]] = {}
        for channel in range(self.count):
            found.setdefault((tuple(writers[channel]), bool(self.fixed[channel])), []).append(channel)
        first = [layers[0] if layers else INPUT for layers, _ in found]
        return tuple(
            Block(name if first.count(name) == 1 else " + ".join(layers) + " (fixed)" * fixed, layers, tuple(channels), fixed)
            for name, ((layers, fixed), channels) in zip(first, found.items(), strict=True)
        )

    def _read_and_written(self) -> list[Tensor]:
        return [*(operation.reads for operation in self.operations), *(operation.writes for operation in self.operations)]

    def _times(self, channels: Tensor, block: Block) -> int:
        """At how many places each channel of a block stands."""
        counts = torch.bincount(channels, minlength=self.count)[list(block.channels)]
        if int(counts.min()) != int(counts.max()):
            why = f"channels of '{block.name}' are read unequally often"
            raise BadInput("space", f"the widths of this network cannot be changed: {why}", code="incompatible")
        return int(counts[0])

    # ---- widths

    @property
    def free(self) -> tuple[Block, ...]:
        """The blocks whose widths can be changed."""
        return tuple(block for block in self.blocks if not block.fixed)

    @property
    def widths(self) -> dict[str, int]:
        """The network's own widths, by block."""
        return {block.name: block.size for block in self.free}

    def complete(self, widths: Mapping[str, int]) -> list[int]:
        """How many channels every block has. Raises BadInput(field "widths") for a block that is not there, is not named, or without
        channels."""
        names = [block.name for block in self.free]
        if set(widths) != set(names):
            odd = sorted(set(widths) ^ set(names))
            raise BadInput("widths", f"one width is given for each of {', '.join(names)}; wrong or missing: {', '.join(odd)}")
        for name, width in widths.items():
            if type(width) is not int or width < 1:
                raise BadInput("widths", f"'{name}' needs a whole number of channels from 1, not {width!r}")
        return [block.size if block.fixed else widths[block.name] for block in self.blocks]

    def layer_widths(self, widths: Mapping[str, int]) -> dict[str, int]:
        """How many outputs each layer has, by its path in the module tree: what the widths mean for a genotype."""
        counts = self.complete(widths)
        rows = zip(self.operations, self._writes, strict=True)
        return {operation.path: _product(times, counts) for operation, times in rows}

    def sides(self, widths: Mapping[str, int]) -> dict[str, tuple[int, int]]:
        """(inputs, outputs) of each layer."""
        counts = self.complete(widths)
        rows = zip(self.operations, self._reads, self._writes, strict=True)
        return {operation.path: (_product(reads, counts), _product(writes, counts)) for operation, reads, writes in rows}

    def norm_sides(self, widths: Mapping[str, int]) -> dict[str, int]:
        """Channels of each batch normalisation."""
        counts = self.complete(widths)
        return {norm.path: _product([self._times(norm.channels, block) for block in self.blocks], counts) for norm in self.norms}

    def cost(self, widths: Mapping[str, int], resource: Resource) -> int:
        """FLOPs of one example's forward pass, or weights, of the network with these widths."""
        total = 0
        for operation, (inputs, outputs) in zip(self.operations, self.sides(widths).values(), strict=True):
            total += operation.coefficient(resource) * outputs * (1 if operation.depthwise else inputs)
        return total


def _product(times: list[int], counts: list[int]) -> int:
    return sum(time * count for time, count in zip(times, counts, strict=True))
