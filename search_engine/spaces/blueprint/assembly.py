"""A network put together: the modules of a blueprint's nodes, one plan of layers, and what flows through it.

A plan is a list of steps in an order in which they can be computed. Two steps of equal channels and sides are joined as they are; else,
for a sum, 1x1 convolutions bring all to the widest's channels, and average pooling brings all to the smallest sides (for both joins).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..genes.graph import INPUT, OUTPUT, Allele, GeneGraph
from .layers import POOL

SOURCE = "input"
"""The name of what comes before the first step: the image."""


@dataclass(frozen=True)
class Step:
    """Either a layer of one source, or a join of several."""

    name: str
    """`b.m`: layer m of the module at blueprint node b; `b` and `b.1`: what that module reads and gives, where that is a join."""
    sources: tuple[str, ...]
    layer: Allele | None = None
    join: str = ""
    module: int = -1
    """Which of the network's modules it belongs to; -1 for joins of the blueprint."""


@dataclass(frozen=True)
class Flow:
    """What a step gives: (channels, height, width)."""

    channels: int
    height: int
    width: int

    @property
    def size(self) -> int:
        return self.channels * self.height * self.width


@dataclass(frozen=True)
class Plan:
    """The steps, and the name of the last value, which the head reads."""

    steps: tuple[Step, ...]
    last: str
    dense: tuple[int, ...]


def assemble(blueprint: GeneGraph, modules: Sequence[GeneGraph]) -> Plan:
    """The plan of a blueprint whose alleles name modules by their place in `modules`. Both must be connected."""
    steps: list[Step] = []
    given: dict[int, str] = {INPUT: SOURCE}

    def value_of(name: str, sources: Sequence[str], join: str, module: int) -> str:
        """Where several are read, a step that joins them."""
        if len(sources) == 1:
            return sources[0]
        steps.append(Step(name, tuple(sources), join=join, module=module))
        return name

    for node in (*blueprint.live, OUTPUT):
        allele = blueprint.allele[node]
        read = value_of(str(node), [given[source] for source in blueprint.sources[node]], allele["join"], -1)
        if node == OUTPUT:
            return Plan(tuple(steps), read, tuple(allele["dense"]))
        number = allele["module"]
        module = modules[number]
        inner: dict[int, str] = {INPUT: read}
        for layer in (*module.live, OUTPUT):
            settings = module.allele[layer]
            sources = [inner[source] for source in module.sources[layer]]
            if layer == OUTPUT:
                given[node] = value_of(f"{node}.1", sources, settings["join"], number)
                continue
            joined = value_of(f"{node}.{layer}.in", sources, settings["join"], number)
            inner[layer] = f"{node}.{layer}"
            steps.append(Step(inner[layer], (joined,), layer=settings, module=number))
    raise AssertionError("the output comes last")


def flows(plan: Plan, image: tuple[int, ...]) -> dict[str, Flow]:
    """What every step gives, by name, for images (channels, height, width)."""
    found = {SOURCE: Flow(*image)}
    for step in plan.steps:
        before = [found[source] for source in step.sources]
        height, width = min(flow.height for flow in before), min(flow.width for flow in before)
        if step.layer is None:
            channels = [flow.channels for flow in before]
            found[step.name] = Flow(sum(channels) if step.join == "concat" else max(channels), height, width)
        elif pools(step.layer, before[0]):
            found[step.name] = Flow(step.layer["filters"], height // POOL, width // POOL)
        else:
            found[step.name] = Flow(step.layer["filters"], height, width)
    return found


def pictured(image: tuple[int, ...], side: int) -> tuple[int, ...]:
    """What the first layer sees of images (channels, height, width) that are averaged down to `side`; 0, or a side that is no smaller:
    what they are.

    >>> pictured((1, 28, 28), 14), pictured((3, 32, 32), 0), pictured((1, 8, 8), 16)
    ((1, 14, 14), (3, 32, 32), (1, 8, 8))
    """
    channels, height, width = image
    return (channels, min(side, height), min(side, width)) if side else image


def pools(layer: Allele, before: Flow) -> bool:
    """Whether a layer's pooling happens: never below one pixel."""
    return bool(layer["behind"] == "pool") and min(before.height, before.width) >= POOL


@dataclass(frozen=True)
class Size:
    """Of a network: trainable numbers, and operations of one forward pass over one example (2 x multiplications)."""

    parameters: int
    flops: float


def size(plan: Plan, image: tuple[int, ...], classes: int) -> Size:
    """In closed form, from the shapes alone."""
    found = flows(plan, image)
    parameters, flops = 0, 0.0
    for step in plan.steps:
        before = [found[source] for source in step.sources]
        if step.layer is not None:
            weights = before[0].channels * step.layer["kernel"] ** 2 * step.layer["filters"]
            parameters += weights + 2 * step.layer["filters"]
            flops += 2.0 * weights * before[0].height * before[0].width
        elif step.join == "sum":
            after = found[step.name]
            for flow in before:
                if flow.channels != after.channels:
                    parameters += flow.channels * after.channels
                    flops += 2.0 * flow.channels * after.channels * after.height * after.width
    width = found[plan.last].size
    for units in (*plan.dense, classes):
        parameters += (width + 1) * units
        flops += 2.0 * width * units
        width = units
    return Size(parameters, flops)


def flops_by_node(plan: Plan, image: tuple[int, ...]) -> dict[int, float]:
    """Operations of one forward pass over one example in the layers of each node of the blueprint."""
    found = flows(plan, image)
    total: dict[int, float] = {}
    for step in plan.steps:
        if step.layer is not None:
            before, node = found[step.sources[0]], int(step.name.partition(".")[0])
            weights = before.channels * step.layer["kernel"] ** 2 * step.layer["filters"]
            total[node] = total.get(node, 0.0) + 2.0 * weights * before.height * before.width
    return total


def live_part(genes: GeneGraph) -> dict[str, Any]:
    """Live nodes with their alleles, and enabled edges among them: JSON, without innovation numbers."""
    nodes = [[node, genes.allele[node]] for node in (*genes.live, OUTPUT)]
    edges = [[source, node] for node in (*genes.live, OUTPUT) for source in genes.sources[node]]
    return {"nodes": nodes, "edges": edges}


def labels(plan: Plan, image: tuple[int, ...]) -> tuple[list[str], list[tuple[int, int, str]]]:
    """The plan as a labelled graph, by which networks are compared: nodes are image, steps and head. A pooling that has nothing left to
    pool is no pooling."""
    found = flows(plan, image)
    place: Mapping[str, int] = {SOURCE: 0, **{step.name: at for at, step in enumerate(plan.steps, start=1)}}
    head = f"head {'-'.join(map(str, plan.dense))}"
    names = ["image", *(step_label(step, found[step.sources[0]]) for step in plan.steps), head]
    edges = [(place[source], place[step.name], "") for step in plan.steps for source in step.sources]
    return names, [*edges, (place[plan.last], len(names) - 1, "")]


def step_label(step: Step, before: Flow) -> str:
    """What a step does to a result of that shape, for people and for comparing."""
    if step.layer is None:
        return step.join
    behind = step.layer["behind"]
    rate = f" {step.layer['rate']:g}" if behind == "dropout" else ""
    shown = "" if behind == "none" or (behind == "pool" and not pools(step.layer, before)) else f" {behind}{rate}"
    return f"conv {step.layer['filters']} {step.layer['kernel']}x{step.layer['kernel']}{shown}"
