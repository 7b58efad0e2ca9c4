"""Models of one or a few inputs whose complexity is one number: a polynomial's degree, the functions of a Fourier or Gaussian basis, the
width of a hidden layer (C. Bishop, Pattern Recognition and Machine Learning, 2006, sections 1.1, 3.1 and 5.1).

Every basis starts with a constant. With several features each is expanded for itself and the functions are added (no products).

| basis | functions of degree m, per feature | how many |
| --- | --- | --- |
| legendre | Legendre polynomials P_1 .. P_m of x / range | m |
| powers | (x / range)^1 .. (x / range)^m: the same functions, another prior | m |
| fourier | sin and cos of pi j x / (2 range), j = 1 .. m | 2 m |
| rbf | Gaussian bumps at m even places of [-range, range], as wide as their distance | m |
| tanh | a hidden layer of m neurons tanh(v x + b), whose v and b are learned too | (d + 1) m |

Genome content: `{"basis": "legendre", "degree": "3"}`.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, field_validator

from ..base.errors import BadInput
from .base import SpaceConfig, SpaceEntry
from .data_shape import DataShape
from .decision_space import DecisionSpace
from .decisions import Decision, DecisionList
from .genomes import Genome

if TYPE_CHECKING:
    import networkx as nx

BasisName = Literal["legendre", "powers", "fourier", "rbf", "tanh"]
TITLES: dict[str, str] = {
    "legendre": "Legendre polynomials", "powers": "powers", "fourier": "Fourier", "rbf": "Gaussian bumps", "tanh": "tanh neurons",
}
MOST_WEIGHTS = 1000
"""Weights of the largest model: inference inverts a matrix of that side at every step."""


class BasisExpansionConfig(SpaceConfig):
    """Options of the space."""

    bases: tuple[BasisName, ...] = Field(
        default=("legendre",), min_length=1, max_length=5, title="Bases",
        description="which kinds of functions compete: legendre and powers (polynomials), fourier, rbf (Gaussian bumps), tanh (a hidden "
        "layer)",
    )
    max_degree: int = Field(
        default=7, ge=0, le=40, title="Largest degree",
        description="the degree of a polynomial, frequencies, bumps or hidden neurons: genomes have 0 to this many, per feature",
    )
    range: float = Field(
        default=1.0, ge=0.01, le=1000, title="Range of the inputs",
        description="inputs are expected between minus and plus this; they are divided by it first (standardised features reach about 3)",
    )

    @field_validator("bases")
    @classmethod
    def _different(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) != len(value):
            raise ValueError("a basis is named twice")
        return value


class BasisExpansionSpace(DecisionSpace[BasisExpansionConfig]):
    """See the module's docstring."""

    id: ClassVar[str] = "basis_expansion"

    @cached_property
    def _decisions(self) -> DecisionList:
        degrees = tuple(str(degree) for degree in range(self.config.max_degree + 1))
        bases = tuple(self.config.bases)
        return DecisionList([
            Decision(key="basis", title="Basis", kind="basis", choices=bases),
            Decision(key="degree", title="Degree", kind="degree", choices=degrees),
        ])

    @property
    def decisions(self) -> DecisionList:
        return self._decisions

    def validate_shape(self, shape: DataShape) -> None:
        largest = max(self.config.bases, key=lambda basis: self.weights(basis, self.config.max_degree, shape))
        count = self.weights(largest, self.config.max_degree, shape)
        if count > MOST_WEIGHTS:
            raise BadInput(
                "space_options.max_degree",
                f"the largest model ({TITLES[largest]}, degree {self.config.max_degree}, {shape.input[0]} features) would have {count} "
                f"weights; at most {MOST_WEIGHTS}: choose a smaller degree",
            )

    # ---- what a genome means

    def basis(self, genome: Genome) -> str:
        return str(genome.content["basis"])

    def degree(self, genome: Genome) -> int:
        return int(genome.content["degree"])

    def functions(self, basis: str, degree: int, shape: DataShape | None = None) -> int:
        """How many functions are added up for each output, the constant among them."""
        features = (shape or self.shape).input[0]
        if basis == "tanh":
            return 1 + degree
        return 1 + features * degree * (2 if basis == "fourier" else 1)

    def weights(self, basis: str, degree: int, shape: DataShape | None = None) -> int:
        """How many numbers are learned."""
        shape = shape or self.shape
        inner = (shape.input[0] + 1) * degree if basis == "tanh" else 0
        return inner + self.functions(basis, degree, shape) * shape.classes

    def normal_form(self, genome: Genome) -> Any:
        """Of degree 0 all bases are the same constant, of degree 1 both kinds of polynomials the same line."""
        return {"degree": "0"} if self.degree(genome) == 0 else {"basis": self._same_basis(genome), "degree": genome.content["degree"]}

    def _same_basis(self, genome: Genome) -> str:
        return "legendre" if genome.content == {"basis": "powers", "degree": "1"} else self.basis(genome)

    # ---- texts and pictures

    def to_string(self, genome: Genome) -> str:
        """`legendre degree 3`."""
        return f"{self.basis(genome)} degree {self.degree(genome)}"

    def from_string(self, text: str) -> Genome:
        basis, _, degree = text.strip().partition(" degree ")
        genome = Genome(self.id, {"basis": basis, "degree": degree})
        self.validate(genome)
        return genome

    def to_graph(self, genome: Genome) -> nx.MultiDiGraph:
        """The input, a node per degree (frequency, bump, neuron), the outputs' sum."""
        import networkx as nx

        basis, degree = self.basis(genome), self.degree(genome)
        same = self._same_basis(genome)
        graph: nx.MultiDiGraph = nx.MultiDiGraph()
        features = self.shape.input[0]
        graph.add_node("input", label="x" if features == 1 else f"{features} features", kind="input")
        outputs = f"{self.shape.classes} classes" if self.shape.task == "classification" else "y" if self.shape.classes == 1 else (
            f"{self.shape.classes} values")
        graph.add_node("output", label=outputs, kind="output", aggregation="sum")
        graph.add_node("function0", label="1", kind="input")
        graph.add_edge("function0", "output", key="linear", operation="linear")
        for number in range(1, degree + 1):
            name = f"function{number}"
            # All neurons of a hidden layer are alike; everything else has its place in an order.
            match = "tanh" if basis == "tanh" else f"{same} {number}"
            graph.add_node(name, label=_label(basis, number, degree), kind="hidden", match=match)
            graph.add_edge("input", name, key=basis, operation=basis, match=same)
            graph.add_edge(name, "output", key="linear", operation="linear")
        if degree == 0:
            graph.remove_node("input")
        return graph


def _label(basis: str, number: int, degree: int) -> str:
    if basis == "legendre":
        return f"P{number}(x)"
    if basis == "powers":
        return "x" if number == 1 else f"x^{number}"
    if basis == "fourier":
        return f"sin, cos {number}"
    return f"bump {number} of {degree}" if basis == "rbf" else "tanh"


ENTRY = SpaceEntry(
    id="basis_expansion",
    title="Basis expansions",
    description="Sums of fixed functions (polynomials, Fourier, Gaussian bumps) or of tanh neurons: their number is the "
    "structure.",
    source="C. Bishop, Pattern Recognition and Machine Learning (2006), sections 1.1, 3.1, 5.1",
    config=BasisExpansionConfig,
    space=BasisExpansionSpace,
    offers=BasisExpansionSpace.offers,
    inputs=frozenset({"vector"}),
    idle=dict.fromkeys(("channels", "layers"), "its networks are as wide and as deep as the space's options and the genome say"),
    builder="search_engine.supernets.basis_network:build",
    tasks=frozenset({"classification", "regression"}),
)
