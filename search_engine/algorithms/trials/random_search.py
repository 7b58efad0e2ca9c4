"""Random search without replacement up to isomorphism, to the last architecture of a space that can be counted.

Source: Bergstra and Bengio, "Random Search for Hyper-Parameter Optimization", JMLR 2012; as a NAS baseline, Li and Talwalkar, UAI 2019.
Each decision is drawn uniformly, which is not uniform over architectures where decisions are conditional or where many genomes are one
architecture: a rarely active decision is rarely tried, and an architecture that many genomes stand for comes up early. What drawing hardly
finds any more is walked through (`unseen`).
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from search_engine.base.growing import GrowingSet

from ..base import NEVER_TWICE, QUICK_TRIALS, AlgorithmEntry, Context, Phase, Proposal, Result, SteadyConfig
from .search import TrialSearch
from .unseen import WALKED, Unseen


class RandomConfig(SteadyConfig):
    """Hyper-parameters of random search."""

    max_rejections: int = Field(
        default=1000,
        ge=1,
        le=1_000_000,
        title="Draws in vain",
        description="After so many draws in a row of architectures that were tried already, the rest of the space is walked through in a "
        f"random order, to the last one, where it has at most {WALKED:,} genomes that can be listed; in others the search ends.",
    )


class RandomSearch(TrialSearch[RandomConfig]):
    """Draw until the architecture is new; then walk through those that are left."""

    title = "Random search"
    state_version = 3
    keeps = ("seen", "unseen")
    shows_marginals = True

    def begin(self, context: Context, handover: dict[str, Any] | None) -> None:
        super().begin(context, handover)
        self.seen: GrowingSet[str] = GrowingSet()
        self.unseen = Unseen(context.space, context.space.sample, context.seed, self.options.max_rejections)
        self.size = context.space.size()

    def ask(self) -> list[Proposal]:
        found = self.unseen.next(self.context.rng, self.seen.__contains__)
        if found is None:
            self.stop_reason = self.unseen.stop_reason
            return []
        genome, hash_ = found
        self.seen.add(hash_)
        return [Proposal(genome, operator="random")]

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
    summary="Tries random architectures, each only once. What another method adds is what it finds beyond this one at an equal budget, "
    "over several seeds.",
    source="Bergstra and Bengio, JMLR 2012; Li and Talwalkar, UAI 2019",
    needs=frozenset({"trials"}),
    space_needs=frozenset({"sample"}),
    config=RandomConfig,
    phases=phases,
    window=8,
    idle=(NEVER_TWICE,),
    structure=("plane", "marginals"),
    quick=QUICK_TRIALS,
)
