"""The contract suite on every registered algorithm, on its default space and data set, without knowing which one it is (`--algorithm ID`:
that one alone). The promises are `search_engine/contract/rules.py`, which `nascope check` runs too.

A new algorithm is run by it as soon as it is registered; its entry's `quick` says what a run of seconds is.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from search_engine.catalogue import registry
from search_engine.contract import rules
from search_engine.contract.searches import Searches, science
from tests.golden.expect import assert_golden
from tests.golden.searches import built_in
from tests.narrower import NARROWER

ALGORITHMS = sorted(registry.algorithms())


@pytest.fixture(scope="module")
def searches(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Searches]:
    """The runs of each algorithm; made once."""
    made: dict[str, Searches] = {}

    def get(algorithm: str) -> Searches:
        if algorithm not in made:
            made[algorithm] = Searches(algorithm, tmp_path_factory.mktemp(algorithm))
        return made[algorithm]

    return get


Get = Callable[[str], Searches]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_reload_after_every_slice_gives_equal_bits(algorithm: str, searches: Get) -> None:
    rules.equal_bits(searches(algorithm))


@pytest.mark.parametrize("algorithm", [name for name in ALGORITHMS if built_in(name)])
def test_the_science_is_the_golden_one(algorithm: str, searches: Get) -> None:
    """What the search says has not moved since its numbers were last meant to."""
    assert_golden(f"quick/{algorithm}", science(searches(algorithm).undisturbed() / "events.jsonl"))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_another_seed_gives_another_search(algorithm: str, searches: Get) -> None:
    rules.another_seed(searches(algorithm))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_run_ends_with_a_finalist_a_score_and_a_model(algorithm: str, searches: Get) -> None:
    rules.ends_with_a_model(searches(algorithm))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_finalist_that_brings_weights_is_trained_by_a_recipe_of_its_method(algorithm: str, searches: Get) -> None:
    rules.own_recipe(searches(algorithm))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_charge_is_what_the_events_say(algorithm: str, searches: Get) -> None:
    rules.charged(searches(algorithm))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_what_it_draws_is_declared(algorithm: str, searches: Get) -> None:
    rules.pictures_declared(searches(algorithm))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_hyper_parameter_is_documented_and_bounded(algorithm: str, searches: Get) -> None:
    rules.options_documented(searches(algorithm))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_unknown_option_is_refused_by_name(algorithm: str, searches: Get) -> None:
    rules.unknown_option_refused(searches(algorithm))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_combination_that_is_offered_passes_the_check(algorithm: str, searches: Get) -> None:
    rules.combinations_pass(searches(algorithm), NARROWER)


def test_registry_and_configs_import_without_torch(searches: Get) -> None:
    """Of one algorithm, for all: listing one imports the modules of every entry."""
    rules.light_import(searches("random"))


def test_no_promise_is_left_out() -> None:
    """What the command checks on a stranger's algorithm is what is checked here."""
    assert {rule.holds.__name__ for rule in rules.RULES} == {
        name for name, value in vars(rules).items() if getattr(value, "__module__", "") == rules.__name__ and callable(value)
        and not isinstance(value, type)
    }
