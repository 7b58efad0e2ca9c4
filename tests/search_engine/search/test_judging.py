"""The last look at a network stops between its batches and says what it says in one go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from search_engine.catalogue.config import check
from search_engine.search import judging
from search_engine.search.local_run import LocalRun
from search_engine.training import evaluation
from tests.search_engine import toys

RETRAINED: dict[str, Any] = {
    "algorithm": "random", "space": "mlp", "space_options": {"max_layers": 1, "epochs_divisor": 5}, "datasets": ["digits"],
    "budget": {"trials": 1}, "training": {"train_examples": 64},
    "finale": {"export": False, "redundancy": False, "baselines": 0, "training": {"train_examples": 64}},
}
AS_IT_IS: dict[str, Any] = {
    "algorithm": "wann", "datasets": ["digits"], "options": {"population": 4, "generations": 1, "batch_size": 64},
    "finale": {"export": False, "redundancy": False, "baselines": 0},
}


@pytest.mark.slow
@pytest.mark.parametrize("config", [RETRAINED, AS_IT_IS], ids=["retrained", "as it is"])
def test_a_reload_between_any_two_batches_changes_no_bit(config: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, units = judging.Judging.advance, []

    def counted(self: judging.Judging) -> None:
        units.append(len(self.figures))
        real(self)

    monkeypatch.setattr(judging.Judging, "advance", counted)
    monkeypatch.setattr(evaluation.Scoring.__init__, "__defaults__", ("classification", 100, None))
    found = []
    for reloads in (False, True):
        units.clear()
        run = LocalRun(check(config), tmp_path, tmp_path / str(reloads), slice_seconds=0.0)
        run.reloads = reloads
        assert run.run()["status"] == "completed"
        found.append((toys.science(tmp_path / str(reloads) / "events.jsonl"), list(units)))
    assert found[0] == found[1]
    # Looks: the test and the validation part, or the finisher's two scores and both parts by class; 449 and 337 examples.
    expected = [0] * 5 + [1] * 4 if config is RETRAINED else [0, 1] + [2] * 4 + [3] * 5
    assert found[0][1] == expected
