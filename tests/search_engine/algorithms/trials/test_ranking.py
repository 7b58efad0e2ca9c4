"""The best genomes of a search: each architecture once, failures never, and of equals the earlier."""

from __future__ import annotations

import itertools

import pytest

from search_engine.algorithms.base import Result
from search_engine.algorithms.trials.ranking import KEPT, Ranking
from search_engine.events import Cost
from search_engine.spaces.genomes import Genome


def result(number: int, value: float | None, name: str = "") -> Result:
    status, metrics = ("failed", {}) if value is None else ("completed", {"score": value})
    return Result(number, Genome("toy", {"name": name or str(number)}), status, metrics, Cost())  # type: ignore[arg-type]


def ranked(*results: Result) -> list[int | None]:
    ranking = Ranking("score")
    for item in results:
        ranking.add(item, item.genome.content["name"])
    return [finalist.candidate for finalist in ranking.finalists()]


@pytest.mark.parametrize("order", list(itertools.permutations((4, 1, 3))))
def test_the_earlier_one_wins_a_tie_in_whatever_order_they_are_told(order: tuple[int, ...]) -> None:
    assert ranked(*(result(number, 0.5) for number in order)) == [1, 3, 4]
    assert ranked(result(9, 0.7), *(result(number, 0.5) for number in order), result(0, 0.3)) == [9, 1, 3, 4, 0]


def test_of_more_equals_than_are_kept_the_earliest_stay() -> None:
    assert ranked(*(result(number, 0.5) for number in range(KEPT + 5))) == list(range(KEPT))
    assert ranked(*(result(number, 0.5) for number in reversed(range(KEPT + 5)))) == list(range(KEPT))
    # A better one takes a place from the latest of the equals.
    assert ranked(*(result(number, 0.5) for number in range(KEPT)), result(99, 0.6)) == [99, *range(KEPT - 1)]


def test_an_architecture_ranks_once_and_by_its_first_result() -> None:
    assert ranked(result(0, 0.5, "a"), result(1, 0.6, "b"), result(2, 0.5, "a"), result(3, 0.5, "c")) == [1, 0, 3]


def test_failures_do_not_rank() -> None:
    assert ranked(result(0, None), result(1, 0.1), result(2, None)) == [1]


def test_ties_are_broken_alike_after_a_reload() -> None:
    ranking, other = Ranking("score"), Ranking("score")
    ranking.add(result(5, 0.5), "5")
    other.load_state_dict(ranking.state_dict())
    other.add(result(3, 0.5), "3")
    assert [finalist.candidate for finalist in other.finalists()] == [3, 5]
