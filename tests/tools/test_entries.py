"""What entries name by strings is there: each names a function, and the tools know every one of them."""

from __future__ import annotations

from typing import Any

import grimp
import pytest

from search_engine.base.lazy import load_object
from search_engine.catalogue import registry
from tools import string_imports
from tools.string_imports import ENTRY_KEYWORDS


def registered() -> list[tuple[str, str, str]]:
    """(entry, keyword, string) of all that is registered."""
    entries: list[Any] = [*registry.algorithms().values(), *registry.unlisted().values(), *registry.spaces().values()]
    return [
        (entry.id, keyword, named) for entry in entries for keyword in sorted(ENTRY_KEYWORDS) if (named := getattr(entry, keyword, ""))
    ]


NAMED = registered()


@pytest.mark.parametrize(("entry", "keyword", "named"), NAMED, ids=[f"{entry}-{keyword}" for entry, keyword, _ in NAMED])
def test_what_an_entry_names_is_a_function(entry: str, keyword: str, named: str) -> None:
    assert callable(load_object(named)), f"{keyword} of '{entry}'"


def test_the_tools_find_every_one_of_them_in_the_source() -> None:
    found = string_imports.add_to(grimp.build_graph("search_engine", cache_dir=None))
    assert {item.text for item in found if item.entry} == {named for _, _, named in NAMED}
