"""Learn to count: the exact reward, the space of sequences, and runs without any training."""

from __future__ import annotations

import itertools
import json
import random
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from search_engine.algorithms.base import AlgorithmEntry
from search_engine.base.errors import BadInput
from search_engine.catalogue import registry
from search_engine.catalogue.config import check, parse
from search_engine.datasets.base import Objective
from search_engine.datasets.learn_to_count import LearnToCount, counting_reward
from search_engine.search.local_run import LocalRun
from search_engine.spaces import graphs
from search_engine.spaces.data_shape import DataShape
from search_engine.spaces.genomes import Genome
from search_engine.spaces.sequence import SequenceConfig, SequenceSpace


def space(n: int = 20) -> SequenceSpace:
    return SequenceSpace(SequenceConfig(n=n), DataShape((), 0))


def run(out: Path, algorithm: str, **changes: Any) -> dict[str, Any]:
    config = {"algorithm": algorithm, "space": "sequence", "datasets": ["learn_to_count"], "budget": {"trials": 200}, **changes}
    return LocalRun(check(config, out), out, out).run()


# ---- the reward


@pytest.mark.parametrize(
    ("sequence", "reward"),
    [
        ((1, 2, 3, 4), Fraction(1)), ((1, 1, 1, 1), Fraction(5, 17)), ((4, 4, 4, 4), Fraction(5, 17)), ((2, 2, 2, 2), Fraction(5, 13)),
        ((1, 2, 3, 3), Fraction(5, 7)), ((4, 3, 2, 1), Fraction(1, 7)), ((1, 2), Fraction(1)), ((2, 1), Fraction(1, 3)),
    ],
)
def test_exact_rewards(sequence: tuple[int, ...], reward: Fraction) -> None:
    assert counting_reward(sequence) == float(reward)
    genome = space(len(sequence)).from_string(" ".join(map(str, sequence)))
    assert LearnToCount().reward(genome) == float(reward)


def test_counting_is_the_only_optimum() -> None:
    rewards = {sequence: counting_reward(sequence) for sequence in itertools.product(range(1, 5), repeat=4)}
    assert [sequence for sequence, reward in rewards.items() if reward >= 1] == [(1, 2, 3, 4)]
    assert all(0 < reward <= 1 for reward in rewards.values())


def test_twenty_numbers_are_read_in_order() -> None:
    """Not in the order of the keys as texts, in which place10 comes before place2."""
    one = space()
    assert LearnToCount().reward(one.from_string(" ".join(map(str, range(1, 21))))) == 1


def test_other_genomes_cannot_count() -> None:
    with pytest.raises(BadInput, match="only genomes of 'sequence'"):
        LearnToCount().reward(Genome("mlp", {"place1": "1"}))


# ---- the space


def test_there_are_n_decisions_of_n_choices() -> None:
    assert registry.space("sequence").config().n == 20
    one = space(5)
    assert [len(decision.choices) for decision in one.decisions] == [5] * 5 and {item.kind for item in one.decisions} == {"number"}
    assert one.size() == 5**5
    assert len({one.hash(genome) for genome in one.enumerate()}) == 5**5
    with pytest.raises(BadInput, match=r"space_options\.n|greater than or equal to 2"):
        parse("space_options", SequenceConfig, {"n": 1})


def test_samples_are_uniform_and_mutations_change_one_number() -> None:
    one, rng = space(5), random.Random(0)
    counts = Counter((place, number) for _ in range(2000) for place, number in enumerate(one.sequence(one.sample(rng))))
    assert len(counts) == 25 and all(abs(count - 400) < 5 * 18 for count in counts.values())
    genome = one.sample(rng)
    for _ in range(200):
        child, operator = one.mutate(genome, rng)
        differing = [old != new for old, new in zip(one.sequence(genome), one.sequence(child), strict=True)]
        assert sum(differing) == 1 and operator == "number_mutation"


