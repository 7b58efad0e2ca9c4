"""Presets of the options of spaces: those of the thesis, what the command line makes of their names, and what a stranger's must be."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import Any

import pytest

from search_engine.base.errors import BadInput
from search_engine.catalogue import registry
from search_engine.catalogue.thesis import LARGE_SPACE, SMALL_SPACE
from search_engine.commands.run import add_choices, run_config
from search_engine.spaces.base import SpacePreset
from search_engine.spaces.entries import check_space

BLUEPRINT = registry.space("blueprint")


def options(*words: str) -> dict[str, Any]:
    parser = argparse.ArgumentParser()
    add_choices(parser)
    return run_config(parser.parse_args(["--algorithm", "codeepneat", *words])).space_options


def test_both_spaces_of_the_thesis_have_a_name() -> None:
    small, large = BLUEPRINT.presets
    assert (small.options, large.options) == (SMALL_SPACE, LARGE_SPACE)
    assert BLUEPRINT.config(**small.options) == BLUEPRINT.config(), "the first are the defaults"
    assert BLUEPRINT.config(**large.options).model_dump()["kernels"] == (2, 4, 7, 9, 11, 13)


def test_the_command_line_takes_a_preset_and_what_is_set_beside_it() -> None:
    assert options("--set", "space.preset=large_pictures") == LARGE_SPACE
    beside = options("--space", "blueprint", "--set", "space.preset=large_pictures", "--set", "space.filters_max=64")
    assert beside == {**LARGE_SPACE, "filters_max": 64}


def test_an_unknown_preset_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(BadInput, match="'blueprint' has no preset 'huge'; it has: small_pictures, large_pictures") as caught:
        options("--set", "space.preset=huge")
    assert caught.value.field == "space_options.preset"


@pytest.mark.parametrize("presets", [
    (SpacePreset("a", "A", "...", {"filters_min": -1}),), (SpacePreset("a", "A", "...", {}), SpacePreset("a", "B", "...", {})),
])
def test_a_preset_that_is_no_choice_of_options_is_no_entry(presets: tuple[SpacePreset, ...]) -> None:
    with pytest.raises(ValueError, match=r"filters_min|two have one id"):
        check_space(replace(BLUEPRINT, presets=presets))


def test_every_preset_says_what_it_is() -> None:
    for space in registry.spaces().values():
        for preset in space.presets:
            assert preset.title and preset.sentence.endswith(".") and space.config.model_validate(preset.options)
