"""The search that every method on the simplex is: the loop of `loop`, what a method says of itself, and who listens.

A method says how its structure is made (`make_structure`) and, where it differs from the plain case, its order of moves, what changes
from step to step (`before_step`: a temperature), terms added to the structure's objective (`structure_terms`: a prior, a resource cost),
how weights become a genome (`derive`) and what it shows beside the weights (`numbers`, `draws`).
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from search_engine.base.lazy import lazy_module
from search_engine.spaces.genomes import Genome
from search_engine.structures import StructureDistribution

from .edge_weights import EdgeNormalisation
from .habits_listener import HabitsListener
from .loop import Array, BilevelLoop, Listener, Order
from .partial_channels import PartialChannels
from .progress import Progress
from .shrinking import Shrinking
from .skip_cap import SkipCap
from .skip_dropout import SkipDropouts

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_module("torch")


class SimplexSearch(BilevelLoop):
    """One super-network, its weights w and its structure alpha. `options` is a SimplexConfig, a BilevelConfig unless the order is
    single_level. An algorithm's entry names `search_engine.algorithms.simplex.controls:check_controls` as its check, or calls it in its
    own. All that a new method must say:

    >>> from search_engine.structures import SoftmaxStructure
    >>> class Plain(SimplexSearch):
    ...     title = "Plain"
    ...     def make_structure(self, shapes, generator, device):
    ...         return SoftmaxStructure(shapes, generator, device)
    >>> Plain().order
    'structure_first'
    """

    # ---- what a method says

    @property
    def order(self) -> Order:
        """Who moves when; may follow from the options, never from the state."""
        return "structure_first"

    @abstractmethod
    def make_structure(self, shapes: dict[str, tuple[int, int]], generator: torch.Generator, device: str) -> StructureDistribution:
        """The structure at its start (and at that of every stage that starts afresh): per group (edges, operations). `generator` (on the
        CPU) draws the initial values. `self.network` is there already."""

    def before_step(self) -> None:
        """Called before every step and after a restore. What it sets must follow from the options, `self.done` and `self.progress`."""

    def structure_terms(self) -> torch.Tensor | None:
        """A scalar, differentiable in `self.choice.parameters`, added to the loss that the structure lowers; None = nothing.

        Draws inside it take `self.generator("terms")`.
        """
        return None

    def derive(self, weights: dict[str, Array]) -> Genome:
        """The genome that weights (per group edges x operations, the mean of the structure) point to. Default: the space's rule."""
        space: Any = self.context.space
        genome: Genome = space.derive(weights)
        return genome

    def numbers(self) -> dict[str, float]:
        """Numbers of now to show as curves: a temperature, a divergence. Finite."""
        return {}

    def draws(self) -> dict[str, Array]:
        """Per group a few draws of the weights, (draws <= 64, edges, operations), to show; empty for a structure that is no distribution.

        They take `self.generator("picture")`.
        """
        return {}

    # ---- who listens

    def listen(self) -> list[Listener]:
        """First what changes the search, then what watches it, then what tells of it."""
        return [
            Shrinking(self), PartialChannels(self), EdgeNormalisation(self), SkipDropouts(self), HabitsListener(self), Progress(self),
            SkipCap(self),
        ]
