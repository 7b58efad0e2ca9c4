"""What was recorded with the model, in manifest.json, and whether its weights are still those."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
WEIGHTS = "model.safetensors"


def checked_manifest() -> dict[str, Any]:
    """The manifest, once the weights have the digest that stands in it; ends the program where they have not."""
    manifest: dict[str, Any] = json.loads((HERE / "manifest.json").read_text(encoding="utf-8"))
    if hashlib.sha256((HERE / WEIGHTS).read_bytes()).hexdigest() != manifest["files"][WEIGHTS]["sha256"]:
        sys.exit(f"{WEIGHTS} is not the file that was recorded with this model")
    return manifest
