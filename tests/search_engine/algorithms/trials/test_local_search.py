"""Local search: the rule exactly, whatever the window, and problems whose answer is planted, which wrong variants miss."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from statistics import mean
from typing import Any

import pytest

from search_engine.algorithms.base import Context, Proposal, Result
from search_engine.algorithms.trials import local_search
from search_engine.algorithms.trials.local_search import LocalSearch, LocalSearchConfig, advise, neighbours
from search_engine.base import checkpoint
from search_engine.base.generators import derive_seed, random_state, restore_random
from search_engine.catalogue import registry
from search_engine.events import Cost, EventLog, Metrics, Notice
from search_engine.spaces.data_shape import DataShape
from search_engine.spaces.genomes import Genome
from search_engine.spaces.nb201 import NB201Config, NB201Space
from tests.search_engine.algorithms.bayesian import synthetic_cells
from tests.search_engine.algorithms.trials.test_grid import box

Choices = tuple[int | None, ...]
Score = Callable[[Choices], float | None]


class Climb:
    """A search on `space` under the rules of the loop: asked while its window has room, told in ask order."""

    def __init__(self, space: Any, score: Score, seed: int = 0, kind: type[LocalSearch] = LocalSearch, **options: Any) -> None:
        self.space, self.score = space, score
        config = LocalSearchConfig(**options)
        self.search = kind()
        self.search.begin(Context(space, config, seed, random.Random(seed), "score", EventLog("run")), None)
        self.asked: list[Proposal] = []
        self.values: list[float | None] = []
        """Of the told trials."""
        self.notices: list[Notice] = []
        self.metrics: list[Metrics] = []

    def run(self, trials: int, until: int | None = None) -> Climb:
        """On until the budget's `trials` are told, or no more are asked, or `until` are told."""
        while len(self.values) < (trials if until is None else until):
            while len(self.asked) < trials and len(self.asked) - len(self.values) < self.search.window:
                proposals = self.search.ask()
                if not proposals:
                    break
                self.asked += proposals
            if len(self.asked) == len(self.values):
                break
            self.tell()
        return self

    def tell(self) -> None:
        number = len(self.values)
        value = self.score(self.choices(number))
        self.values.append(value)
        status, metrics = ("failed", {}) if value is None else ("completed", {"score": value})
        self.search.tell([Result(number, self.asked[number].genome, status, metrics, Cost())])  # type: ignore[arg-type]
        payloads = [event.payload for event in self.search.context.log.drain()]
        self.notices += [payload for payload in payloads if isinstance(payload, Notice)]
        self.metrics += [payload for payload in payloads if isinstance(payload, Metrics)]

    def choices(self, number: int) -> Choices:
        return self.space.choices_of(self.asked[number].genome)  # type: ignore[no-any-return]

    def said(self, name: str) -> list[int]:
        """The candidates of these notices."""
        return [int(notice.values["candidate"]) for notice in self.notices if notice.name == name]

    @property
    def best(self) -> float:
        return max(value for value in self.values if value is not None)


def distance(first: Choices, second: Choices) -> int:
    return sum(a != b for a, b in zip(first, second, strict=True))


def ones(choices: Choices) -> float:
    return sum(choice or 0 for choice in choices) / len(choices)


# ---- the rule, exactly


def test_every_neighbour_is_asked_in_an_order_that_is_random() -> None:
    """On a plain of equal scores: the start, then its 1 + 2 + 3 neighbours, each one decision away; equal is not better."""
    first: Counter[Choices] = Counter()
    for seed in range(600):
        climb = Climb(box(2, 3, 4), lambda choices: 0.5, seed).run(8)
        start, *around = (climb.choices(number) for number in range(7))
        assert len(set(around)) == 6 and {distance(start, choices) for choices in around} == {1}
        assert [proposal.operator for proposal in climb.asked] == ["random", *["neighbour"] * 6, "random"]
        assert [proposal.parents for proposal in climb.asked] == [(), *[(0,)] * 6, ()]
        assert climb.said("local_optimum") == [0] and not climb.said("moved")
        first[tuple((choice or 0) - (base or 0) for choice, base in zip(around[0], start, strict=True))] += 1
    by_place = [sum(count for change, count in first.items() if change[place]) / 600 for place in range(3)]
    assert by_place == pytest.approx([1 / 6, 2 / 6, 3 / 6], abs=0.06)


