"""The gradient of an expected objective over Bernoulli blocks, against the enumeration of all 64 draws of six blocks."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from search_engine.algorithms.budgeted_supernet import estimator

BLOCKS = 6
ALL = torch.tensor(list(itertools.product((False, True), repeat=BLOCKS)))


def problem(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits (6,) and an objective for each of the 64 draws, around a mean far from 0 as losses are."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(BLOCKS, generator=generator), 2.0 + torch.randn(len(ALL), generator=generator)


def exact_gradient(logits: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
    leaf = logits.clone().requires_grad_(True)
    chances = leaf.sigmoid()
    probability = torch.where(ALL, chances, 1 - chances).prod(dim=1)
    (gradient,) = torch.autograd.grad((probability * table).sum(), leaf)
    return gradient


def objective_of(draws: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
    places = (draws.long() * 2 ** torch.arange(BLOCKS - 1, -1, -1)).sum(dim=1)
    return table[places]


def relative_error(seed: int, examples: int, rule: str = "ours") -> float:
    logits, table = problem(seed)
    draws = estimator.draw(logits, examples, torch.Generator().manual_seed(1000 + seed))
    objective = objective_of(draws, table)
    found = estimator.logits_gradient(logits, draws, objective)
    scores = draws.float() - logits.sigmoid()
    if rule == "no baseline":
        found = (objective[:, None] * scores).mean(dim=0)
    elif rule == "sign":
        found = -found
    elif rule == "sum":
        found = found * examples
    truth = exact_gradient(logits, table)
    return float((found - truth).norm() / truth.norm())


def test_the_estimate_agrees_with_enumeration() -> None:
    errors = [relative_error(seed, 65_536) for seed in range(5)]
    assert max(errors) < 0.05, errors


@pytest.mark.parametrize("rule", ["sign", "sum"])
def test_a_wrong_sign_and_a_sum_over_the_batch_are_seen(rule: str) -> None:
    assert min(relative_error(seed, 65_536, rule) for seed in range(5)) > 1.5


def test_the_baseline_lowers_the_variance() -> None:
    """At small batches the estimate without the batch's mean is several times as far off."""
    with_baseline, without = (
        np.mean([relative_error(seed, 256, rule) for seed in range(20)]) for rule in ("ours", "no baseline")
    )
    assert without > 1.5 * with_baseline


def test_the_estimate_by_hand() -> None:
    """Two examples, two blocks: mean of (J - mean J)(H - p)."""
    logits = torch.tensor([0.0, math.log(3.0)])
    draws = torch.tensor([[True, False], [False, True]])
    found = estimator.logits_gradient(logits, draws, torch.tensor([1.0, 3.0]))
    assert torch.allclose(found, torch.tensor([(-1 * 0.5 + 1 * -0.5) / 2, (-1 * -0.75 + 1 * 0.25) / 2]))


def test_draws_follow_the_probabilities_and_differ_between_examples() -> None:
    logits = torch.tensor([-2.0, 0.0, 3.0, float("inf")])
    draws = estimator.draw(logits, 20_000, torch.Generator().manual_seed(0))
    assert torch.allclose(draws.float().mean(dim=0), logits.sigmoid(), atol=0.012)
    assert draws[:, 3].all() and estimator.logits_gradient(logits, draws, torch.randn(20_000))[3] == 0


def test_losses_of_examples_mean_to_the_tasks_loss() -> None:
    from search_engine.training.criterion import mean_loss

    outputs, targets, classes = torch.randn(5, 3), torch.randn(5, 3), torch.tensor([0, 2, 1, 1, 0])
    for task, right in (("classification", classes), ("regression", targets)):
        each = estimator.example_losses(task, outputs, right)
        assert each.shape == (5,) and torch.allclose(each.mean(), mean_loss(task, outputs, right))
