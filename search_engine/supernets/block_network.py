"""The fabric of blocks as torch modules: the super-network with a gate per block and example, and the network that a genome keeps."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from ..base.training_config import TrainingConfig
from ..primitives.modules import SEARCH, TRAINED, Style, relu_conv_norm
from ..spaces.block_network import CONVOLUTIONS, STEM_KERNEL, BlockNetworkSpace
from ..spaces.genomes import Genome


def build_block(space: BlockNetworkSpace, place: int, channels: int, style: Style) -> nn.Module:
    """Block `place` of the space: (B, C, H, W) of its source to (B, C, H', W') of its target."""
    block = space.blocks[place]
    kernel = CONVOLUTIONS.get(block.operation)
    if kernel is None:
        return nn.Identity()
    scales = space.nodes[block.source][1], space.nodes[block.target][1]
    convolution = relu_conv_norm(channels, channels, kernel, 2 if scales[1] > scales[0] else 1, style)
    if scales[1] >= scales[0]:
        return convolution
    return nn.Sequential(nn.Upsample(size=space.resolution(block.target)), *convolution)


def build_stem(space: BlockNetworkSpace, channels: int, style: Style) -> nn.Sequential:
    """Images to the feature maps of the first node."""
    colours = space.shape.input[0]
    return nn.Sequential(nn.Conv2d(colours, channels, STEM_KERNEL, padding=STEM_KERNEL // 2, bias=False), style.norm(channels))


def build_classifier(space: BlockNetworkSpace, channels: int, style: Style) -> nn.Sequential:
    """Feature maps of the last node to logits."""
    pooling = [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(style.norm(channels), nn.ReLU(), *pooling, nn.Linear(channels, space.shape.classes))


class BlockSupernet(nn.Module):
    """All blocks at once; `forward` weighs each with a gate of every example. Pass gates of live blocks only: a block whose source got
    nothing would still give what its batch normalisation makes of zeros."""

    def __init__(self, space: BlockNetworkSpace, style: Style = SEARCH) -> None:
        super().__init__()
        self.plan = space.blocks
        self.sizes = [space.resolution(place) for place in range(len(space.nodes))]
        self.channels = space.config.channels
        self.stem = build_stem(space, self.channels, style)
        self.blocks = nn.ModuleList(build_block(space, place, self.channels, style) for place in range(len(self.plan)))
        self.classifier = build_classifier(space, self.channels, style)

    def forward(self, x: Tensor, gates: Tensor) -> Tensor:
        """x (B, C, H, W), gates (B, blocks) -> logits (B, classes). A block whose gates are all 0 is not computed; an example without a
        path has zeros before the classifier."""
        used = (gates != 0).any(dim=0).tolist()
        values: list[Tensor | None] = [self.stem(x), *[None] * (len(self.sizes) - 1)]
        for place, (block, module) in enumerate(zip(self.plan, self.blocks, strict=True)):
            source = values[block.source]
            if not used[place] or source is None:
                continue
            gated = module(source) * gates[:, place].view(-1, 1, 1, 1)
            before = values[block.target]
            values[block.target] = gated if before is None else before + gated
        last = values[-1]
        if last is None:
            last = x.new_zeros(len(x), self.channels, *self.sizes[-1])
        logits: Tensor = self.classifier(last)
        return logits


class BlockNetwork(nn.Module):
    """Stem, the live blocks in order (`blocks.0`, `blocks.1`, ...), sums at the nodes, classifier: (B, C, H, W) -> (B, classes)."""

    def __init__(self, space: BlockNetworkSpace, genome: Genome, channels: int) -> None:
        super().__init__()
        kept = space.kept(genome)
        self.plan = [space.blocks[place] for place in kept]
        self.last = len(space.nodes) - 1
        self.stem = build_stem(space, channels, TRAINED)
        self.blocks = nn.ModuleList(build_block(space, place, channels, TRAINED) for place in kept)
        self.classifier = build_classifier(space, channels, TRAINED)

    def forward(self, x: Tensor) -> Tensor:
        values: dict[int, Tensor] = {0: self.stem(x)}
        for block, module in zip(self.plan, self.blocks, strict=True):
            result = module(values[block.source])
            values[block.target] = values[block.target] + result if block.target in values else result
        logits: Tensor = self.classifier(values[self.last])
        return logits


def build(space: BlockNetworkSpace, genome: Genome, stage: Literal["trial", "final"], training: TrainingConfig) -> BlockNetwork:
    """The untrained network of a genome, as wide as the space says unless `training.channels` says otherwise; its depth is the genome's
    own. Parameters come from torch's global generator. Raises BadInput for a genome that is not admissible."""
    return BlockNetwork(space, genome, training.channels or space.config.channels)


MEASURED = 8
"""Examples of a timed pass: the search's normalisation has no statistics but those of a batch, which a single pixel does not give."""


def build_supernet(space: BlockNetworkSpace) -> BlockSupernet:
    """The untrained super-network."""
    return BlockSupernet(space)


def block_latencies(space: BlockNetworkSpace, network: BlockSupernet, device: torch.device, repeats: int) -> tuple[list[float], float]:
    """Seconds per example of each block and of stem and classifier together, in batches of MEASURED: medians measured on this machine,
    now. Blocks that are equal in everything but their place are measured once."""
    from ..training.footprint import latency

    known: dict[tuple[str, tuple[int, int], tuple[int, int]], float] = {}
    each = []
    for place, block in enumerate(space.blocks):
        if block.operation not in CONVOLUTIONS:
            each.append(0.0)
            continue
        source, target = space.resolution(block.source), space.resolution(block.target)
        key = (block.operation, source, target)
        if key not in known:
            known[key] = latency(network.blocks[place], (network.channels, *source), MEASURED, repeats) / MEASURED
        each.append(known[key])
    ends = ((network.stem, tuple(space.shape.input)), (network.classifier, (network.channels, *network.sizes[-1])))
    return each, sum(latency(module, shape, MEASURED, repeats) / MEASURED for module, shape in ends)
