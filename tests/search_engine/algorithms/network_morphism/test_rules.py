"""Hill climbing and the Bayesian choice, driven by hand on a score that was planted: nothing is trained."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from search_engine.algorithms.base import GROWN, Context, Proposal, Result
from search_engine.algorithms.network_morphism.bayesian_choice import BayesianChoice
from search_engine.algorithms.network_morphism.edit_distance import Sketch, distance, sketch
from search_engine.algorithms.network_morphism.hill_climbing import HillClimb
from search_engine.algorithms.network_morphism.options import NetworkMorphismConfig
from search_engine.algorithms.network_morphism.search import MorphismSearch
from search_engine.base import checkpoint
from search_engine.events import Cost, EventLog
from search_engine.spaces.data_shape import DataShape
from search_engine.spaces.growing_convnet.morphs import apply
from search_engine.spaces.growing_convnet.network import Network
from search_engine.spaces.growing_convnet.options import GrowingConvnetConfig
from search_engine.spaces.growing_convnet.space import GrowingConvnetSpace

Score = Callable[[Network], float]


def space(**options: Any) -> GrowingConvnetSpace:
    return GrowingConvnetSpace(GrowingConvnetConfig(**{"channels": (4, 4), **options}), DataShape((1, 8, 8), 3))


def begun(kind: type[MorphismSearch], seed: int, one: GrowingConvnetSpace | None = None, **options: Any) -> Any:
    search = kind()
    config = NetworkMorphismConfig(**options)
    context = Context(one or space(), config, seed=seed, rng=random.Random(seed), metric="val_accuracy", log=EventLog("run"))
    search.begin(context, None)
    return search


def told(
    search: MorphismSearch, proposals: list[Proposal], first: int, score: Score, fails: Callable[[int], bool] = lambda number: False
) -> None:
    results = []
    for number, proposal in enumerate(proposals, start=first):
        value = score(search.space.network(proposal.genome))
        before = search.lineage.told[proposal.parents[0]].value if proposal.parents else None
        metrics = {"val_accuracy": value} | ({} if before is None else {GROWN: before})
        status: Any = "failed" if fails(number) else "completed"
        results.append(Result(number, proposal.genome, status, {} if fails(number) else metrics, Cost()))
    search.tell(results)


def run(search: MorphismSearch, score: Score) -> list[float]:
    """Values in the order told."""
    asked = 0
    while proposals := search.ask():
        told(search, proposals, asked, score)
        asked += len(proposals)
    return [item.value for item in search.lineage.told.values() if item.value is not None]


TARGET = Sketch(
    tuple([("conv", 16, 3), ("conv", 16, 5), ("pool", 0, 0), ("conv", 16, 3), ("conv", 16, 3), ("conv", 16, 3)]), ()
)


def near_target(network: Network) -> float:
    """The closer to the planted network the better."""
    return 1 - 0.1 * distance(sketch(network), TARGET)


# ---- hill climbing


def test_a_step_has_the_unchanged_parent_and_grown_children() -> None:
    search = begun(HillClimb, 0, children=4, morphs=3)
    [seed] = search.ask()
    assert seed.inherit is None and seed.fidelity == {"epochs": 20} and seed.genome == search.space.seed()
    told(search, [seed], 0, lambda network: 0.5)
    first, *others = search.ask()
    assert first.genome == seed.genome and first.inherit is not None and (first.inherit.trial, first.inherit.morphs) == (0, ())
    assert len(others) == 3
    for child in others:
        assert child.inherit is not None and child.inherit.morphs is not None and child.parents == (0,)
        network = search.space.network(seed.genome)
        for morph in child.inherit.morphs:
            network = apply(network, morph)
        assert search.space.genome(network) == child.genome and len(child.inherit.morphs) == 3
        assert search.space.fits(network)


def test_the_best_child_goes_on_and_the_others_are_forgotten() -> None:
    search = begun(HillClimb, 0, children=3, morphs=1, steps=2)
    told(search, search.ask(), 0, lambda network: 0.5)
    children = search.ask()
    values = iter([0.4, 0.7, 0.6])
    told(search, children, 1, lambda network: next(values))
    assert search.lineage.chosen == [0, 2] and sorted(search.forgotten()) == [1, 3] and search.forgotten() == []
    assert search.best()[0].genome == children[1].genome and search.best()[0].candidate == 2
    following = search.ask()
    assert [child.inherit.trial for child in following] == [2, 2, 2] and following[0].genome == children[1].genome
    # Of equals the first: the unchanged parent. The seed's weights stay, for the finale.
    told(search, following, 4, lambda network: 0.7)
    assert search.lineage.chosen == [0, 2, 4] and search.ask() == [] and sorted(search.forgotten()) == [2, 5, 6]


def test_a_step_of_failures_leaves_the_parent() -> None:
    search = begun(HillClimb, 0, children=2, steps=2)
    told(search, search.ask(), 0, lambda network: 0.5)
    told(search, search.ask(), 1, lambda network: 0.5, fails=lambda number: True)
    assert search.lineage.chosen == [0] and search.best()[0].candidate == 0
    assert [child.inherit.trial for child in search.ask()] == [0, 0]


def test_bounds_of_size_hold_and_are_drawn_again() -> None:
    one = space(max_megaflops=0.2, max_parameters=4000)
    search = begun(HillClimb, 0, one, children=12, morphs=6, steps=3)
    run(search, near_target)
    sizes = [(item.parameters, item.megaflops) for item in search.lineage.asked.values()]
    assert all(parameters <= 4000 and megaflops <= 0.2 for parameters, megaflops in sizes)
    assert max(parameters for parameters, _ in sizes) > 2000


class First(HillClimb):
    """Goes on from whichever child comes second."""

    def choose(self, results: Any) -> None:
        self.lineage.chosen.append(results[-1].number)
        self.keep({results[-1].number})


def climbed(kind: type[HillClimb], seed: int) -> float:
    search = begun(kind, seed, children=8, morphs=2, steps=6)
    run(search, near_target)
    return near_target(search.network_of(search.lineage.chosen[-1]))


@pytest.mark.parametrize("seed", range(5))
def test_it_climbs_to_a_planted_network(seed: int) -> None:
    """At each of five stated seeds; going on from any child leads away from it."""
    one = space()
    start = near_target(one.network(one.seed()))
    assert climbed(First, seed) < start + 0.1 < climbed(HillClimb, seed)


# ---- the Bayesian choice


def test_the_first_network_is_the_seed_and_all_others_grow_from_kept_ones() -> None:
    search = begun(BayesianChoice, 0, choice="bayesian", networks=12, candidates=30, parents=2)
    values = run(search, near_target)
    assert len(values) == 12 and search.lineage.asked[0].parent is None
    assert all(item.parent is not None for number, item in search.lineage.asked.items() if number)
    assert len(search.kept) <= 4 and search.best()[0].value == max(values)


def test_no_network_is_asked_twice() -> None:
    search = begun(BayesianChoice, 1, choice="bayesian", networks=15, candidates=20)
    run(search, near_target)
    sketches = list(search.sketches.values())
    assert all(distance(one, other) >= 1e-5 for place, one in enumerate(sketches) for other in sketches[:place])


def test_open_trials_count_as_bad_ones_and_their_parents_are_kept() -> None:
    """Otherwise the second proposal would be where the first is."""
    search = begun(BayesianChoice, 2, choice="bayesian", networks=20, candidates=40, open_trials=4, parents=1)
    assert search.window == 1
    told(search, search.ask(), 0, near_target)
    assert search.window == 4
    proposals = [search.ask()[0] for _ in range(4)]
    sketches = [sketch(search.space.network(proposal.genome)) for proposal in proposals]
    assert min(distance(a, b) for place, a in enumerate(sketches) for b in sketches[:place]) >= 1e-5
    process, numbers, _ = search._process()
    means, _ = process.predict([[distance(search.sketches[one], search.sketches[other]) for other in numbers] for one in numbers[1:]])
    assert max(means) <= near_target(search.space.network(search.space.seed())) + 1e-2
    for number, proposal in enumerate(proposals, start=1):
        told(search, [proposal], number, near_target)
        waiting = {proposals[later - 1].parents[0] for later in range(number + 1, 5)}
        assert waiting <= set(search.kept) and not waiting & set(search.forgotten())


class Drawn(BayesianChoice):
    """Takes any candidate, whatever the process says."""

    def _chosen(self) -> Any:
        _, found = super()._chosen()
        return self.context.rng.choice(found), found


class Pessimist(BayesianChoice):
    """The smallest acquisition."""

    def _chosen(self) -> Any:
        _, found = super()._chosen()
        return min(found, key=lambda candidate: candidate.acquisition), found


def best_of(kind: type[BayesianChoice], acquisition: str, seed: int) -> float:
    return max(run(begun(kind, seed, choice="bayesian", networks=16, candidates=40, acquisition=acquisition, beta=1.0), near_target))


def test_it_finds_a_planted_network_sooner_than_chance_fast_gate() -> None:
    """One of the stated seeds."""
    assert best_of(BayesianChoice, "ucb", 0) > best_of(Drawn, "ucb", 0)


@pytest.mark.slow
@pytest.mark.parametrize("acquisition", ["ucb", "ei"])
def test_it_finds_a_planted_network_sooner_than_chance(acquisition: str) -> None:
    """Mean best of 16 networks over four stated seeds."""
    means = {kind: sum(best_of(kind, acquisition, seed) for seed in range(4)) / 4 for kind in (BayesianChoice, Drawn, Pessimist)}
    assert means[BayesianChoice] > means[Drawn] + 0.02, means
    assert means[BayesianChoice] > means[Pessimist] + 0.02, means


# ---- state


STATED: list[Any] = [(HillClimb, {"children": 3}), (BayesianChoice, {"choice": "bayesian", "networks": 8, "candidates": 15})]


@pytest.mark.parametrize(("kind", "options"), STATED)
def test_it_goes_on_from_its_state_alike(kind: type[MorphismSearch], options: dict[str, Any]) -> None:
    through, again = begun(kind, 3, steps=2, **options), begun(kind, 3, steps=2, **options)
    asked = 0
    while proposals := through.ask():
        copy = again.ask()
        assert copy == proposals
        told(through, proposals, asked, near_target)
        told(again, copy, asked, near_target)
        assert through.forgotten() == again.forgotten()
        asked += len(proposals)
        state, rng = checkpoint.unpack(checkpoint.pack(again.state_dict())), again.context.rng.getstate()
        again = begun(kind, 3, steps=2, **options)
        again.load_state_dict(state)
        again.context.rng.setstate(rng)
    first, second = (json.dumps(checkpoint.unpack(checkpoint.pack(search.state_dict()))) for search in (through, again))
    assert first == second


def test_the_tree_says_what_came_of_what() -> None:
    search = begun(HillClimb, 0, children=3, morphs=2, steps=1)
    run(search, near_target)
    frame = search.lineage.frame(4, "val_accuracy", {})
    assert [item.candidate for item in frame.networks] == [0, 1, 2, 3] and frame.current == search.lineage.chosen[-1]
    seed, same, grown, _ = frame.networks
    assert (seed.parent, seed.before, seed.grown, seed.chosen) == (None, None, None, True)
    assert (same.morphs, same.before, same.grown) == ([], seed.value, seed.value) and len(grown.morphs) == 2
    assert search.figures(Result(0, search.space.seed(), "completed", {}, Cost()))["largest_change_by_morphs"] == 0