def test_first_moves_to_the_first_that_is_better_and_asks_its_neighbours_next() -> None:
    climb = Climb(box(*[2] * 8), ones, seed=1).run(60)
    here, moves = 0, []
    for number in range(1, climb.said("local_optimum")[0] + 1):
        assert climb.asked[number].parents == (here,) and distance(climb.choices(number), climb.choices(here)) == 1
        if climb.values[number] > climb.values[here]:  # type: ignore[operator]
            here = number
            moves.append(number)
    assert len(moves) >= 2 and climb.said("moved")[: len(moves)] == moves


def test_best_hears_all_neighbours_and_moves_to_the_best_of_them() -> None:
    climb = Climb(box(4, 4), lambda choices: (10 * choices[0] + choices[1]) / 33, seed=1, rule="best").run(16)  # type: ignore[operator]
    start = climb.choices(0)
    assert start[0] != 3, "another seed: this start has nowhere to go by its first decision"
    # Three neighbours by each decision; the best one has the highest first choice. Of its neighbours three are known by then.
    moved = climb.said("moved")[0]
    assert climb.choices(moved) == (3, start[1]) and climb.notices[0].step == 7
    assert [proposal.parents for proposal in climb.asked[7:10]] == [(moved,)] * 3
    assert {climb.choices(number)[0] for number in range(7, 10)} == {3}


def test_of_equally_good_neighbours_the_earlier_one_is_the_best() -> None:
    for seed in range(20):
        start = Climb(box(3, 3, 3), ones, seed).run(1).choices(0)
        climb = Climb(box(3, 3, 3), lambda choices, start=start: float(choices != start), seed, rule="best").run(7)  # type: ignore[misc]
        assert climb.said("moved") == [1]


def test_a_neighbour_that_was_tried_is_compared_without_a_trial() -> None:
    """From (0, y) to (2, y) past a worse (1, y): around (2, y) only the other y are new."""
    climb = Climb(box(3, 2), lambda choices: choices[0] / 2, seed=3, rule="best").run(10)  # type: ignore[operator]
    starts = [number for number, proposal in enumerate(climb.asked) if proposal.operator == "random"]
    assert len({climb.choices(number) for number in range(len(climb.asked))}) == len(climb.asked) == 6
    assert starts[0] == 0 and not climb.search.ask()


def test_a_better_one_that_is_known_already_is_moved_to_at_once() -> None:
    """The second climb begins beside an optimum of the first: once the known neighbour comes up, it stands there."""
    values = {(0, 0): 0.1, (0, 1): 0.9, (0, 2): 0.2, (1, 0): 0.0, (1, 1): 0.0, (1, 2): 0.3}
    known_moves = 0
    for seed in range(40):
        climb = Climb(box(2, 3), lambda choices: values[choices], seed).run(6)  # type: ignore[index]
        told_when_moved = [(int(notice.values["candidate"]), notice.step) for notice in climb.notices if notice.name == "moved"]
        known_moves += sum(candidate + 1 < (step or 0) for candidate, step in told_when_moved)
    assert known_moves > 0


def test_nothing_is_evaluated_twice_up_to_isomorphism() -> None:
    space = NB201Space(NB201Config(), DataShape((3, 32, 32), 10))
    for window in (1, 5):
        climb = Climb(space, lambda choices: synthetic_cells.score(space, space.genome_of(choices)), seed=2, window=window).run(400)
        assert len({space.hash(proposal.genome) for proposal in climb.asked}) == len(climb.asked) == 400
        assert len(climb.said("local_optimum")) > 3


