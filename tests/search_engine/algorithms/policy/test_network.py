"""The controller's network: exact probabilities on small conditional and attending spaces, and the equality of its ways to compute."""

from __future__ import annotations

import math
import random
from collections import Counter
from itertools import product

import numpy as np
import pytest
import torch

from search_engine.algorithms.policy.network import Controller
from search_engine.algorithms.policy.questions import questions_of
from search_engine.base.errors import BadInput
from search_engine.catalogue import registry
from search_engine.spaces.data_shape import DataShape
from search_engine.spaces.decisions import Choices, Decision, DecisionList
from search_engine.spaces.macro import MacroConfig, MacroSpace

CONDITIONAL = DecisionList(
    [
        Decision("depth", "", "depth", ("1", "2")),
        Decision("width1", "", "width", ("s", "m", "l")),
        Decision("width2", "", "width", ("s", "m", "l"), when=("depth", frozenset({1}))),
        Decision("bias", "", "yes", ("n", "y"), when=("width2", frozenset({0, 2}))),
        Decision("end", "", "end", ("a", "b")),
    ]
)
ATTENDING = DecisionList(
    [
        Decision("one", "", "operation", ("a", "b", "c"), anchor="one"),
        Decision("two", "", "operation", ("a", "b", "c"), when=("one", frozenset({1, 2})), anchor="two"),
        Decision("skip1", "", "skip", ("no", "yes"), selects=((), ("one",)), row=2),
        Decision("skip2", "", "skip", ("no", "yes"), selects=((), ("two",)), row=2, anchor="three"),
        Decision("inputs", "", "inputs", ("x", "y", "z"), selects=(("one", "two"), ("image",), ("three",))),
    ]
)
PLAIN = DecisionList([Decision(f"place{place}", "", "number", tuple("abcd")) for place in range(5)])
SPACES = {"conditional": CONDITIONAL, "attending": ATTENDING, "plain": PLAIN}


def controller(decisions: DecisionList, seed: int = 0, spread: float = 1.0, **options: float) -> Controller:
    """A policy that is far from uniform, so that a wrong path through it shows."""
    made = Controller(decisions, hidden=8, generator=torch.Generator().manual_seed(seed), **options)  # type: ignore[arg-type]
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.mul_(10 * spread)
    return made


def every(decisions: DecisionList) -> list[Choices]:
    return [decisions.unrank(index) for index in range(decisions.size)]


@pytest.mark.parametrize("name", SPACES)
def test_the_probabilities_of_all_choice_lists_sum_to_one(name: str) -> None:
    log_probs, _ = controller(SPACES[name]).score(every(SPACES[name]))
    assert float(log_probs.detach().double().exp().sum()) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("name", SPACES)
def test_a_batch_scores_as_its_members_one_by_one(name: str) -> None:
    policy, batch = controller(SPACES[name]), every(SPACES[name])[::7]
    together = policy.score(batch)
    alone = [policy.score([choices]) for choices in batch]
    for index in range(2):
        assert torch.allclose(together[index], torch.cat([pair[index] for pair in alone]), atol=1e-5)


@pytest.mark.parametrize("name", SPACES)
def test_samples_carry_their_own_score(name: str) -> None:
    """Drawing alone, drawing together and teacher forcing are three ways through the same policy."""
    policy, rng = controller(SPACES[name]), random.Random(1)
    drawn = [policy.sample(rng) for _ in range(20)] + policy.sample_batch(rng, 20)
    log_probs, entropies = policy.score([sampled.choices for sampled in drawn])
    assert log_probs.tolist() == pytest.approx([sampled.log_prob for sampled in drawn], abs=1e-4)
    assert entropies.tolist() == pytest.approx([sampled.entropy for sampled in drawn], abs=1e-4)
    for sampled in drawn:
        SPACES[name].validate(sampled.choices)
        assert sampled.drawn == tuple(place for place, choice in enumerate(sampled.choices) if choice is not None)


@pytest.mark.parametrize("name", SPACES)
def test_samples_are_as_frequent_as_their_probability(name: str) -> None:
    policy, lists = controller(SPACES[name], spread=0.6), every(SPACES[name])
    expected = dict(zip(lists, policy.score(lists)[0].exp().tolist(), strict=True))
    counts = Counter(sampled.choices for sampled in policy.sample_batch(random.Random(2), 4000))
    # Largest deviation of 4000 draws: three standard deviations of the most variable frequency are .024.
    assert max(abs(counts[choices] / 4000 - probability) for choices, probability in expected.items()) < 0.03


