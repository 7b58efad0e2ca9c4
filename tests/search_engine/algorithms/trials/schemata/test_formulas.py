"""S and p against enumeration: every draw of every selection, every pick of every operator, on cases small enough to count."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from fractions import Fraction
from typing import Any

import pytest

from search_engine.algorithms.trials.schemata.decisions import DecisionOperators, genes_of, hangs_on, says_rates
from search_engine.algorithms.trials.schemata.schema import Schema, defining_length, mask
from search_engine.algorithms.trials.schemata.selecting import by_rank, positive, proportional, with_replacement, without_replacement
from search_engine.algorithms.trials.schemata.surviving import strings, uniform_crossover
from search_engine.base.errors import BadInput
from search_engine.spaces.base import SpaceConfig
from search_engine.spaces.cell import CellConfig, CellSpace
from search_engine.spaces.data_shape import NO_INPUT, DataShape
from search_engine.spaces.decision_space import DecisionSpace
from search_engine.spaces.decisions import Choices, Decision, DecisionList
from search_engine.spaces.hierarchical import HierarchicalConfig, HierarchicalSpace
from search_engine.spaces.motifs.hierarchy import Hierarchy, Level
from search_engine.spaces.motifs.steps import Walk, change_rates, draw_rates

VALUES = [0.2, 0.9, 0.5, 0.9, 0.5]


def shared(draws: list[tuple[int, ...]]) -> list[float]:
    """How often each place is the first of the best of a draw; every order of equals is among the draws."""
    wins = Counter(max(draw, key=VALUES.__getitem__) for draw in draws)
    return [wins[place] / len(draws) for place in range(len(VALUES))]


def test_selection_is_what_all_draws_give() -> None:
    assert with_replacement(VALUES, 3) == pytest.approx(shared(list(itertools.product(range(5), repeat=3))))
    assert without_replacement(VALUES, 3) == pytest.approx(shared(list(itertools.permutations(range(5), 3))))
    ranks = Counter(min(draw) for draw in itertools.product(range(4), repeat=3))
    assert by_rank(4, 3) == pytest.approx([ranks[place] / 64 for place in range(4)])


def test_proportional_selection_needs_positive_fitness() -> None:
    with pytest.raises(ValueError, match="needs positive fitness"):
        proportional([0.5, 0.0])
    made, how = positive([-2.0, -1.0], "train_log_likelihood")
    assert made is not None and proportional(made).sum() == pytest.approx(1) and how == "exp of the log-likelihood"


@pytest.mark.parametrize("text", ["1**0*", "11***", "*1*", "1***1", "10101"])
def test_strings_survive_every_cut_and_change_that_leaves_them(text: str) -> None:
    positions, crossover, mutation = len(text), 0.7, 0.1
    fixed = [place for place, sign in enumerate(text) if sign != "*"]
    whole = 0.0
    for cut in range(1, positions):
        parted = any(place < cut for place in fixed) and any(place >= cut for place in fixed)
        whole += (1 - crossover * parted) / (positions - 1)
    changes = sum(
        (mutation ** sum(flips)) * ((1 - mutation) ** (positions - sum(flips)))
        for flips in itertools.product((0, 1), repeat=positions) if not any(flips[place] for place in fixed)
    )
    schema = mask(text)
    assert strings(schema.order, defining_length(schema), positions, crossover, mutation) == pytest.approx(whole * changes)


def test_uniform_crossover_loses_no_more_than_all_matings_do() -> None:
    population = [(1, 1, 0), (1, 0, 0), (0, 1, 1), (1, 1, 1), (0, 0, 0), (0, 0, 1)]
    for schema in (Schema(((0, 1),)), Schema(((0, 1), (1, 1))), Schema(((0, 1), (1, 1), (2, 0)))):
        selected = sum(schema.matches(genes_of(each)) for each in population) / len(population)
        found = Fraction(0)
        for one, two in itertools.product(population, repeat=2):
            for picks in itertools.product((0, 1), repeat=3):
                child = genes_of([(one, two)[pick][place] for place, pick in enumerate(picks)])
                found += Fraction(int(schema.matches(child)), len(population) ** 2 * 8)
        bound = selected * uniform_crossover(selected, schema.order)
        assert bound <= float(found) + 1e-12
        if schema.order == 1:
            assert bound == pytest.approx(float(found))


class Layered(DecisionSpace[SpaceConfig]):
    """A depth that three layers hang on."""

    id = "layered"
    decisions = DecisionList(
        [
            Decision("depth", "Depth", "number", ("one", "two", "three")),
            Decision("first", "First", "layer", ("conv", "pool", "none")),
            Decision("second", "Second", "layer", ("conv", "pool", "none"), when=("depth", frozenset({1, 2}))),
            Decision("third", "Third", "layer", ("conv", "pool", "none"), when=("depth", frozenset({2}))),
        ]
    )

    def to_string(self, genome: Any) -> str:
        return str(genome.content)

    def to_graph(self, genome: Any) -> Any: ...


LAYERED = Layered(SpaceConfig(), NO_INPUT)
PARENT: Choices = (2, 0, 1, 0)
SCHEMATA = [Schema(fixed) for fixed in [((1, 0),), ((2, 1),), ((3, 0),), ((0, 2), (3, 0)), ((1, 0), (2, 1)), ((2, 1), (3, 0))]]


def kept_by_changing(places: tuple[int, ...], schema: Schema) -> float:
    """Probability that a parent's child still matches, the decisions at `places` taking every other choice."""
    found = 0.0

    def follow(choices: Choices, left: tuple[int, ...], weight: float) -> None:
        nonlocal found
        if not left:
            found += weight * schema.matches(genes_of(choices))
            return
        place, *rest = left
        if choices[place] is None:
            follow(choices, tuple(rest), weight)
            return
        others = [other for other in range(3) if other != choices[place]]
        for other in others:
            changed = [*choices]
            changed[place] = other
            active = tuple(
                None if not LAYERED.decisions.active(at, changed) else value for at, value in enumerate(changed)
            )
            follow(active, tuple(rest), weight / len(others))

    follow(PARENT, places, 1.0)
    return found


