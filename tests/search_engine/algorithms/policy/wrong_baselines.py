"""Baselines that REINFORCE must not have, for mutants: each in the moving one's place."""

from __future__ import annotations

from collections.abc import Sequence

from search_engine.algorithms.policy.reinforce import MovingBaseline


class NoBaseline(MovingBaseline):
    """Pushes whatever was sampled, by its reward. It still moves, so that it can be reported."""

    def before(self, rewards: Sequence[float]) -> list[float]:
        super().before(rewards)
        return [0.0] * len(rewards)


class ConstantBaseline(MovingBaseline):
    """Above what any batch reaches for long: nearly everything is pushed down."""

    def before(self, rewards: Sequence[float]) -> list[float]:
        return [1.0] * len(rewards)
