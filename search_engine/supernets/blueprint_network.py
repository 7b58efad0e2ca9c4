"""The network of a blueprint with its modules: the steps of its plan, then the head of dense layers."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..base.errors import TrialFailure
from ..base.training_config import TrainingConfig
from ..spaces.blueprint.assembly import SOURCE, Flow, Plan, Step, flows, pools
from ..spaces.blueprint.layers import POOL
from ..spaces.blueprint.space import BlueprintSpace
from ..spaces.genomes import Genome


class Joined(nn.Module):
    """Several values as one. Sides: averaged down to the smallest. A sum: each of other channels than the widest goes through a 1x1
    convolution first."""

    def __init__(self, step: Step, before: list[Flow], after: Flow) -> None:
        super().__init__()
        self.concatenates = step.join == "concat"
        self.sides = (after.height, after.width)
        self.ways = nn.ModuleList(
            nn.Identity()
            if self.concatenates or flow.channels == after.channels
            else nn.Conv2d(flow.channels, after.channels, 1, bias=False)
            for flow in before
        )

    def forward(self, values: list[Tensor]) -> Tensor:
        fitted = [value if value.shape[2:] == self.sides else functional.adaptive_avg_pool2d(value, self.sides) for value in values]
        if self.concatenates:
            return torch.cat(fitted, dim=1)
        ways = [way(value) for way, value in zip(self.ways, fitted, strict=True)]
        total: Tensor = ways[0]
        for value in ways[1:]:
            total = total + value
        return total


def build_layer(step: Step, before: Flow) -> nn.Sequential:
    """A convolution that keeps the sides, batch normalisation, ReLU, and what stands behind."""
    assert step.layer is not None
    filters, kernel = step.layer["filters"], step.layer["kernel"]
    # torch pads an even kernel on the right and below, as Keras does.
    parts: list[nn.Module] = [
        nn.Conv2d(before.channels, filters, kernel, padding="same", bias=False), nn.BatchNorm2d(filters), nn.ReLU(),
    ]
    if pools(step.layer, before):
        parts.append(nn.MaxPool2d(POOL))
    elif step.layer["behind"] == "dropout":
        parts.append(nn.Dropout(step.layer["rate"]))
    return nn.Sequential(*parts)


class BlueprintNetwork(nn.Module):
    """Images (B, C, H, W) -> logits (B, classes). `image` is what the first layer sees; `averages` whether larger ones are averaged down to
    that."""

    def __init__(self, plan: Plan, image: tuple[int, ...], classes: int, averages: bool = False) -> None:
        super().__init__()
        self.sides = (image[1], image[2]) if averages else None
        found = flows(plan, image)
        self.order = [(step.name, step.sources, step.layer is None) for step in plan.steps]
        self.last = plan.last
        self.steps = nn.ModuleList()
        for step in plan.steps:
            before = [found[source] for source in step.sources]
            self.steps.append(Joined(step, before, found[step.name]) if step.layer is None else build_layer(step, before[0]))
        self.readers = {name: sum(sources.count(name) for _, sources, _ in self.order) for name in found}
        width, head = found[plan.last].size, []
        for units in plan.dense:
            head += [nn.Linear(width, units), nn.ReLU()]
            width = units
        self.head = nn.Sequential(nn.Flatten(), *head, nn.Linear(width, classes))

    def forward(self, x: Tensor) -> Tensor:
        if self.sides is not None:
            x = functional.adaptive_avg_pool2d(x, self.sides)
        values, left = {SOURCE: x}, dict(self.readers)
        for (name, sources, joins), module in zip(self.order, self.steps, strict=True):
            given = [values[source] for source in sources]
            values[name] = module(given) if joins else module(given[0])
            for source in sources:
                left[source] -= 1
                if not left[source] and source != self.last:
                    # Nobody reads it any more.
                    del values[source]
        logits: Tensor = self.head(values[self.last])
        return logits


def build(space: BlueprintSpace, genome: Genome, stage: Literal["trial", "final"], training: TrainingConfig) -> BlueprintNetwork:
    """The untrained network of a genome, its parameters from torch's global generator; equally large in both stages.

    Raises BadInput for a genome that is not admissible, TrialFailure for one beyond the space's bounds of size, before anything is built.
    """
    problem = space.too_large(genome)
    if problem:
        raise TrialFailure(problem)
    return BlueprintNetwork(space.plan(genome), space.image, space.shape.classes, averages=space.image != tuple(space.shape.input))
