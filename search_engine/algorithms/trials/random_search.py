"""Random search without replacement up to isomorphism: the baseline that stands beside every claim.

Source: Bergstra and Bengio, "Random Search for Hyper-Parameter Optimization", JMLR 2012; as a NAS baseline, Li and Talwalkar, UAI 2019.
Each decision is drawn uniformly, which is not uniform over architectures where decisions are conditional or where many genomes are one
architecture: a rarely active decision is rarely tried, and an architecture that many genomes stand for comes up early.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from search_engine.base.growing import GrowingSet

from ..base import QUICK_TRIALS, AlgorithmEntry, Context, Phase, Proposal, Result, SteadyConfig
from .search import TrialSearch


class RandomConfig(SteadyConfig):
    """Hyper-parameters of random search."""

    max_rejections: int = Field(
        default=1000,
        ge=1,
        le=1_000_000,
        title="Rejections before giving up",
        description="Draws of already seen architectures in a row after which the space counts as exhausted.",
    )


class RandomSearch(TrialSearch[RandomConfig]):
    """Draw until the architecture is new; stop when that does not happen any more."""

    title = "Random search"
    state_version = 2
    keeps = ("seen",)
    shows_marginals = True

    def begin(self, context: Context, handover: dict[str, Any] | None) -> None:
        super().begin(context, handover)
        self.seen: GrowingSet[str] = GrowingSet()
        self.size = context.space.size()

    def ask(self) -> list[Proposal]:
        space, rng = self.context.space, self.context.rng
        for _ in range(self.options.max_rejections):
            genome = space.sample(rng)
            hash_ = space.hash(genome)
            if hash_ not in self.seen:
                self.seen.add(hash_)
                return [Proposal(genome, operator="random")]
        return []

    def figures(self, latest: Result) -> dict[str, float]:
        told = self.tally.told
        # Of the genomes: how many of them are one architecture, no space can say in general.
        coverage = {"coverage": told / self.size} if self.size else {}
        return {"distinct": float(told), **coverage}


def phases(config: RandomConfig) -> list[Phase]:
    return [RandomSearch()]


ENTRY = AlgorithmEntry(
    id="random",
    title="Random search",
    family="sampling",
    summary="Tries random architectures, each only once. Every other method has to beat it at the same budget.",
    source="Bergstra and Bengio, JMLR 2012; Li and Talwalkar, UAI 2019",
    needs=frozenset({"trials"}),
    space_needs=frozenset({"sample"}),
    config=RandomConfig,
    phases=phases,
    window=8,
    structure=("marginals",),
    quick=QUICK_TRIALS,
)
