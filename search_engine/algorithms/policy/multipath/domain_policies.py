"""The controllers of several data sets that are searched at once, each moved by its own data set's reward alone.

Wang et al. 2021 (multi-path NAS): one controller per data set. With `common` there is a single one for all of them, which is the control
that shows what the separate ones are worth: its loss is the mean over the data sets, collected before its one step.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch

from search_engine.base.checkpoint import copied
from search_engine.base.generators import derive_seed
from search_engine.spaces.decisions import Choices, DecisionList

from ..network import Controller
from ..reinforce import MovingBaseline, Reinforce
from .table import TablePolicy

PolicyKind = Literal["table", "lstm"]


@dataclass(frozen=True)
class PolicySettings:
    """How the controllers are made and moved (see the options of `multipath`)."""

    kind: PolicyKind
    learning_rate: float
    entropy_weight: float
    decay: float
    hidden: int


class BaselinePerDomain:
    """What the rewards of a batch of one path per data set are compared with: each with the average of its own data set."""

    def __init__(self, baselines: list[MovingBaseline]) -> None:
        self._baselines = baselines

    def before(self, rewards: Sequence[float]) -> list[float]:
        return [value for baseline, reward in zip(self._baselines, rewards, strict=True) for value in baseline.before([reward])]

    def state_dict(self) -> dict[str, Any]:
        return {"domains": [baseline.state_dict() for baseline in self._baselines]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for baseline, kept in zip(self._baselines, state["domains"], strict=True):
            baseline.load_state_dict(kept)


class DomainPolicies:
    """`count` data sets' policies over the same `decisions`; every data set has a reward baseline of its own in any case."""

    def __init__(self, decisions: DecisionList, count: int, settings: PolicySettings, seed: int, *, common: bool = False) -> None:
        self.baselines = [MovingBaseline(settings.decay) for _ in range(count)]
        self._parts = [slice(0, count)] if common else [slice(domain, domain + 1) for domain in range(count)]
        """The data sets of each controller."""
        self.learners = [
            Reinforce(
                _policy(decisions, settings, seed, number),
                settings.learning_rate,
                BaselinePerDomain(self.baselines[part]),
                entropy_weight=settings.entropy_weight,
            )
            for number, part in enumerate(self._parts)
        ]

    def policy(self, domain: int) -> Any:
        return self.learners[0 if len(self.learners) == 1 else domain].controller

    def sample(self, domain: int, rng: random.Random) -> Choices:
        """A path of data set `domain` from its policy."""
        drawn = self.policy(domain).sample(rng)
        return drawn if isinstance(drawn, tuple) else tuple(drawn.choices)

    def greedy(self, domain: int) -> Choices:
        """The most probable path of data set `domain`."""
        return tuple(self.policy(domain).greedy())

    def probabilities(self, domain: int) -> np.ndarray[Any, Any]:
        """(layers, modules): each layer's distribution, given the most probable choices before it."""
        return np.stack(self.policy(domain).probabilities())

    def update(self, paths: Sequence[Choices], rewards: Sequence[float]) -> list[tuple[float, float]]:
        """REINFORCE: one step of every controller on its data sets' paths and rewards (one of each per data set). Returns per data set
        (the baseline that its reward was compared with, its policy's entropy as a share of the uniform one's)."""
        updates = [learner.update(paths[part], rewards[part]) for learner, part in zip(self.learners, self._parts, strict=True)]
        return [(baseline, update.entropy_share) for update in updates for baseline in update.baselines]

    def state_dict(self) -> dict[str, Any]:
        return {"learners": [copied(learner.state_dict()) for learner in self.learners]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for learner, kept in zip(self.learners, state["learners"], strict=True):
            learner.load_state_dict(kept)


def _policy(decisions: DecisionList, settings: PolicySettings, seed: int, number: int) -> Any:
    if settings.kind == "table":
        return TablePolicy(decisions)
    generator = torch.Generator().manual_seed(derive_seed(seed, "controller", number))
    return Controller(decisions, hidden=settings.hidden, generator=generator)