def test_neighbours_that_are_one_architecture_are_one_and_the_present_one_is_none() -> None:
    space = NB201Space(NB201Config(), DataShape((3, 32, 32), 10))
    for seed in range(20):
        genome = space.sample(random.Random(seed))
        found = neighbours(space, genome, random.Random(seed))
        assert space.hash(genome) not in found and len(found) <= 24
        assert all(space.hash(neighbour) == hash_ for hash_, neighbour in found.items())
        one_away = {space.genome_of((*base[:place], choice, *base[place + 1 :])) for base in [space.choices_of(genome)]
                    for place in range(6) for choice in range(5)}
        assert {space.hash(other) for other in one_away} == {*found, space.hash(genome)}
    empty = space.genome(["none"] * 6)
    assert len(neighbours(space, empty, random.Random(0))) < 24


def test_a_change_draws_what_it_makes_active_and_drops_what_it_does_not() -> None:
    entry = registry.space("mlp")
    space = entry.space(entry.config(), DataShape((4,), 3))
    assert any(decision.when for decision in space.decisions)
    for seed in range(20):
        rng = random.Random(seed)
        base = space.decisions.sample(rng)
        found = [space.choices_of(genome) for genome in neighbours(space, space.genome_of(base), rng).values()]
        changed = Counter()
        for choices in found:
            space.decisions.validate(choices)
            places = [place for place in range(len(base)) if base[place] is not None and choices[place] not in (None, base[place])]
            assert len(places) == 1, "one decision changes; others come and go with it"
            changed[places[0]] += 1
        assert changed == {place: len(space.decisions[place].choices) - 1 for place in space.decisions.changeable(base)}


def test_failures_are_tried_and_never_better() -> None:
    """The whole first choice fails: no climb begins there or moves there, none of it is asked twice, and the rest is climbed."""
    climb = Climb(box(2, 3, 4), lambda choices: None if choices[0] == 0 else ones(choices), seed=0).run(24)
    assert len({climb.choices(number) for number in range(24)}) == 24 and climb.values.count(None) == 12
    assert climb.said("local_optimum")
    assert all(climb.values[number] is not None for number in climb.said("moved") + climb.said("local_optimum"))
    assert climb.search.best()[0].value == ones((1, 2, 3))


@pytest.mark.parametrize("rule", ["first", "best"])
@pytest.mark.parametrize("window", [1, 4, 30])
def test_a_space_that_is_used_up_ends_the_search(rule: str, window: int) -> None:
    climb = Climb(box(2, 3, 4), ones, rule=rule, window=window).run(1000)
    assert len({climb.choices(number) for number in range(len(climb.asked))}) == len(climb.asked) == 24
    assert climb.said("local_optimum") and not climb.search.ask()


# ---- windows


def test_a_result_of_a_neighbourhood_that_was_left_does_not_move_the_search() -> None:
    """Two neighbours by different decisions are open; the first one is better, so the second, better still, is no neighbour any more."""
    apart = 0
    for seed in range(30):
        scores = iter((0.1, 0.0, 0.2, 0.9))
        climb = Climb(box(*[5] * 6), lambda choices, scores=scores: next(scores), seed, window=2)  # type: ignore[misc]
        # The start, another start in the window's free place, and the two neighbours of the first one.
        climb.run(100, until=4)
        assert [proposal.parents for proposal in climb.asked[:4]] == [(), (), (0,), (0,)]
        assert climb.said("moved")[0] == 2
        if distance(climb.choices(2), climb.choices(3)) == 2:
            apart += 1
            assert climb.said("moved") == [2] and climb.asked[4].parents == climb.search.ask()[0].parents == (2,)
    assert apart > 10


