"""REINFORCE with a moving baseline and an entropy bonus (Williams 1992; Zoph and Le 2017, section 3.2).

For a batch of m choice lists a_k with rewards R_k

    loss = -(1/m) sum_k (R_k - b) sum_t log pi(a_kt | a_k,<t) - beta (1/m) sum_k sum_t H_kt

Log-probabilities are recomputed from the choice lists at the update, so nothing but the choices needs to be kept while trials run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .asked import Asked
from .baseline import MovingBaseline
from .learner import Learner, Update
from .network import Controller
from .staleness import StalenessRule, weight


def reinforce_loss(log_probs: Tensor, entropies: Tensor, advantages: Tensor, entropy_weight: float) -> Tensor:
    """The loss above; all arguments (m,), `advantages` = R - b without gradient."""
    return -(advantages * log_probs).mean() - entropy_weight * entropies.mean()


@dataclass(frozen=True)
class ReinforceUpdate(Update):
    """One update: what was compared with what."""

    baseline: float
    """The baseline that the rewards were compared with (before it moved)."""
    reward: float
    """Mean of the batch."""
    advantage_std: float


class Reinforce(Learner):
    """Moves a controller towards what was rewarded more than usual."""

    def __init__(
        self, controller: Controller, learning_rate: float, *, decay: float = 0.95, entropy_weight: float = 0.0, clip: float = 5.0
    ) -> None:
        super().__init__(controller, learning_rate, clip)
        self.baseline = MovingBaseline(decay)
        self.entropy_weight = entropy_weight

    def update(
        self,
        batch: Sequence[Sequence[int | None]],
        rewards: Sequence[float],
        *,
        only: Sequence[Sequence[int]] | None = None,
        weights: Sequence[float] | None = None,
    ) -> ReinforceUpdate:
        """One step on at least one choice list. `only`: per choice list the places that the policy drew itself. `weights`: factors of
        the advantages, for choice lists that an older policy proposed (`staleness`)."""
        baseline = self.baseline.before(rewards)
        log_probs, entropies = self.controller.score(batch, only)
        advantages = torch.tensor(rewards, dtype=log_probs.dtype, device=log_probs.device) - baseline
        scaled = advantages if weights is None else advantages * advantages.new_tensor(list(weights))
        update = self.step(reinforce_loss(log_probs, entropies, scaled, self.entropy_weight), entropies, batch)
        return ReinforceUpdate(
            **vars(update), baseline=baseline, reward=sum(rewards) / len(rewards), advantage_std=float(advantages.std(correction=0))
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
