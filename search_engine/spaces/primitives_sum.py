"""A sum of primitive functions: one edge from the input to the output that carries a few functions with parameters of their own.

    f(x) = sum over l of  gamma_l g_l(x)

It is the family in which the lectures on structure selection show their examples: a constant, a function of one feature and a function
of all features (Bakhteev, lecture slides 2019 and PhD thesis 2020), a sine and a cosine (Gridasov 2019).

With `constraint = "simplex"` the weights lie on the simplex and a genome is one function, f = g_l. With `constraint = "real"` they are
any real numbers and a genome is a set of functions; the derived network has a coefficient for each, f = sum c_l g_l. Content:
`{"functions": ["sine", "cosine"]}`, in the order of the space's own list.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, field_validator

from ..base.errors import BadInput
from ..base.lazy import lazy_module
from ..events import FamilyGroup, GraphData, GraphEdge, GraphNode
from .base import SearchSpace, SpaceConfig, SpaceEntry
from .data_shape import DataShape
from .genomes import Genome

if TYPE_CHECKING:
    import networkx as nx
    import numpy as np
else:
    nx = lazy_module("networkx")
    np = lazy_module("numpy")

FunctionName = Literal["constant", "linear", "tanh_first", "tanh_all", "sine", "cosine"]
FORMULAS: dict[str, str] = {
    "constant": "c", "linear": "w·x + b", "tanh_first": "tanh(w x₀ + b)", "tanh_all": "tanh(w·x + b)", "sine": "sin(w·x)",
    "cosine": "cos(w·x)",
}
GROUP = "sum"
KEPT_SHARE = 0.05
"""With real weights a function stays in the derived genome if its weight is at least this share of the largest one, by size."""


class PrimitivesSumConfig(SpaceConfig):
    """Options of the sums of primitive functions."""

    functions: tuple[FunctionName, ...] = Field(
        default=(), max_length=len(FORMULAS), title="Functions",
        description="The functions that are summed: a constant c, linear w·x + b, tanh of the first feature, tanh of all features, sine "
        "and cosine of w·x. Empty = sine and cosine for data of one feature, else constant, tanh_first and tanh_all.",
    )
    constraint: Literal["simplex", "real"] = Field(
        default="simplex", title="Weights",
        description="simplex: shares that sum to one, and one function is chosen in the end. real: any numbers (amplitudes), and every "
        "function with a weight to speak of is kept.",
    )
    sine_start: float = Field(
        default=2.0, ge=-1000, le=1000, title="First frequency of the sine",
        description="Where the sine's frequencies start: from far away the gradient leads elsewhere.",
    )
    cosine_start: float = Field(
        default=4.0, ge=-1000, le=1000, title="First frequency of the cosine", description="Where the cosine's frequencies start.",
    )

    @field_validator("functions")
    @classmethod
    def _several_different(cls, functions: tuple[str, ...]) -> tuple[str, ...]:
        if len(functions) == 1:
            raise ValueError("name at least two functions, or none for the usual ones")
        if len(set(functions)) != len(functions):
            raise ValueError("a function is named twice")
        return functions


class PrimitivesSumSpace(SearchSpace[PrimitivesSumConfig]):
    """See the module's docstring."""

    id: ClassVar[str] = "primitives_sum"
    offers: ClassVar[frozenset[str]] = frozenset({"sample", "mutate", "enumerate", "encode", "supernet"})
    keeps_weights: ClassVar[bool] = True
    """A super-network's function is the derived network's: its parameters mean something and are where the retraining may start. The
    module that builds the networks then has `kept_weights(space, supernet, genome, weights)`."""

    @property
    def functions(self) -> tuple[str, ...]:
        return self.config.functions or (("sine", "cosine") if self.features == 1 else ("constant", "tanh_first", "tanh_all"))

    @property
    def features(self) -> int:
        return self.shape.input[0]

    @property
    def real(self) -> bool:
        """Whether weights are any numbers and genomes sets of functions."""
        return self.config.constraint == "real"

    def validate_shape(self, shape: DataShape) -> None:
        if len(shape.input) != 1:
            raise BadInput("dataset", "a sum of primitive functions needs vectors, not images", code="incompatible")

    # ---- admissible genomes

    def genome(self, functions: list[str]) -> Genome:
        """A genome from its functions, in any order. Raises BadInput(field "genome")."""
        genome = Genome(self.id, {"functions": sorted(functions, key=lambda name: (*self.functions, name).index(name))})
        self.validate(genome)
        return genome

    def functions_of(self, genome: Genome) -> list[str]:
        return list(genome.content["functions"])

    def validate(self, genome: Genome) -> None:
        if genome.space != self.id:
            raise BadInput("genome", f"a genome of the space '{genome.space}' cannot be used in '{self.id}'")
        names = genome.content.get("functions") if isinstance(genome.content, dict) else None
        if not isinstance(names, list) or not names or len(genome.content) != 1 or len(set(names)) != len(names):
            raise BadInput("genome", "a sum of primitives is {'functions': [different names]}")
        for name in names:
            if name not in self.functions:
                raise BadInput("genome", f"there is no function {name!r}; choose of {', '.join(self.functions)}")
        if len(names) > 1 and not self.real:
            raise BadInput("genome", "with weights on the simplex a genome is one function, not several")

    def enumerate(self) -> Iterator[Genome]:
        """One function each; with real weights every non-empty set of functions, the small ones first."""
        for size in range(1, len(self.functions) + 1 if self.real else 2):
            for names in itertools.combinations(self.functions, size):
                yield self.genome(list(names))

    def size(self) -> int:
        return int(2 ** len(self.functions)) - 1 if self.real else len(self.functions)

    def sample(self, rng: random.Random) -> Genome:
        """Uniform over all genomes."""
        genomes = list(self.enumerate())
        return genomes[rng.randrange(len(genomes))]

    def mutate(self, genome: Genome, rng: random.Random) -> tuple[Genome, str]:
        """Another function; with real weights one function more or less."""
        names = self.functions_of(genome)
        if not self.real:
            return self.genome([rng.choice([name for name in self.functions if name not in names])]), "function_mutation"
        changed = rng.choice([name for name in self.functions if names != [name]])
        return self.genome([name for name in self.functions if (name in names) != (name == changed)]), "function_mutation"

    def encode(self, genome: Genome) -> list[float]:
        """One number per function: whether it is there."""
        return [float(name in self.functions_of(genome)) for name in self.functions]

    def decode(self, vector: list[float]) -> Genome:
        """Undoes `encode`. Raises BadInput for a wrong length."""
        if len(vector) != len(self.functions):
            raise BadInput("genome", f"an encoded sum has {len(self.functions)} numbers, not {len(vector)}")
        return self.genome([name for name, value in zip(self.functions, vector, strict=True) if value >= 0.5])

    def normal_form(self, genome: Genome) -> Any:
        self.validate(genome)
        return [self.functions_of(genome), self.real]

    def derive(self, weights: dict[str, np.ndarray[Any, Any]]) -> Genome:
        """The function of the largest weight; with real weights all whose weight is not small beside the largest.
        `weights["sum"]`: (1 edge, functions)."""
        sizes = np.abs(np.asarray(weights[GROUP], dtype=np.float64))
        if sizes.shape != (1, len(self.functions)):
            raise BadInput("weights", f"the sum needs weights of shape {(1, len(self.functions))}, not {sizes.shape}")
        least = KEPT_SHARE * sizes.max() if self.real else sizes.max()
        kept = [name for name, size in zip(self.functions, sizes[0], strict=True) if size >= least]
        return self.genome(kept if self.real else kept[:1])

    # ---- texts and pictures

    def to_string(self, genome: Genome) -> str:
        """`sine + cosine`."""
        return " + ".join(self.functions_of(genome))

    def from_string(self, text: str) -> Genome:
        """Undo `to_string`. Raises BadInput(field "genome")."""
        return self.genome([part.strip() for part in text.split("+")])

    def to_graph(self, genome: Genome) -> nx.MultiDiGraph:
        """Parallel edges from the input to the output, one per function."""
        graph: nx.MultiDiGraph = nx.MultiDiGraph(space=self.id)
        graph.add_node("x", label=f"{self.features} features" if self.features > 1 else "x", kind="input")
        graph.add_node("y", label="y", kind="output", aggregation="sum")
        for name in self.functions_of(genome):
            graph.add_edge("x", "y", key=name, operation=name, formula=FORMULAS[name])
        return graph

    def drawings(self, genome: Genome) -> dict[str, GraphData]:
        graph = self.to_graph(genome)
        edges = [
            GraphEdge(source=source, target=target, key=key, operation=key, attributes={"formula": data["formula"]})
            for source, target, key, data in graph.edges(keys=True, data=True)
        ]
        return {GROUP: GraphData(nodes=self._nodes(), edges=edges, attributes={"space": self.id})}

    def _nodes(self) -> list[GraphNode]:
        return [
            GraphNode(id="x", label=f"{self.features} features" if self.features > 1 else "x", kind="input"),
            GraphNode(id="y", label="y", kind="output", aggregation="sum"),
        ]

    def family(self) -> list[FamilyGroup]:
        return [
            FamilyGroup(
                name=GROUP, title="Sum of functions", nodes=self._nodes(), edges=[("x", "y")], operations=list(self.functions),
                layout={"x": (0.08, 0.5), "y": (0.92, 0.5)}, constraint=self.config.constraint,
            )
        ]


ENTRY = SpaceEntry(
    id="primitives_sum",
    title="Sum of primitive functions",
    description="One edge that carries a few functions (constant, linear, tanh, sine, cosine), weighted and summed: the small family in "
    "which methods of structure selection are understood.",
    source="Bakhteev, lecture slides 2019 and PhD thesis 2020 (constant, one feature, all features); Gridasov 2019 (sine and cosine)",
    config=PrimitivesSumConfig,
    space=PrimitivesSumSpace,
    offers=PrimitivesSumSpace.offers,
    inputs=frozenset({"vector"}),
    idle=dict.fromkeys(("channels", "layers"), "its networks are as wide and as deep as the space's options and the genome say"),
    lacks=frozenset({"skip_connect", "none"}),
    builder="search_engine.supernets.primitives_sum_network:build",
    tasks=frozenset({"regression"}),
)
