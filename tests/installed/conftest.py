"""The wheel, built once from this checkout."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.absent import absent_service
from tests.browser.conftest import browser, chromium, screenshots
from tools import wheel as building

__all__ = ["browser", "chromium", "screenshots"]


@pytest.fixture(scope="package")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (building.ROOT / building.FRONT_END / "index.html").is_file():
        absent_service("the built front end", "make ui")
    return building.build(tmp_path_factory.mktemp("dist"))