@pytest.mark.parametrize("name", ["conditional", "plain"])
def test_whole_sequences_at_once_equal_step_by_step(name: str) -> None:
    policy, batch = controller(SPACES[name]), every(SPACES[name])[::11]
    fast = policy.score(batch)
    policy._attends = True
    slow = policy.score(batch)
    assert all(torch.allclose(one, other, atol=1e-5) for one, other in zip(fast, slow, strict=True))


def test_inactive_decisions_enter_neither_probability_nor_entropy() -> None:
    """By the chain rule, from the distributions that the browser is shown."""
    policy = controller(CONDITIONAL)
    for choices in every(CONDITIONAL):
        tables = policy.probabilities(prefix=choices)
        taken = [math.log(table[choice]) for table, choice in zip(tables, choices, strict=True) if choice is not None]
        assert all(not table.any() for table, choice in zip(tables, choices, strict=True) if choice is None)
        entropy = -sum(float((table * np.log(table)).sum()) for table in tables if table.any())
        log_prob, said = policy.score([choices])
        assert log_prob.item() == pytest.approx(sum(taken), abs=1e-4)
        assert said.item() == pytest.approx(entropy, abs=1e-4)


def test_an_inactive_decision_does_not_move_the_state() -> None:
    """What stands behind an inactive stretch is decided as if the stretch were not in the list."""
    without = DecisionList([CONDITIONAL[0], CONDITIONAL[1], CONDITIONAL[4]])
    long, short = controller(CONDITIONAL), controller(without)
    short.lstm.load_state_dict(long.lstm.state_dict())
    for index, kind in enumerate(("depth", "width", "end")):
        short.heads[index].load_state_dict(long.head(kind).state_dict())
        with torch.no_grad():
            rows = short.heads[index].out_features
            short.embedding.weight[short.token(kind)][:] = long.embedding.weight[long.token(kind)]
            short.embedding.weight[short.token(kind) : short.token(kind) + rows] = long.embedding.weight[
                long.token(kind) : long.token(kind) + rows
            ]
    with torch.no_grad():
        short.embedding.weight[0] = long.embedding.weight[0]
    for width, end in product(range(3), range(2)):
        assert long.score([(0, width, None, None, end)])[0].item() == pytest.approx(short.score([(0, width, end)])[0].item(), abs=1e-5)


def test_only_the_named_places_count() -> None:
    policy, batch = controller(CONDITIONAL), [(1, 2, 0, 1, 0), (0, 1, None, None, 1)]
    tables = [policy.probabilities(prefix=choices) for choices in batch]
    log_probs, entropies = policy.score(batch, only=[(0, 3), (4,)])
    expected = [math.log(tables[0][0][1]) + math.log(tables[0][3][1]), math.log(tables[1][4][1])]
    assert log_probs.tolist() == pytest.approx(expected, abs=1e-5)
    assert torch.allclose(entropies, policy.score(batch)[1])


def test_attention_is_the_published_formula() -> None:
    """One decision among two start anchors: v^T tanh(W1 h_j + W2 h), summed over what a choice selects, 0 for nothing."""
    decisions = DecisionList([Decision("inputs", "", "inputs", ("both", "b", "none"), selects=(("a", "b"), ("b",), ()))])
    policy = controller(decisions)
    zeros = torch.zeros(1, 8)
    state, _ = torch.lstm_cell(policy.embedding.weight[:1], (zeros, zeros), *policy.lstm.all_weights[0])
    attention = policy.attention("inputs")
    scores = [
        (torch.tanh(attention.of_anchor.weight @ anchor + attention.of_state.weight @ state[0]) * attention.vector).sum()
        for anchor in policy.start_states
    ]
    expected = torch.softmax(torch.stack([scores[0] + scores[1], scores[1], torch.zeros(())]), 0)
    assert policy.probabilities()[0] == pytest.approx(expected.tolist(), abs=1e-6)


