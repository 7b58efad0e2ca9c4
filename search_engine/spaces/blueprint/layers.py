"""What a layer of a module is, and what the head of a network is: which settings there are, how they are drawn and changed.

A layer is a convolution (same padding), batch normalisation and ReLU, and behind it a 2 x 2 max pooling, a dropout, or nothing; the
search spaces of Nikulenkov 2022 (master's thesis, section 6.2), as in Keras-CoDeepNEAT. Batch normalisation is ours: its scales are what
a compression reads. A node that reads several others joins them by a sum or by concatenation.
"""

from __future__ import annotations

import random
from typing import Any, Literal

from pydantic import Field, model_validator

from search_engine.base.errors import BadInput

from ..base import SpaceConfig
from ..genes.graph import Allele

Behind = Literal["none", "pool", "dropout"]
Join = Literal["sum", "concat"]
BEHIND: tuple[Behind, ...] = ("none", "pool", "dropout")
POOL = 2


class BlueprintConfig(SpaceConfig):
    """Which layers there are, and how large a network may become. The defaults are the thesis's space for MNIST and CIFAR-10."""

    filters_min: int = Field(default=16, ge=1, le=1024, title="Fewest filters", description="Of a convolution. Thesis: 16 in both spaces.")
    filters_max: int = Field(
        default=68, ge=1, le=1024, title="Most filters", description="Of a convolution. Thesis: 68 (CIFAR-100, Tiny ImageNet: 128)."
    )
    kernels: tuple[Literal[1, 2, 3, 4, 5, 7, 9, 11, 13], ...] = Field(
        default=(1, 3, 5), min_length=1, max_length=9, title="Kernel sizes",
        description="Choices of a convolution's side. Thesis: 1, 3, 5 (CIFAR-100, Tiny ImageNet: 2, 4, 7, 9, 11, 13).",
    )
    dropout_max: float = Field(
        default=0.5, ge=0, le=0.9, title="Largest dropout",
        description="A dropout behind a convolution drops up to this share. Thesis: 0.5.",
    )
    joins: tuple[Join, ...] = Field(
        default=("sum", "concat"), min_length=1, max_length=2, title="Joins",
        description="How a node takes several inputs: sum (residual; channels are made equal by 1x1 convolutions) or concatenation.",
    )
    dense_layers: int = Field(
        default=1, ge=0, le=4, title="Dense layers", description="Before the classifier. Thesis: 1 (CIFAR-100, Tiny ImageNet: 2)."
    )
    dense_min: int = Field(default=32, ge=1, le=4096, title="Fewest dense units", description="Of a dense layer. Thesis: 32.")
    dense_max: int = Field(
        default=256, ge=1, le=4096, title="Most dense units",
        description="Of a dense layer. Thesis: 256 (CIFAR-100, Tiny ImageNet: 128).",
    )
    blueprint_nodes: int = Field(
        default=4, ge=1, le=16, title="Nodes of a blueprint", description="At most; each is a module. A random one has 1 to 3."
    )
    module_nodes: int = Field(
        default=4, ge=1, le=16, title="Layers of a module", description="At most. A random one has 1 or 2."
    )
    picture_side: int = Field(
        default=0, ge=0, le=1024, title="Picture side",
        description="Pictures are averaged down to so many pixels a side before the first layer, inside the network; 0 = as they are. For "
        "searches that must be short.",
    )
    max_parameters: int = Field(
        default=2_000_000, ge=1_000, le=1_000_000_000, title="Most parameters",
        description="A larger network is not built: its trial fails with that reason.",
    )
    max_megaflops: float = Field(
        default=100.0, gt=0, le=1_000_000, title="Most MFLOPs",
        description="Of one forward pass over one example, in millions of operations (a multiplication and an addition are two). A network "
        "that needs more is not built: its trial fails with that reason.",
    )

    @model_validator(mode="after")
    def _ranges_are_ranges(self) -> BlueprintConfig:
        for name in ("filters", "dense"):
            least, most = getattr(self, f"{name}_min"), getattr(self, f"{name}_max")
            if least > most:
                raise ValueError(f"{name}_min ({least}) must not be larger than {name}_max ({most})")
        for name in ("kernels", "joins"):
            values = getattr(self, name)
            if len(set(values)) != len(values):
                raise ValueError(f"{name} names a choice twice")
        return self


# ---- layers


def random_layer(config: BlueprintConfig, rng: random.Random) -> Allele:
    """A layer, each setting uniformly."""
    return {name: _draw(config, name, rng) for name in LAYER_SETTINGS}


LAYER_SETTINGS = ("filters", "kernel", "behind", "rate", "join")
"""`rate` is the dropout's; it is carried along where nothing is dropped, as a gene that is not expressed."""


def _draw(config: BlueprintConfig, name: str, rng: random.Random) -> Any:
    if name == "filters":
        return rng.randint(config.filters_min, config.filters_max)
    if name == "kernel":
        return rng.choice(config.kernels)
    if name == "behind":
        return rng.choice(BEHIND)
    if name == "rate":
        return round(rng.uniform(0, config.dropout_max), 2)
    return rng.choice(config.joins)


