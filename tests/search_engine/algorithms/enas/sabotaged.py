"""Digits through four layers of four operations each, two of which drown their input in noise: a search must learn to avoid them.

With two operations of four sabotaged, one random path in sixteen is sound, so a policy that does not learn stays near chance.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import networkx as nx
import torch
from torch import Tensor, nn

from search_engine.algorithms.base import Context
from search_engine.algorithms.enas.search import Enas, EnasConfig
from search_engine.base.training_config import TrainingConfig
from search_engine.catalogue import registry
from search_engine.datasets.base import Part
from search_engine.events import EventLog
from search_engine.search.sealed import open_test
from search_engine.spaces.base import SpaceConfig, SpaceEntry
from search_engine.spaces.data_shape import DataShape
from search_engine.spaces.decision_space import DecisionSpace
from search_engine.spaces.decisions import Decision, DecisionList
from search_engine.spaces.genomes import Genome
from search_engine.training.batches import DevicePart

LAYERS, WIDTH, NOISE = 4, 32, 1.5
OPERATIONS = ("relu", "noisy_relu", "tanh", "noisy_tanh")
BAD = (1, 3)
SETTINGS: dict[str, Any] = {
    "epochs": 12, "warm_up_epochs": 2, "controller_steps": 20, "arcs": 10, "weight_optimizer": "adam", "learning_rate": 3e-3,
    "final_learning_rate": 3e-3, "weight_decay": 0.0, "controller_learning_rate": 0.01, "tanh_constant": 2.5, "baseline_decay": 0.95,
}


class SabotagedSpace(DecisionSpace[SpaceConfig]):
    """One operation per layer."""

    id: ClassVar[str] = "sabotaged"
    offers: ClassVar[frozenset[str]] = DecisionSpace.offers | {"paths"}
    decisions = DecisionList([Decision(f"layer{place}", f"Layer {place}", "operation", OPERATIONS) for place in range(LAYERS)])

    def to_string(self, genome: Genome) -> str:
        return " ".join(genome.content[f"layer{place}"] for place in range(LAYERS))

    def to_graph(self, genome: Genome) -> nx.MultiDiGraph:
        graph = nx.MultiDiGraph()
        for place in range(LAYERS):
            graph.add_edge(place, place + 1, key=genome.content[f"layer{place}"])
        return graph


class Operation(nn.Module):
    """(B, W) -> (B, W): linear, normalised by the batch, noise of `NOISE` standard deviations if sabotaged, nonlinear."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.linear = nn.Linear(WIDTH, WIDTH, bias=False)
        self.norm = nn.BatchNorm1d(WIDTH, track_running_stats=False)
        self.noise = NOISE if name.startswith("noisy") else 0.0
        self.activation = nn.ReLU() if name.endswith("relu") else nn.Tanh()

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.linear(x))
        if self.noise:
            x = x + self.noise * torch.randn_like(x)
        result: Tensor = self.activation(x)
        return result


class SabotagedNetwork(nn.Module):
    def __init__(self, space: SabotagedSpace) -> None:
        super().__init__()
        self.space = space
        norm = nn.BatchNorm1d(WIDTH, track_running_stats=False)
        self.stem = nn.Sequential(nn.Flatten(), nn.Linear(64, WIDTH, bias=False), norm, nn.ReLU())
        self.layers = nn.ModuleList(nn.ModuleList(Operation(name) for name in OPERATIONS) for _ in range(LAYERS))
        self.classifier = nn.Linear(WIDTH, 10)

    def forward_path(self, x: Tensor, genome: Genome) -> Tensor:
        x = self.stem(x)
        for layer, choice in zip(self.layers, self.space.choices_of(genome), strict=True):
            x = layer[choice](x)  # type: ignore[index]
        logits: Tensor = self.classifier(x)
        return logits


def build_supernet(space: SabotagedSpace) -> nn.Module:
    return SabotagedNetwork(space)


def build(space: SabotagedSpace, genome: Genome, stage: str, training: TrainingConfig) -> nn.Module:
    raise AssertionError("nothing is retrained here")


ENTRY = SpaceEntry(
    "sabotaged", "Sabotaged", "", "", SpaceConfig, SabotagedSpace, SabotagedSpace.offers,
    builder="tests.search_engine.algorithms.enas.sabotaged:build"
)


@contextmanager
def registered() -> Iterator[None]:
    try:
        registry.spaces()[ENTRY.id] = ENTRY
        yield
    finally:
        registry.spaces().pop(ENTRY.id, None)


def digits(seed: int) -> tuple[Any, Part]:
    """(what a search sees, the test split)."""
    entry = registry.dataset("digits")
    samples: Any = entry.open(entry.config(), Path())
    return samples.search_data(seed), open_test(samples)


def sabotaged_search(seed: int, kind: type[Enas] = Enas, data: Any = None, structure_every: int = 10_000, **options: Any) -> Enas:
    """A fresh search on the sabotaged layers; its noise and weights are drawn from torch's generator, seeded with `seed`."""
    torch.manual_seed(seed)
    data = data or digits(seed)[0]
    context = Context(
        space=SabotagedSpace(SpaceConfig(), DataShape((1, 8, 8), 10)), options=EnasConfig(**{**SETTINGS, **options}), seed=seed,
        rng=random.Random(seed), metric="val_accuracy", log=EventLog("phase:0"), data=data, structure_every=structure_every,
    )
    search = kind()
    with registered():
        search.begin(context, None)
    return search


def bad_share(search: Enas, paths: int = 400) -> float:
    """How often the policy chooses a sabotaged operation."""
    sampled = search.controller.sample_batch(random.Random(0), paths)
    return sum(choice in BAD for one in sampled for choice in one.choices) / (paths * LAYERS)


def outcome(search: Enas, test: Part) -> dict[str, float]:
    """Run to the end; the best path's accuracy on the test split is measured with the shared weights."""
    while not search.finished:
        search.step()
    best = search.best()[0]
    part = search.context.data
    assert part is not None and best.value is not None
    inputs, labels = DevicePart(test, part.preprocessing, "cpu").take(torch.arange(len(test)))
    with torch.no_grad():
        logits = search.shared.network.forward_path(inputs, best.genome)  # type: ignore[operator]
    accuracy = float((logits.argmax(1) == labels).float().mean())
    return {"bad": bad_share(search), "value": best.value, "test": accuracy}