def test_the_next_input_is_the_mean_of_the_selected_anchors() -> None:
    decisions = DecisionList(
        [
            Decision("inputs", "", "inputs", ("both", "b", "none"), selects=(("a", "b"), ("b",), ())),
            Decision("operation", "", "operation", ("x", "y", "z")),
        ]
    )
    policy = controller(decisions)
    weights, zeros = policy.lstm.all_weights[0], torch.zeros(1, 8)
    a, b = policy.start_states
    for choice, following in enumerate(((a + b) / 3, b / 2, torch.zeros(8))):
        state = torch.lstm_cell(policy.embedding.weight[:1], (zeros, zeros), *weights)
        state = torch.lstm_cell(following.unsqueeze(0), state, *weights)
        expected = torch.softmax(policy.head("operation")(state[0]), 1)[0]
        assert policy.probabilities(prefix=(choice,))[1] == pytest.approx(expected.tolist(), abs=1e-6)


def test_skip_connections_into_one_layer_are_one_question() -> None:
    space = MacroSpace(MacroConfig(layers=4), DataShape((1, 28, 28), 10))
    assert [len(question.places) for question in questions_of(space.decisions)] == [1, 1, 1, 1, 2, 1, 3]


def test_kept_choices_stay_and_the_rest_is_drawn_given_them() -> None:
    policy, rng = controller(CONDITIONAL), random.Random(3)
    tables = policy.probabilities(prefix=(1, 2, 0, 1))
    ends = Counter()
    for _ in range(1500):
        walked = policy.walk(rng, (1, 2, 0, 1, None))
        assert walked.choices[:4] == (1, 2, 0, 1) and walked.drawn == (4,)
        ends[walked.choices[4]] += 1
    assert ends[0] / 1500 == pytest.approx(tables[4][0], abs=0.04)
    # What the kept choices switch off is dropped, what they switch on is drawn.
    assert policy.walk(rng, (0, 1, 2, 1, 0)).choices == (0, 1, None, None, 0)
    assert policy.walk(rng, (1, 1, None, None, 0)).choices[2] is not None


def test_temperature_and_tanh_bound_the_policy() -> None:
    plain, warm = controller(PLAIN), controller(PLAIN, temperature=5.0)
    assert warm.probabilities()[0].max() < plain.probabilities()[0].max()
    logits = np.log(plain.probabilities()[0])
    assert warm.probabilities()[0] == pytest.approx(np.exp(logits / 5) / np.exp(logits / 5).sum(), abs=1e-6)
    bounded = controller(PLAIN, tanh_constant=0.5)
    for table in bounded.probabilities():
        assert table.max() / table.min() <= math.exp(1.0) + 1e-6


@pytest.mark.parametrize("space_id", sorted(entry.id for entry in registry.spaces().values() if "decisions" in entry.offers))
def test_every_space_with_decisions_can_be_sampled_and_scored(space_id: str) -> None:
    entry = registry.space(space_id)
    shapes = {"image": DataShape((1, 28, 28), 10), "vector": DataShape((4,), 3), "series": DataShape((2, 12), 3)}
    shapes["none"] = DataShape((), 0)
    space = entry.space(entry.config(), shapes[min(entry.inputs)])
    policy = Controller(space.decisions, hidden=8, generator=torch.Generator().manual_seed(0))
    drawn = policy.sample_batch(random.Random(0), 3)
    for sampled in drawn:
        space.validate(space.genome_of(sampled.choices))
    log_probs, _ = policy.score([sampled.choices for sampled in drawn])
    assert log_probs.tolist() == pytest.approx([sampled.log_prob for sampled in drawn], rel=1e-4)


def test_greedy_takes_the_most_probable_choice_each_time() -> None:
    policy = controller(CONDITIONAL)
    choices = policy.greedy()
    assert [int(table.argmax()) if table.any() else None for table in policy.probabilities()] == list(choices)
    behind = policy.probabilities(prefix=(1,), greedy=False)
    assert behind[0].any() and behind[1].any() and not any(table.any() for table in behind[2:])


def test_the_first_policy_is_nearly_uniform_and_follows_from_its_generator_alone() -> None:
    before = torch.get_rng_state()
    first, again = (Controller(PLAIN, generator=torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(one, other) for one, other in zip(first.parameters(), again.parameters(), strict=True))
    assert all(abs(table - 0.25).max() < 0.15 for table in first.probabilities())


def test_an_inadmissible_choice_list_is_refused() -> None:
    with pytest.raises(BadInput, match="inactive"):
        controller(CONDITIONAL).score([(0, 1, 1, None, 0)])


def test_decisions_of_one_kind_with_unequal_choices_are_refused() -> None:
    with pytest.raises(ValueError, match="kind 'x'"):
        Controller(DecisionList([Decision("a", "", "x", ("1", "2")), Decision("b", "", "x", ("1", "2", "3"))]))