STEP = 0.2
"""Standard deviation of a change of a width or a rate, as a share of its range (the paper perturbs real values by a Gaussian, too)."""


def changed_layer(layer: Allele, config: BlueprintConfig, rng: random.Random) -> Allele:
    """One expressed setting becomes another, where the space has another: filters and dropout by a Gaussian step, the rest drawn anew; else
    the layer as it is."""
    names = [name for name in LAYER_SETTINGS if name != "rate" or layer["behind"] == "dropout"]
    rng.shuffle(names)
    for name in names:
        for _ in range(20):
            if name == "filters":
                # A compressed layer may be narrower than the range: it need not jump back into it.
                value: Any = _stepped(layer[name], min(config.filters_min, layer[name]), config.filters_max, rng)
            elif name == "rate":
                value = round(min(max(rng.gauss(layer[name], STEP * config.dropout_max), 0.0), config.dropout_max), 2)
            else:
                value = _draw(config, name, rng)
            if value != layer[name]:
                return {**layer, name: value}
    return layer


def _stepped(value: int, least: int, most: int, rng: random.Random) -> int:
    """A whole number nearby, within the range."""
    return round(min(max(rng.gauss(value, STEP * (most - least)), least), most))


def layer_distance(config: BlueprintConfig, first: Allele, second: Allele) -> float:
    """How far two layers of a module are apart, 0 to 1: the mean over filters (by their share of the range), kernel, what stands behind,
    and join. A module's output has a join alone."""
    joins = float(first["join"] != second["join"])
    if "filters" not in first:
        return joins
    width = max(config.filters_max - config.filters_min, 1)
    parts: list[float] = [
        min(1.0, abs(first["filters"] - second["filters"]) / width), float(first["kernel"] != second["kernel"]),
        float(first["behind"] != second["behind"]), joins,
    ]
    return sum(parts) / len(parts)


def layer_problem(config: BlueprintConfig, layer: Any) -> str:
    """Why something is no layer of this space; empty if it is one. Widths below the range are those of a compressed network."""
    if not isinstance(layer, dict) or set(layer) != set(LAYER_SETTINGS):
        return f"a layer has {', '.join(LAYER_SETTINGS)}"
    if type(layer["filters"]) is not int or not 1 <= layer["filters"] <= config.filters_max:
        return f"filters is a whole number from 1 to {config.filters_max}, not {layer['filters']!r}"
    if layer["kernel"] not in config.kernels:
        return f"kernel is one of {', '.join(map(str, config.kernels))}, not {layer['kernel']!r}"
    if layer["behind"] not in BEHIND:
        return f"behind is one of {', '.join(BEHIND)}, not {layer['behind']!r}"
    if not isinstance(layer["rate"], int | float) or not 0 <= layer["rate"] <= config.dropout_max:
        return f"rate is a number from 0 to {config.dropout_max:g}, not {layer['rate']!r}"
    return join_problem(config, layer["join"])


def join_problem(config: BlueprintConfig, join: Any) -> str:
    return "" if join in config.joins else f"join is one of {', '.join(config.joins)}, not {join!r}"


# ---- heads


def random_head(config: BlueprintConfig, rng: random.Random) -> Allele:
    """What stands behind the last node: the widths of the dense layers, and how several inputs are joined."""
    dense = [rng.randint(config.dense_min, config.dense_max) for _ in range(config.dense_layers)]
    return {"dense": dense, "join": rng.choice(config.joins)}


def changed_head(head: Allele, config: BlueprintConfig, rng: random.Random) -> Allele:
    """One width moved by a Gaussian step, or the join drawn anew."""
    place = rng.randrange(len(head["dense"]) + 1)
    if place == len(head["dense"]):
        return {**head, "join": rng.choice(config.joins)}
    dense = list(head["dense"])
    dense[place] = _stepped(dense[place], config.dense_min, config.dense_max, rng)
    return {**head, "dense": dense}


def head_problem(config: BlueprintConfig, head: Any) -> str:
    """Why something is no head of this space; empty if it is one."""
    if not isinstance(head, dict) or set(head) != {"dense", "join"} or not isinstance(head["dense"], list):
        return "the output has dense (the widths of its dense layers) and join"
    if len(head["dense"]) != config.dense_layers:
        return f"the head has {config.dense_layers} dense layers, not {len(head['dense'])}"
    for width in head["dense"]:
        if type(width) is not int or not 1 <= width <= config.dense_max:
            return f"a dense layer has 1 to {config.dense_max} units, not {width!r}"
    return join_problem(config, head["join"])


def head_distance(config: BlueprintConfig, first: Allele, second: Allele) -> float:
    """How far two heads are apart, 0 to 1."""
    width = max(config.dense_max - config.dense_min, 1)
    parts: list[float] = [min(1.0, abs(a - b) / width) for a, b in zip(first["dense"], second["dense"], strict=True)]
    parts.append(float(first["join"] != second["join"]))
    return sum(parts) / len(parts)


def refuse(problem: str, where: str) -> None:
    """Raises BadInput(field "genome") where there is a problem."""
    if problem:
        raise BadInput("genome", f"{where}: {problem}")
