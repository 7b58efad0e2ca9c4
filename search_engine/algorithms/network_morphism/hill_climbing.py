"""Neural architecture search by hill climbing (NASH).

Source: Elsken, Metzen, Hutter: Simple and efficient architecture search for convolutional neural networks, 2017 (arXiv:1711.04528),
algorithm 1. The seed network is trained. Then, step by step: children of the parent are made, the first of them the unchanged parent, the
others by several random morphisms each, so that every child computes what the parent computes; every child is trained on for a few epochs,
the learning rate falling from its start to its end each time (SGDR); the child with the best validation value becomes the parent, with its
weights, also where that is less than the parent had. The last parent is trained on.

Different from the paper: FLOPs are bounded beside parameters; a morphism that leads beyond is drawn again, a child has fewer morphisms
where no other is found, and where there is none at all it is not made. A step in which every child fails leaves the parent as it was.
"""

from __future__ import annotations

from ..base import Proposal, Result
from .search import MorphismSearch


class HillClimb(MorphismSearch):
    """One generation per step."""

    title = "Hill climbing by morphisms"
    scheduling = "generational"

    @property
    def horizon(self) -> int:
        return 1 + int(self.options.steps * self.options.children)

    def ask(self) -> list[Proposal]:
        if not self.asked:
            return [self.seed()]
        if self._current is None or self.step >= self.options.steps:
            return []
        self.step += 1
        parent = self._current
        network = self.network_of(parent)
        children = [self.child(parent, [], network)]
        for _ in range(self.options.children - 1):
            morphs, grown = self.space.morphed(network, self.options.morphs, self.context.rng)
            if morphs:
                children.append(self.child(parent, morphs, grown))
        return children

    def choose(self, results: list[Result]) -> None:
        """The best child, of equals the first: the unchanged parent before all."""
        # One that took another's result left no weights.
        completed = [result for result in results if result.ok and result.reused_from is None]
        if completed:
            best = max(completed, key=lambda result: (result.metrics[self.context.metric], -result.number))
            self.lineage.chosen.append(best.number)
        self.keep(set(self.lineage.chosen[-1:]))
