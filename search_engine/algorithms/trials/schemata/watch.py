"""The account of one generation after another: what each schema's count was, its bound, and what came of it.

>>> SchemataConfig().schemata, SchemataConfig(schemata=40).schemata
(0, 40)
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import Field

from search_engine.base.generators import derive_seed
from search_engine.events import SchemataCurve, SchemataPart, encode_floats

from ...base import AlgorithmConfig
from ..pace import FramePace
from .choosing import MOST, chosen
from .redraws import REDRAWS, Draw, ensemble
from .schema import Array, Genes, Locus, Matcher, Schema
from .selecting import positive

LINES = 240
"""Points of a cumulative curve at most; beyond that every second one is let go."""


class SchemataConfig(AlgorithmConfig):
    """What every search has whose population's schemata can be followed."""

    schemata: int = Field(
        default=0, ge=0, le=MOST, title="Schemata",
        description="So many schemata are followed at most, those of order 1 first, then of orders 2 and 3 around the champion: how many "
        "individuals match each, beside the bound of the schema theorem. It changes nothing of the search; 0 = none.",
    )


@dataclass(frozen=True)
class Outlook:
    """What is expected of a generation at its beginning, of the population as it stands: of each schema how many of those who match leave,
    and what a child is drawn by."""

    births: int
    removed: Array
    kept: Array
    """(schemata,) sum over births of the probability that a parent matches and its child still does: the bound's S(h) (1 - p)."""
    children: Draw
    blind: Draw
    """The same, of parents drawn evenly."""
    blind_removed: Array
    """Who of those who match leave, were nobody kept for their fitness."""


