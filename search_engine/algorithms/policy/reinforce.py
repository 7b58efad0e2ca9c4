"""REINFORCE: a policy moves towards what was rewarded more than usual (Williams 1992; Zoph and Le 2017, section 3.2).

For a batch of m choice lists a_k, drawn from the policy pi, with rewards R_k

    A_k  = R_k - b                                                          (b as it was before this batch)
    loss = -(1/m) sum_k w_k A_k sum_t log pi(a_kt | a_k,<t) - beta (1/m) sum_k sum_t H_kt
    theta: one step of Adam down the loss, its gradient clipped by the norm
    b   <- decay b + (1 - decay) (1/m) sum_k R_k

where w_k = 1 but for trials that an older policy proposed (`weight`), and a method may add a penalty of its own to the loss.
Log-probabilities are recomputed from the choice lists at the update, so nothing but the choices needs to be kept while trials run.
Importing this page does not import torch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any, Literal, Protocol

from search_engine.base.growing import Records, View
from search_engine.base.lazy import lazy_module
from search_engine.spaces.decisions import Choices, DecisionList

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from .network import Controller
else:
    torch = lazy_module("torch")

Batch = Sequence[Sequence[int | None]]
"""Choice lists."""


# ---------------------------------------------------------------- what a reward is compared with


class Baseline(Protocol):
    """b of the rule above."""

    def before(self, rewards: Sequence[float]) -> list[float]:
        """What each reward of this batch is compared with; then the batch moves it."""
        ...

    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: dict[str, Any]) -> None: ...


class MovingBaseline:
    """b <- decay b + (1 - decay) mean(R), starting at the first batch's mean.

    Started at 0 instead, the first updates would all push what happened to be sampled, whatever it was worth.
    """

    def __init__(self, decay: float = 0.95) -> None:
        self.decay = decay
        self.value: float | None = None

    def before(self, rewards: Sequence[float]) -> list[float]:
        """The average without the batch itself, the first batch excepted; one for all."""
        mean = fmean(rewards)
        used = mean if self.value is None else self.value
        self.value = self.decay * used + (1 - self.decay) * mean
        return [used] * len(rewards)

    def state_dict(self) -> dict[str, Any]:
        return {"value": self.value}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.value = state["value"]


# ---------------------------------------------------------------- one gradient step


@dataclass(frozen=True)
class Update:
    """Numbers of one step."""

    entropy: float
    """Mean over the batch of the sequences' entropies, nats."""
    entropy_share: float
    """The same, as a share of the uniform policy's."""
    gradient_norm: float
    """Before clipping."""


class Learner:
    """Adam with clipping by the global norm. `version` counts the updates."""

    def __init__(self, controller: Controller, learning_rate: float, clip: float = 5.0) -> None:
        self.controller = controller
        self.clip = clip
        self.version = 0
        self._optimiser = torch.optim.Adam(controller.parameters(), lr=learning_rate)

    def step(self, loss: Tensor, entropies: Tensor, batch: Batch) -> Update:
        """Move the controller down `loss`; `entropies` (m,) belong to the choice lists of `batch`."""
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(self.controller.parameters(), self.clip)
        self._optimiser.step()
        self.version += 1
        entropy = float(entropies.detach().mean())
        uniform = sum(uniform_entropy(self.controller.decisions, choices) for choices in batch) / len(batch)
        return Update(entropy, entropy / uniform if uniform else 0.0, float(norm))

    def state_dict(self) -> dict[str, Any]:
        return {"controller": self.controller.state_dict(), "optimiser": self._optimiser.state_dict(), "version": self.version}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.controller.load_state_dict(state["controller"])
        self._optimiser.load_state_dict(state["optimiser"])
        self.version = state["version"]


def uniform_entropy(decisions: DecisionList, choices: Sequence[int | None]) -> float:
    """Entropy, in nats, of the uniform policy along a choice list: the sum of ln n over its active decisions."""
    return sum(math.log(len(decision.choices)) for decision, choice in zip(decisions, choices, strict=True) if choice is not None)


# ---------------------------------------------------------------- the update


def reinforce_loss(log_probs: Tensor, entropies: Tensor, advantages: Tensor, entropy_weight: float) -> Tensor:
    """The loss above; all tensors (m,), `advantages` = w (R - b) without gradient."""
    return -(advantages * log_probs).mean() - entropy_weight * entropies.mean()


@dataclass(frozen=True)
class ReinforceUpdate(Update):
    """One update: what was compared with what."""

    baselines: tuple[float, ...]
    """Per choice list, what its reward was compared with."""
    reward: float
    """Mean of the batch."""
    advantage_std: float
    penalty: float
    """The batch's, before its weight; 0 without one."""

    @property
    def baseline(self) -> float:
        """Where one serves the whole batch."""
        return self.baselines[0]


