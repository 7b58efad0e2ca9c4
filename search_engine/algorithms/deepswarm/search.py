"""DeepSwarm: an ant colony walks through a layered graph of layer types that grows by one column per generation.

Source: Byla and Pang, "DeepSwarm: Optimising Convolutional Neural Networks using Swarm Intelligence", UKCI 2019 (arXiv:1905.07350), with
the rules of Ant Colony System (Dorigo and Gambardella 1997).

One random ant first. Then, for depth 1, 2, ... up to `max_depth`, `ant_count` ants walk at most that many steps: at each node, with
probability `greediness`, along the largest pheromone x heuristic, else in proportion to it; the same for each attribute of the node.
Each walk lets its own trails fade towards the initial pheromone (local update); when a generation is told, the trails of the best ant
so far move towards its score (global update). A network takes over the trained layers of the best earlier one with the longest common
beginning, and trains all of it.

Different from the published code: the score is the validation accuracy (theirs is the test set's); parents are ants of earlier
generations only, so that the ants of one generation can be trained side by side with one and the same result; the local update follows
each walk instead of its evaluation (it does not use the score); see `prefixes` and `spaces.node_chain` for the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import mean
from typing import Any, ClassVar, cast

from pydantic import Field

from search_engine.base.errors import BadInput
from search_engine.base.growing import Records
from search_engine.base.works_with import WorksWith, each, one_of
from search_engine.events import Ant
from search_engine.spaces.node_chain import NodeChainSpace

from ..base import AlgorithmConfig, Context, Inherit, Proposal, Result
from ..trials.search import TrialSearch
from .pheromone import Pheromone, Walk
from .prefixes import PrefixRegistry
from .report import colony_frame, path_entropy
from .walking import proportional, uniform, walk

BYTES_PER_PARAMETER = 4


class DeepSwarmConfig(AlgorithmConfig):
    """Hyper-parameters of DeepSwarm. Defaults are sized for 8 x 8 digits: 1 + 8 x 5 = 41 networks."""

    works_with: ClassVar[WorksWith] = each(("reuse_patience", "keep_networks", "keep_megabytes"), {"inherit": one_of(True)})

    ant_count: int = Field(
        default=8, ge=1, le=1000, title="Ants per generation", description="How many ants walk at each depth. Published: 16."
    )
    max_depth: int = Field(
        default=5, ge=1, le=40, title="Deepest generation",
        description="The graph grows by a column per generation, up to so many steps from the input. Published: 15 (CIFAR-10: 20).",
    )
    greediness: float = Field(
        default=0.5, ge=0, le=1, title="Greediness (q0)",
        description="Probability that an ant takes the best step instead of drawing in proportion. Published: 0.5.",
    )
    initial_pheromone: float = Field(
        default=0.1, gt=0, le=100, title="Initial pheromone τ₀", description="What an untouched trail carries. Published: 0.1."
    )
    local_rate: float = Field(
        default=0.1, ge=0, le=1, title="Local decay",
        description="How far a walk's trails fade towards the initial pheromone. Published: 0.1."
    )
    global_rate: float = Field(
        default=0.1, ge=0, le=1, title="Global evaporation",
        description="How far the best ant's trails move towards its score after each generation. Published: 0.1.",
    )
    epochs: int = Field(
        default=0, ge=0, le=10_000, title="Epochs per ant",
        description="Passes over the training part for each ant's network; 0 = as the run's training says. Published: 15 (CIFAR-10 and "
        "Fashion-MNIST: 20).",
    )
    inherit: bool = Field(
        default=True, title="Inherit weights",
        description="Whether a network starts with the trained layers of the best earlier one that begins alike; otherwise from scratch.",
    )
    reuse_patience: int = Field(
        default=1, ge=1, le=1000, title="Reuse patience",
        description="A parent that was reused so many times in a row without a better child gives nothing any more. Published: 1.",
    )
    keep_networks: int = Field(
        default=64, ge=1, le=10_000, title="Networks kept",
        description="So many trained networks are kept to inherit from; the least recently used go first.",
    )
    keep_megabytes: int = Field(
        default=512, ge=1, le=1_000_000, title="Megabytes kept", description="So much space the kept networks' parameters take at most."
    )

    @property
    def trial_fidelity(self) -> dict[str, Any]:
        return {"epochs": self.epochs} if self.epochs else {}


@dataclass(frozen=True)
class _Ant:
    """An ant of the open generation."""

    walk: Walk
    number: int
    """Its candidate's."""
    parent: int | None
    inherited: int
    """Layers taken over from the parent, the output counted."""

    def to_tree(self) -> list[Any]:
        return [self.walk.to_tree(), self.number, self.parent, self.inherited]

    @classmethod
    def from_tree(cls, tree: list[Any]) -> _Ant:
        return cls(Walk.from_tree(tree[0]), *tree[1:])


