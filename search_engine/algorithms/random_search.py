"""Random search without replacement up to isomorphism: the baseline that stands beside every claim.

Source: Bergstra and Bengio, "Random Search for Hyper-Parameter Optimization", JMLR 2012; as a NAS baseline, Li and Talwalkar, UAI 2019.
Each decision is drawn uniformly, which is not uniform over architectures where decisions are conditional or where many genomes are one
architecture: a rarely active decision is rarely tried, and an architecture that many genomes stand for comes up early.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from ..spaces.decision_infos import declare
from ..trials.pace import FramePace
from ..trials.ranking import Ranking
from ..trials.trial_tally import Marginals, TrialTally
from .base import QUICK_TRIALS, AlgorithmEntry, Finalist, Phase, Proposal, Result, SteadyConfig, TrialPhase


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
    state_version = 2

    def begin(self, context: Any, handover: dict[str, Any] | None) -> None:
        super().begin(context, handover)
        self.seen: set[str] = set()
        self.size = context.space.size()
        self.pace = FramePace()
        self.tally = TrialTally()
        self.marginals = Marginals(context.space, context.metric) if "decisions" in context.space.offers else None
        self.ranking = Ranking(context.metric)
        if self.marginals is not None:
            context.emit(declare(context.space), 0)

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
            self.tally.add(result)
            self.ranking.add(result, self.context.space.hash(result.genome))
            if self.marginals is not None:
                self.marginals.add(result)
            if self.pace.due(self.tally.told):
                self._report()

    def _report(self) -> None:
        told = self.tally.told
        # Of the genomes: how many of them are one architecture, no space can say in general.
        coverage = {"coverage": told / self.size} if self.size else {}
        self.context.emit(self.tally.metrics({"distinct": float(told), **coverage}), told)
        if self.marginals is not None:
            self.context.emit(self.marginals.frame(told), told)

    def best(self) -> list[Finalist]:
        return self.ranking.finalists()

    def state_dict(self) -> dict[str, Any]:
        return {
            "seen": sorted(self.seen),
            "tally": self.tally.state_dict(),
            "marginals": self.marginals.state_dict() if self.marginals is not None else None,
            "ranking": self.ranking.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.seen = set(state["seen"])
        self.tally.load_state_dict(state["tally"])
        if self.marginals is not None:
            self.marginals.load_state_dict(state["marginals"])
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
    structure=("marginals",),
    quick=QUICK_TRIALS,
)
