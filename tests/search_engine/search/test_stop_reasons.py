"""What a run says of its end is why it ended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from search_engine.catalogue import registry
from search_engine.catalogue.config import check
from search_engine.search.local_run import LocalRun


@pytest.mark.parametrize(
    ("algorithm", "options", "reason"),
    [
        ("adddel", {"cycles": 20, "unit": "feature"}, "settled"),
        ("adanet", {"iterations": 1}, "horizon"),
        ("lottery_ticket", {"stop_drop": 1e-9, "target_share": 0.03}, "stopped"),
        ("lottery_ticket", {"stop_drop": 0.0}, "horizon"),
        ("ard", {}, "horizon"),
    ],
)
def test_a_run_ends_with_its_reason(algorithm: str, options: dict[str, Any], reason: str, tmp_path: Path) -> None:
    quick = {**registry.algorithm(algorithm).quick, "finale": {"export": False, "redundancy": False, "training": {"epochs": 1}}}
    values = {"algorithm": algorithm, "seed": 3, **quick, "options": {**quick.get("options", {}), **options}}
    result = LocalRun(check(values), tmp_path, tmp_path, slice_seconds=1e9).run()
    assert (result["status"], result["stop_reason"]) == ("completed", reason), result["reason"]
