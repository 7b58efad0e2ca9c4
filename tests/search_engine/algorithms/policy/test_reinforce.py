"""How a controller learns: exact gradients of REINFORCE and of priority-queue training, and the planted bandit (12 seeds)."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from statistics import fmean

import pytest
import torch

from search_engine.algorithms.policy.network import Controller
from search_engine.algorithms.policy.priority_queue import PriorityQueue, PriorityQueueTraining
from search_engine.algorithms.policy.reinforce import Asked, Batch, MovingBaseline, Reinforce, reinforce_loss, uniform_entropy, weight
from search_engine.spaces.decisions import Choices, Decision, DecisionList
from tests.search_engine.algorithms.policy.wrong_baselines import ConstantBaseline, NoBaseline

COIN = DecisionList([Decision("coin", "", "coin", ("heads", "tails"))])
PAIR = DecisionList([Decision("first", "", "first", ("a", "b", "c")), Decision("second", "", "second", ("a", "b"))])


def controller(decisions: DecisionList, seed: int = 0) -> Controller:
    return Controller(decisions, hidden=8, generator=torch.Generator().manual_seed(seed))


def at_zero() -> MovingBaseline:
    """The first reward is its own advantage."""
    baseline = MovingBaseline()
    baseline.value = 0.0
    return baseline


def gradient_of_logits(policy: Controller, loss: torch.Tensor) -> list[float]:
    """d loss / d logits of a single decision: its head's bias is added to them."""
    policy.zero_grad()
    loss.backward()
    gradient = policy.heads[0].bias.grad
    assert gradient is not None
    return gradient.tolist()


@pytest.mark.parametrize("choice", [0, 1])
def test_the_gradient_is_minus_advantage_times_onehot_minus_p(choice: int) -> None:
    policy, reward, baseline = controller(COIN), 0.9, 0.25
    p = policy.probabilities()[0]
    log_probs, entropies = policy.score([(choice,)])
    gradient = gradient_of_logits(policy, reinforce_loss(log_probs, entropies, torch.tensor([reward - baseline]), 0.0))
    assert gradient == pytest.approx([-(reward - baseline) * ((index == choice) - p[index]) for index in range(2)], abs=1e-6)


def test_the_entropy_bonus_is_the_whole_entropy() -> None:
    """dH/dz_i = -p_i (ln p_i + H): of the distribution, not of the sampled choice."""
    policy = controller(COIN)
    p = policy.probabilities()[0]
    entropy = -sum(q * math.log(q) for q in p)
    log_probs, entropies = policy.score([(0,)])
    gradient = gradient_of_logits(policy, reinforce_loss(log_probs, entropies, torch.zeros(1), 0.5))
    assert gradient == pytest.approx([0.5 * q * (math.log(q) + entropy) for q in p], abs=1e-6)


def test_the_batch_is_averaged() -> None:
    policy = controller(COIN)
    p = policy.probabilities()[0]
    log_probs, entropies = policy.score([(0,), (1,), (1,)])
    gradient = gradient_of_logits(policy, reinforce_loss(log_probs, entropies, torch.tensor([1.0, -2.0, 0.5]), 0.0))
    expected = [-sum(a * ((index == c) - p[index]) for a, c in ((1.0, 0), (-2.0, 1), (0.5, 1))) / 3 for index in range(2)]
    assert gradient == pytest.approx(expected, abs=1e-6)


def test_a_rewarded_choice_becomes_more_probable_and_a_punished_one_less() -> None:
    for reward, sign in ((1.0, 1), (-1.0, -1)):
        policy = controller(COIN)
        training = Reinforce(policy, 0.05, at_zero())
        before = policy.probabilities()[0][1]
        training.update([(1,)], [reward])
        assert (policy.probabilities()[0][1] - before) * sign > 0.001


def test_the_baseline_is_used_before_it_moves_and_starts_at_the_first_mean() -> None:
    baseline = MovingBaseline(0.9)
    assert baseline.before([1.0, 3.0]) == [2.0, 2.0]
    assert baseline.before([4.0]) == [2.0]
    assert baseline.before([0.0]) == [pytest.approx(0.9 * 2.0 + 0.1 * 4.0)]
    baseline = MovingBaseline(0.9)
    training = Reinforce(controller(COIN), 0.01, baseline)
    assert training.update([(0,), (1,)], [1.0, 3.0]).baseline == 2.0
    update = training.update([(0,), (0,)], [5.0, 5.0])
    assert (update.baseline, update.reward, update.advantage_std) == (2.0, 5.0, 0.0)
    assert baseline.value == pytest.approx(2.3)


