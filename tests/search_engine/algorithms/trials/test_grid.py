"""Grid and random search: every genome once, resumed without a repeat, honest about what was not walked (A1)."""

from __future__ import annotations

import random
from functools import cached_property
from typing import Any, ClassVar

import networkx as nx
import pytest

from search_engine.algorithms.base import Context, Result, TrialPhase
from search_engine.algorithms.trials.grid import GridConfig, GridSearch, advise
from search_engine.algorithms.trials.index_permutation import IndexPermutation
from search_engine.algorithms.trials.random_search import RandomConfig, RandomSearch
from search_engine.base import checkpoint
from search_engine.base.errors import BadInput
from search_engine.base.generators import random_state, restore_random
from search_engine.base.lazy import load_object
from search_engine.catalogue import registry
from search_engine.catalogue.config import parse
from search_engine.events import Cost, EventLog, MarginalsFrame, Metrics, Notice, decode_floats
from search_engine.spaces.base import SpaceConfig
from search_engine.spaces.data_shape import DataShape
from search_engine.spaces.decision_space import DecisionSpace
from search_engine.spaces.decisions import Decision, DecisionList
from search_engine.spaces.genomes import Genome


class BoxSpace(DecisionSpace[SpaceConfig]):
    """Independent decisions with the numbers of choices that the class names."""

    id: ClassVar[str] = "box"
    sizes: ClassVar[tuple[int, ...]] = (2, 3, 4)

    @cached_property
    def _decisions(self) -> DecisionList:
        return DecisionList([Decision(f"d{n}", f"D{n}", f"d{n}", tuple(map(str, range(size)))) for n, size in enumerate(self.sizes)])

    @property
    def decisions(self) -> DecisionList:
        return self._decisions

    def to_string(self, genome: Genome) -> str:
        return ",".join(genome.content.values())

    def to_graph(self, genome: Genome) -> nx.MultiDiGraph:
        raise AssertionError("nobody draws a box")


def box(*sizes: int) -> BoxSpace:
    return type("Box", (BoxSpace,), {"sizes": sizes})(SpaceConfig(), DataShape((1,), 2))  # type: ignore[no-any-return]


def begun(phase: TrialPhase, space: Any, options: Any, seed: int = 0) -> TrialPhase:
    phase.begin(Context(space=space, options=options, seed=seed, rng=random.Random(seed), metric="score", log=EventLog("run")), None)
    return phase


def walk(phase: TrialPhase, limit: int = 10**9, first: int = 0) -> list[tuple[Any, ...]]:
    """Choice lists of the next trials, each told with a score of its last choice."""
    walked: list[tuple[Any, ...]] = []
    while len(walked) < limit and (proposals := phase.ask()):
        genome = proposals[0].genome
        walked.append(phase.context.space.choices_of(genome))
        phase.tell([Result(first + len(walked) - 1, genome, "completed", {"score": float(walked[-1][-1])}, Cost())])
    return walked


def notices(phase: TrialPhase) -> dict[str, Notice]:
    return {event.payload.name: event.payload for event in phase.context.log.drain() if isinstance(event.payload, Notice)}


@pytest.mark.parametrize("order", ["shuffled", "lexicographic"])
def test_a_grid_of_2_3_4_is_24_genomes_and_resumes_without_a_repeat(order: str) -> None:
    options, space = GridConfig(order=order), box(2, 3, 4)  # type: ignore[arg-type]
    whole = walk(begun(GridSearch(), space, options))
    assert len(whole) == len(set(whole)) == 24
    killed = begun(GridSearch(), space, options)
    first = walk(killed, limit=10)
    resumed = begun(GridSearch(), space, options)
    resumed.load_state_dict(checkpoint.unpack(checkpoint.pack(killed.state_dict())))
    assert first + walk(resumed, first=10) == whole
    assert (whole == sorted(whole)) == (order == "lexicographic")


def test_the_order_follows_from_the_seed() -> None:
    first, again, other = (walk(begun(GridSearch(), box(2, 3, 4), GridConfig(), seed)) for seed in (0, 0, 1))
    assert first == again != other


def test_only_a_fully_walked_grid_is_called_complete() -> None:
    phase = begun(GridSearch(), box(2, 3, 4), GridConfig())
    walk(phase, limit=23)
    said = notices(phase)
    assert "grid_complete" not in said and said["grid_size"].message == "the grid has 24 genomes"
    walk(phase, first=23)
    assert "complete: all 24 genomes" in notices(phase)["grid_complete"].message


