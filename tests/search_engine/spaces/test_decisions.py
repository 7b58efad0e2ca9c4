"""Decision lists: conditions, counting without enumerating, ranking."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_engine.base.errors import BadInput
from search_engine.spaces.decisions import Decision, DecisionList


def conditional() -> DecisionList:
    """a (3); b (2) only after a = 1; c (3) only after b = 0; e (2) always: 2 * 2 + 3 * 2 + 2 = 12 lists."""
    return DecisionList(
        [
            Decision("a", "a", "a", ("x", "y", "z")),
            Decision("b", "b", "b", ("0", "1"), when=("a", frozenset({1}))),
            Decision("c", "c", "c", ("0", "1", "2"), when=("b", frozenset({0}))),
            Decision("e", "e", "e", ("p", "q")),
        ]
    )


def test_size_counts_only_what_is_active() -> None:
    decisions = conditional()
    assert decisions.size == 12
    lists = [decisions.unrank(index) for index in range(12)]
    assert len(set(lists)) == 12 and lists == sorted(lists, key=lambda item: [-1 if choice is None else choice for choice in item])
    for index, choices in enumerate(lists):
        decisions.validate(choices)
        assert decisions.rank(choices) == index
    with pytest.raises(IndexError):
        decisions.unrank(12)


@st.composite
def lists(draw: st.DrawFn) -> DecisionList:
    made: list[Decision] = []
    for place in range(draw(st.integers(1, 6))):
        when = None
        if made and draw(st.booleans()):
            on = draw(st.sampled_from(made))
            when = (on.key, frozenset(draw(st.sets(st.integers(0, len(on.choices) - 1), min_size=1))))
        count = draw(st.integers(1, 3))
        made.append(Decision(f"d{place}", "", "d", tuple(map(str, range(count))), when=when))
    return DecisionList(made)


@settings(max_examples=60, deadline=None)
@given(lists(), st.integers(0, 2**31))
def test_any_condition_tree_ranks_and_changes_within_itself(decisions: DecisionList, seed: int) -> None:
    everything = {decisions.unrank(index) for index in range(decisions.size)}
    assert len(everything) == decisions.size
    rng = random.Random(seed)
    sampled = decisions.sample(rng)
    assert sampled in everything and decisions.unrank(decisions.rank(sampled)) == sampled
    for place in decisions.changeable(sampled):
        changed = decisions.change(sampled, place, rng)
        assert changed in everything and changed[place] != sampled[place] and changed[:place] == sampled[:place]


def test_a_huge_list_is_counted_without_being_walked() -> None:
    decisions = DecisionList([Decision(f"d{place}", "", "d", tuple(map(str, range(10)))) for place in range(300)])
    assert decisions.size == 10**300
    assert decisions.rank(decisions.unrank(10**299 + 7)) == 10**299 + 7


def test_what_is_inactive_must_be_absent() -> None:
    decisions = conditional()
    with pytest.raises(BadInput, match="'b' is inactive"):
        decisions.validate((0, 1, None, 0))
    with pytest.raises(BadInput, match="'b' needs one of: 0, 1"):
        decisions.validate((1, None, None, 0))
    with pytest.raises(ValueError, match="not an earlier decision"):
        DecisionList([Decision("b", "", "b", ("0",), when=("a", frozenset({0})))])