def test_texts_lead_back() -> None:
    one, rng = space(), random.Random(1)
    for _ in range(50):
        genome = one.sample(rng)
        assert one.from_string(one.to_string(genome)) == genome
    for text, message in (("1 2 3", "20 numbers, not 3"), (" ".join(["21"] * 20), "'place1' needs one of"), (" ".join("a" * 20), "place1")):
        with pytest.raises(BadInput, match=message):
            one.from_string(text)


def test_the_picture_is_a_chain_and_counting_is_its_diagonal() -> None:
    one = space(4)
    genome = one.from_string("1 2 3 4")
    graphs.validate(one.to_graph(genome))
    drawn = one.drawings(genome)["network"]
    assert [node.label for node in drawn.nodes] == ["0", "1", "2", "3", "4", "5"]
    assert [(edge.source, edge.target, edge.key) for edge in drawn.edges] == [(str(k), str(k + 1), "+1") for k in range(5)]
    assert all(x == pytest.approx(1 - y) for x, y in drawn.attributes["layout"].values())
    other = one.drawings(one.from_string("4 4 1 2"))["network"]
    assert [edge.key for edge in other.edges] == ["+4", "+0", "-3", "+1", "+3"]
    assert [node.label for node in other.nodes][1:-1] == ["4", "4", "1", "2"]


def test_graphs_tell_sequences_apart() -> None:
    one, rng = space(3), random.Random(2)
    for _ in range(100):
        first, second = one.sample(rng), one.sample(rng)
        assert graphs.isomorphic(one.normal_graph(first), one.normal_graph(second)) == (one.hash(first) == one.hash(second))


# ---- runs


def test_random_search_counts_without_training(tmp_path: Path) -> None:
    result = run(tmp_path, "random")
    assert result["status"] == "completed" and result["model"] is None and "formula" in result["model_reason"]
    best = result["best"][0]
    numbers = [int(number) for number in best["string"].split()]
    assert best["metrics"] == {"reward": counting_reward(numbers)} and len(numbers) == 20
    rows = [json.loads(line)["data"] for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    told = [row for row in rows if row["kind"] == "trial_told"]
    assert len(told) == 200 and told[-1]["charged_samples"] == 0
    assert max(row["metrics"]["reward"] for row in told) == best["metrics"]["reward"]


def test_evolution_counts_better_than_chance(tmp_path: Path) -> None:
    """Seeds 0 to 3: 0.52, 0.52, 0.65, 0.48 against 0.26, 0.24, 0.44, 0.16. Without neighbours of like reward there is nothing to climb."""
    config = {"space_options": {"n": 10}, "budget": {"trials": 500}, "seed": 0}
    scores = {name: run(tmp_path / name, name, **config)["best"][0]["metrics"]["reward"] for name in ("random", "regularized_evolution")}
    assert scores["regularized_evolution"] > 1.5 * scores["random"], scores


def test_only_trials_end_a_search_that_costs_nothing() -> None:
    for kind in ("samples", "seconds"):
        with pytest.raises(BadInput, match=f"cannot spend a budget in {kind}; use trials"):
            check({"algorithm": "random", "space": "sequence", "budget": {kind: 10}})


def test_it_fits_its_own_space_alone() -> None:
    offered = {(row["space"], row["dataset"]) for row in registry.compatibility()}
    assert [pair for pair in offered if "sequence" in pair or "learn_to_count" in pair] == [("sequence", "learn_to_count")]
    with pytest.raises(BadInput, match="cannot use 'digits'"):
        check({"algorithm": "random", "space": "sequence", "datasets": ["digits"], "budget": {"trials": 1}})
    assert isinstance(registry.dataset("learn_to_count").open(None, Path()), Objective)


def test_every_trial_algorithm_that_asks_for_no_more_can_count() -> None:
    def fits(entry: AlgorithmEntry) -> bool:
        return entry.needs == {"trials"} and entry.spaces is None and entry.space_needs <= {"decisions", "sample", "mutate", "encode"}

    able = {row["algorithm"] for row in registry.compatibility() if row["dataset"] == "learn_to_count"}
    assert {name for name, entry in registry.algorithms().items() if fits(entry)} <= able
    assert {"random", "regularized_evolution"} <= able
