"""Trials of equal shape trained together against one by one: the same networks, data, orders, augmentations and reports.

    python -m benchmarks.trials_together [--networks 64] [--rounds 9] [--epochs 1] [--only mlp|cnn|cell] [--profile mlp|cnn|cell]

One by one is `Trainer`, the product's own trial step; together is `GroupTrainer`. Building the networks is in neither. The perceptron and
the convolutional network are those of population training's usual measurements: 64-32-32-10, and two 3x3 convolutions of 8 and 16 channels,
each with a ReLU and a 2x2 pooling, and a classifier, on handwritten digits in batches of 64. A DARTS cell network stands beside them,
without a gate. Asserts nothing.
"""

from __future__ import annotations

import argparse
import copy
import cProfile
import pstats
import random
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from benchmarks.paired import Quartiles, compare, gate
from search_engine.base.lazy import load_object
from search_engine.base.training_config import TrainingConfig
from search_engine.catalogue.config import check
from search_engine.datasets.base import SearchData
from search_engine.search.resources import Resources
from search_engine.search.trial_work import genome_training
from search_engine.spaces.genomes import Genome
from search_engine.training import device
from search_engine.training.group_trainer import GroupTrainer
from search_engine.training.trainer import Trainer

KINDS: dict[str, dict[str, Any]] = {
    "mlp": {"space": "mlp"},
    "cnn": {"space": "node_chain"},
    "cell": {"space": "cell", "training": {"channels": 4, "layers": 2}},
}
MLP = "hidden=32-32 activation=relu batch_norm=no optimizer=sgd learning_rate=0.03 epochs=5"
CNN = [["conv", 8, 3], ["pool", "max", 2], ["conv", 16, 3], ["pool", "max", 2], ["flatten"]]
GATES = {"mlp": 4.7, "cnn": 2.4}


def population(kind: str, count: int, epochs: int) -> tuple[list[nn.Module], SearchData, TrainingConfig]:
    """So many untrained networks of one shape, the data, and how they are trained."""
    checked = check({"algorithm": "random", "datasets": ["digits"], "budget": {"trials": 1}, **KINDS[kind]})
    resources = Resources(checked, Path(tempfile.mkdtemp()))
    space = resources.space
    given = {"mlp": lambda: space.from_string(MLP), "cnn": lambda: Genome("node_chain", {"nodes": CNN})}
    genome = given.get(kind, lambda: space.sample(random.Random(1)))()
    training = genome_training(checked.config.training, space, genome, {}).model_copy(update={"epochs": epochs})
    torch.manual_seed(0)
    build = load_object(checked.space.builder)
    return [build(space, genome, "trial", training) for _ in range(count)], resources.search_data, training


def one_by_one(networks: list[nn.Module], data: SearchData, training: TrainingConfig) -> list[dict[str, float]]:
    found = []
    for place, network in enumerate(networks):
        trainer = Trainer(copy.deepcopy(network), data, training, seed=place)
        while not trainer.finished:
            trainer.advance()
        found.append(trainer.metrics())
    return found


def together(networks: list[nn.Module], data: SearchData, training: TrainingConfig) -> list[dict[str, float]]:
    group = GroupTrainer(networks, data, [training] * len(networks), list(range(len(networks))))
    while not group.finished:
        group.advance()
    return [group.metrics(place) for place in range(len(networks))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--only", choices=list(KINDS))
    parser.add_argument("--profile", choices=list(KINDS), help="where training together spends its time, instead of the ratios")
    options = parser.parse_args()
    device.configure(1)
    found: dict[str, Quartiles] = {}
    for kind in [options.profile or options.only] if options.profile or options.only else KINDS:
        world = population(kind, options.networks, options.epochs)
        if options.profile:
            together(*world)
            profile = cProfile.Profile()
            profile.runcall(together, *world)
            pstats.Stats(profile).sort_stats("tottime").print_stats(25)
            return
        alone, stacked = one_by_one(*world), together(*world)
        apart = max(abs(left[name] - right[name]) for left, right in zip(alone, stacked, strict=True) for name in left)
        print(f"{kind}: largest difference of a loss or an accuracy {apart:.2g}")
        readings = compare({"one by one": partial(one_by_one, *world), "together": partial(together, *world)}, options.rounds, warm_up=0)
        print(readings.table(f"{options.networks} trials of equal shape, {kind}"), flush=True)
        found[kind] = readings.ratio("one by one", "together")
    for kind, least in GATES.items():
        if kind in found:
            print(gate(f"{options.networks} networks together, {kind}, faster", found[kind], at_least=least))


if __name__ == "__main__":
    main()