class Apart:
    """A baseline of its own for each reward of a batch."""

    def before(self, rewards: Sequence[float]) -> list[float]:
        return [0.5, 0.25]

    def state_dict(self) -> dict[str, float]:
        return {}

    def load_state_dict(self, state: dict[str, float]) -> None: ...


def test_every_reward_is_compared_with_its_own_baseline() -> None:
    """Advantages .3 and -.2."""
    policy = controller(COIN)
    p = policy.probabilities()[0]
    update = Reinforce(policy, 1e-9, Apart()).update([(0,), (1,)], [0.8, 0.05])
    assert policy.heads[0].bias.grad is not None
    expected = [-(0.3 * ((index == 0) - p[index]) - 0.2 * ((index == 1) - p[index])) / 2 for index in range(2)]
    assert policy.heads[0].bias.grad.tolist() == pytest.approx(expected, abs=1e-6)
    assert update.baselines == (0.5, 0.25) and update.advantage_std == pytest.approx(0.25) and update.penalty == 0.0


def test_a_penalty_joins_the_loss_by_its_weight() -> None:
    """Where every reward is the baseline, nothing else moves the policy."""
    policy = controller(COIN)

    def surprise(batch: Batch) -> torch.Tensor:
        return -policy.score(batch)[0].mean()

    p = policy.probabilities()[0]
    update = Reinforce(policy, 1e-9, MovingBaseline(), penalty=surprise, penalty_weight=0.5).update([(1,)], [0.7])
    assert policy.heads[0].bias.grad is not None
    assert policy.heads[0].bias.grad.tolist() == pytest.approx([0.5 * p[0], 0.5 * (p[1] - 1)], abs=1e-6)
    assert update.penalty == pytest.approx(-math.log(p[1]))


def test_the_gradient_is_clipped() -> None:
    policy = controller(COIN)
    seen: list[float] = []
    training = Reinforce(policy, 1e-6, at_zero(), clip=0.01)
    training._optimiser.step = lambda: seen.append(  # type: ignore[method-assign, assignment, return-value]
        math.sqrt(sum(float(p.grad.square().sum()) for p in policy.parameters() if p.grad is not None))
    )
    assert training.update([(0,)], [1000.0]).gradient_norm > 1
    assert seen[0] == pytest.approx(0.01, rel=1e-3)


def test_copied_choices_are_no_credit_of_the_policy() -> None:
    """Only the second decision was drawn: the first one's head does not move."""
    policy = controller(PAIR)
    training = Reinforce(policy, 0.01, at_zero())
    training.update([(1, 1)], [1.0], only=[(1,)])
    first, second = policy.head("first").bias.grad, policy.head("second").bias.grad
    assert first.abs().max() == 0 and second.abs().max() > 0


# ---------------------------------------------------------------- stale trials


def test_a_stale_trial_is_clipped_or_dropped() -> None:
    assert weight(10, 10, "drop", 0.0, 5.0) == 1.0
    assert weight(11, 10, "drop", 0.0, 0.0) is None
    assert weight(11, 10, "clip", -2.0, -1.0) == pytest.approx(math.exp(-1))
    assert weight(11, 10, "clip", -1.0, -50.0) == pytest.approx(2.0)


def test_updates_count_the_lag_and_skip_an_empty_batch() -> None:
    training = Reinforce(controller(COIN), 0.01, MovingBaseline())
    fresh = Asked((0,), (0,), math.log(0.5), 0)
    for _ in range(3):
        assert training.update_from([(fresh, 1.0)], 10, "drop") is not None
    assert training.version == 3
    weights = [parameter.clone() for parameter in training.controller.parameters()]
    assert training.update_from([(fresh, 1.0)], 2, "drop") is None
    assert training.version == 3
    assert all(torch.equal(one, other) for one, other in zip(weights, training.controller.parameters(), strict=True))