class DeepSwarm(TrialSearch[DeepSwarmConfig]):
    """One generation per depth."""

    title = "Ant colony"
    scheduling = "generational"
    finite = True
    state_version = 2
    keeps_weights = True
    keeps = ("pheromone", "prefixes", "depth", "asked", "ants", "best_value")
    # Its last depth is told: that is all it planned.
    stop_reason = "horizon"

    def begin(self, context: Context, handover: dict[str, Any] | None) -> None:
        """Raises BadInput(field "options.max_depth") where the space's chains are shorter."""
        super().begin(context, handover)
        options, space = self.options, cast(NodeChainSpace, context.space)
        self.space = space
        if options.max_depth > space.config.max_nodes:
            raise BadInput(
                "options.max_depth", f"the space has chains of at most {space.config.max_nodes} nodes (space option max_nodes), "
                f"so ants cannot walk {options.max_depth} steps",
            )
        names = {kind: list(attributes) for kind, attributes in space.table.attributes.items()}
        self.pheromone = Pheromone(options.initial_pheromone, options.local_rate, options.global_rate, names)
        self.prefixes = PrefixRegistry(options.reuse_patience, options.keep_networks, options.keep_megabytes * 10**6)
        self.depth = 0
        """The generation that was asked last; 0 is the random ant."""
        self.asked = 0
        self.ants = Records(_Ant.to_tree, _Ant.from_tree)
        self.best_walk: Walk | None = None
        self.best_value = 0.0

    @property
    def horizon(self) -> int:
        return 1 + int(self.options.ant_count * self.options.max_depth)

    # ---------------------------------------------------------------- ask

    def ask(self) -> list[Proposal]:
        options = self.options
        depth = self.depth + 1 if self.asked else 0
        if depth > options.max_depth:
            return []
        self.depth = depth
        self.ants.clear()
        for _ in range(options.ant_count if self.depth else 1):
            path = self._walk()
            self.pheromone.local_update(path)
            self.ants.append(self._ant(path))
        self._report({})
        return [self._proposal(ant) for ant in self.ants]

    def _walk(self) -> Walk:
        rng = self.context.rng
        rule = proportional(self.options.greediness, rng) if self.depth else uniform(rng)
        return walk(self.space, self.pheromone, max(self.depth, 1), rule)

    def _ant(self, path: Walk) -> _Ant:
        found = self.prefixes.longest(path.nodes)
        parent, inherited = found if found is not None else (None, 0)
        self.asked += 1
        return _Ant(path, self.asked - 1, parent, inherited)

    def _proposal(self, ant: _Ant) -> Proposal:
        fidelity = self.options.trial_fidelity
        genome = self.space.genome(ant.walk.nodes)
        operator = "ant" if self.depth else "random"
        if ant.parent is None:
            return Proposal(genome, operator=operator, fidelity=fidelity)
        parts = [f"layers.{place}" for place in range(min(ant.inherited, len(ant.walk.nodes)))]
        if ant.inherited > len(ant.walk.nodes):
            parts.append("head")
        return Proposal(genome, (ant.parent,), operator, fidelity, Inherit(ant.parent, tuple(parts)))

    # ---------------------------------------------------------------- tell

    def tell(self, results: list[Result]) -> None:
        """Results of the whole generation, in ask order."""
        self.count(results)
        space, metric = self.space, self.context.metric
        values: list[float] = []
        for ant, result in zip(self.ants, results, strict=True):
            value = result.metrics[metric] if result.ok else None
            if result.reused_from is None and ant.parent is not None:
                self.prefixes.reused(ant.parent, value)
            if value is None:
                continue
            values.append(value)
            if self.best_walk is None or value >= self.best_value:
                self.best_walk, self.best_value = ant.walk, value
            if result.reused_from is None and self.keeps_weights:
                self.prefixes.add(result.number, ant.walk.nodes, value, BYTES_PER_PARAMETER * space.parameters(result.genome))
        if self.depth == self.options.max_depth:
            self.prefixes.give_up()
        self._deposit()
        self._report({"mean": mean(values), "best": max(values)} if values else {})

    def _deposit(self) -> None:
        """The global update: after the random ant there is nothing to compare it with yet."""
        if self.depth and self.best_walk is not None:
            self.pheromone.global_update(self.best_walk, self.best_value)

    def forgotten(self) -> list[int]:
        return self.prefixes.forgotten()

    # ---------------------------------------------------------------- report

    def _report(self, values: dict[str, float]) -> None:
        ants = [Ant(number=ant.number, path=ant.walk.types, inherited=ant.inherited) for ant in self.ants]
        values = {
            **values,
            "reuse_rate": mean(ant.parent is not None for ant in self.ants),
            "inherited_layers": mean(ant.inherited for ant in self.ants),
            "path_entropy": path_entropy([ant.walk for ant in self.ants]),
        }
        if self.best_walk is not None:
            values["best_so_far"] = self.best_value
        frame = colony_frame(self.asked, self.depth, self.pheromone, self.space.table, ants, self.best_walk, values)
        self.context.emit(frame, self.asked)

    # ---------------------------------------------------------------- state

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "best_walk": None if self.best_walk is None else self.best_walk.to_tree()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        self.best_walk = None if state["best_walk"] is None else Walk.from_tree(state["best_walk"])


class DeepSwarmFromScratch(DeepSwarm):
    """Every network from scratch: no weights are kept, so none are found."""

    keeps_weights = False
