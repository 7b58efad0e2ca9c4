"""The same genomes in neat-python 2.0.0 (requirements-dev): what is equal, and where the variants differ by design.

Equal: which genes match, what a crossover hands on, the values that a network computes, the species of a first generation at a threshold.

Different by design:
- weights in a distance: ours is the paper's mean over the matching edges; neat-python divides their sum by the larger number of edges;
- neat-python counts nodes as genes, and an edge that is on in one genome only; ours counts edges (the paper's genes) and not their switch;
- numbers: neat-python forgets equal inventions after each generation, ours keeps them for the run; and there two genomes that split the
  same edge get different nodes, here the same one (Stanley & Miikkulainen 2002, section 3.2, asks for one number within a generation).
"""

from __future__ import annotations

import itertools
import random
from types import SimpleNamespace
from typing import Any

import pytest

from search_engine.algorithms.neat.alignment import Coefficients, crossover, distance
from search_engine.algorithms.neat.speciation import Speciation
from search_engine.spaces.genes.graph import GeneGraph
from search_engine.spaces.genes.innovations import Innovations

from . import xor
from .test_weights import family

neat = pytest.importorskip("neat", reason="neat-python of requirements-dev.txt is not installed")

DISJOINT, WEIGHT = 1.0, 0.5
CONFIG = SimpleNamespace(
    compatibility_disjoint_coefficient=DISJOINT, compatibility_weight_coefficient=WEIGHT, feed_forward=False,
)


def theirs_of(genes: GeneGraph, key: int = 0) -> Any:
    """The genome as neat-python's: its inputs are -1, -2, ..., its outputs 0, 1, ...; no bias but the input that is always 1."""
    genome = neat.DefaultGenome(key)
    name = {node: -node - 1 if node in genes.entries else node - genes.inputs for node in genes.order}
    for node in genes.allele:
        gene = neat.genes.DefaultNodeGene(name[node])
        gene.bias, gene.response, gene.time_constant, gene.activation, gene.aggregation = 0.0, 1.0, 1.0, "steep", "sum"
        genome.nodes[name[node]] = gene
    for link in genes.links:
        gene = neat.genes.DefaultConnectionGene((name[link.source], name[link.target]), innovation=link.innovation)
        gene.weight, gene.enabled = link.weight, link.enabled
        genome.connections[gene.key] = gene
    return genome


def test_the_distance_differs_by_what_is_said_above_and_by_nothing_else() -> None:
    for first, second in itertools.product(family(25), repeat=2):
        ours = {link.innovation: link for link in first.links}
        theirs = {link.innovation: link for link in second.links}
        matching = sorted(ours.keys() & theirs.keys())
        size = max(len(ours), len(theirs))
        weights = sum(abs(ours[number].weight - theirs[number].weight) for number in matching)  # type: ignore[operator]
        switches = sum(ours[number].enabled != theirs[number].enabled for number in matching)
        nodes = DISJOINT * len(first.allele.keys() ^ second.allele.keys()) / max(len(first.allele), len(second.allele))
        genes_apart = distance(first, second, lambda a, b: 0.0, Coefficients(excess=DISJOINT, disjoint=DISJOINT))
        assert theirs_of(first).distance(theirs_of(second), CONFIG) == pytest.approx(
            genes_apart + WEIGHT * (weights + switches) / size + nodes
        )
        with_weights = distance(first, second, lambda a, b: 0.0, Coefficients(excess=DISJOINT, disjoint=DISJOINT, weights=WEIGHT))
        assert with_weights == pytest.approx(genes_apart + WEIGHT * weights / len(matching))


@pytest.mark.parametrize("threshold", [0.3, 0.8, 1.5])
def test_a_first_generation_has_the_same_species_at_the_same_threshold(threshold: float) -> None:
    graphs = family(40)
    genomes = {key: theirs_of(genes, key) for key, genes in enumerate(graphs)}
    there = neat.DefaultSpeciesSet(SimpleNamespace(compatibility_threshold=threshold), neat.reporting.ReporterSet())
    there.speciate(SimpleNamespace(genome_config=CONFIG), genomes, 0)

    def apart(first: GeneGraph, second: GeneGraph) -> float:
        return float(theirs_of(first).distance(theirs_of(second), CONFIG))

    measured: dict[tuple[int, int], float] = {}
    division = Speciation(wanted=1, threshold=threshold)
    found = division._assigned(
        graphs, threshold, lambda genes, place: measured.setdefault((id(genes), place), apart(genes, graphs[place]))
    )
    assert len(found) > 1
    assert sorted(species.members for species in found) == sorted(sorted(species.members) for species in there.species.values())


def test_a_crossover_hands_on_the_same_genes() -> None:
    rng = random.Random(0)
    for fitter, other in itertools.pairwise(family(30)):
        first, second = theirs_of(fitter, 1), theirs_of(other, 2)
        first.fitness, second.fitness = 2.0, 1.0
        there = neat.DefaultGenome(3)
        random.seed(rng.randrange(2**32))
        there.configure_crossover(first, second, CONFIG)
        here = crossover(fitter, other, rng, reviving=False)
        assert {link.innovation for link in here.links} == {gene.innovation for gene in there.connections.values()}
        assert len(here.allele) == len(there.nodes)
        parents = [{link.innovation: link for link in genes.links} for genes in (fitter, other)]
        for link in here.links:
            own = {parent[link.innovation].weight for parent in parents if link.innovation in parent}
            assert link.weight in own
            gene = next(gene for gene in there.connections.values() if gene.innovation == link.innovation)
            assert gene.weight in own


def test_a_network_computes_the_same_values() -> None:
    config = SimpleNamespace(
        input_keys=[-1, -2, -3], output_keys=[0],
        activation_defs=SimpleNamespace(get=lambda name: xor.sigmoid), aggregation_function_defs=SimpleNamespace(get=lambda name: sum),
    )
    rng = random.Random(0)
    for genes in family(40):
        there = neat.nn.FeedForwardNetwork.create(theirs_of(genes), SimpleNamespace(genome_config=config))
        for _ in range(4):
            inputs = (1.0, rng.random(), rng.random())
            # A network that no input reaches has no value there; ours has the activation of nothing.
            assert xor.activate(genes, inputs) == pytest.approx(there.activate(inputs) if genes.connected else [0.5])


def test_new_edges_of_one_generation_are_numbered_alike() -> None:
    tracker, table, rng = neat.innovation.InnovationTracker(), Innovations(fixed=9), random.Random(1)
    pairs = [(rng.randrange(9), rng.randrange(9)) for _ in range(200)]
    here, there = [table.connection(*pair) for pair in pairs], [tracker.get_innovation_number(*pair) for pair in pairs]
    assert [number + 1 for number in here] == there
    tracker.reset_generation()
    assert tracker.get_innovation_number(*pairs[0]) > max(there) and table.connection(*pairs[0]) == here[0]
