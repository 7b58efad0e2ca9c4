"""The front door's tests: each in a folder of its own, with a store of own data sets of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from search_engine.catalogue import registry


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test writes without a name lies under its own folder, and what it brings is forgotten after it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NASCOPE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("NASCOPE_OWN", raising=False)
    yield
    for field, name in sorted(registry._brought):
        registry.forget(field, name)
