"""Random architectures without replacement: to the last one, each once, the same after a reload, in the law of drawing."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from search_engine.algorithms.base import Context, Result
from search_engine.algorithms.trials import unseen
from search_engine.algorithms.trials.kept import to_tree
from search_engine.algorithms.trials.local_search import LocalSearch, LocalSearchConfig
from search_engine.algorithms.trials.random_search import RandomConfig, RandomSearch
from search_engine.algorithms.trials.unseen import Unseen, complete, walkable
from search_engine.catalogue import registry
from search_engine.events import Cost, EventLog
from search_engine.spaces.data_shape import NO_INPUT, DataShape
from tests.search_engine import toys


def space_of(name: str, shape: DataShape = NO_INPUT, **options: Any) -> Any:
    entry = registry.space(name)
    return entry.space(entry.config(**options), shape)


def begun(phase: Any, options: Any, space: Any, seed: int = 0) -> Any:
    phase.begin(Context(space, options, seed=seed, rng=random.Random(seed), metric="score", log=EventLog("run")), None)
    return phase


def walked(phase: Any, reload_every: int = 0) -> list[str]:
    """Hashes of everything that it asks for, told one after the other with the score 0."""
    asked: list[str] = []
    while True:
        proposals = phase.ask()
        if not proposals:
            return asked
        asked.append(phase.context.space.hash(proposals[0].genome))
        phase.tell([Result(len(asked) - 1, proposals[0].genome, "completed", {"score": 0.0}, Cost())])
        if reload_every and len(asked) % reload_every == 0:
            fresh = begun(type(phase)(), phase.options, phase.context.space)
            fresh.context.rng.setstate(phase.context.rng.getstate())
            fresh.load_state_dict({name: to_tree(value) for name, value in phase.state_dict().items()})
            phase = fresh


def test_random_search_comes_to_the_last_of_the_6466_cells() -> None:
    phase = begun(RandomSearch(), RandomConfig(max_rejections=50), space_of("nb201"))
    asked = walked(phase)
    assert len(asked) == len(set(asked)) == 6466
    assert phase.stop_reason == "exhausted"


@pytest.mark.parametrize(("phase", "options"), [(RandomSearch, RandomConfig()), (LocalSearch, LocalSearchConfig())])
def test_a_reload_after_any_trial_changes_nothing(phase: Any, options: Any) -> None:
    space = space_of("sequence", n=3)
    once = walked(begun(phase(), options, space))
    assert walked(begun(phase(), options, space), reload_every=1) == once
    assert len(once) == len(set(once)) == 27
    assert walked(begun(phase(), options, space, seed=1)) != once


def test_a_space_that_cannot_be_listed_is_not_called_exhausted() -> None:
    """Also where, as nobody can know, nothing is left."""
    space = toys.BitsSpace(toys.BitsConfig(bits=3), NO_INPUT)
    space.offers = space.offers - {"enumerate"}  # type: ignore[misc]
    phase = begun(RandomSearch(), RandomConfig(max_rejections=200), space)
    asked = walked(phase)
    assert len(set(asked)) == 8 and phase.stop_reason == "repeated"


def test_a_space_with_too_many_genomes_is_drawn_from_only(monkeypatch: pytest.MonkeyPatch) -> None:
    space = space_of("sequence", n=3)
    assert walkable(space) == 27 and walkable(space_of("sequence", n=20)) == 0
    monkeypatch.setattr(unseen, "WALKED", 26)
    assert walkable(space) == 0
    phase = begun(RandomSearch(), RandomConfig(max_rejections=1), space)
    assert len(walked(phase)) < 27 and phase.stop_reason == "repeated"


def test_complete_knows_what_is_missing() -> None:
    space = space_of("nb201")
    hashes = {space.hash(genome) for genome in space.enumerate()}
    assert complete(space, hashes) and not complete(space, sorted(hashes)[:-1])
    # 3^3 architectures are a sequence of three, but nobody lists 20^20.
    assert not complete(space_of("sequence", n=20), ["one"])


def test_what_is_left_comes_in_an_order_that_follows_the_seed_and_favours_nothing() -> None:
    space = space_of("sequence", n=3)
    drawn = {space.hash(genome) for genome in list(space.enumerate())[:20]}
    firsts: Counter[str] = Counter()
    for seed in range(700):
        found = Unseen(space, lambda rng: space.from_string("1 1 1"), seed, draws=1).next(random.Random(0), drawn.__contains__)
        assert found is not None and found[1] not in drawn
        firsts[found[1]] += 1
    # Seven are left: each is first in a seventh of the orders, 100 +- 9.3.
    assert len(firsts) == 7 and min(firsts.values()) > 60 and max(firsts.values()) < 140
