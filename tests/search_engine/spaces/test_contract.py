"""The contract suite of the search spaces: every registered space, without knowing which one it is (`--space ID`: that one alone)."""

from __future__ import annotations

import itertools
import math
import random
from dataclasses import replace
from typing import Any

import pytest

from search_engine.base.errors import BadInput
from search_engine.base.lazy import load_object
from search_engine.base.training_config import TrainingConfig
from search_engine.catalogue import registry
from search_engine.spaces import graphs
from search_engine.spaces.base import SearchSpace
from search_engine.spaces.data_shape import NO_INPUT, DataShape
from search_engine.spaces.decision_infos import declare
from search_engine.spaces.genomes import Genome, canonical_json

SHAPES = {
    "image": DataShape((1, 28, 28), 10), "vector": DataShape((13,), 3), "series": DataShape((3, 30), 4), "none": NO_INPUT,
}
SPACES = sorted(registry.spaces())
BUILT = [name for name in SPACES if registry.space(name).builder]
WITH_DECISIONS = [name for name in SPACES if "decisions" in registry.space(name).offers]
DRAWS = 30


def space(space_id: str) -> SearchSpace[Any]:
    """The space with its defaults, on data of the first kind and task that it takes."""
    entry = registry.space(space_id)
    shape = SHAPES[sorted(entry.inputs)[0]]
    made: SearchSpace[Any] = entry.space(entry.config(), shape if shape == NO_INPUT else replace(shape, task=sorted(entry.tasks)[0]))
    return made


@pytest.mark.parametrize("space_id", SPACES)
def test_samples_are_admissible_and_follow_from_the_generator(space_id: str) -> None:
    one, rng, again = space(space_id), random.Random(1), random.Random(1)
    for _ in range(DRAWS):
        genome = one.sample(rng)
        one.validate(genome)
        assert genome.space == space_id and genome == one.sample(again)
        assert Genome.from_json(genome.to_json()) == genome
        assert one.hash(Genome.from_json(genome.to_json())) == one.hash(genome)
        canonical_json(one.normal_form(genome))


@pytest.mark.parametrize("space_id", SPACES)
def test_a_genome_has_a_text_and_a_picture(space_id: str) -> None:
    one, rng = space(space_id), random.Random(2)
    for _ in range(DRAWS):
        genome = one.sample(rng)
        assert one.to_string(genome)
        graphs.validate(one.to_graph(genome))
        assert all(drawing.nodes for drawing in one.drawings(genome).values())
        try:
            back = one.from_string(one.to_string(genome))
        except BadInput as error:
            assert error.code == "incompatible", error
        else:
            assert one.hash(back) == one.hash(genome)


@pytest.mark.parametrize("space_id", SPACES)
def test_what_a_space_offers_it_does(space_id: str) -> None:
    one, rng = space(space_id), random.Random(3)
    lengths = set()
    for _ in range(DRAWS):
        first, second = one.sample(rng), one.sample(rng)
        if "mutate" in one.offers:
            child, operator = one.mutate(first, rng)
            one.validate(child)
            assert operator and child != first
        if "crossover" in one.offers:
            one.validate(one.crossover(first, second, rng))
        if "encode" in one.offers:
            lengths.add(len(one.encode(first)))
            assert all(math.isfinite(number) for number in one.encode(first))
    assert len(lengths) <= 1
    if "enumerate" in one.offers:
        listed = list(itertools.islice(one.enumerate(), 200))
        for genome in listed:
            one.validate(genome)
        assert len({genome.key for genome in listed}) == len(listed) == min(200, one.size() or 200)


@pytest.mark.parametrize("space_id", WITH_DECISIONS)
def test_genomes_come_back_from_their_choices_and_choices_from_their_genomes(space_id: str) -> None:
    one, rng = space(space_id), random.Random(5)
    for _ in range(200):
        genome = one.sample(rng)
        choices = one.choices_of(genome)
        one.decisions.validate(choices)
        assert one.hash(one.genome_of(choices)) == one.hash(genome)
        drawn = one.genome_of(one.decisions.sample(rng))
        one.validate(drawn)
        assert one.hash(one.genome_of(one.choices_of(drawn))) == one.hash(drawn)


@pytest.mark.parametrize("space_id", WITH_DECISIONS)
def test_decisions_are_declared_in_order(space_id: str) -> None:
    one = space(space_id)
    infos = declare(one).decisions
    assert [(item.key, item.choices) for item in infos] == [(item.key, list(item.choices)) for item in one.decisions]
    assert all(item.title and item.kind for item in infos)


@pytest.mark.parametrize("space_id", WITH_DECISIONS)
def test_decisions_of_a_kind_can_share_a_head(space_id: str) -> None:
    """Equally many choices, unless they pick among places; those refer to places that are complete, or that nothing decides."""
    counts: dict[str, int] = {}
    complete: set[str] = set()
    decisions = space(space_id).decisions
    ever = {decision.anchor for decision in decisions}
    for decision in decisions:
        if decision.selects is None:
            assert counts.setdefault(decision.kind, len(decision.choices)) == len(decision.choices), decision.key
        else:
            assert len(decision.selects) == len(decision.choices)
            picked = {anchor for choice in decision.selects for anchor in choice}
            assert not (picked & ever) - complete, decision.key
        if decision.anchor is not None:
            complete.add(decision.anchor)


@pytest.mark.parametrize("space_id", BUILT)
def test_its_networks_take_the_data_and_give_finite_outputs(space_id: str) -> None:
    import torch

    one, rng = space(space_id), random.Random(4)
    build = load_object(registry.space(space_id).builder)
    for stage in ("trial", "final"):
        torch.manual_seed(0)
        genome = one.sample(rng)
        network = build(one, genome, stage, TrainingConfig(**one.training_of(genome)))
        with torch.no_grad():
            outputs = network.eval()(torch.zeros(2, *one.shape.input))
        assert torch.isfinite(outputs).all() and len(outputs) == 2
        if one.task == one.shape.task:
            assert outputs.shape == (2, one.shape.classes)


@pytest.mark.parametrize("space_id", SPACES)
def test_every_option_is_documented(space_id: str) -> None:
    for name, option in registry.space(space_id).config.model_json_schema().get("properties", {}).items():
        assert option.get("description") and "default" in option, name
