"""CoDeepNEAT: blueprints and modules evolve side by side, and meet in the networks that are trained.

Source: Miikkulainen, Liang, Meyerson et al., "Evolving Deep Neural Networks", 2017 (arXiv:1703.00548), section 4; genes, species and
sharing as in NEAT (Stanley and Miikkulainen 2002). Sizes of the populations as in Nikulenkov's master's thesis (2022), section 6.2.

Two populations. A *module* is a small graph of layers. A *blueprint* is a graph whose nodes name a *species* of modules. A generation:

    1. Assemble networks: each blueprint in turn; for each species that it names one module of that species, at all its nodes.
    2. Train and score each network.
    3. Credit: a blueprint gets the mean of its networks, a module the mean of the networks that it is part of (`credit`).
    4. Each population breeds its next generation within its species, and is divided into species anew, as many as wanted.
    5. Nodes of blueprints whose species of modules died out name a living one.

A network that cannot be built or trained counts as the worst score there can be: nothing is missing, nobody gets away. The champion is
the best network of all generations. Faults of published programs that are absent here: a module counted once per node instead of once
per network, fitness 0 for modules that were not sampled, a threshold of species that can only rise, a crossover that always takes the
second parent for the fitter one.
"""

from __future__ import annotations

import random
from statistics import fmean
from typing import Any, cast

from pydantic import Field

from search_engine.events import ChartsFrame
from search_engine.spaces.blueprint.space import BlueprintSpace
from search_engine.spaces.genes.graph import GeneGraph

from ..base import AlgorithmConfig, Context, Proposal, Result
from ..neat.offspring import Breeding
from ..neat.population import Population
from ..trials.pace import FramePace
from ..trials.search import TrialSearch
from .assembling import assemblies, parts
from .coevolution import Coevolution
from .credit import Assembly, blueprint_fitness, module_fitness
from .genetics import Blueprints, Modules, Rates
from .report import SpeciesHistory

PACE = FramePace(every=50)
"""The picture of both populations: of each of the first hundred generations, then more rarely."""


class CoDeepNeatConfig(AlgorithmConfig):
    """Hyper-parameters of CoDeepNEAT. The paper has 25 blueprints, 45 modules and 100 networks in 72 generations; the thesis 12 networks in
    7 generations."""

    generations: int = Field(default=7, ge=1, le=10_000, title="Generations", description="Thesis: 7 (MNIST, CIFAR-10) and 4. Paper: 72.")
    networks: int = Field(
        default=12, ge=2, le=10_000, title="Networks in a generation",
        description="So many are assembled and trained. Thesis: 12. Paper: 100.",
    )
    blueprints: int = Field(
        default=8, ge=2, le=1000, title="Blueprints", description="At most as many as networks, so that each is used. Paper: 25."
    )
    modules: int = Field(default=16, ge=2, le=1000, title="Modules", description="Small graphs of layers. Paper: 45.")
    module_species: int = Field(
        default=3, ge=1, le=100, title="Species of modules",
        description="So many are aimed at, by moving the distance from which on two modules are of different species.",
    )
    blueprint_species: int = Field(default=1, ge=1, le=100, title="Species of blueprints", description="So many are aimed at.")
    elite: float = Field(
        default=0.1, ge=0, le=1, title="Elite share",
        description="Of each species; its best one always goes on unchanged if the species has offspring.",
    )
    survivors: float = Field(
        default=0.5, gt=0, le=1, title="Parents' share", description="The best of each species that may have children."
    )
    crossover: float = Field(
        default=0.2, ge=0, le=1, title="Crossover", description="Probability that a child has two parents; it is mutated, too."
    )
    blueprint_add_node: float = Field(
        default=0.16, ge=0, le=1, title="Blueprint: new node", description="Probability that a child gets a node in an edge."
    )
    blueprint_add_link: float = Field(
        default=0.12, ge=0, le=1, title="Blueprint: new edge", description="Probability that a child gets an edge past other nodes."
    )
    blueprint_change: float = Field(
        default=0.15, ge=0, le=1, title="Blueprint: change",
        description="Probability of each node to name another species or to join otherwise, and of the head to change.",
    )
    module_add_node: float = Field(
        default=0.1, ge=0, le=1, title="Module: new layer", description="Probability that a child gets a layer in an edge."
    )
    module_add_link: float = Field(
        default=0.1, ge=0, le=1, title="Module: new edge", description="Probability that a child gets an edge past other layers."
    )
    module_change: float = Field(
        default=0.3, ge=0, le=1, title="Module: change", description="Probability of each layer to get another filter count, kernel, ..."
    )
    toggle: float = Field(
        default=0.05, ge=0, le=1, title="Edge on or off",
        description="Probability that an edge of a child is switched, as long as a path remains. In both populations.",
    )
    epochs: int = Field(
        default=0, ge=0, le=10_000, title="Epochs per network",
        description="Passes over the training part for each network; 0 = as the run's training says. Paper: 8.",
    )

    @property
    def breeding(self) -> Breeding:
        return Breeding(elite=self.elite, survivors=self.survivors, crossover=self.crossover)


