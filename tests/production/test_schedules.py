"""What the chaos suites promise to take away: nothing is left out, and nothing is away twice at once."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest

from . import schedules
from .scene import KINDS, MOMENTS, PROCESSES, Strike


@dataclass
class Thing:
    name: str
    where: str
    way: str = ""
    allowed: tuple[int, ...] = field(default=())

    def __str__(self) -> str:
        return self.name


RESOURCES = [Thing("redis", "redis"), Thing("postgres", "database"), Thing("disk", "disk"), Thing("workers", "w"), Thing("reaper", "r")]
OTHERS = [Thing("web", "web"), Thing("room", "database"), Thing("database clock", "database"), Thing("clock", "c"), Thing("web clock", "v")]
NETWORKS = [
    Thing(f"{who} {server} {way}", server, way) for server in ("a", "b") for way in ("cut", "lose", "mute") for who in (*PROCESSES, "all")
]


class Everything:
    """A scene of which only the names count."""

    def resources(self) -> list[Thing]:
        return RESOURCES

    def others(self) -> list[Thing]:
        return OTHERS

    def networks(self) -> list[Thing]:
        return list(NETWORKS)

    def everybody_lost(self) -> Thing:
        return Thing("everybody", "b", "lose")


def clean(strikes: list[Strike]) -> None:
    for strike in strikes:
        places = [outage.where for outage in strike.outages]
        assert len(places) == len(set(places)) <= 2, str(strike)


@pytest.mark.parametrize("seed", range(20))
def test_the_sample_has_every_kind_once(seed: int) -> None:
    scene: Any = Everything()
    strikes = schedules.sample(scene, random.Random(seed))
    clean(strikes)
    drawn = [outage for strike in strikes for outage in strike.outages]
    assert Counter(str(outage) for outage in drawn if not getattr(outage, "way", "")) == Counter(map(str, RESOURCES + OTHERS))
    assert sorted(getattr(outage, "way", "") for outage in drawn)[-3:] == ["cut", "lose", "mute"]
    assert [str(strike) for strike in strikes] == [str(strike) for strike in schedules.sample(scene, random.Random(seed))]


@pytest.mark.parametrize("seed", range(20))
def test_the_night_leaves_nothing_out(seed: int) -> None:
    scene: Any = Everything()
    parts = [schedules.night(scene, random.Random(seed + part), part) for part in range(len(KINDS))]
    strikes = [strike for part in parts for strike in part]
    clean(strikes)
    struck = Counter((str(outage), strike.seconds, strike.when, strike.kind) for strike in strikes for outage in strike.outages)
    for resource in RESOURCES:
        assert all(struck[str(resource), 5.0, *moment] for moment in MOMENTS)
        assert sum(strike.seconds == 60.0 for strike in strikes if resource in strike.outages) == 1
    assert {str(other) for other in NETWORKS + OTHERS} <= {name for name, *_ in struck}
