"""Schemata of both populations, generation by generation. Blueprints breed after modules, so which species of modules live is known by
then."""

from __future__ import annotations

import copy
import random
from collections.abc import Mapping
from typing import Any

from search_engine.events import SchemataFrame
from search_engine.spaces.genes.graph import GeneGraph

from ..neat.gene_schemata import PopulationSchemata, place_of
from ..neat.offspring import Breeding
from ..neat.population import Population
from ..trials.schemata.schema import Schema
from .genetics import Blueprints, Modules


class BothSchemata:
    """The accounts of modules and of blueprints. Redraws have tables of innovations of their own."""

    def __init__(
        self, modules: tuple[Population, Modules], blueprints: tuple[Population, Blueprints], breeding: Breeding, most: int, seed: int,
        metric: str,
    ) -> None:
        (self.modules, self.module_genetics), (self.blueprints, self.blueprint_genetics) = modules, blueprints
        self.breeding = breeding
        self.of_modules = PopulationSchemata(self.modules, most, seed, metric, "modules", "Modules", self.module_genetics.rates.change)
        self.of_blueprints = PopulationSchemata(
            self.blueprints, most, seed, metric, "blueprints", "Blueprints", self.blueprint_genetics.rates.change
        )

    def begin_modules(self, fitness: Mapping[int, float]) -> None:
        genetics, table = self.module_genetics, copy.deepcopy(self.modules.innovations)

        def mutate(genes: GeneGraph, rng: random.Random) -> GeneGraph:
            return genetics.mutated(genes, table, rng)

        self.of_modules.begin(fitness, self.breeding, mutate, genetics.fits, genetics.changes)

    def begin_blueprints(self, fitness: Mapping[int, float]) -> None:
        """Once the modules have bred. A blueprint's node whose species died out is made to name another one, so a schema that fixes it
        ends."""
        genetics, table = self.blueprint_genetics, copy.deepcopy(self.blueprints.innovations)
        living = [species.number for species in self.modules.species]

        def mutate(genes: GeneGraph, rng: random.Random) -> GeneGraph:
            return genetics.mutated(genes, living, table, rng)

        def lasts(schema: Schema) -> bool:
            return all((place_of(locus) or (0, ""))[1] != "species" or allele in living for locus, allele in schema.fixed)

        self.of_blueprints.begin(
            fitness, self.breeding, mutate, genetics.fits, lambda node, setting: genetics.changes(living, node, setting), lasts,
            lambda genes, rng: genetics.repointed(genes, living, rng),
        )

    def close(self) -> SchemataFrame | None:
        """Once both have bred."""
        parts = [part for part in (self.of_modules.close(), self.of_blueprints.close()) if part is not None]
        return SchemataFrame(step=parts[0].generation, parts=parts) if parts else None

    def state_dict(self) -> dict[str, Any]:
        return {"modules": self.of_modules.state_dict(), "blueprints": self.of_blueprints.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.of_modules.load_state_dict(state["modules"])
        self.of_blueprints.load_state_dict(state["blueprints"])