class CoDeepNeat(TrialSearch[CoDeepNeatConfig]):
    """One generation of networks at a time."""

    title = "Coevolution"
    scheduling = "generational"
    finite = True
    keeps = ("modules", "blueprints", "generation", "best_of", "module_history", "blueprint_history", "coevolution")
    stop_reason = "horizon"

    def begin(self, context: Context, handover: dict[str, Any] | None) -> None:
        super().begin(context, handover)
        options, self.space = self.options, cast(BlueprintSpace, context.space)
        config = self.space.config
        self.module_genetics = Modules(
            config, Rates(options.module_add_node, options.module_add_link, options.toggle, options.module_change)
        )
        self.blueprint_genetics = Blueprints(
            config, Rates(options.blueprint_add_node, options.blueprint_add_link, options.toggle, options.blueprint_change)
        )
        self.modules = Population(options.module_species, self.module_genetics.distance)
        self.blueprints = Population(options.blueprint_species, self.blueprint_genetics.distance)
        self.generation = 0
        """Generations asked."""
        self.open: list[Assembly] = []
        """The generation that is under way."""
        self.best_of: dict[str, int] = {}
        """By the number of a blueprint of the last generation (JSON wants text): its best network's candidate number."""
        self.module_history = SpeciesHistory("modules", "Modules")
        self.blueprint_history = SpeciesHistory("blueprints", "Blueprints")
        self.coevolution = Coevolution()
        rng = context.rng
        self.modules.found([self.space.random_module(rng, self.modules.innovations) for _ in range(options.modules)])
        table, living = self.blueprints.innovations, self._living
        self.blueprints.found([self.blueprint_genetics.first(living, table, rng) for _ in range(options.blueprints)])

    @property
    def horizon(self) -> int:
        return int(self.options.networks * self.options.generations)

    @property
    def _living(self) -> list[int]:
        """Numbers of the living species of modules."""
        return [species.number for species in self.modules.species]

    # ---------------------------------------------------------------- ask

    def ask(self) -> list[Proposal]:
        if self.generation == self.options.generations:
            return []
        self.generation += 1
        self.open = assemblies(self.blueprints, self.modules, self.options.networks, self.context.rng)
        blueprints = {individual.number: individual for individual in self.blueprints.individuals}
        modules = {individual.number: individual for individual in self.modules.individuals}
        fidelity = {"epochs": self.options.epochs} if self.options.epochs else {}
        proposals = []
        for assembly in self.open:
            blueprint = blueprints[assembly.blueprint]
            # Its own best network where the blueprint lived before, else its parents'.
            before = [number for number in (blueprint.number, *blueprint.parents) if str(number) in self.best_of]
            own = before[:1] if before[:1] == [blueprint.number] else before
            parents = tuple(dict.fromkeys(self.best_of[str(number)] for number in own))
            operator = "random" if self.generation == 1 else "assembled anew" if own == [blueprint.number] else "new blueprint"
            proposals.append(Proposal(self.space.genome(*parts(assembly, blueprints, modules)), parents, operator, fidelity))
        return proposals

    # ---------------------------------------------------------------- tell

    def tell(self, results: list[Result]) -> None:
        """Results of the whole generation, in ask order."""
        self.count(results)
        metric = self.context.metric
        scored = [result.metrics[metric] for result in results if result.ok]
        # Zero is the worst accuracy; a measure that can be negative has the worst of its generation instead.
        worst = min(0.0, *scored) if scored else 0.0
        values = [result.metrics[metric] if result.ok else worst for result in results]
        # Every blueprint has a network: there are at least as many (the entry's `check`).
        of_blueprints = blueprint_fitness(self.open, values)
        members = {number: [one.number for one in self.modules.members(number)] for number in self._living}
        of_modules = module_fitness(self.open, values, members)
        self.module_history.add(self.modules, of_modules)
        self.blueprint_history.add(self.blueprints, of_blueprints)
        self._remember(results, values)
        self._report(scored)
        self._draw(results, (of_modules, of_blueprints))
        if self.generation < self.options.generations:
            self._breed(of_modules, of_blueprints)

    def _remember(self, results: list[Result], values: list[float]) -> None:
        self.best_of = {}
        best: dict[str, float] = {}
        for assembly, result, value in zip(self.open, results, values, strict=True):
            key = str(assembly.blueprint)
            if key not in best or value > best[key]:
                self.best_of[key], best[key] = result.number, value

    def _breed(self, of_modules: dict[int, float], of_blueprints: dict[int, float]) -> None:
        rng, breeding = self.context.rng, self.options.breeding
        modules, blueprints = self.modules, self.blueprints

        def module(genes: GeneGraph, rng: random.Random) -> GeneGraph:
            return self.module_genetics.mutated(genes, modules.innovations, rng)

        def blueprint(genes: GeneGraph, rng: random.Random) -> GeneGraph:
            return self.blueprint_genetics.mutated(genes, self._living, blueprints.innovations, rng)

        modules.breed(of_modules, breeding, module, self.module_genetics.fits, rng)
        blueprints.breed(of_blueprints, breeding, blueprint, self.blueprint_genetics.fits, rng)
        blueprints.change(lambda genes: self.blueprint_genetics.repointed(genes, self._living, rng))

    # ---------------------------------------------------------------- report

    def _report(self, scored: list[float]) -> None:
        values = {
            "species_of_modules": float(len(self.modules.species)),
            "species_of_blueprints": float(len(self.blueprints.species)),
            "module_threshold": self.modules.speciation.threshold,
        }
        if scored:
            values |= {"best": max(scored), "mean": fmean(scored)}
        self.say(values)
        metric = self.context.metric
        charts = [*self.module_history.charts(metric), *self.blueprint_history.charts(metric)]
        self.context.emit(ChartsFrame(step=self.tally.told, charts=charts), self.tally.told)

    def _draw(self, results: list[Result], credits: tuple[dict[int, float], dict[int, float]]) -> None:
        """Champion, species and credit of the generation that was just told, counted from 0."""
        picture, generation = self.coevolution, self.generation - 1
        picture.add(generation, self.modules, self.blueprints, self.open, credits)
        if not self.ranking.finalists():
            return
        champion = self.ranking.finalists()[0]
        built = {result.number: assembly.blueprint for result, assembly in zip(results, self.open, strict=True)}
        crowned = champion.candidate in built
        if crowned:
            number = cast(int, champion.candidate)
            picture.crown(number, next(one.genes for one in self.blueprints.individuals if one.number == built[number]))
        if crowned or PACE.due(self.generation) or self.generation == self.options.generations:
            failed = sum(not result.ok for result in results)
            values = {"generation": float(generation), "networks": float(len(results)), "failed": float(failed)}
            frame = picture.frame(self.tally.told, generation, self.space, champion, self.context.metric, values)
            self.context.emit(frame, self.tally.told)

    # ---------------------------------------------------------------- state

    def state_dict(self) -> dict[str, Any]:
        under_way = [[assembly.blueprint, [list(pick) for pick in assembly.picks.items()]] for assembly in self.open]
        return {**super().state_dict(), "open": under_way}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        # A search that was left off before there was this picture begins its record here.
        super().load_state_dict({"coevolution": self.coevolution.state_dict(), **state})
        self.open = [Assembly(blueprint, {species: module for species, module in picks}) for blueprint, picks in state["open"]]
