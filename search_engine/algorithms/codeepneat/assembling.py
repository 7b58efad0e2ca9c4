"""A generation of networks from the two populations."""

from __future__ import annotations

import random
from collections import Counter

from search_engine.spaces.genes.graph import GeneGraph

from ..neat.population import Individual, Population
from .credit import Assembly


def assemblies(blueprints: Population, modules: Population, networks: int, rng: random.Random) -> list[Assembly]:
    """So many networks: every blueprint in turn, in a drawn order, so that each is used once where there are networks enough. Nodes of one
    species have one module: of that species' members the one used least so far in this generation, by chance among equals; so every
    module is used where the blueprints leave room for it."""
    order = rng.sample(blueprints.individuals, len(blueprints))
    used: Counter[int] = Counter()
    found = []
    for number in range(networks):
        blueprint = order[number % len(order)]
        picks = {}
        for species in species_of(blueprint.genes):
            members = modules.members(species)
            least = min(used[member.number] for member in members)
            picks[species] = rng.choice([member.number for member in members if used[member.number] == least])
        used.update(picks.values())
        found.append(Assembly(blueprint.number, picks))
    return found


def species_of(blueprint: GeneGraph) -> list[int]:
    """The species that its live nodes name, each once, in order."""
    return list(dict.fromkeys(blueprint.allele[node]["species"] for node in blueprint.live))


def parts(assembly: Assembly, blueprints: dict[int, Individual], modules: dict[int, Individual]) -> tuple[GeneGraph, list[GeneGraph]]:
    """The blueprint with places of modules in its alleles, and those modules: what `BlueprintSpace.genome` takes."""
    genes = blueprints[assembly.blueprint].genes
    species = species_of(genes)
    place = {number: at for at, number in enumerate(species)}
    renamed = genes.with_alleles(
        {node: {"module": place[genes.allele[node]["species"]], "join": genes.allele[node]["join"]} for node in genes.live}
    )
    return renamed, [modules[assembly.picks[number]].genes for number in species]
