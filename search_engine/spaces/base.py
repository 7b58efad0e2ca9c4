"""What every search space gives: a model family plus which genomes are admissible.

Torch-free: spaces describe; `supernets` builds. A space is constructed from its config and from the shape of the data
(`DataShape`), because depth and width may follow from the input size.

>>> import random
>>> from search_engine.spaces.data_shape import NO_INPUT
>>> from search_engine.spaces.sequence import ENTRY
>>> isinstance(ENTRY, SpaceEntry), issubclass(ENTRY.config, SpaceConfig), issubclass(ENTRY.space, SearchSpace)
(True, True, True)
>>> space = ENTRY.space(ENTRY.config(n=4), NO_INPUT)
>>> genome = space.from_string("1 2 3 3")
>>> child, operator = space.mutate(genome, random.Random(0))
>>> space.to_string(child), operator
('1 2 3 2', 'number_mutation')
"""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from ..base.errors import BadInput
from ..base.quoting import shown
from ..events import FamilyGroup, GraphData
from .data_shape import DataShape
from .genomes import Genome, canonical_json, digest
from .tasks import TaskName

if TYPE_CHECKING:
    from collections.abc import Sequence

    import networkx as nx
    import numpy as np

    from .decisions import Choices, DecisionList


class SpaceConfig(BaseModel):
    """Base of the spaces' options: typed, documented, closed."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


ConfigT = TypeVar("ConfigT", bound=SpaceConfig)


class SearchSpace(ABC, Generic[ConfigT]):
    """A model family and its admissible genomes.

    `offers` says what an algorithm may ask of it: `sample`, `mutate`, `crossover`, `enumerate`, `encode` (decisions),
    `supernet` (a relaxation with weights on its edges), `paths` (a super-network that computes one genome's path alone), `growth` (graphs
    that grow by mutation), `decisions` (an ordered decision list), `domains` (several data sets at once), `masks` (a plain
    network whose weights go one by one), `blocks` (blocks that are there or not), `morphs` (networks
    that grow by operators which preserve their function). What only one algorithm reads, its own space offers under
    a name of its own (`active_set`, `ensemble`, `motifs`, ...).
    """

    id: ClassVar[str]
    offers: ClassVar[frozenset[str]]

    def __init__(self, config: ConfigT, shape: DataShape, domains: tuple[DataShape, ...] = ()) -> None:
        """`shape` is the first domain's; `domains` names all of them where there are several."""
        self.config = config
        self.shape = shape
        self.domains = domains or (shape,)
        for domain in self.domains:
            self.validate_shape(domain)
        if len(self.domains) > 1:
            self.validate_domains()

    @property
    def task(self) -> TaskName:
        """What its networks are trained and scored for: the data's own task, unless the space says otherwise."""
        return self.shape.task

    # ---- admissible genomes

    def validate_shape(self, shape: DataShape) -> None:
        """Raise BadInput(field "dataset") if this space cannot work on data of that shape."""

    def validate_domains(self) -> None:
        """Raise BadInput(field "datasets") if the domains cannot be searched together."""
        if "domains" not in self.offers:
            raise BadInput("datasets", f"the space '{self.id}' works on one data set, not {len(self.domains)}", code="incompatible")

    @abstractmethod
    def validate(self, genome: Genome) -> None:
        """Raise BadInput if the genome is not admissible."""

    @abstractmethod
    def sample(self, rng: random.Random) -> Genome:
        """A random genome (uniform per decision unless the space says otherwise)."""

    def mutate(self, genome: Genome, rng: random.Random) -> tuple[Genome, str]:
        """One mutation; returns the child and the operator's name."""
        raise self._lacks("mutate")

    def crossover(self, first: Genome, second: Genome, rng: random.Random) -> Genome:
        raise self._lacks("crossover")

    def mutation_rates(self, genome: Genome) -> list[float]:
        """Where it has decisions: of each, in order, the probability that `mutate` changes it in this genome; what becomes inactive or is
        drawn with it does not count. The sum over some decisions is the probability that one of them changes, or an upper bound of that. A
        class that overrides `mutate` overrides this, too."""
        raise self._lacks("decisions")

    @property
    def most_mutation_rates(self) -> list[float]:
        """The largest of each that any genome has."""
        raise self._lacks("decisions")

    @property
    def crossover_blocks(self) -> list[int] | None:
        """Where it has decisions: of each, which block it is in; `crossover` takes each block from either parent with equal chance. None
        where it does otherwise."""
        return None

    def enumerate(self) -> Iterator[Genome]:
        """Every genome once, in a fixed order."""
        raise self._lacks("enumerate")

    def size(self) -> int | None:
        """How many genomes there are, or None if that is not finite."""
        return None

    def encode(self, genome: Genome) -> list[float]:
        """A fixed-length vector (one-hot decisions) for surrogates and controllers."""
        raise self._lacks("encode")

    def decode(self, vector: list[float]) -> Genome:
        raise self._lacks("decode")

    @property
    def decisions(self) -> DecisionList:
        """The space as an ordered list of decisions."""
        raise self._lacks("decisions")

    def genome_of(self, choices: Sequence[int | None]) -> Genome:
        """The genome that a choice list stands for (see `decisions`). Raises BadInput(field "genome")."""
        raise self._lacks("decisions")

    def choices_of(self, genome: Genome) -> Choices:
        """A choice list of the genome: `genome_of` gives back a genome of equal hash."""
        raise self._lacks("decisions")

    def validate_training(self, layers: int, channels: int) -> None:
        """Raise BadInput(field "layers" or "channels") where the training config asks for a depth or width (0 = the space's own choice)
        that networks of this space cannot have."""

    def mixed_channels(self) -> tuple[int, ...]:
        """Widths at which operations are mixed on the edges of the super-network; empty where its edges carry no channels.

        A space with such edges builds its super-network with any `mixing` of `supernets.mixing` and at any depth (`cells`).
        """
        return ()

    def strided_mixing(self) -> tuple[int, ...]:
        """Those of `mixed_channels` at which an edge also halves the resolution: an even number of channels must be mixed there."""
        return ()

    def training_of(self, genome: Genome) -> dict[str, Any]:
        """Training options that the genome itself decides (optimiser, learning rate, epochs); they override the run's config."""
        return {}

    # ---- identity

    @abstractmethod
    def normal_form(self, genome: Genome) -> Any:
        """A JSON value that is equal exactly for genomes of one equivalence class."""

    def hash(self, genome: Genome) -> str:
        """The canonical hash: SHA-256 of the normal form."""
        return digest(canonical_json([self.id, self.normal_form(genome)]))

    def normal_graph(self, genome: Genome) -> nx.MultiDiGraph:
        """The normal form as a labelled graph: `graphs.isomorphic` for two genomes exactly if their hashes are equal."""
        return self.to_graph(genome)

    # ---- texts and pictures

    @abstractmethod
    def to_string(self, genome: Genome) -> str:
        """The space's own text form (NAS-Bench-201 string, DARTS Genotype, ...)."""

    def from_string(self, text: str) -> Genome:
        """Undo `to_string`. Raises BadInput(field "genome")."""
        raise self._lacks("from_string")

    @abstractmethod
    def to_graph(self, genome: Genome) -> nx.MultiDiGraph:
        """One genome's architecture graph; edge key = primitive."""

    def from_graph(self, graph: nx.MultiDiGraph) -> Genome:
        """Undo `to_graph`. Raises BadInput for a graph that is cyclic, disconnected or not of this space."""
        raise self._lacks("from_graph")

    def drawings(self, genome: Genome) -> dict[str, GraphData]:
        """Graphs by name, as the browser draws them. Default: the whole architecture graph under the name `network`."""
        from .graphs import to_node_link

        return {"network": to_node_link(self.to_graph(genome))}

    def family(self) -> list[FamilyGroup]:
        """The family graph(s) whose edges carry structure parameters; empty where there is no fixed family."""
        return []

    def derive(self, weights: dict[str, np.ndarray[Any, Any]]) -> Genome:
        """The genome that structure weights point to: per family group an array (edges, operations)."""
        raise self._lacks("supernet")

    def _lacks(self, ability: str) -> BadInput:
        return BadInput("space", f"the space '{self.id}' does not offer '{ability}'", code="incompatible")