@pytest.mark.parametrize("rule", ["first", "best"])
@pytest.mark.parametrize("window", [1, 3, 8])
def test_every_move_and_every_optimum_is_what_the_rule_says(rule: str, window: int) -> None:
    """With any window: a move goes to a better neighbour (the best one), and an optimum's neighbours are all told, none of them better."""
    climb = Climb(box(4, 4, 4, 4), rugged, 4, rule=rule, window=window).run(200)
    told = {climb.choices(number): number for number in range(200)}
    here: int | None = None
    for notice in climb.notices:
        number = int(notice.values["candidate"])
        assert notice.values["value"] == climb.values[number] and number < (notice.step or 0)
        if here is not None:
            around = {choices: other for choices, other in told.items() if distance(choices, climb.choices(here)) == 1}
            values = {other: climb.values[other] or 0.0 for other in around.values() if other < (notice.step or 0)}
            assert len(values) == 12 or (rule == "first" and notice.name == "moved")
            if notice.name == "moved":
                assert values[number] > (climb.values[here] or 0.0) and (rule == "first" or values[number] == max(values.values()))
            else:
                assert number == here and max(values.values()) <= (climb.values[here] or 0.0)
        here = number if notice.name == "moved" else None
    assert len(climb.said("local_optimum")) >= 3 and len(climb.said("moved")) >= 6


def rugged(choices: Choices) -> float:
    """A slope with noise of its own for every genome."""
    return sum(choice or 0 for choice in choices) / 12 + derive_seed("rugged", *choices) % 1000 / 2000


def test_starts_that_fill_a_window_are_used_in_the_order_asked() -> None:
    climb = Climb(box(2, 2, 2, 2), lambda choices: 0.5, seed=0, window=4).run(16)
    starts = [number for number, proposal in enumerate(climb.asked) if proposal.operator == "random"]
    assert starts[:4] == [0, 1, 2, 3]
    optima = climb.said("local_optimum")
    assert optima == starts[: len(optima)] and len(optima) >= 2


@pytest.mark.parametrize("rule", ["first", "best"])
def test_killed_and_reloaded_it_goes_on_alike(rule: str) -> None:
    for killed_after in (1, 6, 13, 40):
        whole, killed, resumed = (Climb(box(4, 4, 4, 4), rugged, 7, rule=rule, window=3) for _ in range(3))
        whole.run(90)
        killed.run(90, until=killed_after)
        resumed.search.load_state_dict(checkpoint.unpack(checkpoint.pack(killed.search.state_dict())))
        restore_random(resumed.search.context.rng, random_state(killed.search.context.rng))
        resumed.asked, resumed.values = list(killed.asked), list(killed.values)
        resumed.run(90)
        assert resumed.asked == whole.asked and resumed.notices == whole.notices[len(killed.notices) :]


# ---- planted truth


PEAK, TRAP = 1.0, 0.9


def trap(choices: Choices) -> float:
    """Six bits. Where the first is 0, the others should all be 1 (the peak); where it is 1, all be 0 (the trap, a little lower)."""
    rest = sum(choice or 0 for choice in choices[1:])
    return TRAP - 0.02 * rest if choices[0] else rest / 5 * PEAK


def first_peak(seed: int, kind: type[LocalSearch] = LocalSearch, trials: int = 1000) -> bool:
    """Whether the first climb ends on the peak."""
    climb = Climb(box(*[2] * 6), trap, seed, kind)
    while len(climb.values) < trials and not climb.said("local_optimum"):
        before = len(climb.values)
        if len(climb.run(before + 1).values) == before:
            break
    optima = climb.said("local_optimum")
    return bool(optima) and climb.values[optima[0]] == PEAK


class AcceptsWorse(LocalSearch):
    """A mutant: whatever was told last will do (with known ones, too, it would go round in circles)."""

    def _improves(self, hash_: str, on: str) -> bool:
        return self.tried[hash_][0] == len(self.tried) - 1


class NoRestart(LocalSearch):
    """A mutant: at its first optimum the search ends."""

    def ask(self) -> list[Proposal]:
        return [] if self.optima else super().ask()


def changed_twice(space: Any, genome: Genome, rng: random.Random) -> dict[str, Genome]:
    """A mutant: neighbours differ in two decisions."""
    twice = [other for near in neighbours(space, genome, rng).values() for other in neighbours(space, near, rng).values()]
    rng.shuffle(twice)
    far = [other for other in twice if distance(space.choices_of(genome), space.choices_of(other)) == 2]
    return {space.hash(other): other for other in far}


