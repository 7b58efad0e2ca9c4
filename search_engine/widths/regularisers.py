"""How important each channel is, and the penalty that makes channels superfluous.

Three measures of importance r, under names of their own:

- `gamma`: r = |gamma|, the scale of the batch normalisation behind a layer (Gordon et al. 2018, MorphNet, section 3.2.1; Liu et al. 2017).
- `morphnet_group_lasso_flops`: r = sqrt(mean(theta^2)) over the weights that PRODUCE an output (google/morph-net,
  group_lasso_regularizer.py), with a share of the mean |theta| where wanted.
- `group_lasso_scardapane`: groups of OUTGOING weights, the input features and the biases being groups, too (Scardapane et al. 2017,
  equation 5): R = sum of sqrt(|g|) * ||theta_g||_2. It knows no cost, and alone can drop an input.

The first two are penalised by what channels cost: a layer adds C * (alive_in * sum(r_out) + alive_out * sum(r_in)), a depthwise one
C * (sum(r_in) + sum(r_out)); a fixed side has a constant count and no r. The counts of what is alive are constants in the gradient. The
penalty is λR with λ = factor / initial cost (of `group_lasso_scardapane`: / initial R), so that a factor means the same in
every network.

A channel that several layers or normalisations share has the r of its largest (or their L2 norm), and is dead only where ALL of them are
below their thresholds. What has no r (a convolution without a normalisation, under `gamma`) has no say.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from ..base.errors import BadInput
from .channels import Block, ChannelGroups, Resource

Kind = Literal["gamma", "morphnet_group_lasso_flops", "group_lasso_scardapane"]
Shared = Literal["max", "l2"]


class RegulariserConfig(BaseModel):
    """Which penalty, how strong, and when a channel counts as dead."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    kind: Kind = "gamma"
    resource: Resource = "flops"
    """What a channel costs; `group_lasso_scardapane` knows no cost."""
    factor: float = Field(default=1.0, ge=0)
    """λ = factor / initial cost."""
    threshold: float = Field(default=0.1, gt=0)
    """Dead are channels with r at most this: of |gamma| as it is (its first value is 1), of weights as a share of the layer's initial root
    mean square (torch's initial weights of a wide layer are all smaller than any fixed number)."""
    floor: float = Field(default=0.1, ge=0, le=1)
    """Of every block at least max(1, ceil(floor * width)) channels stay; they count as alive in the penalty, too, which would vanish with
    the last one and let all grow again."""
    shared: Shared = "max"
    l1: float = Field(default=0.0, ge=0, le=1)
    """Of `morphnet_group_lasso_flops`: the share of mean |theta| in r."""
    latched: bool = False
    """Whether a channel that was dead once stays so."""


@dataclass
class _Member:
    """One vector of importances: those of a batch normalisation, or of a layer's weights."""

    path: str
    channels: Tensor
    """(n,), the channel of each."""
    threshold: float = 0.0