def test_a_grid_larger_than_the_budget_says_so_before_the_start() -> None:
    entry = registry.algorithm("grid")
    advice = load_object(entry.advice)
    nb201 = registry.space("nb201")
    space = nb201.space(nb201.config(), DataShape((3, 32, 32), 10))
    [said] = advice(GridConfig(), space, 100)
    assert said == "The grid has 15,625 genomes, the budget allows at most 100: 0.6 % of it. The search will not be complete."
    assert "99.9 %" in advice(GridConfig(), space, 15_624)[0]
    assert advise(GridConfig(), space, 15_625) == ["The grid has 15,625 genomes. The budget allows all of them."]
    [huge] = advise(GridConfig(), box(*[10] * 300), 100)
    assert "about 10^300 genomes" in huge and "less than 0.1 %" in huge


def test_a_huge_grid_is_walked_from_its_index_alone() -> None:
    phase = begun(GridSearch(), box(*[10] * 300), GridConfig())
    walked = walk(phase, limit=20)
    assert len(set(walked)) == 20
    # A permutation that only stirred the last digits would look almost lexicographic.
    assert len({choices[0] for choices in walked}) > 4


@pytest.mark.parametrize("size", [1, 2, 3, 24, 625, 1000])
def test_the_permutation_is_one(size: int) -> None:
    permutation = IndexPermutation(size, 7)
    assert sorted(permutation[index] for index in range(size)) == list(range(size))
    with pytest.raises(IndexError):
        permutation[size]


def test_every_genome_comes_first_for_some_seed_about_equally_often() -> None:
    counts = [0] * 24
    for seed in range(2400):
        counts[IndexPermutation(24, seed)[0]] += 1
    assert min(counts) > 60 and max(counts) < 150


def test_a_window_of_nothing_is_refused() -> None:
    for window in (0, -1):
        with pytest.raises(BadInput, match=f"greater than or equal to 1, not {window}") as problem:
            parse("options", GridConfig, {"window": window})
        assert problem.value.field == "options.window"


def test_random_without_replacement_sees_all_24_and_then_ends() -> None:
    phase = begun(RandomSearch(), box(2, 3, 4), RandomConfig())
    walked = walk(phase)
    assert len(walked) == len(set(walked)) == 24
    coverage = [event.payload.values["coverage"] for event in phase.context.log.drain() if isinstance(event.payload, Metrics)]
    assert coverage == [count / 24 for count in range(1, 25)]


def test_random_sees_more_values_of_the_axis_that_matters() -> None:
    """Bergstra and Bengio's figure 1: nine trials, only the first of two axes matters."""
    grid = walk(begun(GridSearch(), box(3, 3), GridConfig()))
    assert len(grid) == 9 and len({first for first, _ in grid}) == 3
    drawn = walk(begun(RandomSearch(), box(1000, 1000), RandomConfig()), limit=9)
    assert len({first for first, _ in drawn}) >= 8


def test_marginals_count_what_was_tried_and_average_what_was_scored() -> None:
    phase = begun(GridSearch(), box(2, 2), GridConfig(order="lexicographic"))
    for number, (status, value) in enumerate((("completed", 0.5), ("failed", 0.0), ("completed", 0.25), ("completed", 0.75))):
        [proposal] = phase.ask()
        metrics = {"score": value} if status == "completed" else {}
        phase.tell([Result(number, proposal.genome, status, metrics, Cost())])  # type: ignore[arg-type]
    frame = [event.payload for event in phase.context.log.drain() if isinstance(event.payload, MarginalsFrame)][-1]
    assert decode_floats(frame.counts).tolist() == [2, 2, 2, 2]
    # A failed trial has no score: it does not pull a mean down.
    assert decode_floats(frame.means).tolist() == pytest.approx([0.5, 0.5, 0.375, 0.75])
    assert "unscored" not in frame.model_dump(), "nothing is written where every choice has a score"


def test_a_mean_of_0_is_told_from_no_score() -> None:
    phase = begun(GridSearch(), box(2, 2), GridConfig(order="lexicographic"))
    for number, metrics in enumerate(({"score": 0.0}, {}, {"score": 0.0}, {})):
        [proposal] = phase.ask()
        status = "completed" if metrics else "failed"
        phase.tell([Result(number, proposal.genome, status, metrics, Cost())])  # type: ignore[arg-type]
    frame = [event.payload for event in phase.context.log.drain() if isinstance(event.payload, MarginalsFrame)][-1]
    assert (decode_floats(frame.counts).tolist(), decode_floats(frame.means).tolist(), frame.unscored) == ([2] * 4, [0] * 4, [3])


def test_random_search_goes_on_as_if_never_stopped() -> None:
    space = box(2, 3, 4)
    whole = walk(begun(RandomSearch(), space, RandomConfig()))
    killed = begun(RandomSearch(), space, RandomConfig())
    first = walk(killed, limit=9)
    resumed = begun(RandomSearch(), space, RandomConfig())
    resumed.load_state_dict(checkpoint.unpack(checkpoint.pack(killed.state_dict())))
    restore_random(resumed.context.rng, random_state(killed.context.rng))
    assert first + walk(resumed, first=9) == whole
