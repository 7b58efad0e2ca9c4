"""Every card's words about time come from a measurement."""

from __future__ import annotations

import re

from search_engine.atlas.recorded import recorded
from search_engine.catalogue import presets
from search_engine.catalogue.measured import MEASURED, promise

TIME = re.compile(r"\b(seconds?|minutes?|hours?|min|moments?|instant\w*|quick\w*|fast)\b|\b\d+ s\b", re.IGNORECASE)


def test_every_card_is_measured_and_nothing_else_is() -> None:
    assert [card["id"] for card in presets.PRESETS] == [card["id"] for card in presets._CARDS]
    assert set(MEASURED) == {card["id"] for card in presets.PRESETS}


def test_a_card_says_what_was_measured_and_no_other_time() -> None:
    for card in presets.PRESETS:
        own, said = card["description"].removesuffix(promise(card["id"])), card["description"]
        assert own != said, card["id"]
        assert not TIME.search(own), (card["id"], own)


def test_a_comparison_that_was_run_whole_says_no_less_than_its_runs_took() -> None:
    """And one that follows from single networks does not say that it was run; the record of its runs is the measure."""
    for name, kept in recorded().items():
        found = MEASURED[name]
        assert found is not None and found.whole and found.beside_others, name
        searches = sum(run.seconds for run in kept.runs)
        # What is finished at the ends comes on top: a tenth of it on MNIST, a quarter on CIFAR-10.
        assert searches <= found.cpu_seconds <= 1.25 * searches, (name, searches)
        assert "at most" in promise(name)
    assert not any(found.whole for name, found in MEASURED.items() if found and name.startswith("thesis-") and name not in recorded())


def test_a_measurement_is_of_the_runs_that_the_card_starts() -> None:
    for card in presets.PRESETS:
        found, body = MEASURED[card["id"]], card["experiment"]
        if found is None:
            assert card["experiment"]["datasets"][0] in ("cifar100", "tiny_imagenet"), "the others' data are at hand"
            continue
        assert found.runs == len(body["algorithms"]) * len(body["seeds"])
        # Two cores do at most two seconds of work in one; a run's own work is never faster than its longest part.
        assert found.cpu_seconds / 2 - 1 <= found.seconds * 1.25 and found.seconds <= found.cpu_seconds + 1
        assert found.download_seconds is None or found.download_seconds <= found.seconds
