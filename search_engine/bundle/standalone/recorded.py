"""What was recorded with the model, in manifest.json, and whether its files are still those."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


def checked_manifest(name: str = "model.safetensors") -> dict[str, Any]:
    """The manifest, once the file `name` has the digest that stands in it; ends the program where it has not."""
    manifest: dict[str, Any] = json.loads((HERE / "manifest.json").read_text(encoding="utf-8"))
    if name not in manifest["files"]:
        sys.exit(f"this bundle has no {name}; manifest.json says why")
    if hashlib.sha256((HERE / name).read_bytes()).hexdigest() != manifest["files"][name]["sha256"]:
        sys.exit(f"{name} is not the file that was recorded with this model")
    return manifest