class Regulariser:
    """The penalty of one network, whose weights it reads anew whenever it is asked.

    Make it before training: it remembers how large weights were at the beginning. Raises BadInput(field "options.regulariser") where the
    network has nothing to penalise.
    """

    def __init__(self, network: nn.Module, channels: ChannelGroups, config: RegulariserConfig) -> None:
        self.network, self.channels, self.config = network, channels, config
        self.initial_cost = channels.cost(channels.widths, config.resource)
        self._device = next(network.parameters()).device
        self._modules = dict(network.named_modules())
        self._operations = channels.operations
        count = channels.count
        self._members = self._found()
        self._index = torch.cat([member.channels for member in self._members]).to(self._device)
        measured = torch.zeros(count, dtype=torch.bool)
        measured[self._index.cpu()] = True
        # An input feature can be found superfluous by its outgoing weights; a network's width in it stays.
        self._measured = measured.to(self._device)
        self._free = (measured & ~channels.fixed).to(self._device)
        if not bool(self._free.any()):
            raise BadInput("options.regulariser", _NOTHING[config.kind], code="incompatible")
        self._reads = torch.stack([torch.bincount(item.reads, minlength=count) for item in self._operations]).float().to(self._device)
        self._writes = torch.stack([torch.bincount(item.writes, minlength=count) for item in self._operations]).float().to(self._device)
        # In units of the initial cost: float32 keeps its digits.
        scale = max(self.initial_cost, 1)
        self._coefficients = torch.tensor(
            [item.coefficient(config.resource) / scale for item in self._operations], dtype=torch.float32, device=self._device
        )
        self._depthwise = torch.tensor([float(item.depthwise) for item in self._operations], device=self._device)
        self._block_of = torch.zeros(count, dtype=torch.int64)
        for place, block in enumerate(channels.blocks):
            self._block_of[list(block.channels)] = place
        self._dead = torch.zeros(count, dtype=torch.bool, device=self._device)
        with torch.no_grad():
            first = self._vectors()
            for member, vector in zip(self._members, first, strict=True):
                # The root mean square of the layer, as r is one of a channel; |gamma| begins at 1 and is taken as it is.
                own = 1.0 if config.kind == "gamma" else float(vector.square().mean().sqrt())
                member.threshold = config.threshold * own
            self._thresholds = torch.cat(
                [torch.full((len(member.channels),), member.threshold) for member in self._members]
            ).to(self._device)
            self._initial = float(self._scardapane()) if config.kind == "group_lasso_scardapane" else 1.0

    # ---- what is measured

    def _found(self) -> list[_Member]:
        kind = self.config.kind
        if kind == "gamma":
            found = [_Member(scales.path, scales.channels) for scales in self.channels.scales]
        elif kind == "morphnet_group_lasso_flops":
            found = [_Member(operation.path, operation.writes) for operation in self._operations]
        else:
            found = [_Member(operation.path, torch.unique(operation.reads)) for operation in self._operations]
        if not found:
            raise BadInput("options.regulariser", _NOTHING[kind], code="incompatible")
        return found

    def _vectors(self) -> list[Tensor]:
        """r of each member, as differentiable functions of the network's weights."""
        if self.config.kind == "gamma":
            return [self._modules[member.path].weight.abs() for member in self._members]  # type: ignore[operator,union-attr]
        if self.config.kind == "morphnet_group_lasso_flops":
            return [self._produced(self._weight(member.path)) for member in self._members]
        pairs = zip(self._members, self._operations, strict=True)
        return [norms / sizes.sqrt() for member, operation in pairs for norms, sizes in [self._outgoing(operation, member.channels)]]

    def _weight(self, path: str) -> Tensor:
        weight = self._modules[path].weight
        assert isinstance(weight, Tensor)
        return weight

    def _produced(self, weight: Tensor) -> Tensor:
        """(out, ...) -> (out,)."""
        rows = weight.flatten(1)
        r = _length(rows) / math.sqrt(rows.shape[1])
        return r if not self.config.l1 else (1 - self.config.l1) * r + self.config.l1 * rows.abs().mean(dim=1)

    def _outgoing(self, operation: Any, channels: Tensor) -> tuple[Tensor, Tensor]:
        """||theta_g||_2 and |g| of the weights that read each of `channels` (ascending)."""
        weight = self._weight(operation.path)
        columns = weight.flatten(1) if operation.depthwise else weight.transpose(0, 1).flatten(1)
        place = torch.searchsorted(channels, operation.reads).to(weight.device)
        squares = torch.zeros(len(channels), device=weight.device).index_add(0, place, columns.square().sum(dim=1))
        sizes = torch.bincount(place, minlength=len(channels)).float() * columns.shape[1]
        # The derivative of a root at 0 is no number: there it is 0, as it is of a norm.
        safe = torch.where(squares > 0, squares, torch.ones_like(squares)).sqrt()
        return torch.where(squares > 0, safe, torch.zeros_like(squares)), sizes

    def _scardapane(self) -> Tensor:
        total = torch.zeros((), device=self._device)
        for member, operation in zip(self._members, self._operations, strict=True):
            norms, sizes = self._outgoing(operation, member.channels)
            total = total + (sizes.sqrt() * norms).sum()
            bias = self._modules[operation.path].bias
            if isinstance(bias, Tensor):
                total = total + bias.abs().sum()
        return total

    def importance(self) -> Tensor:
        """r of every channel, (channels,); 0 where nothing measures it."""
        joined = torch.cat(self._vectors())
        zeros = torch.zeros(self.channels.count, device=self._device)
        if self.config.shared == "max":
            return zeros.scatter_reduce(0, self._index, joined, "amax")
        squares = zeros.index_add(0, self._index, joined.square())
        safe = torch.where(squares > 0, squares, torch.ones_like(squares)).sqrt()
        return torch.where(squares > 0, safe, zeros)

    # ---- what is alive

    @torch.no_grad()
    def alive(self) -> Tensor:
        """Which channels are alive, (channels,) bool, the floor observed: where fewer are left, the most important ones of the block."""
        return self._alive()[0]

    def _alive(self) -> tuple[Tensor, list[Block]]:
        """Also the blocks whose floor held."""
        joined = torch.cat(self._vectors())
        above = torch.zeros(self.channels.count, dtype=torch.float32, device=self._device)
        above = above.scatter_reduce(0, self._index, (joined > self._thresholds).float(), "amax") > 0
        alive = above | ~self._free
        if self.config.latched:
            self._dead |= ~alive
            alive &= ~self._dead
        held = []
        counts = torch.bincount(self._block_of[alive.cpu()], minlength=len(self.channels.blocks)).tolist()
        r: Tensor | None = None
        for place, block in enumerate(self.channels.blocks):
            least = self.floor_of(block)
            if counts[place] >= least or block.fixed:
                continue
            held.append(block)
            r = self.importance() if r is None else r
            own = torch.tensor(block.channels, device=self._device)
            # Of equals the first, on every machine.
            order = torch.sort(r[own], descending=True, stable=True).indices
            alive[own[order[:least]]] = True
        return alive, held

    def floor_of(self, block: Block) -> int:
        """The fewest channels that it keeps."""
        return max(1, math.ceil(self.config.floor * block.size - 1e-9))

    @torch.no_grad()
    def widths(self) -> dict[str, int]:
        """How many channels of each block are alive now."""
        alive = self.alive().cpu()
        return {block.name: int(alive[list(block.channels)].sum()) for block in self.channels.free}

    @torch.no_grad()
    def floors_held(self) -> list[str]:
        """Names of the blocks that only their floor keeps as wide as they are."""
        return [block.name for block in self._alive()[1]]

    @torch.no_grad()
    def cost(self) -> int:
        """Of the network with what is alive."""
        return self.channels.cost(self.widths(), self.config.resource)

    @torch.no_grad()
    def inputs_alive(self) -> list[bool]:
        """Of each channel or feature of the input whether a layer still reads it; all, where nothing measures inputs."""
        joined = torch.cat(self._vectors())
        above = torch.zeros(self.channels.count, device=self._device)
        above = above.scatter_reduce(0, self._index, (joined > self._thresholds).float(), "amax")
        found: list[bool] = ((above > 0) | ~self._measured)[self.channels.inputs].tolist()
        return found

    @torch.no_grad()
    def sorted_importance(self) -> dict[str, list[float]]:
        """r of each block's channels, the largest first, in units in which `config.threshold` is the limit: |gamma| itself, weights as a
        share of their layer's initial root mean square."""
        joined = torch.cat(self._vectors()) / self._thresholds * self.config.threshold
        share = torch.zeros(self.channels.count, device=self._device).scatter_reduce(0, self._index, joined, "amax").cpu()
        return {
            block.name: sorted((float(share[channel]) for channel in block.channels), reverse=True)
            for block in self.channels.free
            if bool(self._free[block.channels[0]])
        }

    # ---- the penalty

    def sum(self) -> Tensor:
        """R, in units of the initial cost (`group_lasso_scardapane`: of the initial R): what the factor is multiplied with."""
        if self.config.kind == "group_lasso_scardapane":
            return self._scardapane() / self._initial
        r = torch.where(self._free, self.importance(), torch.zeros((), device=self._device))
        alive = self.alive().float()
        inputs, outputs = self._reads @ alive, self._writes @ alive
        r_in, r_out = self._reads @ r, self._writes @ r
        terms = torch.where(self._depthwise > 0, r_in + r_out, inputs * r_out + outputs * r_in)
        return (self._coefficients * terms).sum()

    def penalty(self) -> Tensor:
        """λR, to be added to the loss."""
        return self.config.factor * self.sum()

    def state_dict(self) -> dict[str, Any]:
        """What cannot be read from the network: how large its weights were at the beginning, and who died."""
        return {
            "thresholds": self._thresholds.cpu().clone(), "initial": self._initial, "dead": self._dead.cpu().clone(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._thresholds = state["thresholds"].to(self._device)
        self._initial = state["initial"]
        self._dead = state["dead"].to(self._device)


_NOTHING: dict[Kind, str] = {
    "gamma": "'gamma' needs batch normalisations with scales behind the layers, and this network has none: switch them on in the space, or "
    "choose 'morphnet_group_lasso_flops'",
    "morphnet_group_lasso_flops": "this network has no layer whose outputs are free to go",
    "group_lasso_scardapane": "this network has no layer whose outputs are free to go",
}


def _length(rows: Tensor) -> Tensor:
    """Euclidean norm of each row; its gradient at 0 is 0."""
    lengths: Tensor = torch.linalg.vector_norm(rows, dim=1)
    return lengths