class Reinforce(Learner):
    """Moves a controller towards what was rewarded more than usual."""

    def __init__(
        self,
        controller: Controller,
        learning_rate: float,
        baseline: Baseline,
        *,
        entropy_weight: float = 0.0,
        clip: float = 5.0,
        penalty: Callable[[Batch], Tensor] | None = None,
        penalty_weight: float = 0.0,
    ) -> None:
        """`penalty` of a batch, a scalar with gradients, joins the loss `penalty_weight` times."""
        super().__init__(controller, learning_rate, clip)
        self.baseline = baseline
        self.entropy_weight = entropy_weight
        self.penalty = penalty
        self.penalty_weight = penalty_weight

    def update(
        self,
        batch: Batch,
        rewards: Sequence[float],
        *,
        only: Sequence[Sequence[int]] | None = None,
        weights: Sequence[float] | None = None,
    ) -> ReinforceUpdate:
        """One step on at least one choice list. `only`: per choice list the places that the policy drew itself. `weights`: factors of
        the advantages, for choice lists that an older policy proposed."""
        baselines = self.baseline.before(rewards)
        log_probs, entropies = self.controller.score(batch, only)
        advantages = log_probs.new_tensor([reward - baseline for reward, baseline in zip(rewards, baselines, strict=True)])
        scaled = advantages if weights is None else advantages * advantages.new_tensor(list(weights))
        loss = reinforce_loss(log_probs, entropies, scaled, self.entropy_weight)
        penalty = None if self.penalty is None else self.penalty(batch)
        if penalty is not None:
            loss = loss + self.penalty_weight * penalty
        return ReinforceUpdate(
            **vars(self.step(loss, entropies, batch)),
            baselines=tuple(baselines),
            reward=sum(rewards) / len(rewards),
            advantage_std=float(advantages.std(correction=0)),
            penalty=0.0 if penalty is None else float(penalty.detach()),
        )

    def update_from(self, told: Sequence[tuple[Asked, float]], stale_after: int, rule: StalenessRule) -> ReinforceUpdate | None:
        """One step on told proposals with their rewards, stale ones treated by `rule`; None (no step) if none of them counts."""
        lags = [self.version - asked.version for asked, _ in told]
        now = [asked.log_prob for asked, _ in told]
        if rule == "clip" and any(lag > stale_after for lag in lags):
            with torch.no_grad():
                now = self.controller.score([asked.choices for asked, _ in told], [asked.drawn for asked, _ in told])[0].tolist()
        weights = [
            weight(lag, stale_after, rule, log_prob, asked.log_prob) for (asked, _), lag, log_prob in zip(told, lags, now, strict=True)
        ]
        used = [(asked, reward, factor) for (asked, reward), factor in zip(told, weights, strict=True) if factor is not None]
        if not used:
            return None
        return self.update(
            [asked.choices for asked, _, _ in used],
            [reward for _, reward, _ in used],
            only=[asked.drawn for asked, _, _ in used],
            weights=[factor for _, _, factor in used],
        )

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "baseline": self.baseline.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        self.baseline.load_state_dict(state["baseline"])


# ---------------------------------------------------------------- trials that are open while the policy moves on

LARGEST_WEIGHT = 2.0
"""Of a stale trial that the policy now finds likelier."""

StalenessRule = Literal["drop", "clip"]


def weight(lag: int, most: int, rule: StalenessRule, log_prob_now: float, log_prob_then: float) -> float | None:
    """The factor of a trial's advantage; None = leave the trial out.

    The lag counts the policy's updates between the proposal and the update that uses it, so it follows from the order of asks and tells
    alone. Up to `most` updates a trial counts fully; a staler one is dropped, or weighted by how much likelier the policy now finds it,
    clipped (Espeholt et al. 2018, "IMPALA", section 4.1: truncated importance weights).
    """
    if lag <= most:
        return 1.0
    if rule == "drop":
        return None
    return math.exp(min(log_prob_now - log_prob_then, math.log(LARGEST_WEIGHT)))


@dataclass(frozen=True)
class Asked:
    """One proposal: its choices (a genome may stand for several choice lists, so they are kept) and the policy at that moment."""

    choices: Choices
    drawn: tuple[int, ...]
    """Places that the policy drew itself."""
    log_prob: float
    """Sum of log pi over `drawn`."""
    version: int
    """How many updates the policy had seen."""
    parent: Choices = ()
    """Choices of the parent, where some were copied from one."""

    def to_tree(self) -> list[Any]:
        return [list(self.choices), list(self.drawn), self.log_prob, self.version, list(self.parent)]

    @classmethod
    def from_tree(cls, tree: list[Any]) -> Asked:
        choices, drawn, log_prob, version, parent = tree
        return cls(tuple(choices), tuple(drawn), log_prob, version, tuple(parent))


class OpenProposals:
    """What the policy proposed and has not been told yet; first in, first out, as results are told in ask order."""

    def __init__(self) -> None:
        self._waiting: Records[Asked] = Records(Asked.to_tree, Asked.from_tree)

    def add(self, asked: Asked) -> None:
        self._waiting.append(asked)

    def take(self) -> Asked:
        """The proposal that the next result belongs to."""
        return self._waiting.popleft()

    def state_dict(self) -> View[Asked]:
        return self._waiting.state_dict()

    def load_state_dict(self, state: Any) -> None:
        self._waiting.load_state_dict(state)


def rewarded_trials() -> Records[tuple[Asked, float]]:
    """An empty row of told proposals with their rewards, as a checkpoint keeps it."""
    return Records(lambda pair: [pair[0].to_tree(), pair[1]], lambda tree: (Asked.from_tree(tree[0]), tree[1]))
