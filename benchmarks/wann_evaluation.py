"""How fast a population of neuron graphs is evaluated: both batched forms against the plain per-individual loop.

    python -m benchmarks.wann_evaluation [--device cpu|cuda] [--population 64] [--samples 1000] [--plans]

Prints CPU seconds (wall seconds on CUDA) of one evaluation with six shared weights, and ratios to the loop (NumPy, float32, on the
CPU). `--plans` tries several piece sizes of each form, whose readings `search_engine.algorithms.wann.evaluation.plan` follows. Asserts
nothing.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch

from search_engine.algorithms.wann.evaluation import LOG_FLOOR, Form, Plan, as_inputs, evaluate, plan
from search_engine.spaces.neuron_genes import reference
from search_engine.spaces.neuron_genes.activations import DIFFERENTIABLE, NUMBERS
from search_engine.spaces.neuron_genes.genes import Genes, initial_genes
from search_engine.spaces.neuron_genes.innovation import InnovationTable
from search_engine.spaces.neuron_genes.operators import apply_mutation, choose
from search_engine.spaces.neuron_genes.phenotype import compile_population

WEIGHTS = (-2.0, -1.0, -0.5, 0.5, 1.0, 2.0)
SHARES = {"add_node": 0.25, "add_connection": 0.20, "enable": 0.05, "change_activation": 0.50}
SIZES = ((64, 10), (64, 60), (64, 300), (256, 60), (256, 600))
"""(inputs, mutations per individual)"""
FORMS: tuple[Form, ...] = ("concatenated", "padded")
PIECES = ((1, 1000), (8, 256), (8, 1000), (16, 128), (16, 256), (32, 64), (32, 128), (64, 64), (64, 128), (64, 1000))


def mutated(size: int, inputs: int, outputs: int, mutations: int, seed: int = 0) -> list[Genes]:
    """A population after so many unselected mutations each."""
    rng = random.Random(seed)
    table = InnovationTable(inputs, outputs)
    activations = tuple(NUMBERS[name] for name in DIFFERENTIABLE)
    population = []
    for _ in range(size):
        genes = initial_genes(inputs, outputs, 0.05, rng)
        for _ in range(mutations):
            mutation = choose(genes, table, rng, SHARES, activations)
            assert mutation is not None
            genes = apply_mutation(genes, mutation)
        population.append(genes)
    return population


def seconds(work: Callable[[], object], device: str, repeats: int) -> float:
    """The least of `repeats` readings after one for warming up."""
    clock = time.process_time if device == "cpu" else time.perf_counter
    readings = []
    for _ in range(repeats + 1):
        started = clock()
        work()
        if device != "cpu":
            torch.cuda.synchronize()
        readings.append(clock() - started)
    return min(readings[1:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--population", type=int, default=64)
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--plans", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    generator = np.random.default_rng(0)
    print(f"{options.population} individuals x {len(WEIGHTS)} weights x {options.samples} samples, {options.device}, one CPU thread")
    print("inputs  hidden  edges  loop ms  form          pieces      ms   ratio")
    for inputs, mutations in SIZES:
        population = mutated(options.population, inputs, 10, mutations)
        features = generator.random((options.samples, inputs)).astype(np.float32)
        labels = generator.integers(0, 10, options.samples)
        tensors = as_inputs(features, options.device), torch.from_numpy(labels).to(options.device)
        loop = seconds(partial(reference.evaluate, population, features, labels, WEIGHTS, LOG_FLOOR), "cpu", 1)
        default = plan(compile_population(population), len(WEIGHTS), options.samples, options.device)
        sizes = PIECES if options.plans else ((default.individuals, default.samples),)
        for chosen in [Plan(form, *piece) for form in FORMS for piece in sizes]:
            used = seconds(partial(evaluate, population, *tensors, WEIGHTS, chosen=chosen), options.device, 3)
            hidden = int(np.median([len(genes.nodes) for genes in population]))
            edges = int(np.median([genes.connections for genes in population]))
            mark = "  <- default" if chosen == default else ""
            print(
                f"{inputs:6} {hidden:7} {edges:6} {loop * 1e3:8.0f}  {chosen.form:12} {chosen.individuals:4} x {chosen.samples:<5}"
                f"{used * 1e3:6.1f} {loop / used:7.2f}{mark}"
            )


if __name__ == "__main__":
    main()
