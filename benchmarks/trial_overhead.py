"""What a trained trial costs beyond its training: the product's trial against a bare PyTorch loop of the same work.

    python -m benchmarks.trial_overhead [--rounds 15] [--epochs 3] [--profile mlp|cell|macro]

The product's side is `TrialWork` driven by `run_slice`, from the built work to its outcome: seeded batches and augmentation, reports and
scores per epoch, failure policy, FLOPs, events. The bare side is what one would write in a notebook for the same network, data,
augmentation, loss, optimiser (SGD with Nesterov momentum, weight decay, clipping, cosine schedule) and one validation per epoch. Asserts
nothing.
"""

from __future__ import annotations

import argparse
import cProfile
import math
import pstats
import random
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from benchmarks.paired import Quartiles, compare, gate
from search_engine.base.lazy import load_object
from search_engine.catalogue.config import CheckedRun, check
from search_engine.search.resources import Resources
from search_engine.search.trial_work import TrialWork, genome_training
from search_engine.search.work import WorkSpec, run_slice
from search_engine.spaces.genomes import Genome
from search_engine.training import device

SPACES: dict[str, dict[str, Any]] = {
    "mlp": {"space": "mlp"},
    "cell": {"space": "cell", "training": {"channels": 4, "layers": 2}},
    "macro": {"space": "macro", "space_options": {"layers": 4}, "training": {"channels": 8}},
}


def checked_run(name: str, epochs: int) -> CheckedRun:
    """A random search on digits in that space."""
    chosen = SPACES[name]
    training = {**chosen.get("training", {}), "epochs": epochs}
    return check({"algorithm": "random", "datasets": ["digits"], "budget": {"trials": 10}, **chosen, "training": training})


def product(checked: CheckedRun, genome: Genome, key: str, folder: Path) -> dict[str, float]:
    """The trial as a worker does it; its metrics."""
    spec = WorkSpec(kind="trial", index=0, arguments={"genome": genome.to_json(), "hash": key, "fidelity": {}})
    work = TrialWork(spec, checked, folder, folder)
    while not work.finished:
        run_slice(work, 2.0)
    outcome = work.outcome()
    assert outcome["status"] == "completed", outcome["reason"]
    metrics: dict[str, float] = outcome["metrics"]
    return metrics


def shifted(raw: torch.Tensor) -> torch.Tensor:
    """Each image moved by up to an eighth of its size, black coming in."""
    count, channels, height, width = raw.shape
    down, right = max(1, height // 8), max(1, width // 8)
    rows = torch.randint(0, 2 * down + 1, (count, 1)) + torch.arange(height)
    columns = torch.randint(0, 2 * right + 1, (count, 1)) + torch.arange(width)
    padded = F.pad(raw, (right, right, down, down))
    images = torch.arange(count)[:, None, None, None]
    colours = torch.arange(channels)[None, :, None, None]
    return padded[images, colours, rows[:, None, :, None], columns[:, None, None, :]]


def bare(checked: CheckedRun, resources: Resources, genome: Genome) -> dict[str, float]:
    """The same training as a plain loop; its last metrics."""
    data, training = resources.search_data, genome_training(checked.config.training, resources.space, genome, {})
    torch.manual_seed(0)
    network: nn.Module = load_object(checked.space.builder)(resources.space, genome, "trial", training)
    mean, std = (torch.tensor(item).view(1, -1, 1, 1) for item in (data.preprocessing.mean, data.preprocessing.std))
    scale = data.preprocessing.scale
    inputs, labels = torch.from_numpy(data.train.inputs), torch.from_numpy(data.train.labels).long()
    val_inputs, val_labels = torch.from_numpy(data.validation.inputs), torch.from_numpy(data.validation.labels).long()
    val_inputs = (val_inputs.float() / scale - mean) / std
    assert training.optimizer == "sgd" and not training.early_stop
    optimizer = torch.optim.SGD(
        network.parameters(), lr=training.learning_rate, momentum=training.momentum, nesterov=True, weight_decay=training.weight_decay
    )
    per_epoch = math.ceil(len(labels) / training.batch_size)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, training.epochs * per_epoch, training.final_learning_rate)
    metrics: dict[str, float] = {}
    for _ in range(training.epochs):
        network.train()
        train_loss, train_correct = torch.zeros(()), torch.zeros((), dtype=torch.int64)
        for chosen in torch.randperm(len(labels)).chunk(per_epoch):
            images, classes = (shifted(inputs[chosen]).float() / scale - mean) / std, labels[chosen]
            optimizer.zero_grad()
            logits = network(images)
            loss = F.cross_entropy(logits, classes)
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), training.gradient_clip)
            optimizer.step()
            schedule.step()
            train_loss += loss.detach() * len(classes)
            train_correct += (logits.detach().argmax(1) == classes).sum()
        network.eval()
        with torch.no_grad():
            logits = torch.cat([network(part) for part in val_inputs.split(500)])
            metrics = {
                "train_loss": float(train_loss) / len(labels),
                "train_accuracy": int(train_correct) / len(labels),
                "val_loss": float(F.cross_entropy(logits, val_labels)),
                "val_accuracy": float((logits.argmax(1) == val_labels).float().mean()),
            }
    return metrics


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--profile", choices=list(SPACES), help="where one kind of trial spends its time, instead of the ratios")
    options = parser.parse_args()
    device.configure(1)
    folder = Path(tempfile.mkdtemp())
    found: dict[str, Quartiles] = {}
    for name in [options.profile] if options.profile else SPACES:
        checked = checked_run(name, options.epochs)
        resources = Resources(checked, folder)
        genome = resources.space.sample(random.Random(1))
        ours = partial(product, checked, genome, resources.space.hash(genome), folder)
        if options.profile:
            ours()
            profile = cProfile.Profile()
            profile.runcall(ours)
            pstats.Stats(profile).sort_stats("tottime").print_stats(35)
            return
        readings = compare({"bare loop": partial(bare, checked, resources, genome), "trial": ours}, options.rounds)
        print(readings.table(f"one trial in the space {name}"), flush=True)
        found[name] = readings.ratio("trial", "bare loop")
    for name, ratio in found.items():
        print(gate(f"a trial in the space {name}, in bare loops", ratio, at_most=1.15))


if __name__ == "__main__":
    main()
