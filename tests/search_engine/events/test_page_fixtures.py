"""The front end's fixtures are what the engine says now: its schemas, its events, and the runs that its contract test draws."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest

FRONTEND = Path(__file__).resolve().parents[3] / "frontend"


def columns(block: str) -> Any:
    return json.loads(zlib.decompress(base64.b64decode(block)))


def unpacked(value: Any) -> Any:
    """The same with compressed blocks as what is in them: equal columns may be packed otherwise by another zlib."""
    if isinstance(value, list):
        return [unpacked(item) for item in value]
    if isinstance(value, dict):
        return {key: columns(part) if key == "block" else unpacked(part) for key, part in value.items()}
    return value


FIXTURES = {"schema": "schemas.json", "picture": "pictures.json", "contract": "contract.json", "past": "pasts.json"}


@pytest.mark.parametrize("name", list(FIXTURES))
def test_the_fixtures_are_up_to_date(name: str) -> None:
    script = FRONTEND / "scripts" / f"{name}_fixtures.py"
    committed = FRONTEND / "tests" / "fixtures" / FIXTURES[name]
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = unpacked(json.loads(done.stdout))
    assert unpacked(json.loads(committed.read_text())) == said, "run: npm run fixtures (in frontend/)"
