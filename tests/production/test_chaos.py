"""Processes, servers, disks, networks and clocks go away under searches of several kinds, two at a time: nothing is lost, nothing needs a
hand, nothing answers 500, and a run that stands still says why."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from . import schedules
from .scene import Scene, Strike, opened, undisturbed
from .searches import Science

pytestmark = pytest.mark.services
SEED = int(os.environ.get("NASCOPE_TEST_SEED", "20"))
"""Of what goes away together, for how long and at which moment; of the ways to end a process; of the order of requests."""
MIXES = (("darts", "random"), ("wann", "deepswarm"), ("pathnet", "random"), ("darts", "deepswarm"))
"""Searches of the parts of the night: one by steps, one by trials."""


def survive(scene: Scene, strikes: list[Strike]) -> None:
    print("\n".join(f"{number}. {strike}" for number, strike in enumerate(strikes, start=1)), flush=True)
    for strike in strikes:
        scene.strike(strike)


@pytest.mark.slow
def test_two_minutes_of_chaos(tmp_path: Path) -> None:
    """Every kind of outage once."""
    expected = undisturbed(tmp_path, MIXES[0])
    with opened(tmp_path, SEED, MIXES[0]) as scene:
        survive(scene, schedules.sample(scene, random.Random(SEED)))
        scene.over(expected)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Science]:
    """Of every search, once for the whole night."""
    return undisturbed(tmp_path_factory.mktemp("undisturbed"))


@pytest.mark.night
@pytest.mark.parametrize("part", range(schedules.PARTS))
def test_a_night_of_chaos(part: int, expected: dict[str, Science], tmp_path: Path) -> None:
    """Together ten minutes and more: every resource at every moment, every network in every trouble, every clock."""
    seed = SEED + 1 + part
    with opened(tmp_path, seed, MIXES[part]) as scene:
        survive(scene, schedules.night(scene, random.Random(seed), part))
        scene.over(expected)