class Watch:
    """Schemata of one population, generation by generation: `begin`, a `charge` for every birth, `close`."""

    def __init__(self, most: int, seed: int, metric: str, name: str, title: str, text: Callable[[Locus, Any], str]) -> None:
        """`text`: a fixed locus in words. `seed` makes the redraws' own generators; the search's is never touched."""
        self.most, self.seed, self.metric, self.name, self.title, self.text = most, seed, metric, name, title, text
        self.pace = FramePace()
        self._follow([])
        self.generation = 0
        """Generations closed, or gone by."""
        self.births = 0
        """Of the generation under way."""
        self._before: dict[str, Any] = {}
        """What its beginning is said by: base64 arrays and numbers."""
        none = np.zeros(0)
        self.count, self.bound, self.selected, self.kept = none, none, none, none
        self._totals: dict[str, list[float]] = {}
        """By order: counts and bounds, summed over all generations so far."""
        self._curves: dict[str, list[list[float]]] = {}
        """By order: [generation, log of the ratio of these sums]."""

    def _follow(self, schemata: list[Schema]) -> None:
        self.schemata, self.matches = schemata, Matcher(schemata)

    # ---- one generation

    def choose(self, genes: Sequence[Genes], values: Sequence[float | None], leader: int) -> None:
        """What is followed from here on, and where it stands. `values`: the fitness of each place, None where there is none."""
        fitness = np.array([math.nan if value is None else value for value in values])
        self._follow(chosen(genes, fitness, leader, self.most))
        there = np.array([self.matches(each) for each in genes])
        self.count = there.sum(axis=0)
        self.bound = self.count.copy()
        self.selected, self.kept = np.zeros(len(self.schemata)), np.zeros(len(self.schemata))
        self.births = 0
        known = np.isfinite(fitness)
        scored = there[known].sum(axis=0)
        means = _ratio(fitness[known] @ there[known], scored)
        made, how = positive(fitness[known], self.metric) if known.any() else (None, "nobody has been scored")
        ratio = np.full(len(self.schemata), math.nan) if made is None else _ratio(made @ there[known], scored) / made.mean()
        self._before = {
            "population": len(genes), "count": encode_floats(self.count), "fitness": encode_floats(means), "ratio": encode_floats(ratio),
            "transform": how, "mean_fitness": float(fitness[known].mean()) if known.any() else None,
        }

    @property
    def due(self) -> bool:
        """Whether the generation under way is said when it closes, so that its redraws are wanted at its beginning."""
        return self.pace.due(self.generation + 1)

    def skip(self) -> None:
        """A generation goes by that is not looked at."""
        self.generation += 1

    def redraw(self, outlook: Outlook) -> None:
        """The generation that begins, over and over."""
        means = {}
        for name, draw, removed in (("redrawn", outlook.children, outlook.removed), ("blind", outlook.blind, outlook.blind_removed)):
            rng = random.Random(derive_seed(self.seed, "schemata", self.name, name, self.generation))
            found = ensemble(self.matches, draw, outlook.births, rng)
            means[name] = encode_floats(self.count - removed + found.mean)
            if name == "redrawn":
                means["error"] = encode_floats(found.error)
        self._before |= {**means, "expected": encode_floats(self.count - outlook.removed + outlook.kept), "redraws": REDRAWS}

    def charge(self, selected: Array, kept: Array, removed: Array, births: int = 1) -> None:
        """Births that happened: the sums over them of the probability that a parent matches (S), and still the child of one that does
        (S (1 - p)); those that match and left."""
        self.births += births
        self.selected += selected
        self.kept += kept
        self.bound += kept - removed

    def close(self, genes: Sequence[Genes]) -> SchemataPart | None:
        """The generation is complete; what is said of it, where it is due."""
        after = np.sum([self.matches(each) for each in genes], axis=0)
        said = self.due
        self.generation += 1
        orders = np.array([schema.order for schema in self.schemata])
        for order in (1, 2, 3):
            of = orders == order
            if not of.any():
                continue
            sums = self._totals.setdefault(str(order), [0.0, 0.0])
            sums[0] += float(after[of].sum())
            # A bound below zero says nothing: a count is at least 0.
            sums[1] += float(np.maximum(self.bound[of], 0).sum())
            if sums[0] > 0 and sums[1] > 0:
                curve = self._curves.setdefault(str(order), [])
                curve.append([float(self.generation), math.log(sums[0] / sums[1])])
                if len(curve) > LINES:
                    del curve[-3::-2]
        if not said:
            return None
        lost = 1 - _ratio(self.kept, self.selected)
        return SchemataPart(
            name=self.name, title=self.title, generation=self.generation, births=self.births,
            schemata=[self._words(each) for each in self.schemata],
            orders=[schema.order for schema in self.schemata], selected=encode_floats(self.selected / max(self.births, 1)),
            lost=encode_floats(lost), bound=encode_floats(np.maximum(self.bound, 0)), following=encode_floats(after),
            curves=[_curve(int(order), points) for order, points in sorted(self._curves.items())], **self._before,
        )

    def _words(self, schema: Schema) -> str:
        return ", ".join(self.text(locus, allele) for locus, allele in schema.fixed)

    # ---- state

    def state_dict(self) -> dict[str, Any]:
        return {
            "schemata": [schema.to_tree() for schema in self.schemata], "generation": self.generation, "births": self.births,
            "before": dict(self._before), "count": self.count.tolist(), "bound": self.bound.tolist(), "selected": self.selected.tolist(),
            "kept": self.kept.tolist(), "totals": {order: list(sums) for order, sums in self._totals.items()},
            "curves": {order: [list(point) for point in points] for order, points in self._curves.items()},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._follow([Schema.from_tree(tree) for tree in state["schemata"]])
        self.generation, self.births, self._before = state["generation"], state["births"], dict(state["before"])
        for name in ("count", "bound", "selected", "kept"):
            setattr(self, name, np.array(state[name], dtype=np.float64))
        self._totals = {order: list(sums) for order, sums in state["totals"].items()}
        self._curves = {order: [list(point) for point in points] for order, points in state["curves"].items()}


def _curve(order: int, points: Sequence[Sequence[float]]) -> SchemataCurve:
    generations, ratios = zip(*points, strict=True)
    return SchemataCurve(order=order, generations=encode_floats(generations), ratios=encode_floats(ratios))


def _ratio(sums: Array, counts: Array) -> Array:
    """NaN where there is nothing to divide by."""
    found: Array = np.where(counts > 0, sums / np.where(counts > 0, counts, 1), math.nan)
    return found
