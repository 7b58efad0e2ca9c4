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

With `compress`, every network is shrunk before it is trained and scored, and nothing else changes (Nikulenkov 2022, section 3.4,
Algorithm 1: selection finds what compresses well). With inheritance modules also take over what became of them (Algorithm 2, `inheriting`).
"""

from __future__ import annotations

import math
import random
from dataclasses import replace
from statistics import fmean
from typing import Any, ClassVar, Literal, cast

from pydantic import Field

from search_engine.base.compression import Compression, Compressions
from search_engine.base.errors import BadInput
from search_engine.base.generators import derive_seed
from search_engine.base.migrations import Steps
from search_engine.base.observation import observed
from search_engine.base.ranks import spearman
from search_engine.base.works_with import WorksWith, each, one_of
from search_engine.events import ChartsFrame, ControlScored, Notice
from search_engine.spaces.blueprint.space import BlueprintSpace
from search_engine.spaces.genes.graph import GeneGraph
from search_engine.spaces.populations import GivenPopulation

from ..base import Context, Proposal, Result
from ..neat.offspring import Breeding
from ..neat.population import Population
from ..trials.initial_population import SharedStart, announce, begins_shared
from ..trials.pace import FramePace
from ..trials.schemata.watch import SchemataConfig
from ..trials.search import TrialSearch
from .assembling import assemblies, parts
from .coevolution import Coevolution
from .credit import Assembly, blueprint_fitness, module_fitness
from .genetics import Blueprints, Modules, Rates
from .inheriting import inherited
from .narrowing import Narrowing
from .report import SpeciesHistory, last_generation
from .two_schemata import BothSchemata

COMPRESSED = one_of("without_inheritance", "with_inheritance")

PACE = FramePace(every=50)
"""The picture of both populations: of each of the first hundred generations, then more rarely."""


class CoDeepNeatConfig(SharedStart, SchemataConfig):
    """Hyper-parameters of CoDeepNEAT. The paper has 25 blueprints, 45 modules and 100 networks in 72 generations; the thesis 12 networks in
    7 generations."""

    works_with: ClassVar[WorksWith] = {
        **each(
            (
                "compress_strength", "compress_threshold", "compress_steps", "compress_epochs", "compress_floor", "compress_learning_rate",
                "plain_sample",
            ),
            {"compress": COMPRESSED},
        ),
        "compress_every": {"compress": one_of("with_inheritance")},
    }

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

    compress: Literal["none", "without_inheritance", "with_inheritance"] = Field(
        default="none", title="Compression",
        description="Every network is shrunk before it is trained and scored (MorphNet). without_inheritance: modules and blueprints stay "
        "as they are, those win whose networks compress well (the thesis's Algorithm 1, its proposal). with_inheritance: modules take over "
        "the widths of their fittest network (Algorithm 2); the thesis found its accuracy unstable from generation to generation, and "
        "rejects it.",
    )
    compress_strength: float = Field(
        default=1.0, ge=0, le=1e6, title="Compression: strength",
        description="λ is this over the network's own FLOPs: one position on the logarithmic scale for all. Thesis: 1. 0 = nothing "
        "goes.",
    )
    compress_threshold: float = Field(
        default=0.1, gt=0, lt=1, title="Compression: threshold",
        description="A filter whose scale ends at most here goes; scales begin at 1. Thesis: 0.1 (MNIST, CIFAR-10), 0.05 (CIFAR-100, Tiny "
        "ImageNet).",
    )
    compress_steps: int = Field(
        default=500, ge=1, le=10_000_000, title="Compression: steps",
        description="Optimiser steps of the compression, at least. With fewer, scales hardly get anywhere.",
    )
    compress_epochs: float = Field(
        default=1.0, ge=0, le=1000, title="Compression: epochs",
        description="Passes over the training part, at least; the longer of steps and epochs counts. Thesis: 1 (about 1,900 steps).",
    )
    compress_floor: float = Field(
        default=0.25, ge=0, le=1, title="Compression: floor",
        description="Share of its filters that every layer keeps, one at least. Where the threshold would have taken more, that is said. "
        "Thesis: none.",
    )
    compress_learning_rate: float = Field(
        default=0.1, gt=0, le=10, title="Compression: learning rate",
        description="Of SGD with momentum, at a constant rate. Adam moves all scales alike, and takes whole layers at once.",
    )
    compress_every: int = Field(
        default=1, ge=1, le=1000, title="Compression: every so many generations",
        description="With inheritance, generations in between are trained as they are. Without, all are compressed: compressed and plain "
        "fitness cannot be compared.",
    )

    plain_sample: int = Field(
        default=0, ge=0, le=10_000, title="Compression: networks for comparison",
        description="So many networks of the first generation are trained as they are, too, which shows whether compressed networks rank "
        "as plain ones do, and what time was saved. Not charged.",
    )

    @property
    def compression(self) -> Compression | None:
        """How networks are compressed, where they are."""
        if self.compress == "none":
            return None
        return Compression(
            strength=self.compress_strength, threshold=self.compress_threshold, floor=self.compress_floor, steps=self.compress_steps,
            epochs=self.compress_epochs, learning_rate=self.compress_learning_rate,
        )

    def kept_of(self, width: int) -> int:
        """The fewest filters that a compressed layer of that width keeps."""
        return max(1, math.ceil(self.compress_floor * width - 1e-9))

    def compression_of(self, generation: int) -> Compression | None:
        """Of the generation with that number, from 1."""
        left_out = self.compress == "with_inheritance" and (generation - 1) % self.compress_every
        return None if left_out else self.compression

    @property
    def compressions(self) -> Compressions | None:
        how = self.compression
        if how is None:
            return None
        every = self.compress_every if self.compress == "with_inheritance" else 1
        compressed = len(range(0, self.generations, every))
        return Compressions(how, compressed / self.generations, min(self.plain_sample, self.networks))

    @property
    def initial_population(self) -> dict[str, int] | None:
        return {"modules": self.modules, "blueprints": self.blueprints, "networks": self.networks}

    @property
    def trial_fidelity(self) -> dict[str, Any]:
        return {"epochs": self.epochs} if self.epochs else {}

    @property
    def breeding(self) -> Breeding:
        return Breeding(elite=self.elite, survivors=self.survivors, crossover=self.crossover)


class CoDeepNeat(TrialSearch[CoDeepNeatConfig]):
    """One generation of networks at a time."""

    title = "Coevolution"
    scheduling = "generational"
    finite = True
    keeps = ("modules", "blueprints", "generation", "best_of", "module_history", "blueprint_history", "beside", "coevolution")
    state_version = 2
    state_steps: ClassVar[Steps] = {1: lambda state: {**state, "beside": [], "coevolution": Coevolution().state_dict()}}
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
        self.beside: list[list[float]] = []
        """(plain, compressed) scores of the networks that were trained both ways."""
        self.module_history = SpeciesHistory("modules", "Modules")
        self.blueprint_history = SpeciesHistory("blueprints", "Blueprints")
        self.coevolution = Coevolution()
        self.narrowing = Narrowing() if options.compression is not None else None
        """Where networks are compressed."""
        self.schemata: BothSchemata | None = None
        if options.schemata:
            self.schemata = BothSchemata(
                (self.modules, self.module_genetics), (self.blueprints, self.blueprint_genetics), options.breeding, options.schemata,
                context.seed, context.metric,
            )
        if context.population is not None:
            self._begin_with(context.population)
            return
        rng = self._first_generator()
        self.modules.found([self.space.random_module(rng, self.modules.innovations) for _ in range(options.modules)])
        table, living = self.blueprints.innovations, self._living
        self.blueprints.found([self.blueprint_genetics.first(living, table, rng) for _ in range(options.blueprints)])

    def _begin_with(self, given: GivenPopulation) -> None:
        """Both populations as another search had them first. Raises BadInput (field "population") where they are none of this space."""
        individuals = given.individuals()
        try:
            for population, kind in ((self.modules, "modules"), (self.blueprints, "blueprints")):
                population.found([GeneGraph.from_tree(tree) for tree in individuals[kind]])
                population.know_innovations()
            if not all(genetics.fits(one.genes) for genetics, population in self._populations for one in population.individuals):
                raise ValueError("an individual has more nodes than the space allows")
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise BadInput("population", f"its modules and blueprints cannot be read: {error}", code="damaged") from None

    @property
    def _populations(self) -> tuple[tuple[Modules | Blueprints, Population], ...]:
        return (self.module_genetics, self.modules), (self.blueprint_genetics, self.blueprints)

    def _first_generator(self) -> random.Random:
        """What the initial populations and the first networks are drawn with."""
        if not self.options.shared_start:
            return self.context.rng
        return random.Random(derive_seed(self.context.seed, "initial population"))

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
        self.open = self._assembled()
        compress = self.options.compression_of(self.generation)
        blueprints = {individual.number: individual for individual in self.blueprints.individuals}
        modules = {individual.number: individual for individual in self.modules.individuals}
        fidelity = self.options.trial_fidelity
        proposals: list[Proposal] = []
        for assembly in self.open:
            blueprint = blueprints[assembly.blueprint]
            # Its own best network where the blueprint lived before, else its parents'.
            before = [number for number in (blueprint.number, *blueprint.parents) if str(number) in self.best_of]
            own = before[:1] if before[:1] == [blueprint.number] else before
            parents = tuple(dict.fromkeys(self.best_of[str(number)] for number in own))
            operator = "random" if self.generation == 1 else "assembled anew" if own == [blueprint.number] else "new blueprint"
            genome = self.space.genome(*parts(assembly, blueprints, modules))
            proposals.append(Proposal(genome, parents, operator, fidelity, compress=self._compress(compress, len(proposals))))
        if self.generation == 1 and begins_shared(self.context):
            self._announce(proposals)
        return proposals

    def _compress(self, compress: Compression | None, place: int) -> Compression | None:
        """How the network at that place of the generation is compressed: the first ones of all are trained as they are, too."""
        beside = self.generation == 1 and place < self.options.plain_sample
        return replace(compress, beside=True) if compress is not None and beside else compress

    def _assembled(self) -> list[Assembly]:
        rng, given = self.context.rng, self.context.population
        if self.generation == 1 and given is not None:
            return [Assembly(blueprint, dict(picks)) for blueprint, picks in given.individuals()["networks"]]
        if self.generation == 1 and self.options.shared_start:
            rng = random.Random(derive_seed(self.context.seed, "first networks"))
        return assemblies(self.blueprints, self.modules, self.options.networks, rng)

    def _announce(self, proposals: list[Proposal]) -> None:
        """What the arms of a comparison must have in common: both populations, and the first networks of them."""
        populations = [[each.genes.to_tree() for each in population.individuals] for population in (self.modules, self.blueprints)]
        what = f"{len(self.modules)} modules, {len(self.blueprints)} blueprints and {len(proposals)} networks of them"
        content = [*populations, [proposal.genome.content for proposal in proposals]]
        networks = [[built.blueprint, [list(pick) for pick in built.picks.items()]] for built in self.open]
        individuals = {"modules": populations[0], "blueprints": populations[1], "networks": networks}
        announce(self.context, what, len(proposals), content, individuals)

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
        self._compare(results)
        self._report(scored, results)
        self._draw(results, (of_modules, of_blueprints))
        if self.generation < self.options.generations:
            if self.options.compress == "with_inheritance":
                self._inherit(results, values)
            self._breed(of_modules, of_blueprints)

    def _remember(self, results: list[Result], values: list[float]) -> None:
        self.best_of = {}
        best: dict[str, float] = {}
        for assembly, result, value in zip(self.open, results, values, strict=True):
            key = str(assembly.blueprint)
            if key not in best or value > best[key]:
                self.best_of[key], best[key] = result.number, value

    def _compare(self, results: list[Result]) -> None:
        """Of the networks of this generation that were trained both ways, each once."""
        metric = self.context.metric
        found = [
            [result.compressed.plain[metric], result.metrics[metric]]
            for result in results
            if result.ok and result.reused_from is None and result.compressed is not None and result.compressed.plain is not None
        ]
        if not found:
            return
        self.beside += found
        plain, compressed = zip(*self.beside, strict=True)
        values = {"networks": float(len(plain)), "plain": fmean(plain), "compressed": fmean(compressed)}
        correlation = spearman(plain, compressed)
        ranked = "too few, or all alike: no rank correlation" if correlation is None else f"rank correlation {correlation:.2f}"
        if correlation is not None:
            values["rank_correlation"] = correlation
        message = f"{len(plain)} networks of the first generation, compressed and as they are: {ranked}."
        said = ControlScored(name="plain_sample", title="Compressed beside plain", message=observed(message), values=values)
        self.context.emit(said, self.tally.told)

    def _inherit(self, results: list[Result], values: list[float]) -> None:
        """Algorithm 2: modules take over the widths that they were left in their fittest network. Blueprints stay as they are."""
        blueprints = {individual.number: individual for individual in self.blueprints.individuals}
        networks = []
        for assembly, result, value in zip(self.open, results, values, strict=True):
            if result.compressed is None:
                continue
            flops = self.space.module_flops(result.compressed.genome)
            genes = blueprints[assembly.blueprint].genes
            copies: dict[int, list[tuple[float, dict[int, int]]]] = {}
            for node in genes.live:
                state = {
                    int(name.partition(".")[2]): width
                    for name, width in result.compressed.widths.items() if name.partition(".")[0] == str(node)
                }
                copies.setdefault(assembly.picks[genes.allele[node]["species"]], []).append((flops.get(node, 0.0), state))
            networks.append((value, copies))
        decided = inherited(networks)
        if decided:
            self.modules.replace({number: genes for number, genes in self._shrunken(decided)})
            count = len(decided)
            message = f"Generation {self.generation}: {count} modules took over the widths of their fittest network."
            self.context.emit(Notice(name="inherited", message=message, values={"modules": float(count)}), self.tally.told)

    def _shrunken(self, decided: dict[int, dict[int, int]]) -> list[tuple[int, GeneGraph]]:
        found = []
        for individual in self.modules.individuals:
            widths = decided.get(individual.number, {})
            alleles = {layer: {**individual.genes.allele[layer], "filters": max(1, width)} for layer, width in widths.items()}
            found.append((individual.number, individual.genes.with_alleles(alleles)))
        return found

    def _breed(self, of_modules: dict[int, float], of_blueprints: dict[int, float]) -> None:
        rng, breeding = self.context.rng, self.options.breeding
        modules, blueprints = self.modules, self.blueprints

        def module(genes: GeneGraph, rng: random.Random) -> GeneGraph:
            return self.module_genetics.mutated(genes, modules.innovations, rng)

        def blueprint(genes: GeneGraph, rng: random.Random) -> GeneGraph:
            return self.blueprint_genetics.mutated(genes, self._living, blueprints.innovations, rng)

        schemata = self.schemata
        if schemata is not None:
            schemata.begin_modules(of_modules)
        modules.breed(of_modules, breeding, module, self.module_genetics.fits, rng)
        if schemata is not None:
            schemata.begin_blueprints(of_blueprints)
        blueprints.breed(of_blueprints, breeding, blueprint, self.blueprint_genetics.fits, rng)
        blueprints.change(lambda genes: self.blueprint_genetics.repointed(genes, self._living, rng))
        if schemata is not None:
            frame = schemata.close()
            if frame is not None:
                self.context.emit(frame, self.tally.told)

    # ---------------------------------------------------------------- report

    def _report(self, scored: list[float], results: list[Result]) -> None:
        values = {
            "species_of_modules": float(len(self.modules.species)),
            "species_of_blueprints": float(len(self.blueprints.species)),
            "module_threshold": self.modules.speciation.threshold,
        }
        if scored:
            values |= {"best": max(scored), "mean": fmean(scored)}
        if self.beside and (correlation := spearman(*zip(*self.beside, strict=True))) is not None:
            values["rank_correlation"] = correlation
        compressed = [result.compressed.flops for result in results if result.compressed is not None]
        if compressed:
            values["flops_ratio"] = sum(after for _, after in compressed) / sum(before for before, _ in compressed)
        self.say(values)
        metric = self.context.metric
        charts = [*self.module_history.charts(metric), *self.blueprint_history.charts(metric)]
        self.context.emit(ChartsFrame(step=self.tally.told, charts=charts), self.tally.told)
        if self.generation == self.options.generations and begins_shared(self.context):
            # Who begins like others wants to be compared with them.
            self.context.emit(last_generation(scored, len(results) - len(scored), metric), self.tally.told)

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
        if self.narrowing is not None:
            self._draw_widths(self.narrowing, results, champion.candidate, generation)

    def _draw_widths(self, narrowing: Narrowing, results: list[Result], champion: int | None, generation: int) -> None:
        narrowing.add(results, champion, self.context.metric)
        if not PACE.due(self.generation) and self.generation < self.options.generations:
            return
        values = {"generation": float(generation), "networks": float(len(results))}
        frame = narrowing.frame(self.tally.told, results, self.options.compress_threshold, self.context.metric, values)
        if frame is not None:
            self.context.emit(frame, self.tally.told)

    # ---------------------------------------------------------------- state

    def state_dict(self) -> dict[str, Any]:
        under_way = [[assembly.blueprint, [list(pick) for pick in assembly.picks.items()]] for assembly in self.open]
        # Only where networks are compressed: the state of a search without has the same form as before.
        narrowing = {} if self.narrowing is None else {"narrowing": self.narrowing.state_dict()}
        return {**super().state_dict(), "open": under_way, **narrowing}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        # A search that was left off before there was this picture begins its record here.
        super().load_state_dict({"coevolution": self.coevolution.state_dict(), **state})
        if self.narrowing is not None and "narrowing" in state:
            self.narrowing.load_state_dict(state["narrowing"])
        self.open = [Assembly(blueprint, {species: module for species, module in picks}) for blueprint, picks in state["open"]]
