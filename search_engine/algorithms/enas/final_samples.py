"""The paths that a weight-sharing search ends with: samples of its policy, and as many uniformly random ones beside them. Torch-free."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from search_engine.base.generators import derive_seed
from search_engine.spaces.base import SearchSpace
from search_engine.spaces.genomes import Genome

if TYPE_CHECKING:
    from ..policy.network import Controller

Ranked = list[tuple[Genome, float]]
"""(genome, accuracy with the shared weights), best first, of equals the earlier drawn; each architecture once."""


class FinalSamples:
    """`count` samples of the policy, then `count` random genomes, ranked in that order.

    They are drawn when first asked for, from generators of their own, so that drawing them again after a reload gives the same: by then
    the policy does not move any more.
    """

    def __init__(self, space: SearchSpace[Any], controller: Controller, count: int, seed: int) -> None:
        self._space, self._controller, self._count, self._seed = space, controller, count, seed
        self._values: list[float] = []
        self._examples = 0

    @property
    def total(self) -> int:
        return 2 * self._count

    @cached_property
    def genomes(self) -> list[Genome]:
        """The policy's, then the random ones."""
        policy = self._controller.sample_batch(random.Random(derive_seed(self._seed, "final samples")), self._count)
        rng = random.Random(derive_seed(self._seed, "random paths"))
        chance = [self._space.decisions.sample(rng) for _ in range(self._count)]
        return [self._space.genome_of(choices) for choices in [*(sampled.choices for sampled in policy), *chance]]

    @property
    def complete(self) -> bool:
        return len(self._values) == self.total

    @property
    def next(self) -> Genome:
        """The first that is not ranked."""
        return self.genomes[len(self._values)]

    def known(self, genome: Genome) -> float | None:
        """What an equal architecture among the ranked ones has."""
        wanted = self._space.hash(genome)
        hashes = (self._space.hash(earlier) for earlier in self.genomes[: len(self._values)])
        return next((value for hash_, value in zip(hashes, self._values, strict=True) if hash_ == wanted), None)

    def add(self, value: float, examples: int) -> None:
        """The accuracy of `next` on so many examples."""
        self._values.append(value)
        self._examples = examples

    def fill(self, accuracy: Callable[[Genome], float], examples: int) -> None:
        """Rank all of them anew: accuracies on other examples than before would not compare."""
        self._values = [accuracy(genome) for genome in self.genomes]
        self._examples = examples

    def from_policy(self) -> Ranked:
        return self._sorted(0, self._count)

    def from_chance(self) -> Ranked:
        return self._sorted(self._count, self.total)

    def _sorted(self, first: int, last: int) -> Ranked:
        unique: dict[str, tuple[Genome, float]] = {}
        for genome, value in zip(self.genomes[first:last], self._values[first:last], strict=True):
            unique.setdefault(self._space.hash(genome), (genome, value))
        return sorted(unique.values(), key=lambda entry: -entry[1])

    def figures(self) -> dict[str, float]:
        """Both groups' best and mean accuracies."""
        policy, chance = self._values[: self._count], self._values[self._count :]
        return {
            "policy_max": max(policy), "policy_mean": sum(policy) / len(policy),
            "random_max": max(chance), "random_mean": sum(chance) / len(chance),
            "samples": float(self._count), "examples": float(self._examples),
        }

    def state_dict(self) -> dict[str, Any]:
        return {"values": list(self._values), "examples": self._examples}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._values = list(state["values"])
        self._examples = state["examples"]