@pytest.mark.parametrize("schema", SCHEMATA)
def test_decisions_that_hang_on_others_survive_as_counted(schema: Schema) -> None:
    genome = LAYERED.genome_of(PARENT)
    [own] = DecisionOperators(LAYERED, "own").survival([schema], genome)
    assert own == pytest.approx(sum(kept_by_changing((place,), schema) for place in range(4)) / 4)
    rate = 0.3
    [each] = DecisionOperators(LAYERED, "changed", rate).survival([schema], genome)
    counted = 0.0
    for count in range(5):
        for places in itertools.combinations(range(4), count):
            weight = rate**count * (1 - rate) ** (4 - count)
            if count:
                counted += weight * kept_by_changing(places, schema)
            else:
                counted += weight * sum(kept_by_changing((place,), schema) for place in range(4)) / 4
    assert each == pytest.approx(counted)
    # A policy may draw what it likes: no more than that is promised.
    assert DecisionOperators(LAYERED, "drawn", rate).of_choices([schema], PARENT)[0] <= each + 1e-12
    assert set(hangs_on(LAYERED.decisions, schema)) >= set(schema.loci)


def test_slots_of_a_hierarchy_change_as_often_as_all_draws_say() -> None:
    """Rejected draws counted out, slot by slot."""
    hierarchy, operations = Hierarchy((Level(2, 3), Level(1, 3))), 3
    drawn = draw_rates(hierarchy)
    for seed in range(6):
        rng = random.Random(seed)
        walk = Walk(hierarchy, hierarchy.chain(1), operations)
        for _ in range(20 * seed):
            walk.step(rng)
        entries = tuple(walk.entries)
        taken = []
        for place, (slot, rate) in enumerate(zip(hierarchy.slots, drawn, strict=True)):
            choices = operations if slot.level == 2 else hierarchy.levels[0].motifs + 1
            sound = [hierarchy.carries([*entries[:place], new, *entries[place + 1 :]]) for new in range(choices) if new != entries[place]]
            taken.append(rate * sum(sound) / len(sound))
        expected = [rate / sum(taken) for rate in taken]
        assert change_rates(hierarchy, entries, operations) == pytest.approx(expected)
    # Drawn unequally: an even pick of slots would be another p.
    assert max(drawn) > 2 * min(drawn)


IMAGES = DataShape((1, 8, 8), 10)


@pytest.mark.parametrize("space", [CellSpace(CellConfig(nodes=3), IMAGES), HierarchicalSpace(HierarchicalConfig(), IMAGES)])
def test_the_spaces_own_rates_are_those_of_their_mutation(space: Any) -> None:
    rng = random.Random(0)
    genome = space.sample(rng)
    before, rates = space.choices_of(genome), space.mutation_rates(genome)
    changed = Counter[int]()
    times = 6000
    for _ in range(times):
        after = space.choices_of(space.mutate(genome, rng)[0])
        changed.update(place for place, (old, new) in enumerate(zip(before, after, strict=True)) if old != new)
    for place, rate in enumerate(rates):
        assert changed[place] / times == pytest.approx(rate, abs=5 * (rate / times) ** 0.5 + 1e-3)
    assert all(rate <= most + 1e-12 for rate, most in zip(rates, space.most_mutation_rates, strict=True))


def test_a_space_that_mutates_in_a_way_of_its_own_must_say_how() -> None:
    class Otherwise(Layered):
        def mutate(self, genome: Any, rng: random.Random) -> tuple[Any, str]:
            return genome, "nothing"

    assert says_rates(LAYERED) and not says_rates(Otherwise(SpaceConfig(), NO_INPUT))
    with pytest.raises(BadInput, match="does not say how likely its mutation changes each decision"):
        DecisionOperators(Otherwise(SpaceConfig(), NO_INPUT), "own")
