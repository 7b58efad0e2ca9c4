"""Which weights a unit stands for: the places of features, neurons and single weights in a model's weight vector.

feature: a linear model; a unit is all weights from one feature. neuron: one hidden layer; a unit is a hidden neuron with everything that
comes into it and goes out of it. weight: the same network; every weight between two nodes is a unit. Biases always remain.
"""

from __future__ import annotations

from functools import cached_property
from typing import Literal

import numpy as np

from search_engine.datasets.base import Array
from search_engine.spaces.data_shape import DataShape

from .rule import Units

UnitKind = Literal["feature", "neuron", "weight"]


class Layout:
    """The weight vector is that of `evidence.models`: linear (1 + d, K) with the constant first, or V (d, H), b (H), U (H, K), c (K)."""

    def __init__(self, unit: UnitKind, shape: DataShape, hidden: int, names: tuple[str, ...] = ()) -> None:
        """`hidden` counts the neurons that there may be; `names` those of the features."""
        self.unit = unit
        self.inputs, self.outputs = shape.input[0], shape.classes
        self.regression = shape.task == "regression"
        self.hidden = 0 if unit == "feature" else hidden
        self.names = names or tuple(f"x{place}" for place in range(self.inputs))
        self.free_outputs = self.outputs if self.regression else self.outputs - 1
        """Outputs with weights of their own: of K classes the last one's logit stays 0."""

    @property
    def linear(self) -> bool:
        return self.hidden == 0

    @cached_property
    def edges(self) -> list[tuple[str, str, int]]:
        """(source, target, place in the weight vector) of every weight between two nodes, named x<i>, h<i>, y<i>."""
        d, h, k = self.inputs, self.hidden, self.outputs
        free = range(self.free_outputs)
        if self.linear:
            return [(f"x{i}", f"y{o}", (1 + i) * k + o) for i in range(d) for o in free]
        into = [(f"x{i}", f"h{j}", i * h + j) for i in range(d) for j in range(h)]
        return into + [(f"h{j}", f"y{o}", d * h + h + j * k + o) for j in range(h) for o in free]

    @cached_property
    def parameters(self) -> int:
        """Length of the weight vector."""
        if self.linear:
            return (1 + self.inputs) * self.outputs
        return (self.inputs + 1) * self.hidden + (self.hidden + 1) * self.outputs

    @cached_property
    def places(self) -> list[list[int]]:
        """Per unit the weights that come and go with it."""
        if self.unit == "weight":
            return [[place] for _, _, place in self.edges]
        if self.unit == "feature":
            return [[place for source, _, place in self.edges if source == f"x{unit}"] for unit in range(self.inputs)]
        own = [[place for source, target, place in self.edges if f"h{unit}" in (source, target)] for unit in range(self.hidden)]
        return [[*places, self._hidden_bias(unit)] for unit, places in enumerate(own)]

    @cached_property
    def judged(self) -> list[list[int]]:
        """Per unit the weights whose loss is its saliency: of a neuron those that go out, because without them it says nothing."""
        if self.unit != "neuron":
            return self.places
        return [[place for source, _, place in self.edges if source == f"h{unit}"] for unit in range(self.hidden)]

    @cached_property
    def fixed(self) -> list[int]:
        """Weights that are always free: biases of the outputs and, where single weights are the units, of the hidden neurons."""
        first = 0 if self.linear else self.parameters - self.outputs
        biases = [first + output for output in range(self.free_outputs)]
        if self.unit == "weight":
            biases += [self._hidden_bias(unit) for unit in range(self.hidden)]
        return biases

    def _hidden_bias(self, unit: int) -> int:
        return self.inputs * self.hidden + unit

    @property
    def units(self) -> int:
        return len(self.places)

    def free(self, active: Units) -> Array:
        """(A,) places of the weights that a set leaves free, in order."""
        chosen = {place for unit in active for place in self.places[unit]} | set(self.fixed)
        return np.array(sorted(chosen), dtype=np.int64)

    def active_edges(self, active: Units) -> list[tuple[str, str]]:
        """The weights between nodes that a set leaves free, as (source, target)."""
        free = set(self.free(active).tolist())
        return [(source, target) for source, target, place in self.edges if place in free]

    def title(self, unit: int) -> str:
        """What a unit is called."""
        if self.unit == "feature":
            return self.names[unit]
        if self.unit == "neuron":
            return f"neuron {unit}"
        source, target, _ = self.edges[unit]
        return f"weight {self.node_title(source)} -> {self.node_title(target)}"

    def node_title(self, node: str) -> str:
        number = int(node[1:])
        if node[0] == "x":
            return self.names[number]
        if node[0] == "h":
            return f"tanh {number}"
        return f"class {number}" if not self.regression else "y" if self.outputs == 1 else f"y{number}"
