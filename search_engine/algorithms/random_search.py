"""Random search without replacement up to isomorphism: the baseline that stands beside every claim.

Source: Bergstra and Bengio, "Random Search for Hyper-Parameter Optimization", JMLR 2012; as a NAS baseline, Li and Talwalkar, UAI 2019.
Each decision is drawn uniformly, which is not uniform over architectures where decisions are conditional or where many genomes are one
architecture.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from .base import QUICK_TRIALS, AlgorithmEntry, Finalist, Phase, Proposal, Result, SteadyConfig, TrialPhase
from .ranking import Ranking


class RandomConfig(SteadyConfig):
    """Hyper-parameters of random search."""

    max_rejections: int = Field(
        default=1000,
        ge=1,
        le=1_000_000,
        title="Rejections before giving up",
        description="Draws of already seen architectures in a row after which the space counts as exhausted.",
    )


class RandomSearch(TrialPhase):
    """Draw until the architecture is new; stop when that does not happen any more."""

    title = "Random search"

    def begin(self, context: Any, handover: dict[str, Any] | None) -> None:
        super().begin(context, handover)
        self.seen: set[str] = set()
        self.ranking = Ranking(context.metric)

    def ask(self) -> list[Proposal]:
        space, rng = self.context.space, self.context.rng
        for _ in range(self.context.options.max_rejections):
            genome = space.sample(rng)
            hash_ = space.hash(genome)
            if hash_ not in self.seen:
                self.seen.add(hash_)
                return [Proposal(genome, operator="random")]
        return []

    def tell(self, results: list[Result]) -> None:
        for result in results:
            self.ranking.add(result, self.context.space.hash(result.genome))

    def best(self) -> list[Finalist]:
        return self.ranking.finalists()

    def state_dict(self) -> dict[str, Any]:
        return {"seen": sorted(self.seen), "ranking": self.ranking.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.seen = set(state["seen"])
        self.ranking.load_state_dict(state["ranking"])


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
    structure="population",
    quick=QUICK_TRIALS,
)
