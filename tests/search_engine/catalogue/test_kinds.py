"""Which kinds of data each algorithm can take: a space for each of images, vectors and series, or the reason why there is none."""

from __future__ import annotations

import pytest

from search_engine.algorithms.base import AlgorithmEntry
from search_engine.catalogue import registry
from search_engine.catalogue.config import check
from search_engine.commands.catalogue import markdown
from tests.golden.searches import built_in

ALGORITHMS = sorted(registry.algorithms())
KINDS = ("image", "vector", "series")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("algorithm", [name for name in ALGORITHMS if built_in(name)])
def test_a_space_or_a_reason(algorithm: str, kind: str) -> None:
    """Not both: a reason for what can be searched would be false."""
    entry = registry.algorithm(algorithm)
    spaces = registry.spaces_by_kind(entry)[kind]
    why = entry.no_space_for.get(kind, "")
    assert bool(spaces) != bool(why), f"{algorithm} needs a space for {kind} data, or a sentence in `no_space_for`"
    if why:
        assert why[0].isupper() and why.endswith(".") and f"- No space for {kind} data: {why}" in markdown()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_what_is_said_to_fit_is_accepted_on_data_of_that_kind(algorithm: str, kind: str) -> None:
    """With the defaults, on the first bundled data set of the kind that it may be searched on."""
    entry = registry.algorithm(algorithm)
    for name in registry.spaces_by_kind(entry)[kind]:
        space = registry.space(name)
        fitting = [item for item in registry.datasets_for(entry, space) if item.input_kind == kind and not item.files]
        assert fitting, f"no bundled data set of kind {kind} for {name}"
        budget = {"budget": {"trials": 2}} if "trials" in entry.needs else {}
        options = {"datasets": [fitting[0].id] * entry.domains.least}
        check({"algorithm": algorithm, "space": name, **options, **budget})


def test_a_kind_that_there_is_not_is_refused() -> None:
    entry = registry.algorithm("darts")
    with pytest.raises(ValueError, match="no_space_for names 'sound'"):
        AlgorithmEntry(**{**vars(entry), "no_space_for": {"sound": "It is deaf."}})