def test_a_clipped_trial_moves_the_policy_by_its_weight() -> None:
    """Twice as likely as when it was asked: the advantage counts twice."""

    def gradient(then: float, version: int) -> torch.Tensor:
        policy = controller(COIN)
        training = Reinforce(policy, 0.01, at_zero())
        training.version = version
        now = policy.score([(0,)])[0].item()
        training.update_from([(Asked((0,), (0,), now + then, 0), 1.0)], 10, "clip")
        assert policy.heads[0].bias.grad is not None
        return policy.heads[0].bias.grad.clone()

    fresh = gradient(then=-math.log(3), version=10)
    assert torch.allclose(gradient(then=-math.log(1.5), version=11), 1.5 * fresh, atol=1e-6)
    assert torch.allclose(gradient(then=-math.log(3), version=11), 2 * fresh, atol=1e-6)


# ---------------------------------------------------------------- priority queue


def test_the_queue_keeps_the_best_distinct_and_the_earlier_of_equals() -> None:
    queue = PriorityQueue(2)
    for reward, choices in ((0.1, (0, 0)), (0.5, (1, 0)), (0.5, (2, 0)), (0.5, (1, 0)), (0.3, (2, 1))):
        queue.add(reward, choices)
    assert queue.best == [(1, 0), (2, 0)]
    assert queue.mean_reward == 0.5
    queue.add(0.9, (0, 1))
    assert queue.best == [(0, 1), (1, 0)]


def test_the_queue_gradient_is_that_of_the_mean_log_probability() -> None:
    policy = controller(COIN)
    p = policy.probabilities()[0]
    training = PriorityQueueTraining(policy, 1e-9, size=2)
    training.queue.add(0.7, (1,))
    training.update()
    assert policy.heads[0].bias.grad is not None
    assert policy.heads[0].bias.grad.tolist() == pytest.approx([p[0], p[1] - 1], abs=1e-6)


def test_the_queue_becomes_likely_whatever_the_rewards_scale() -> None:
    def learned(scale: float) -> list[float]:
        training = PriorityQueueTraining(controller(PAIR), 0.02, size=2)
        for reward, choices in ((1.0, (2, 0)), (0.9, (2, 1)), (0.1, (0, 0))):
            training.queue.add(reward * scale, choices)
        for _ in range(60):
            training.update()
        return training.controller.score([(2, 0), (2, 1), (0, 0)])[0].exp().tolist()

    assert learned(1.0) == learned(1e6)
    assert learned(1.0)[0] > 0.3 and learned(1.0)[2] < 0.1


def test_uniform_entropy_counts_active_decisions() -> None:
    assert uniform_entropy(PAIR, (0, 1)) == pytest.approx(math.log(6))
    assert uniform_entropy(PAIR, (0, None)) == pytest.approx(math.log(3))


# ---------------------------------------------------------------- the planted bandit


def bandit(seed: int, *, sign: float = 1.0, baseline: MovingBaseline | None = None) -> float:
    """A hidden target of 6 decisions with 4 choices, the reward is the share that matches: mean reward of 100 batches of 8."""
    rng = random.Random(seed)
    decisions = DecisionList([Decision(f"place{place}", "", "number", tuple("abcd")) for place in range(6)])
    target = [rng.randrange(4) for _ in range(6)]
    training = Reinforce(Controller(decisions, generator=torch.Generator().manual_seed(seed)), 0.01, baseline or MovingBaseline(0.9))

    def reward(choices: Choices) -> float:
        return fmean(one == other for one, other in zip(choices, target, strict=True))

    means = []
    for _ in range(100):
        batch = [sampled.choices for sampled in training.controller.sample_batch(rng, 8)]
        rewards = [reward(choices) for choices in batch]
        means.append(fmean(rewards))
        training.update(batch, [sign * value for value in rewards])
    return fmean(means)


def test_bandit_fast_gate() -> None:
    """Chance is .25. Measured on these seeds: .70; without a baseline .54, a wrong constant one .43, the sign turned round .03."""
    assert fmean(bandit(seed) for seed in range(3)) >= 0.58
    assert bandit(0, sign=-1.0) <= 0.2


@pytest.mark.slow
def test_bandit_12_seeds() -> None:
    """Gate .58 at the stated seeds. Measured .632; sign turned round .048, no baseline .496, a wrong constant baseline .387."""
    seeds = range(12)
    assert fmean(bandit(seed) for seed in seeds) >= 0.58
    assert fmean(bandit(seed, sign=-1.0) for seed in seeds) <= 0.2
    assert fmean(bandit(seed, baseline=NoBaseline()) for seed in seeds) < 0.58
    assert fmean(bandit(seed, baseline=ConstantBaseline()) for seed in seeds) < 0.58
