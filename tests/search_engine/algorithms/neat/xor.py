"""XOR evolved with the core of NEAT: structure, weights, species, shared fitness. Nothing here but the task and the order of the steps."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from search_engine.algorithms.neat.alignment import Coefficients, distance
from search_engine.algorithms.neat.offspring import Breeding
from search_engine.algorithms.neat.population import Population
from search_engine.algorithms.neat.weights import WeightRates, changed_weights
from search_engine.spaces.genes.graph import GeneGraph
from search_engine.spaces.genes.growing import add_link, add_node, direct, toggle

CASES = ((0.0, 0.0, 0.0), (0.0, 1.0, 1.0), (1.0, 0.0, 1.0), (1.0, 1.0, 0.0))
SOLVED = 3.9
STEEPNESS = 4.9
"""Of the sigmoid, as in the paper."""
RATES = WeightRates()
WEIGHTS = Coefficients(weights=0.5)
"""c1 = c2 = 1, c3 = 0.5, as in neat-python's XOR example."""
BREEDING = Breeding(elite=0.1, survivors=0.2, crossover=0.75, reviving=False)


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-max(-60.0, min(60.0, STEEPNESS * value))))


def activate(genes: GeneGraph, inputs: tuple[float, ...], activation: Callable[[float], float] = sigmoid) -> list[float]:
    """The outputs of the network for one example, node by node."""
    value = dict(zip(genes.entries, inputs, strict=True))
    coming: dict[int, list[tuple[int, float]]] = {}
    for link in genes.links:
        if link.enabled and link.weight is not None:
            coming.setdefault(link.target, []).append((link.source, link.weight))
    for node in genes.order:
        if node not in genes.entries:
            value[node] = activation(math.fsum(value[source] * weight for source, weight in coming.get(node, ())))
    return [value[end] for end in genes.ends]


def fitness(genes: GeneGraph) -> float:
    """4 minus the sum of squared errors; the first input is the bias."""
    return 4 - sum((activate(genes, (1.0, first, second))[0] - wanted) ** 2 for first, second, wanted in CASES)


def apart(first: GeneGraph, second: GeneGraph) -> float:
    return distance(first, second, lambda a, b: 0.0, WEIGHTS)


def begun(seed: int, size: int = 150, species: int = 10) -> tuple[Population, random.Random]:
    rng = random.Random(seed)
    population = Population(species, apart, inputs=3, outputs=1)
    population.found([direct(3, 1, lambda: RATES.fresh(rng), population.innovations) for _ in range(size)])
    return population, rng


def mutant(population: Population) -> Callable[[GeneGraph, random.Random], GeneGraph]:
    """NEAT's mutations, each with its own probability: those of neat-python's XOR example for a node and for an edge."""

    def mutate(genes: GeneGraph, rng: random.Random) -> GeneGraph:
        table = population.innovations
        if rng.random() < 0.2:
            genes = add_node(genes, {}, table, rng) or genes
        if rng.random() < 0.5:
            genes = add_link(genes, table, rng, weight=RATES.fresh(rng)) or genes
        if rng.random() < 0.05:
            genes = toggle(genes, rng) or genes
        return changed_weights(genes, RATES, rng)

    return mutate


def solved_in(seed: int, generations: int = 100, score: Callable[[GeneGraph], float] = fitness) -> int | None:
    """The generation in which somebody reaches SOLVED, or None; the best genome's true fitness decides."""
    population, rng = begun(seed)
    for generation in range(generations):
        found = {one.number: score(one.genes) for one in population.individuals}
        if max(fitness(one.genes) for one in population.individuals) >= SOLVED:
            return generation
        population.breed(found, BREEDING, mutant(population), lambda genes: True, rng)
    return None
