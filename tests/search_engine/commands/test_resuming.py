"""A run is gone on with by the words that began it, whatever its algorithm completes of them."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from search_engine.base.errors import BadInput
from search_engine.catalogue import registry
from search_engine.catalogue.config import check, check_new
from search_engine.commands import run as command


@pytest.mark.parametrize("algorithm", sorted(registry.algorithms()))
@pytest.mark.parametrize("more", [[], ["--set", "finale.training.epochs=3"]])
def test_the_words_that_began_a_run_go_on_with_it(
    algorithm: str, more: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        trains = check({"algorithm": algorithm}).finishes
        budget = []
    except BadInput as needed:
        assert needed.field == "budget"
        trains = check({"algorithm": algorithm, "budget": {"trials": 9}}).finishes
        budget = ["--budget", "trials=9"]
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    parsed = parser.parse_args(["run", "--algorithm", algorithm, *budget, *(more if trains else []), "--out", str(tmp_path)])
    config = command.run_config(parsed, None)
    parsed.resume = True
    # As runs are begun now, and as they were before anything was completed.
    for complete in (check_new, check):
        begun = complete(config).config.model_dump(mode="json")
        monkeypatch.setattr(command, "kept_config", lambda out, begun=begun: begun)
        assert command.as_begun(config, tmp_path, tmp_path).config.model_dump(mode="json") == begun
