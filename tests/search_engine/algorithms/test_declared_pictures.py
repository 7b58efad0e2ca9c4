"""Which pictures an entry may declare: those that are drawn from events of the engine, and those that installed packages name."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from search_engine.algorithms import base
from search_engine.catalogue import registry
from search_engine.events import FRAME_KINDS, PICTURES, Payload

ENTRY = registry.algorithm("random")


def test_every_picture_is_drawn_from_events_that_there_are() -> None:
    kinds = {payload.model_fields["kind"].default for payload in get_args(Payload)}
    drawn = {kind for names in PICTURES.values() for kind in names}
    assert drawn <= kinds
    assert drawn >= FRAME_KINDS, "a frame that no picture is drawn from"


def test_an_unknown_picture_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"random: structure names 'hologram'; .* family, growth"):
        replace(ENTRY, structure=("marginals", "hologram"))


def test_a_name_that_is_no_tuple_is_refused() -> None:
    with pytest.raises(ValueError, match="a tuple of these"):
        replace(ENTRY, structure="family")  # type: ignore[arg-type]


def test_an_installed_package_adds_a_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real distribution on the path; its name alone is read, so nothing of it is imported."""
    folder = tmp_path / "holograms-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: holograms\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text("[nascope.pictures]\nhologram = holograms\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    base.known_pictures.cache_clear()
    try:
        assert replace(ENTRY, structure=("hologram",)).structure == ("hologram",)
    finally:
        base.known_pictures.cache_clear()


QUEUES = [entry for entry in registry.algorithms().values() if "queue" in entry.structure]


@pytest.mark.parametrize("entry", QUEUES, ids=lambda entry: entry.id)
def test_a_queue_has_a_size(entry: base.AlgorithmEntry) -> None:
    """The picture draws as many places as the option `population` says."""
    assert isinstance(entry.config().population, int)  # type: ignore[attr-defined]


def test_the_ageing_populations_declare_their_queue() -> None:
    assert {entry.id for entry in QUEUES} == {"regularized_evolution", "evo_nas"}
