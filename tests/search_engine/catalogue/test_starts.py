"""The first population of a search that starts from given architectures."""

from __future__ import annotations

import pytest

from search_engine.base.errors import BadInput
from search_engine.catalogue import registry
from search_engine.catalogue.starts import population_from
from search_engine.spaces.data_shape import NO_INPUT
from search_engine.spaces.genomes import Genome, canonical_json, digest
from search_engine.spaces.sequence import SequenceConfig, SequenceSpace

SPACE = SequenceSpace(SequenceConfig(n=2), NO_INPUT)


def strings(texts: list[str], size: int, seed: int = 0) -> list[str]:
    options = registry.algorithm("regularized_evolution").config(population=size, sample=1)
    config, found = population_from([SPACE.from_string(text) for text in texts], SPACE, options, seed, "Regularized evolution")
    assert config.sizes == {"genomes": size} and config.digest == digest(canonical_json(found["genomes"]))
    return [SPACE.to_string(Genome(SPACE.id, content)) for content in found["genomes"]]


@pytest.mark.parametrize("seed", range(10))
def test_all_differ_as_far_as_the_space_has_so_many(seed: int) -> None:
    """Two numbers of two: four sequences, one of which is two mutations away."""
    found = strings(["1 1"], 4, seed)
    assert found[0] == "1 1" and sorted(found) == ["1 1", "1 2", "2 1", "2 2"]
    assert len(set(strings(["2 2"], 7, seed))) == 4
    assert found == strings(["1 1"], 4, seed)


def test_the_seed_draws_the_children_alone() -> None:
    drawn = {tuple(strings(["1 1", "2 2"], 3, seed)) for seed in range(10)}
    assert {found[:2] for found in drawn} == {("1 1", "2 2")} and len(drawn) > 1


def test_what_cannot_begin_with_them_is_told_with_what_can() -> None:
    entry = registry.algorithm("random")
    with pytest.raises(BadInput, match="these do: Regularized evolution, Evo-NAS, Hierarchical evolution") as error:
        population_from([SPACE.from_string("1 1")], SPACE, entry.config(), 0, entry.title)
    assert error.value.field == "start"
    with pytest.raises(BadInput, match="one architecture at least"):
        strings([], 3)
    with pytest.raises(BadInput, match="3 architectures are given"):
        strings(["1 1"] * 3, 2)
