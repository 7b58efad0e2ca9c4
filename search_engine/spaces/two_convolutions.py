"""Two convolutions with fixed kernels, of which only the numbers of filters are searched: a plane of networks.

Source: figures 1 and 2 of M. Nikulenkov's master's thesis (Moscow State University, 2022, sections 2.1.1 and 2.1.2), which explains grid
and random search on a network of two convolutional layers whose kernels are fixed. It names neither numbers of filters nor sizes of
kernels: the defaults lie in the range that its section 6.2 gives convolutions (16 to 68 filters; kernels 1, 3, 5), and below.

The network: convolution, batch normalisation, ReLU, max pooling by 2; the same again; then one dense layer to the classes.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, field_validator

from ..base.errors import BadInput
from .base import SpaceConfig, SpaceEntry
from .data_shape import DataShape
from .decision_space import DecisionSpace
from .decisions import Decision, DecisionList
from .genomes import Genome
from .input_kinds import require_images

if TYPE_CHECKING:
    import networkx as nx

Kernel = Literal[1, 3, 5]


class TwoConvolutionsConfig(SpaceConfig):
    """The two axes of the grid, and what is fixed."""

    first_filters: tuple[int, ...] = Field(
        default=(4, 8, 16, 32, 48, 64), min_length=1, max_length=64, title="Filters of the first",
        description="Numbers of filters that the first convolution may have, 1 to 512 each: one axis of the grid.",
    )
    second_filters: tuple[int, ...] = Field(
        default=(4, 8, 16, 32, 48, 64), min_length=1, max_length=64, title="Filters of the second",
        description="Numbers of filters that the second convolution may have, 1 to 512 each: the other axis.",
    )
    first_kernel: Kernel = Field(default=3, title="Kernel of the first", description="Side of its square kernel; fixed in a search.")
    second_kernel: Kernel = Field(default=3, title="Kernel of the second", description="Side of its square kernel; fixed in a search.")

    @field_validator("first_filters", "second_filters")
    @classmethod
    def _an_axis(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if any(not 1 <= number <= 512 for number in value):
            raise ValueError("give whole numbers from 1 to 512")
        if len(set(value)) < len(value):
            raise ValueError("give each number of filters once")
        return tuple(sorted(value))


class TwoConvolutionsSpace(DecisionSpace[TwoConvolutionsConfig]):
    """See the module's docstring. Content: `{"first": "16", "second": "32"}`; text: `16-32`.

    >>> space = TwoConvolutionsSpace(TwoConvolutionsConfig(first_filters=(8, 4), second_filters=(2,)), DataShape((1, 8, 8), 10))
    >>> [space.to_string(genome) for genome in space.enumerate()]
    ['4-2', '8-2']
    """

    id: ClassVar[str] = "two_convolutions"

    def validate_shape(self, shape: DataShape) -> None:
        require_images(self.id, shape, least=4)

    @cached_property
    def _decisions(self) -> DecisionList:
        axes = (("first", self.config.first_filters), ("second", self.config.second_filters))
        # Kinds of their own: the axes may have unlike numbers of choices.
        return DecisionList(
            [Decision(key, f"Filters of the {key} convolution", f"{key}_filters", tuple(map(str, axis))) for key, axis in axes]
        )

    @property
    def decisions(self) -> DecisionList:
        return self._decisions

    def filters(self, genome: Genome) -> tuple[int, int]:
        """Of the first and of the second convolution."""
        return int(genome.content["first"]), int(genome.content["second"])

    @property
    def kernels(self) -> tuple[int, int]:
        """Sides of both kernels."""
        return self.config.first_kernel, self.config.second_kernel

    def to_string(self, genome: Genome) -> str:
        return "-".join(map(str, self.filters(genome)))

    def from_string(self, text: str) -> Genome:
        """Undo `to_string`. Raises BadInput(field "genome")."""
        parts = text.strip().split("-")
        if len(parts) != 2:
            raise BadInput("genome", "two convolutions are written as their numbers of filters: 16-32")
        genome = Genome(self.id, {"first": parts[0], "second": parts[1]})
        self.validate(genome)
        return genome

    def to_graph(self, genome: Genome) -> nx.MultiDiGraph:
        """A chain from the image to the classes."""
        import networkx as nx

        graph: nx.MultiDiGraph = nx.MultiDiGraph()
        graph.add_node("input", label=" x ".join(map(str, self.shape.input)), kind="input")
        before = "input"
        for name, filters, kernel in zip(("first", "second"), self.filters(genome), self.kernels, strict=True):
            convolution, pool = f"nor_conv_{kernel}x{kernel}", f"{name}_pooled"
            graph.add_node(name, label=f"{filters} filters", kind="hidden")
            graph.add_edge(before, name, key=convolution, operation=convolution)
            graph.add_node(pool, label="half the size", kind="hidden")
            graph.add_edge(name, pool, key="max_pool_2x2", operation="max_pool_2x2")
            before = pool
        graph.add_node("output", label=f"{self.shape.classes} classes", kind="output")
        graph.add_edge(before, "output", key="linear", operation="linear")
        return graph

    def normal_graph(self, genome: Genome) -> nx.MultiDiGraph:
        """The chain with what each layer is."""
        graph = self.to_graph(genome)
        for _, data in graph.nodes(data=True):
            data["match"] = f"{data['kind']} {data['label']}"
        return graph


ENTRY = SpaceEntry(
    id="two_convolutions",
    title="Two convolutions",
    description="A network of two convolutions with fixed kernels; how many filters each has is searched. Two decisions: the whole "
    "space is a plane that can be drawn.",
    source="figures 1 and 2 of M. Nikulenkov's master's thesis, Moscow State University 2022",
    config=TwoConvolutionsConfig,
    space=TwoConvolutionsSpace,
    offers=TwoConvolutionsSpace.offers,
    inputs=frozenset({"image"}),
    idle=dict.fromkeys(("channels", "layers"), "the filters are what is searched, and there are two convolutions"),
    builder="search_engine.supernets.two_convolutions_network:build",
)