@dataclass(frozen=True)
class SpacePreset:
    """Options of a space that belong together, under a name: the form offers them, and `--set space.preset=ID` takes them."""

    id: str
    title: str
    sentence: str
    """What they are for, and whose they are."""
    options: dict[str, Any]


@dataclass(frozen=True)
class SpaceEntry:
    """A space in the registry. `space` is imported when first used; config and entry are torch-free."""

    id: str
    title: str
    description: str
    source: str
    config: type[SpaceConfig]
    space: Callable[..., SearchSpace[Any]]
    offers: frozenset[str]
    inputs: frozenset[str] = frozenset({"image"})
    """Which kinds of data it can work on: `image`, `vector`; `none` where its genomes need no data (tables and formulas answer)."""
    builder: str = ""
    """`module:function` building an untrained network: (space, genome, stage) -> nn.Module, stage 'trial' or 'final'."""
    initialiser: str = ""
    """`module:function` that prepares a network before its training, where its genome asks for it (unsupervised pretraining, ...):
    (network, genome, space, data, training, seed, device) -> Cost, or None where there is nothing to do."""
    morpher: str = ""
    """`module:function` that gives a network the weights of the smaller one that it grew from, where the space offers `morphs`:
    (space, grown genome, smaller genome, its weights, morphs, inputs (B, C, H, W)) -> the grown network's state."""
    adopter: str = ""
    """`module:function` that takes over a finished network, maybe of another space, where a search may begin with one: (space, its space,
    its genome, the network) -> (genome, state), both of this space; raises BadInput(field "model")."""
    tasks: frozenset[str] = frozenset({"classification"})
    """Of which tasks the data sets may be that it is searched on."""
    idle: dict[str, str] = field(default_factory=dict)
    """Fields of a training config that its networks never take, with the reason: in trials and in the finale, unless the name says where
    (`training.channels`)."""
    lacks: frozenset[str] = frozenset()
    """Of the primitives `skip_connect` and `none` those that no edge of its super-network can carry."""
    supernet_options: tuple[str, ...] = ()
    """Those of its options that only a super-network reads."""
    presets: tuple[SpacePreset, ...] = ()
    """Ready-made choices of its options."""

    def preset(self, id_: str) -> SpacePreset:
        """Raises BadInput(field "space_options.preset") for one that it has not."""
        for preset in self.presets:
            if preset.id == id_:
                return preset
        known = ", ".join(preset.id for preset in self.presets) or "none"
        raise BadInput("space_options.preset", f"'{self.id}' has no preset {shown(id_)}; it has: {known}", code="unknown")
