"""How the weights of a genome's edges change (Stanley & Miikkulainen 2002, section 3.1, and the settings of its section 4.1)."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from search_engine.spaces.genes.graph import GeneGraph, Link


@dataclass(frozen=True)
class WeightRates:
    """Probabilities and sizes. The defaults are those of neat-python's XOR example, but for `changed`, which is the paper's."""

    changed: float = 0.8
    """Probability that a child's weights change at all; then each of them changes."""
    drawn_anew: float = 0.1
    """Share of the changed weights that are drawn anew; the others move by a normal step."""
    step: float = 0.5
    """Standard deviation of such a step."""
    spread: float = 1.0
    """Standard deviation of a new weight around 0."""
    largest: float = 30.0
    """No weight is larger, in size."""

    def fresh(self, rng: random.Random) -> float:
        return self._bounded(rng.gauss(0.0, self.spread))

    def moved(self, weight: float, rng: random.Random) -> float:
        """The weight after one change."""
        return self.fresh(rng) if rng.random() < self.drawn_anew else self._bounded(weight + rng.gauss(0.0, self.step))

    def _bounded(self, weight: float) -> float:
        return min(max(weight, -self.largest), self.largest)


def changed_weights(genes: GeneGraph, rates: WeightRates, rng: random.Random) -> GeneGraph:
    """The genome with its weights changed, of disabled edges too, or, with probability 1 - `changed`, as it is.

    >>> from search_engine.spaces.genes.growing import direct, new_innovations
    >>> genes = direct(2, 1, lambda: 0.5, new_innovations(2, 1))
    >>> changed_weights(genes, WeightRates(changed=0.0), random.Random(0)) == genes
    True
    """
    if rng.random() >= rates.changed:
        return genes

    def other(link: Link) -> Link:
        return link if link.weight is None else replace(link, weight=rates.moved(link.weight, rng))

    return genes.with_links(other(link) for link in genes.links)
