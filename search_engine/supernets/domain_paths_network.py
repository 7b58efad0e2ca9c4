"""The network of the `domain_paths` space: super-network and derived network of several data sets in one class.

Wang et al. 2021, figure 2: the stem, the batch normalisations and the classifier are each data set's own; the modules between them
are shared by all data sets whose path leads through them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from torch import Tensor, nn

from ..base.training_config import TrainingConfig
from ..primitives.modules import Style, build_primitive, relu_conv_norm
from ..spaces.domain_paths import STEM_SIDE, DomainPathsSpace, primitive_of
from ..spaces.genomes import Genome
from .domain_norms import DomainStyle, of_domain


class Head(nn.Module):
    """(B, C, H, W) -> logits (B, classes): normalisation, ReLU, mean over the pixels, linear classifier."""

    def __init__(self, channels: int, classes: int, style: Style) -> None:
        super().__init__()
        self.norm = style.norm(channels)
        self.relu = nn.ReLU()
        self.classifier = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.classifier(self.relu(self.norm(x)).mean(dim=(2, 3)))
        return logits


class Residual(nn.Module):
    """A primitive with a shortcut around it, as the inverted residual blocks have of which the paper's super-network consists.

    Without it the random paths of the warm-up hardly train: a module that is followed by another one in every step does not learn what
    its output means.
    """

    def __init__(self, shortcut: nn.Module, operation: nn.Module) -> None:
        super().__init__()
        self.shortcut = shortcut
        self.operation = operation

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.shortcut(x) + self.operation(x)
        return result


class PathNetwork(nn.Module):
    """One data set's network: stem, one module per layer, head. Inputs (B, C, H, W), logits (B, classes)."""

    def __init__(self, stem: nn.Module, modules: Sequence[nn.Module], head: nn.Module) -> None:
        super().__init__()
        self.stem = stem
        self.path = nn.Sequential(*modules)
        self.head = head

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(self.path(self.stem(x)))
        return logits


class DomainPathsNetwork(nn.Module):
    """The networks of several data sets with shared modules.

    With `genome` None it is the super-network: all modules of all layers, and `forward_path` computes one path for one data set. With a
    genome it has the modules on its paths only, and `for_domain(i)` is data set i's network.
    """

    def __init__(self, space: DomainPathsSpace, genome: Genome | None, channels: int, *, running: bool) -> None:
        """`channels`: width of the stem; `running`: whether batch normalisation keeps running statistics (not in search, where every
        step takes another path)."""
        super().__init__()
        self.space = space
        self.paths = None if genome is None else space.paths(genome)
        style = Style(running=running, pool_norm=False)
        self.stems = nn.ModuleList(_stem(shape.input, channels, style) for shape in space.domains)
        self.layers = nn.ModuleList()
        for layer in range(space.config.layers):
            reduction = layer in space.reductions
            modules = nn.ModuleDict()
            for label, users in self._users(layer).items():
                shared = DomainStyle(running=running, pool_norm=False, domains=users)
                modules[label] = _module(primitive_of(label), channels, reduction, shared)
            self.layers.append(modules)
            channels *= 2 if reduction else 1
        self.heads = nn.ModuleList(Head(channels, shape.classes, style) for shape in space.domains)

    def _users(self, layer: int) -> dict[str, tuple[int, ...]]:
        """The modules of a layer and the data sets that may use them."""
        if self.paths is None:
            return dict.fromkeys(self.space.modules, tuple(range(len(self.space.domains))))
        labels = [path[layer] for path in self.paths]
        return {label: tuple(place for place, item in enumerate(labels) if item == label) for label in dict.fromkeys(labels)}

    def module(self, layer: int, label: str, domain: int) -> nn.Module:
        """A module as data set `domain` uses it, with the shared weights."""
        return of_domain(self.layers[layer][label], domain)  # type: ignore[index]

    def pieces(self, domain: int) -> tuple[nn.Module, list[list[nn.Module]], nn.Module]:
        """A super-network's (stem, every layer's modules in the space's order, head) as data set `domain` uses them."""
        grid = [[self.module(layer, label, domain) for label in self.space.modules] for layer in range(len(self.layers))]
        return self.stems[domain], grid, self.heads[domain]

    def along(self, path: Sequence[str], domain: int) -> PathNetwork:
        """Data set `domain`'s network on the path with these labels: it shares all parameters with this network."""
        modules = [self.module(layer, label, domain) for layer, label in enumerate(path)]
        return PathNetwork(self.stems[domain], modules, self.heads[domain]).train(self.training)

    def for_domain(self, domain: int) -> PathNetwork:
        """A derived network as it is for one data set."""
        if self.paths is None:
            raise ValueError("a super-network has no path of its own: use forward_path")
        return self.along(self.paths[domain], domain)

    def forward_path(self, x: Tensor, genome: Genome, domain: int = 0) -> Tensor:
        """Logits (B, classes) of data set `domain` along its path in `genome`; nothing off the path is touched."""
        logits: Tensor = self.along(self.space.paths(genome)[domain], domain)(x)
        return logits

    def forward(self, x: Tensor) -> Tensor:
        """A derived network on inputs of its first data set."""
        logits: Tensor = self.for_domain(0)(x)
        return logits


def _stem(shape: tuple[int, ...], channels: int, style: Style) -> nn.Sequential:
    """(B, colours, H, W) -> (B, channels, H', W') with sides of at most STEM_SIDE pixels."""
    side, halvings = max(shape[1:]), 0
    while side > STEM_SIDE:
        side, halvings = (side + 1) // 2, halvings + 1
    first = nn.Conv2d(shape[0], channels, 3, stride=2 if halvings else 1, padding=1, bias=False)
    more = [relu_conv_norm(channels, channels, 3, 2, style) for _ in range(halvings - 1)]
    return nn.Sequential(first, style.norm(channels), *more)


def _module(name: str, channels: int, reduction: bool, style: Style) -> nn.Module:
    """(B, C, H, W) -> the same shape, or (B, 2C, ceil(H / 2), ceil(W / 2)) for a reduction."""
    if not reduction:
        return nn.Identity() if name == "skip_connect" else Residual(nn.Identity(), build_primitive(name, channels, 1, style))
    pooling = nn.AvgPool2d(2, stride=2, ceil_mode=True)
    shortcut = nn.Sequential(pooling, nn.Conv2d(channels, 2 * channels, 1, bias=False), style.norm(2 * channels))
    if name == "skip_connect":
        return shortcut
    return Residual(shortcut, nn.Sequential(build_primitive(name, channels, 2, style), relu_conv_norm(channels, 2 * channels, 1, 1, style)))


def build_supernet(space: DomainPathsSpace) -> DomainPathsNetwork:
    """All modules for all data sets, without running statistics."""
    return DomainPathsNetwork(space, None, space.width("search"), running=False)


def build(space: DomainPathsSpace, genome: Genome, stage: Literal["trial", "final"], training: TrainingConfig) -> DomainPathsNetwork:
    """The untrained network of a genome's paths; `training.channels` is the stem's width, 0 = the space's own choice.

    Parameters come from torch's global generator. Raises BadInput for a genome that is not admissible, or for another depth than the
    space's.
    """
    space.validate(genome)
    space.validate_training(training.layers, training.channels)
    return DomainPathsNetwork(space, genome, space.width(stage, training.channels), running=True)
