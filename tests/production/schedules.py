"""What goes away when, drawn from a seed: two things at a time, so that each is seen beside others."""

from __future__ import annotations

import random
from collections.abc import Sequence

from .outages import Outage
from .scene import KINDS, MOMENTS, WHEN, Scene, Strike

PARTS = len(KINDS)
"""Of the night: each has the moments of one kind of work."""


def in_pairs(outages: Sequence[Outage], chance: random.Random) -> list[list[Outage]]:
    """Each once, two of different places together; the last may be alone."""
    waiting = list(outages)
    chance.shuffle(waiting)
    pairs = []
    while waiting:
        pair = [waiting.pop()]
        other = next((outage for outage in waiting if outage.where != pair[0].where), None)
        if other is not None:
            waiting.remove(other)
            pair.append(other)
        pairs.append(pair)
    return pairs


def sample(scene: Scene, chance: random.Random) -> list[Strike]:
    """Every kind of outage once, each at a moment of its own, for some seconds."""
    networks = scene.networks()
    chance.shuffle(networks)
    ways = {outage.way: outage for outage in networks}
    pairs = in_pairs([*scene.resources(), *scene.others(), *ways.values()], chance)
    return [Strike(pair, chance.uniform(2.0, 5.0), *moment) for pair, moment in zip(pairs, chance.sample(MOMENTS, len(pairs)), strict=True)]


def night(scene: Scene, chance: random.Random, part: int) -> list[Strike]:
    """Each resource for five seconds before, during and after one kind of work, beside what else can go away; then a minute. All parts
    together have each resource for a minute, and everything else once."""
    kind, resources = KINDS[part], scene.resources()
    others = [*scene.networks(), *scene.others()]
    # Of the same seed in every part, so that none is left out between them.
    random.Random(len(others)).shuffle(others)
    share = others[part::PARTS]
    strikes = []
    for number, when in enumerate(WHEN):
        strikes += [Strike(pair, 5.0, when, kind) for pair in in_pairs([*resources, *share[number :: len(WHEN)]], chance)]
    chance.shuffle(strikes)
    redis, postgres, disk, workers, reaper = resources
    minutes: list[list[Outage]] = [[redis, scene.everybody_lost()], [postgres], [disk, reaper], [workers]]
    return [*strikes, Strike(minutes[part], 60.0, *chance.choice(MOMENTS))]