def in_order(space: Any, genome: Genome, rng: random.Random) -> dict[str, Genome]:
    """A mutant: neighbours always come in the same order, by decision."""
    found = neighbours(space, genome, rng)
    base = space.choices_of(genome)
    return dict(sorted(found.items(), key=lambda item: [a == b for a, b in zip(base, space.choices_of(item[1]), strict=True)]))


def test_one_climb_in_six_finds_the_peak() -> None:
    """With z zeros to go and the way into the trap open all the time, a random order goes on with probability z / (z + 1): the peak is
    reached from a start outside the trap with probability 1 / (z + 1), which makes 1 / 6 over all starts (the rest: the one start inside
    the trap from which the peak is better). 600 seeds: standard error .015."""
    assert mean(first_peak(seed) for seed in range(600)) == pytest.approx(1 / 6, abs=0.046)


@pytest.mark.parametrize("mutant", [AcceptsWorse, changed_twice, in_order])
def test_a_wrong_climb_does_not(mutant: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Measured: .03 (whatever was told), .06 (two decisions), .01 (no random order)."""
    kind = mutant if isinstance(mutant, type) else LocalSearch
    if kind is LocalSearch:
        monkeypatch.setattr(local_search, "neighbours", mutant)
    share = mean(first_peak(seed, kind, trials=100) for seed in range(150))
    assert share < 0.1


def test_it_starts_again_until_it_finds_the_peak() -> None:
    """Longer, so that chance alone does not: 11 bits, 2048 genomes, 300 trials. Measured: 1.0, without restarts .15, by chance .15."""

    def found(kind: type[LocalSearch]) -> float:
        return mean(Climb(box(*[2] * 11), longer_trap, seed, kind).run(300).best == PEAK for seed in range(40))

    assert found(LocalSearch) >= 0.9
    assert found(NoRestart) <= 0.35


def longer_trap(choices: Choices) -> float:
    rest = sum(choice or 0 for choice in choices[1:])
    return TRAP - 0.01 * rest if choices[0] else rest / 10 * PEAK


def test_on_cells_it_beats_chance_and_the_first_better_one_beats_the_best_of_all() -> None:
    """Path-additive scores of all NAS-Bench-201 cells, 60 trials, 30 seeds. Measured: 3.84 (first), 3.72 (best), of at most 4.18."""
    space = NB201Space(NB201Config(), DataShape((3, 32, 32), 10))

    def incumbents(**options: Any) -> float:
        return mean(
            Climb(space, lambda choices: synthetic_cells.score(space, space.genome_of(choices)), seed, **options).run(60).best
            for seed in range(30)
        )

    def chance(seed: int) -> float:
        rng = random.Random(seed)
        return max(synthetic_cells.score(space, space.sample(rng)) for _ in range(60))

    first, best, drawn = incumbents(), incumbents(rule="best"), mean(chance(seed) for seed in range(30))
    assert first > best > drawn, (first, best, drawn)


# ---- what it says


def test_figures_count_moves_restarts_and_what_was_compared() -> None:
    climb = Climb(box(2, 2), lambda choices: ones(choices), seed=0).run(4)
    last = climb.metrics[-1]
    assert last.step == len(climb.values) and last.values["failed_share"] == 0
    assert last.values["moves"] == len(climb.said("moved")) and last.values["restarts"] == len(climb.said("local_optimum"))
    standing = [metrics.values["current"] for metrics in climb.metrics if "current" in metrics.values]
    assert standing[0] == climb.values[0] and standing == sorted(standing)


def test_advice_before_a_search_that_cannot_finish_a_neighbourhood() -> None:
    space = NB201Space(NB201Config(), DataShape((3, 32, 32), 10))
    assert advise(LocalSearchConfig(), space, 100) == advise(LocalSearchConfig(), space, None) == []
    [few] = advise(LocalSearchConfig(), space, 24)
    assert few.startswith("An architecture has up to 24 neighbours, the budget allows 24 trials: it may not know one local optimum.")
    assert "it may not move once" in advise(LocalSearchConfig(rule="best"), space, 10)[0]
    assert "up to 7 are neighbours" in advise(LocalSearchConfig(window=8), space, 100)[0]
