"""The base of searches by trials: a search that says `ask` and `tell` alone is ranked, counted, drawn and checkpointed."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from search_engine.algorithms.base import AlgorithmConfig, AlgorithmEntry, Context, Phase, Proposal, Result
from search_engine.algorithms.trials.kept import from_tree, to_tree
from search_engine.algorithms.trials.search import TrialSearch
from search_engine.base import checkpoint
from search_engine.base.generators import random_state, restore_random
from search_engine.base.growing import Records
from search_engine.catalogue.config import check
from search_engine.events import Cost, EventLog, Metrics
from search_engine.search.coordinator import Coordinator
from search_engine.spaces.data_shape import DataShape
from search_engine.spaces.genomes import Genome
from search_engine.spaces.sequence import SequenceConfig, SequenceSpace
from tests.search_engine import toys

SIZE = 25


class Heredity(TrialSearch[AlgorithmConfig]):
    """Whole generations, children of the best of the generation before."""

    scheduling = "generational"
    keeps = ("parent", "generation", "seen", "trail", "path")
    shows_marginals = True

    def begin(self, context: Context, handover: dict[str, Any] | None) -> None:
        super().begin(context, handover)
        self.parent: Genome | None = None
        self.generation = 0
        self.seen: set[str] = set()
        self.trail: list[list[Genome]] = []
        self.path: tuple[int, ...] = ()

    def ask(self) -> list[Proposal]:
        space, rng = self.context.space, self.context.rng
        if self.parent is None:
            return [Proposal(space.sample(rng)) for _ in range(SIZE)]
        return [Proposal(space.mutate(self.parent, rng)[0]) for _ in range(SIZE)]

    def tell(self, results: list[Result]) -> None:
        best = max(results, key=lambda result: result.metrics[self.context.metric])
        self.parent, self.generation = best.genome, self.generation + 1
        self.seen |= {self.context.space.hash(result.genome) for result in results}
        self.trail.append([best.genome])
        self.path = (*self.path, best.number)
        super().tell(results)

    def figures(self, latest: Result) -> dict[str, float]:
        return {"generation": float(self.generation), "latest": float(latest.number)}


ENTRY = AlgorithmEntry(
    id="heredity", title="Heredity", family="evolution", summary="", source="", needs=frozenset({"trials"}),
    space_needs=frozenset({"sample", "mutate"}), config=AlgorithmConfig, phases=lambda config: [Heredity()],
)


def begun() -> Heredity:
    search, space = Heredity(), SequenceSpace(SequenceConfig(n=6), DataShape((1,), 2))
    search.begin(Context(space, AlgorithmConfig(), 0, random.Random(0), "score", EventLog("run")), None)
    return search


def generation(search: Heredity) -> list[Result]:
    first = search.tally.told
    return [
        Result(first + place, proposal.genome, "completed", {"score": sum(map(int, proposal.genome.content.values())) / 36}, Cost())
        for place, proposal in enumerate(search.ask())
    ]


def test_a_generation_that_jumps_over_a_due_count_says_its_figures() -> None:
    search = begun()
    for _ in range(20):
        search.tell(generation(search))
    said = [event.payload for event in search.context.log.drain() if isinstance(event.payload, Metrics)]
    # From 100 trials on a frame is due at every 2nd, from 400 at every 8th: 25 trials always hold one, but rarely end with one.
    assert [metrics.step for metrics in said] == [SIZE * number for number in range(1, 21)]
    assert said[3].values == {"generation": 4.0, "latest": 99.0, "failed_share": 0.0}


def test_marginals_come_with_the_figures_where_the_space_has_decisions() -> None:
    search = begun()
    search.tell(generation(search))
    kinds = [event.kind for event in search.context.log.drain()]
    assert kinds == ["decisions", "metrics", "marginals"]
    plain = Heredity()
    bits = toys.BitsSpace(toys.BitsConfig(bits=4), DataShape((1,), 2))
    plain.begin(Context(bits, AlgorithmConfig(), 0, random.Random(0), "score", EventLog("run")), None)
    assert plain.marginals is None and "marginals" not in plain.state_dict() and not plain.context.log.drain()


def test_what_it_keeps_comes_back_as_it_was_and_the_search_goes_on_alike() -> None:
    search = begun()
    for _ in range(3):
        search.tell(generation(search))
    state = checkpoint.unpack(checkpoint.pack(search.state_dict()))
    other = begun()
    other.load_state_dict(state)
    restore_random(other.context.rng, random_state(search.context.rng))
    for name in Heredity.keeps:
        assert getattr(other, name) == getattr(search, name) and type(getattr(other, name)) is type(getattr(search, name)), name
    assert other.best() == search.best() and other.tally.state_dict() == search.tally.state_dict()
    assert generation(other) == generation(search)


def test_a_state_that_was_given_away_does_not_change_with_the_search() -> None:
    search = begun()
    search.tell(generation(search))
    state = search.state_dict()
    before = checkpoint.pack(state)
    search.tell(generation(search))
    assert checkpoint.pack(state) == before


def test_it_runs_under_the_coordinator_and_the_budget_cuts_a_generation(tmp_path: Path) -> None:
    with toys.registered(algorithms=(ENTRY,)):
        checked = check({"algorithm": "heredity", "space": "sequence", "datasets": ["learn_to_count"], "budget": {"trials": 60}})
        coordinator = Coordinator(checked, tmp_path, tmp_path)
        events = coordinator.advance(seconds=60).events
    told = [event.step for event in events if event.kind == "trial_told"]
    figures = [event.payload.step for event in events if event.kind == "metrics" and event.source == "run"]
    # Two whole generations were learned from; the third is evaluated as far as the budget goes, and not told.
    assert len(told) == 60 and figures == [SIZE, 2 * SIZE]


@pytest.mark.parametrize("value", [None, 1.5, "x", [1, [2]], {"a": [None]}, {3: 4}, set(), {"b", "a"}, (), (1, "x")])
def test_plain_values_survive_the_tree(value: Any) -> None:
    like = type(value)() if isinstance(value, set | tuple) else None
    assert from_tree(checkpoint.unpack(checkpoint.pack(to_tree(value))), like) == value


def test_genomes_survive_the_tree_wherever_they_stand() -> None:
    genome = Genome("toy", {"operations": ["a", {"b": 1}]})
    for value in (genome, [genome, 1], {"best": [0.5, genome]}):
        assert from_tree(checkpoint.unpack(checkpoint.pack(to_tree(value))), None) == value


def test_records_put_their_items_into_the_tree_and_back() -> None:
    row: Records[tuple[int, str]] = Records(list, tuple)
    row.extend([(1, "a"), (2, "b")])
    other: Records[tuple[int, str]] = Records(list, tuple)
    other.append((9, "old"))
    assert from_tree(to_tree(row), like=other) is other
    assert list(other) == [(1, "a"), (2, "b")]


def test_a_phase_reads_its_own_options() -> None:
    search: Phase[AlgorithmConfig] = begun()
    assert search.options is search.context.options
