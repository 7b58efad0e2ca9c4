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
from .rebuilding import rebuilt
from .tracing import Trace, follow, refusal

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
        channels = cls(follow(network, shape))
        for operation in channels.operations:
            module = network.get_submodule(operation.path)
            if type(module).__module__.partition(".")[0] != "torch":
                kind = type(module).__name__
                raise refusal(f"'{operation.path}' is a {kind}, of which nobody knows how it is made with another width")
        if not channels.free:
            raise refusal("it has no layer between its inputs and its outputs")
        channels._try_half(network, shape)
        return channels

    def _try_half(self, network: nn.Module, shape: tuple[int, ...]) -> None:
        """One forward pass with half the widths. No random number is used up."""
        half = {name: max(1, width // 2) for name, width in self.widths.items()}
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            smaller = rebuilt(network, self.sides(half), self.norm_sides(half)).eval()
            try:
                smaller(torch.zeros(2, *shape))
            except (RuntimeError, ValueError, IndexError, TypeError, AssertionError) as error:
                reason = str(error).splitlines()[0] if str(error) else type(error).__name__
                raise refusal(
                    f"with half the widths its forward pass fails ({reason}); a number in it may stand for a width"
                ) from None

    def _blocks(self) -> tuple[Block, ...]:
        writers: list[list[str]] = [[] for _ in range(self.count)]
        for operation in self.operations:
            written = operation.writes.tolist()
            if len(set(written)) < len(written):
                raise refusal(f"'{operation.path}' has channels that are tied to each other")
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
            raise refusal(f"channels of '{block.name}' are read unequally often")
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
