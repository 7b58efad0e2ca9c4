"""Neural architecture search with reinforcement learning: a controller proposes, REINFORCE moves it towards what validated well.

Source: Zoph and Le, "Neural Architecture Search with Reinforcement Learning", ICLR 2017 (arXiv:1611.01578), sections 3.1 to 3.3.

    repeat:  propose m architectures a_1 .. a_m, each a sequence of choices drawn from the policy pi of an LSTM
             R_k = (validation accuracy of a_k) ** power
             theta moves down  -(1/m) sum_k (R_k - b) log pi(a_k) - beta (1/m) sum_k H_k
             b <- decay b + (1 - decay) mean R             (b is used before it moves; the first b is the first mean)

Where the paper has hundreds of controller replicas and a parameter server, here is one controller; its children are independent trials.
*Generational*: the m proposals of one policy are open together, and told together. *Steady*: a window of trials is open all the time,
the policy moves after every m results in ask order, and a proposal that is stale by then is clipped or dropped. The paper's reward is the
cube of the best of the last five epochs' accuracies; a trial here answers for the epoch whose weights it keeps (with early stopping the
best one), and the cube is an option.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from search_engine.base.works_with import WorksWith, each, one_of
from search_engine.events import Notice
from search_engine.spaces.base import SearchSpace

from ..base import QUICK_TRIALS, AlgorithmEntry, Context, Phase, Proposal, Result
from ..trials.search import TrialSearch
from .options import PolicyConfig, controller_of
from .reinforce import Asked, MovingBaseline, OpenProposals, Reinforce, rewarded_trials
from .report import PolicyReport

if TYPE_CHECKING:
    from .network import Sampled

SETTLED_SHARE = 0.05
SETTLED_UPDATES = 5
"""A policy whose entropy was below 5 % of the uniform one's for five updates in a row proposes almost nothing new."""


class NasRlConfig(PolicyConfig):
    """Hyper-parameters of NAS-RL. The paper trains 12,800 children with learning rate 0.0006; the defaults suit about a hundred."""

    works_with: ClassVar[WorksWith] = each(("window", "stale", "stale_after"), {"scheduling": one_of("steady")})

    batch: int = Field(
        default=8, ge=1, le=1000, title="Batch", description="Trials whose rewards one update of the controller averages over (m)."
    )
    scheduling: Literal["generational", "steady"] = Field(
        default="generational",
        title="Scheduling",
        description="generational: a batch is proposed by one policy and waited for; steady: as many trials as the window are open all the "
        "time, and the policy moves after every batch of results.",
    )
    reward_power: int = Field(
        default=1, ge=1, le=3, title="Reward power", description="The reward is the validation score to this power: 3 in the paper."
    )
    failed: Literal["drop", "penalise"] = Field(
        default="drop",
        title="Failed trials",
        description="drop: a failed trial teaches nothing; penalise: it counts with reward 0.",
    )
    stop_settled: bool = Field(
        default=False,
        title="Stop when settled",
        description="End the search when the policy's entropy was below 5 % of the uniform policy's for five updates in a row.",
    )


class NasRl(TrialSearch[NasRlConfig]):
    """Sample a batch, hear its rewards, one policy-gradient step."""

    title = "NAS with reinforcement learning"
    scheduling: ClassVar[Literal["steady", "generational"]] = "generational"
    stop_reason = "settled"
    keeps = ("learner", "waiting", "batch", "settled")

    def begin(self, context: Context, handover: dict[str, Any] | None) -> None:
        super().begin(context, handover)
        options = self.options
        self.controller = controller_of(context.space.decisions, options, context.seed)
        self.learner = Reinforce(
            self.controller,
            options.learning_rate,
            MovingBaseline(options.baseline_decay),
            entropy_weight=options.entropy_weight,
            clip=options.gradient_clip,
        )
        self.report = PolicyReport(context, self.controller)
        self.report.declare()
        self.waiting = OpenProposals()
        self.batch = rewarded_trials()
        """Told since the last update, with their rewards."""
        self.settled = 0
        """Updates in a row after which the policy was nearly certain."""

    # ---- ask

    def ask(self) -> list[Proposal]:
        if self.options.stop_settled and self.settled >= SETTLED_UPDATES:
            return []
        return [self._proposal(sampled) for sampled in self.controller.sample_batch(self.context.rng, self.options.batch)]

    def _proposal(self, sampled: Sampled) -> Proposal:
        self.waiting.add(Asked(sampled.choices, sampled.drawn, sampled.log_prob, self.learner.version))
        return Proposal(self.context.space.genome_of(sampled.choices), operator="policy")

    # ---- tell

    def tell(self, results: list[Result]) -> None:
        for result in results:
            asked = self.waiting.take()
            self.count([result])
            reward = self._reward(result)
            if reward is not None:
                self.batch.append((asked, reward))
            if self.tally.told % self.options.batch == 0:
                self._update(asked)

    def _reward(self, result: Result) -> float | None:
        if not result.ok:
            return 0.0 if self.options.failed == "penalise" else None
        value = result.metrics[self.context.metric]
        return math.copysign(abs(value) ** self.options.reward_power, value)

    def _update(self, latest: Asked) -> None:
        options, told = self.options, list(self.batch)
        self.batch.clear()
        lag = max((self.learner.version - asked.version for asked, _ in told), default=0)
        update = self.learner.update_from(told, options.stale_after, options.stale) if told else None
        if update is None:
            return
        self.settled = self.settled + 1 if update.entropy_share < SETTLED_SHARE else 0
        if options.stop_settled and self.settled == SETTLED_UPDATES:
            message = f"the policy's entropy was below {SETTLED_SHARE:.0%} of the uniform policy's for {SETTLED_UPDATES} updates"
            self.context.emit(Notice(name="policy_settled", message=message, step=self.tally.told), self.tally.told)
        if self.pace.due(self.learner.version):
            values = {
                "baseline": update.baseline,
                "reward": update.reward,
                "advantage_std": update.advantage_std,
                "gradient_norm": update.gradient_norm,
                "lag": float(lag),
            }
            self.say(self.report.say(self.tally.told, latest.choices, values=values))


class SteadyNasRl(NasRl):
    """The same rule with a window of open trials instead of generations."""

    scheduling = "steady"

    def ask(self) -> list[Proposal]:
        if self.options.stop_settled and self.settled >= SETTLED_UPDATES:
            return []
        return [self._proposal(self.controller.sample(self.context.rng))]


def advise(options: NasRlConfig, space: SearchSpace[Any], trials: int | None) -> list[str]:
    """What to know before the start (`AlgorithmEntry.advice`)."""
    if trials is not None and trials < 3 * options.batch:
        return [
            f"{trials:,} trials are {trials // options.batch} updates of the controller: it learns next to nothing. Take a smaller batch "
            "or more trials."
        ]
    return []


def phases(config: NasRlConfig) -> list[Phase]:
    return [NasRl() if config.scheduling == "generational" else SteadyNasRl()]


ENTRY = AlgorithmEntry(
    id="nas_rl",
    title="NAS-RL",
    family="sampling",
    summary="An LSTM controller proposes architectures decision by decision and learns from their validation scores by REINFORCE.",
    source="Zoph and Le, ICLR 2017, arXiv:1611.01578",
    needs=frozenset({"trials"}),
    space_needs=frozenset({"decisions"}),
    objectives="shares",
    config=NasRlConfig,
    phases=phases,
    structure=("policy", "family"),
    advice="search_engine.algorithms.policy.nas_rl:advise",
    quick={**QUICK_TRIALS, "options": {"batch": 2, "hidden": 16}, "budget": {"trials": 4}},
)
