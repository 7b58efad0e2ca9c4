"""Finished networks of other spaces as growing ones: which node every layer becomes, and where its weights lie. Torch-free.

Taken over are networks of this space, of `plain` (with ReLU; masks are over: removed weights are zeros that may learn again), and those of
`blueprint` that are chains. Operators need a ReLU behind every layer, since a layer that passes on what it reads must leave it as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from search_engine.base.errors import BadInput

from ..base import SearchSpace
from ..blueprint.assembly import SOURCE, flows, pools, step_label
from ..genomes import Genome
from ..plain_network import Layer
from .network import Network, Node


@dataclass(frozen=True)
class Place:
    """Prefixes in the given network's state: of a layer's weights, and of its batch normalisation (empty = none)."""

    weights: str
    norm: str = ""


@dataclass(frozen=True)
class Adopted:
    """The growing network, and by weighted node the place of its weights in the given one; no places = they have the same names."""

    network: Network
    places: dict[int, Place] | None


def adopted(space: SearchSpace[Any], genome: Genome) -> Adopted:
    """The architecture `genome` of `space` as a growing network. Raises BadInput(field "model"), naming layer and reason."""
    reader = READERS.get(space.id)
    if reader is None:
        raise BadInput(
            "model", f"a network of the space '{space.id}' cannot be grown: its layers are no chain of convolutions, poolings and dense "
            f"layers. What can be: {', '.join(READERS)} (blueprints only where no node joins several inputs)", code="incompatible",
        )
    return reader(space, genome)


def _own(space: Any, genome: Genome) -> Adopted:
    return Adopted(space.network(genome), None)


class _Chain:
    """Nodes one behind the other."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.places: dict[int, Place] = {}

    def put(self, op: str, place: Place | None = None, **settings: Any) -> None:
        number = len(self.nodes) + 1
        self.nodes.append(Node(number, op, (number - 1,), **settings))
        if place is not None:
            self.places[number] = place

    def of(self, space: SearchSpace[Any]) -> Adopted:
        return Adopted(Network(self.nodes, space.shape.input, space.shape.classes), self.places)


def _plain(space: Any, genome: Genome) -> Adopted:
    layers: tuple[Layer, ...] = space.layers
    if not space.shape.is_image:
        raise BadInput("model", "it reads vectors; networks grow on images", code="incompatible")
    if genome.content["activation"] != "relu" and len(layers) > 1:
        why = "a new layer could not pass on what it reads, since tanh(tanh(x)) is not tanh(x)"
        raise BadInput("model", f"layer {layers[0].name} has {genome.content['activation']} behind it: {why}", code="incompatible")
    chain, norm = _Chain(), genome.content["batch_norm"]
    convolutions = [layer for layer in layers if layer.is_convolution]
    for at, layer in enumerate(convolutions):
        place = Place(f"features.{at}.0", f"features.{at}.1" if norm else "")
        chain.put("conv", place, width=layer.rows, kernel=layer.shape[2], norm=norm)
    if convolutions:
        chain.put("pool")
    chain.put("flatten")
    for at, layer in enumerate(layers[len(convolutions) : -1]):
        chain.put("dense", Place(f"hidden.{at}.0", f"hidden.{at}.1" if norm else ""), width=layer.rows, norm=norm)
    chain.put("output", Place("classifier"))
    return chain.of(space)


def _blueprint(space: Any, genome: Genome) -> Adopted:
    plan = space.plan(genome)
    found = flows(plan, space.shape.input)
    chain, last = _Chain(), SOURCE
    for at, step in enumerate(plan.steps):
        before = found[step.sources[0]]
        if step.layer is None or step.sources != (last,):
            joins = f"it joins {len(step.sources)} inputs"
            what = joins if step.layer is None else f"it reads '{step.sources[0]}', not the layer before it"
            layer = f"layer {step.name} ({step_label(step, before)})"
            raise BadInput("model", f"{layer}: {what}; only chains can be grown", code="incompatible")
        place = Place(f"steps.{at}.0", f"steps.{at}.1")
        chain.put("conv", place, width=step.layer["filters"], kernel=step.layer["kernel"], norm=True)
        if pools(step.layer, before):
            chain.put("pool")
        elif step.layer["behind"] == "dropout":
            chain.put("dropout", rate=float(step.layer["rate"]))
        last = step.name
    chain.put("flatten")
    for at, units in enumerate(plan.dense):
        chain.put("dense", Place(f"head.{1 + 2 * at}"), width=units)
    chain.put("output", Place(f"head.{1 + 2 * len(plan.dense)}"))
    return chain.of(space)


READERS: dict[str, Callable[[Any, Genome], Adopted]] = {"growing_convnet": _own, "plain": _plain, "blueprint": _blueprint}
