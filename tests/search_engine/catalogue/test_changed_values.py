"""Other values for every setting that is not idle: the science moves, or the check refuses them. Slow: a small run for every value."""

from __future__ import annotations

from pathlib import Path

import pytest

from search_engine.catalogue import registry
from search_engine.catalogue.config import check
from search_engine.catalogue.idle import idle
from tests.search_engine.catalogue.changing import SmallRun, effect, others
from tests.search_engine.catalogue.company import COMPANY
from tests.search_engine.catalogue.settings import only_choice, settings
from tests.search_engine.catalogue.small import LONGER, PAIRS, own_space, small

MACHINE = {"threads", "device", "amp", "together", "finale.export", "finale.onnx"}
"""Where and how it is computed and what is written at the end: no part of what a search says on this machine."""
PACE = {"random": {"options.window"}, "grid": {"options.window"}}
"""How many workers have something to do: no proposal of these hangs on a result, so that is all their window decides."""
ALGORITHMS = sorted(registry.algorithms())


def without_effect(algorithm: str, space: str, folder: Path) -> list[str]:
    """The settings that nobody calls idle and of which no other value moves the science, or was tried."""
    checked = check(small(algorithm, space, LONGER))
    open_ = settings(checked) - set(idle(checked.algorithm, checked.space, checked.dataset)) - MACHINE - PACE.get(algorithm, set())
    known: dict[str, SmallRun] = {}
    tried = sorted(name for name in open_ if not only_choice(checked, name))
    return [name for name in tried if effect(algorithm, space, name, folder / name, known) in ("nothing", "untried")]


@pytest.mark.night
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_setting_that_is_not_idle_does_something(algorithm: str, tmp_path: Path) -> None:
    assert without_effect(algorithm, own_space(algorithm), tmp_path) == []


@pytest.mark.night
@pytest.mark.parametrize(("algorithm", "space"), [pair for pair in PAIRS if pair[1] != own_space(pair[0])])
def test_nor_is_there_one_in_another_space(algorithm: str, space: str, tmp_path: Path) -> None:
    assert without_effect(algorithm, space, tmp_path) == []


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_setting_has_another_value(algorithm: str) -> None:
    """Nothing is passed over for want of a value to try."""
    checked = check(small(algorithm, own_space(algorithm)))
    without = [name for name in sorted(settings(checked)) if not only_choice(checked, name) and not others(checked, name)]
    assert without == []


def test_company_is_kept_by_settings_that_there_are() -> None:
    held = {pair: settings(check(small(*pair))) for pair in PAIRS}
    for key in COMPANY:
        *where, field = key.split(" ")
        assert any(field in fields for pair, fields in held.items() if list(pair[: len(where)]) == where), key
