"""A genome is said where it differs from the last one that was said."""

from __future__ import annotations

import random

from search_engine.algorithms.base import AlgorithmConfig, Context
from search_engine.algorithms.derived_genomes import DerivedGenomes
from search_engine.base.checkpoint import pack, unpack
from search_engine.catalogue import registry
from search_engine.events import EventLog
from search_engine.spaces.data_shape import DataShape
from search_engine.spaces.genomes import Genome

ENTRY = registry.space("nb201")
SPACE = ENTRY.space(ENTRY.config(), DataShape((3, 32, 32), 10))


def edges(genome: Genome, before: Genome | None) -> int:
    others = (None,) * 6 if before is None else SPACE.choices_of(before)
    return sum(new != old for new, old in zip(SPACE.choices_of(genome), others, strict=True))


def begun() -> tuple[DerivedGenomes, EventLog]:
    log = EventLog("phase:0")
    return DerivedGenomes(Context(SPACE, AlgorithmConfig(), 0, random.Random(0), "val_accuracy", log), edges, "edge"), log


def said(log: EventLog) -> list[tuple[int, str, int]]:
    return [(event.step, event.payload.genome_hash, event.payload.changed_edges) for event in log.drain()]  # type: ignore[union-attr]


def test_only_another_genome_is_said_with_what_changed_since_the_last_one() -> None:
    genomes, log = begun()
    first, second = SPACE.genome_of([1] * 6), SPACE.genome_of([1, 2, 1, 1, 1, 3])
    for step, genome in enumerate((first, first, second, second, first)):
        genomes.say(step, genome)
    assert said(log) == [(0, SPACE.hash(first), 6), (2, SPACE.hash(second), 2), (4, SPACE.hash(first), 2)]


def test_a_checkpoint_remembers_the_last_one() -> None:
    genomes, _ = begun()
    first, second = SPACE.genome_of([1] * 6), SPACE.genome_of([1, 2, 1, 1, 1, 3])
    other, log = begun()
    other.load_state_dict(unpack(pack(genomes.state_dict())))
    other.say(1, first)
    assert said(log) == [(1, SPACE.hash(first), 6)]
    genomes.say(1, first)
    other, log = begun()
    other.load_state_dict(unpack(pack(genomes.state_dict())))
    other.say(2, first)
    other.say(3, second)
    assert said(log) == [(3, SPACE.hash(second), 2)]
