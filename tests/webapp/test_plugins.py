"""A stranger's package beside the real server: what it brings is served, what is torn in it is told, and nothing falls over."""

from __future__ import annotations

import json
import os
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.patience import PATIENCE
from tests.search_engine.strangers import GOOD, install

from .api_world import make_user
from .live_server import ROOT, cookie, serving


@pytest.mark.django_db(transaction=True)
def test_the_server_stands_beside_a_torn_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modules = {"coin": GOOD, "torn": "raise SystemExit('torn')\n"}
    points = {"nascope.algorithms": {"coin": "coin_package.coin:ENTRY"}, "nascope.datasets": {"torn": "coin_package.torn:ENTRY"}}
    monkeypatch.setenv("PYTHONPATH", f"{install(tmp_path, 'coin_package', modules, points)}{os.pathsep}{ROOT}")
    administrator = make_user("ada")
    administrator.is_staff = True
    administrator.save()
    staff, other = cookie(administrator), cookie(make_user("bob"))
    with serving() as server:

        def get(path: str, headers: dict[str, str] = other) -> Any:
            request = urllib.request.Request(f"{server.origin}/api/v1/{path}", headers=headers)
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return json.load(answer)

        assert [row["reason"] for row in get("plugins")] == ["SystemExit; administrators see more"]
        assert get("plugins", staff) == [
            {
                "group": "nascope.datasets", "name": "torn", "value": "coin_package.torn:ENTRY",
                "package": "coin-package", "version": "1.2", "reason": "SystemExit: torn",
            }
        ]  # fmt: skip
        [coin] = [row for row in get("algorithms") if row["id"] == "coin"]
        assert coin["schema"]["properties"]["faces"]["default"] == 2 and "digits" in coin["datasets"]
        assert any(row["algorithm"] == "coin" for row in get("compatibility"))
        assert "torn" not in {row["id"] for row in get("datasets")}
